"""Help for engineers: a log of what is compiled or recomputed, and every shader as it was compiled.

NEUROSCENE_LOG=debug in the environment shows the log; NEUROSCENE_DUMP_WGSL=folder writes the shaders. Worker processes
inherit both.
"""

import logging
import os
from pathlib import Path

from engine.errors import FileError

LOG_LEVEL = "NEUROSCENE_LOG"
WGSL_FOLDER = "NEUROSCENE_DUMP_WGSL"

# What is assumed where the system does not say how much memory there is.
USUAL_MEMORY = 8 << 30

log = logging.getLogger("neuroscene")


def show_log(level: str = "debug") -> None:
    """Writes what the engine logs to stderr.

    level   debug (compile times, what was not in a cache), info, warning or error; any other text is debug
    """
    os.environ[LOG_LEVEL] = level
    log.setLevel(logging.getLevelNamesMapping().get(level.upper(), logging.DEBUG))
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(name)s: %(levelname)s: %(message)s"))
        log.addHandler(handler)
        # A program that has configured the root logger would otherwise print every line twice.
        log.propagate = False


def dump_wgsl(folder: str | os.PathLike) -> None:
    """Has every module that is compiled from now on written to a folder. Raises FileError if that cannot be made."""
    if not os.fspath(folder):
        raise FileError("No folder is named for the shaders; give one, such as `shaders`.")
    folder = Path(folder).expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: no folder for the shaders can be made there: {error.strerror}.") from None
    os.environ[WGSL_FOLDER] = str(folder)


def wgsl_folder() -> Path | None:
    """Where compiled modules are to be written; None for nowhere."""
    folder = os.environ.get(WGSL_FOLDER)
    return Path(folder) if folder else None


if os.environ.get(LOG_LEVEL):
    show_log(os.environ[LOG_LEVEL])


def memory_bytes() -> int:
    """The memory of this machine, or of the container if that may have less."""
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        there = USUAL_MEMORY
    try:
        return min(there, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no such system, or `max`
        return there
