"""The files that can be downloaded (names, addresses, sizes, hashes), and the cache folder where they are stored.

This module does not use the internet: it only finds files that were downloaded before.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import FileError, SettingError, near

# The environment variable that names another folder for downloads.
CACHE = "NEUROSCENE_CACHE"


@dataclass(frozen=True)
class Download:
    """A file that can be downloaded.

    url      https
    size     exact, in bytes
    sha256   of its bytes, hexadecimal
    about    a line that describes it
    source   a line with its authors and licence
    """

    url: str
    size: int
    sha256: str
    about: str
    source: str

    @property
    def file(self) -> str:
        """The file's name in the cache folder."""
        return self.url.rpartition("/")[2]


# name -> file
DOWNLOADS = {
    "squeezenet": Download(
        url="https://github.com/onnx/models/raw/main/validated/vision/classification/squeezenet/model/squeezenet1.0-12.onnx",
        size=4_952_956,
        sha256="dec81a8684617770b3cf13fadc1d92565d1d453d23935fc6388b792d99c992bd",
        about="SqueezeNet 1.0, trained on ImageNet: tells 1000 kinds of things in photos",
        source="Iandola and others, 2016 (BSD licence); ONNX model zoo, github.com/onnx/models (Apache licence 2.0)",
    ),
}


def find(name: str) -> Download:
    """The Download of a name. Raises SettingError, listing similar names, if there is none."""
    if name not in DOWNLOADS:
        raise SettingError(near(name, DOWNLOADS, noun="download"))
    return DOWNLOADS[name]


def cache_folder(environment: Mapping[str, str] | None = None, system: str | None = None) -> Path:
    """The folder of downloads: $NEUROSCENE_CACHE, or `neuroscene` in the system's cache folder.

    environment, system   used instead of os.environ and sys.platform
    """
    environment = os.environ if environment is None else environment
    system = sys.platform if system is None else system
    own = environment.get(CACHE)
    try:
        if own:
            return Path(own).expanduser().absolute()
        if system == "win32":
            local = environment.get("LOCALAPPDATA")
            return (Path(local) if local else Path.home() / "AppData" / "Local") / "neuroscene" / "Cache"
        if system == "darwin":
            return Path.home() / "Library" / "Caches" / "neuroscene"
        # The XDG Base Directory Specification requires that relative paths are ignored.
        base = environment.get("XDG_CACHE_HOME", "")
        return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "neuroscene"
    except RuntimeError:
        raise FileError(f"There is no home folder to keep downloads in: set {CACHE} to a folder.") from None


def place(name: str, folder: Path | None = None) -> Path:
    """The path of a download, whether it exists or not; in the cache folder unless another is given."""
    return Path(folder or cache_folder()) / find(name).file


def cached(name: str, *, check: bool = False, folder: Path | None = None) -> Path | None:
    """The path of a download if it exists, else None.

    check   True compares the sha256, which reads the file; False only the size
    """
    known, path = find(name), place(name, folder)
    try:
        if not path.is_file() or path.stat().st_size != known.size:
            return None
        if check and digest(path) != known.sha256:
            return None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}. Change its permissions.") from None
    return path


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
