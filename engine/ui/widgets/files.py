"""Finding and naming files from the panel: lists of folders, completion of typed paths, unused names."""

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

# The most entries of a folder that are listed; the path of any other file can be typed.
MOST = 2000


class FolderEntry(NamedTuple):
    """One line of a folder's list; `size` is in bytes."""

    name: str
    is_folder: bool
    size: int = 0

    @property
    def note(self) -> str:
        """The size as text; empty for a folder."""
        if self.is_folder:
            return ""
        for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
            if self.size >= scale:
                return f"{self.size / scale:.3g} {unit}"
        return f"{self.size} B"


def entries(folder: str | Path, extensions: Collection[str]) -> list[FolderEntry]:
    """The folders in a folder, then its files with one of the extensions, each by name; without hidden ones.

    extensions   such as `.npz`, in lower case
    Raises OSError if the folder cannot be read.
    """
    found: list[FolderEntry] = []
    with os.scandir(folder) as items:
        for item in items:
            if len(found) >= MOST:
                break
            try:
                is_folder = item.is_dir()
                if not item.name.startswith(".") and (is_folder or Path(item.name).suffix.lower() in extensions):
                    found.append(FolderEntry(item.name, is_folder, 0 if is_folder else item.stat().st_size))
            except OSError:
                continue  # It was deleted meanwhile, or may not be read.
    return sorted(found, key=lambda entry: (not entry.is_folder, entry.name.lower()))


def completed(text: str, extensions: Collection[str]) -> str:
    """A typed path, completed as far as the files and folders there leave no choice."""
    path = Path(text).expanduser()
    folder, start = (path, "") if text.endswith(("/", os.sep)) else (path.parent, path.name)
    try:
        names = [e.name + os.sep * e.is_folder for e in entries(folder, extensions) if e.name.startswith(start)]
    except OSError:
        return text
    common = os.path.commonprefix(names)  # noqa: RUF071 - of letters, as they are typed
    return os.path.join(folder, common) if len(common) > len(start) else text


def stem(kind: type) -> str:
    """What files of a scene are called: its class's words, small and with hyphens, such as random-networks."""
    return re.sub("(?<=[a-z0-9])(?=[A-Z])", "-", kind.__name__).lower()


def free(folder: str | Path, stem: str, extension: str) -> Path:
    """A path such as stem-0001.png that does not exist yet: its number follows the highest one in the folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        names = []
    taken = (name.removeprefix(f"{stem}-").split(".")[0] for name in names if name.startswith(f"{stem}-"))
    highest = max((int(number) for number in taken if number.isascii() and number.isdigit()), default=0)
    return Path(folder) / f"{stem}-{highest + 1:04d}{extension}"
