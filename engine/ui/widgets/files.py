"""Finding and naming files from the panel: what a folder has to offer, and what a half-typed path may become."""

import itertools
import os
from dataclasses import dataclass
from pathlib import Path

# A folder of more entries is shown in part; the path can still be typed.
MOST = 2000


@dataclass(frozen=True)
class Entry:
    """One line of a folder's list."""

    name: str
    is_folder: bool
    size: int = 0

    @property
    def note(self):
        if self.is_folder:
            return ""
        for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
            if self.size >= scale:
                return f"{self.size / scale:.3g} {unit}"
        return f"{self.size} B"


def entries(folder, extensions):
    """The folders and fitting files of a folder, folders first, by name; hidden ones left out.

    extensions   such as `.npz`, in lower case
    Raises OSError if the folder cannot be read.
    """
    folders, files = [], []
    with os.scandir(folder) as found:
        for item in found:
            if len(folders) + len(files) >= MOST:
                break
            if item.name.startswith("."):
                continue
            try:
                if item.is_dir():
                    folders.append(Entry(item.name, True))
                elif Path(item.name).suffix.lower() in extensions:
                    files.append(Entry(item.name, False, item.stat().st_size))
            except OSError:
                continue  # It went away, or may not be looked at.
    return sorted(folders, key=lambda e: e.name.lower()) + sorted(files, key=lambda e: e.name.lower())


def completed(text, extensions):
    """A typed path, longer by as much as is certain; the text itself if nothing is."""
    path = Path(text).expanduser()
    folder, start = (path, "") if text.endswith(("/", os.sep)) else (path.parent, path.name)
    try:
        names = [e.name + os.sep * e.is_folder for e in entries(folder, extensions) if e.name.startswith(start)]
    except OSError:
        return text
    if not names:
        return text
    common = names[0]
    for name in names[1:]:
        common = "".join(a for a, _ in itertools.takewhile(lambda ab: ab[0] == ab[1], zip(common, name, strict=False)))
    return str(folder / common) + (os.sep if common.endswith(os.sep) else "") if len(common) > len(start) else text


def free(folder, stem, extension):
    """A path such as stem-0001.png that does not exist yet, one past the highest there is."""
    highest = 0
    try:
        names = os.listdir(folder)
    except OSError:
        names = []
    for name in names:
        middle = name.removeprefix(f"{stem}-").split(".")[0]
        if name.startswith(f"{stem}-") and middle.isascii() and middle.isdigit():
            highest = max(highest, int(middle))
    return Path(folder) / f"{stem}-{highest + 1:04d}{extension}"
