"""What wgpu's library says when a device is lost or memory ends, as errors that a person understands."""

import logging
from collections.abc import Callable
from typing import Any

from engine.errors import DeviceLimitError, DeviceLostError

LOST = (
    "The graphics device was lost: its driver was reset or updated, or the card was taken away. The next picture gets "
    "a new device; `neuroscene doctor` tests it."
)
NO_MEMORY = (
    "The graphics device has no memory left. Take a smaller picture, fewer samples a pixel, or a smaller network; or "
    "close other programs that use it."
)
# Parts of its messages; the last one is of an object of an earlier device that is used with the present one.
LOST_WORDS = ("device is lost", "device lost", "label doesn't match device with")
MEMORY_WORDS = ("not enough memory", "out of memory")
# Its own lines about a loss, in place of which ours is said.
LOG_WORDS = ("device lost", "device was lost")

# Whether a loss is to be looked into, and whether an error has said so.
suspected, said = False, False


def forget() -> None:
    """To be called once the device is known to be usable."""
    global suspected, said
    suspected = said = False


def _error(kind: Callable[[str], Exception]) -> Callable[[str], Exception]:
    """A function that makes the error of a message: ours where we know better."""

    def make(message: str) -> Exception:
        global suspected, said
        words = " ".join(message.lower().split())
        if any(word in words for word in LOST_WORDS):
            suspected = said = True
            return DeviceLostError(LOST)
        if any(word in words for word in MEMORY_WORDS):
            return DeviceLimitError(NO_MEMORY)
        return kind(message)

    return make


def _is_not_of_loss(record: logging.LogRecord) -> bool:
    global suspected
    if any(word in record.getMessage().lower() for word in LOG_WORDS):
        suspected = True
        return False
    return True


def watch() -> None:
    """Has all calls of the library raise our errors, and its lines about a loss noticed instead of printed."""
    from wgpu.backends.wgpu_native import _helpers  # here: see instance.prepare

    kinds: Any = _helpers.ERROR_TYPES
    kinds |= {name: kind if getattr(kind, "__name__", "") == "make" else _error(kind) for name, kind in kinds.items()}
    log = logging.getLogger("wgpu")
    if _is_not_of_loss not in log.filters:
        log.addFilter(_is_not_of_loss)
