"""What can go wrong because of what a person gave us; each message says what arrived, where, and what to do."""

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

# The longest word of a message, and the longest message, in characters: both can quote what is of any length.
LONGEST_WORD, LONGEST_MESSAGE = 300, 1500


def printable(message: object) -> str:
    """A message for one line of a terminal: control characters escaped, what is too long left out in its middle."""
    words = [_shortened(word, LONGEST_WORD) for word in re.split("( +)", _shortened(str(message), 1 << 16))]
    escaped = "".join(c if c.isprintable() else repr(c)[1:-1] for c in "".join(words))
    return _shortened(escaped, LONGEST_MESSAGE)


def _shortened(text, limit):
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2 - 2]} ... {text[-(limit // 2 - 3) :]}"


class NeurosceneError(Exception):
    """A person's mistake or a machine's lack: shown as one line, never as a traceback.

    The message may quote anything of any length, since it is made `printable`.
    """

    def __init__(self, message=""):
        super().__init__(printable(message))


class ShapeError(NeurosceneError):
    """Arrays whose sizes do not fit each other or the network."""


class NetworkError(NeurosceneError):
    """A network that cannot be shown: an unknown layer or activation, a weight that is not a number."""


class FileError(NeurosceneError):
    """A file that is missing, broken, too large, or of a format we do not read or write."""


class SettingError(NeurosceneError):
    """A setting that does not exist, or a value it does not take."""


class SceneError(NeurosceneError):
    """A scene that cannot be found, loaded or built."""


class ShaderError(NeurosceneError):
    """WGSL that does not compile; the message, of several lines, names the file and line it was written in."""

    def __init__(self, message=""):
        Exception.__init__(self, str(message))


class ExecutorError(NeurosceneError):
    """Work that an executor or one of its workers cannot do; the message says what it needs."""


class UndecidedError(NeurosceneError):
    """A picture with undecided rays, where a person asked for certainty (--strict). The picture has been made."""


class NoAdapterError(NeurosceneError):
    """No Vulkan adapter; the message says what to install."""


class DeviceLostError(NeurosceneError):
    """The graphics device is gone, with all that was on it; what is asked for next gets a new one."""


class NoDisplayError(NeurosceneError):
    """No screen to open a window on; the message says what to do instead."""


class DeviceLimitError(NeurosceneError):
    """More than this adapter can hold; the message says which limit and what would fit."""


@contextmanager
def located(before: str, after: str = "") -> Iterator[None]:
    """Puts words before and after the message of what a NeurosceneError inside says: where it happened."""
    try:
        yield
    except NeurosceneError as error:
        raise type(error)(f"{before}{error}{after}") from None


def near(name: object, known: Iterable[object], *, noun: str = "one") -> str:
    """The end of a message about an unknown name: what there is, and what was probably meant.

    name   what arrived
    known  the names that would have been right
    """
    known = sorted(map(str, known))
    lowered = {k.lower(): k for k in known}
    close = [lowered[k] for k in difflib.get_close_matches(str(name).lower(), lowered, n=3, cutoff=0.5)]
    # A hundred names help nobody who has mistyped one of them.
    there = "" if close and len(known) > 40 else f" It may be: {', '.join(known)}."
    return f"There is no {noun} `{name}`.{there}" + (f" Near: {', '.join(close)}." if close else "")


def whole_number(text: str) -> int | None:
    """The number that up to nine decimal digits write; None for any other text."""
    return int(text) if text.isdecimal() and len(text) < 10 else None
