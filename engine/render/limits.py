"""The limits of a picture's size: what any adapter holds, and what fits into this machine's memory."""

from engine.diagnostics import memory_bytes
from engine.errors import SettingError

# The widest picture any adapter of today holds in one texture.
SIZE_MAX = 32768
# Memory for a film's frame: four bytes of colour three times, as the picture, as the file's rows, and compressed.
BYTES_A_PIXEL = 12


def check_memory(size: tuple[int, int]) -> None:
    """Raises SettingError for frames that do not fit into memory; a single picture may be larger, as it is tiled.

    size   (width, height) in pixels
    """
    memory = memory_bytes()
    if size[0] * size[1] * BYTES_A_PIXEL > memory:
        side = int((memory / BYTES_A_PIXEL) ** 0.5)
        raise SettingError(
            f"--size {size[0]}x{size[1]} takes {size[0] * size[1] * BYTES_A_PIXEL / 1e9:.1f} GB of memory, and this "
            f"machine has {memory / 1e9:.1f}. As large as {side}x{side} fits."
        )
