"""The ffmpeg that writes videos: found, run once, and asked for the encoders that are needed."""

import os
import subprocess
from dataclasses import dataclass
from functools import lru_cache

import imageio_ffmpeg

from engine.errors import FileError

# The variable by which a person names an ffmpeg, of imageio-ffmpeg.
VARIABLE = "IMAGEIO_FFMPEG_EXE"
INSTEAD = "Run `pip install imageio-ffmpeg`, or write .gif or .png frames."
# Seconds that it may take to say its version.
PATIENCE = 60


@dataclass(frozen=True)
class Ffmpeg:
    """A program that runs, its version, and the names of what it can write."""

    path: str
    version: str
    encoders: frozenset[str]


def ffmpeg(encoder: str | None = None) -> Ffmpeg:
    """The Ffmpeg that films are written with: the one that IMAGEIO_FFMPEG_EXE names, the package's, or the system's.

    encoder   one that it must have

    Raises FileError, saying what is wrong with it and what to do.
    """
    try:
        path = imageio_ffmpeg.get_ffmpeg_exe()
    except (RuntimeError, OSError):
        raise FileError(f"No ffmpeg was found to write video with. {INSTEAD}") from None
    found = _asked(path, os.environ.get(VARIABLE) or "")
    if encoder is not None and encoder not in found.encoders:
        raise FileError(f"ffmpeg {found.version}, {path}, was built without {encoder}. {INSTEAD}")
    return found


@lru_cache(maxsize=4)
def _asked(path: str, named: str) -> Ffmpeg:
    try:
        version, encoders = (_said(path, word) for word in ("-version", "-encoders"))
    except FileNotFoundError:
        reason = "there is no such file"
    except PermissionError:
        reason = "it is not an executable file"
    except OSError as error:
        reason = f"it cannot be run: {error.strerror}"
    except subprocess.TimeoutExpired:
        reason = "it does not answer"
    except subprocess.CalledProcessError as error:
        reason = f"it fails, with status {error.returncode}, when asked for its version"
    else:
        return Ffmpeg(path, version.split(" version ")[-1].split(" ")[0], frozenset(encoders.split()))
    whose = f"which {VARIABLE} names" if named else "to write video with"
    raise FileError(f"ffmpeg, {path}, {whose}: {reason}. {f'Unset {VARIABLE}, or name another.' if named else INSTEAD}")


def _said(path, word):
    run = subprocess.run(
        [path, "-hide_banner", word], stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=PATIENCE
    )
    return run.stdout.decode(errors="replace").replace("\n", " ")
