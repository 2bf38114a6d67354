"""How large a picture may be: what any adapter holds, and what this machine's memory does."""

import os

from engine.errors import SettingError

# The widest picture any adapter of today holds in one texture.
SIZE_MAX = 32768
# Of a film's frames: four bytes of colour, once as the picture, once as the file's rows, once compressed at worst.
BYTES_A_PIXEL = 12


def memory_bytes() -> int | None:
    """The machine's memory in bytes; None where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def check_memory(size: tuple[int, int]) -> None:
    """Raises SettingError for frames that the machine's memory does not hold; a picture by itself may be larger.

    size   (width, height) in pixels
    """
    memory = memory_bytes()
    if memory is not None and size[0] * size[1] * BYTES_A_PIXEL > memory:
        side = int((memory / BYTES_A_PIXEL) ** 0.5)
        raise SettingError(
            f"--size {size[0]}x{size[1]} takes {size[0] * size[1] * BYTES_A_PIXEL / 1e9:.1f} GB of memory, and this "
            f"machine has {memory / 1e9:.1f}. As large as {side}x{side} fits."
        )
