"""The finished bands of a large file, stored in a folder beside it until the file is complete: `a.png.unfinished/`.

The folder holds a file `asked`, whose first line is the key of the picture, and a file for each band: a line with a
checksum and the band's facts, then its bytes. What is read back is checked and never executed; if a band is missing or
damaged, it and all later ones are discarded and made again. From the beginning `asked` is locked, so that another
process that is asked for the same file says so at once.
"""

import hashlib
import json
import os
import re
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from engine.errors import FileError
from engine.formats.atomic import AtomicTarget, cannot_write, is_at, lock, replacing

ENDING = ".unfinished"
ASKED = "asked"
NAME = re.compile(r"band-\d{5}")
# Bands stay in memory for the first seconds, up to a limit of bytes: a picture stopped within that time leaves no
# folder, because it is quickly made again.
MEMORY_SECONDS, MEMORY_BYTES = 10.0, 2**27
# Bytes of a name; a longer one is cut, and told apart by a hash.
NAME_BYTES = 255
# The most that is read of a line and of a band: more than is ever written.
LINE_BYTES, BAND_BYTES = 2**20, 2**28


class ResumableFile:
    """A file that grows band by band, and gets its name when it is complete.

    path      of the finished file
    key       a text that is different for any other picture; bands stored under another key are not used
    asked     a text for a person who finds the folder
    head      bytes the file begins with
    restart   True discards the bands that are stored already

    found     the facts of the bands that are stored already, in order, as given to `append`
    message   a line about what was found, or None
    Raises FileError if the file cannot be written, or if another process is making it now.
    """

    def __init__(self, path: str | os.PathLike, key: str, *, asked: str, head: bytes, restart: bool = False):
        atomic = AtomicTarget(path)
        self.path = atomic.given
        name = _fitting(atomic.target.name)
        self.folder = atomic.target.with_name(name)
        # The folder's path as the person wrote it, for messages.
        self.folder_given = os.path.join(os.path.dirname(self.path), name)
        self._key, self._asked, self._head = key, asked, head
        self.found: list[dict[str, int]] = []
        self.message: str | None = None
        self._pending: list[bytes] = []
        self._begun = time.monotonic()
        # The file `asked`, open and locked until `finish` or `stop`.
        self._lock: BinaryIO | None = None
        try:
            self._lock = self._taken()
            self._resume(restart)
        except OSError as error:
            self.stop()
            raise cannot_write(self.path, error) from None

    @property
    def is_stored(self) -> bool:
        """True once bands are stored on the disk, where they stay after a stop."""
        return len(self.found) > len(self._pending)

    def append(self, data: bytes, facts: dict[str, int]) -> None:
        """Adds a band's bytes, with the facts that the file's tail needs."""
        self.found.append(facts)
        self._pending.append(data)
        late = time.monotonic() - self._begun >= MEMORY_SECONDS or sum(map(len, self._pending)) >= MEMORY_BYTES
        if not (self.is_stored or late):
            return
        try:
            for number, part in enumerate(self._pending, self._stored_count()):
                with self._band(number).open("xb") as band:
                    band.write(_sealed(number, json.dumps(self.found[number]).encode() + b"\n" + part))
        except OSError as error:
            raise cannot_write(self.path, error) from None
        self._pending = []

    def finish(self, tail: bytes, patches: list[tuple[int, bytes]]) -> None:
        """Writes the bands and the tail as one file, then each patch (place, bytes) over it, and renames it."""
        with replacing(self.path) as stream:
            stream.write(self._head)
            for number in range(self._stored_count()):
                stream.write(self._band(number).read_bytes().partition(b"\n")[2])
            stream.writelines([*self._pending, tail])
            for place, data in patches:
                stream.seek(place)
                stream.write(data)
        self._leave(self.folder)

    def stop(self) -> None:
        """Lets go of the folder; bands on the disk stay for the next call."""
        self._leave(None if self.is_stored else self.folder)

    # Private helpers.

    def _stored_count(self) -> int:
        return len(self.found) - len(self._pending)

    def _band(self, number: int) -> Path:
        return self.folder / f"band-{number:05}"

    def _leave(self, emptied: Path | None) -> None:
        """Unlocks the folder; a folder to be emptied is removed while it is still locked."""
        if self._lock is None:
            return
        if os.name == "nt":  # where an open file cannot be removed
            self._lock.close()
        if emptied is not None:
            shutil.rmtree(emptied, ignore_errors=True)
        with suppress(OSError):  # of a full disk: what could not be written is not needed
            self._lock.close()
        self._lock, self._pending = None, []

    def _taken(self) -> BinaryIO:
        """The file `asked` of the folder, made if need be, open and locked."""
        while True:
            with suppress(FileExistsError):
                self.folder.mkdir()
            self._check_ours()
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
            try:
                stream = os.fdopen(os.open(self.folder / ASKED, flags, 0o666), "r+b")
            except FileNotFoundError:  # the process that had the folder has just removed it
                continue
            if not lock(stream):
                stream.close()
                raise FileError(
                    f"{self.path} is being made by another process just now. Wait for it, or choose another path."
                )
            if is_at(stream.fileno(), self.folder / ASKED):
                return stream
            stream.close()

    def _check_ours(self) -> None:
        """Raises FileError for a folder, or what stands in its place, that holds anything but bands."""
        with suppress(FileNotFoundError):
            if not stat.S_ISDIR(os.lstat(self.folder).st_mode):
                raise FileError(f"{self.folder_given} is no folder of ours; move it away.")
            for name in sorted(os.listdir(self.folder)):
                is_file = stat.S_ISREG(os.lstat(self.folder / name).st_mode)
                if not (name == ASKED or NAME.fullmatch(name)) or not is_file:
                    raise FileError(f"{self.folder_given} holds {name}, which is not ours; move it away.")

    def _resume(self, restart: bool) -> None:
        """Finds the stored bands, up to the first damaged one, and discards all others."""
        assert self._lock is not None
        names = [name for name in sorted(os.listdir(self.folder)) if NAME.fullmatch(name)]
        same = self._lock.readline(LINE_BYTES).decode("utf-8", "replace").rstrip("\n") == self._key
        if names and not same and not restart:
            self.message = f"{self.folder_given} had bands of another picture; this one starts anew."
        if same and not restart:
            while (facts := _facts(len(self.found), self._band(len(self.found)))) is not None:
                self.found.append(facts)
        for name in names:
            if int(name[-5:]) >= len(self.found):
                (self.folder / name).unlink()
        if not same:
            self._lock.seek(0)
            self._lock.truncate()
            self._lock.write(f"{self._key}\n{self._asked}\n".encode())
            self._lock.flush()


def _fitting(name: str) -> str:
    """The name of the folder of unfinished bands beside a file of a name."""
    data = os.fsencode(name)
    most = NAME_BYTES - len(ENDING)
    if len(data) > most:
        data = data[: most - 9] + b"-" + hashlib.sha256(data).hexdigest()[:8].encode()
    return os.fsdecode(data) + ENDING


def _sealed(number: int, content: bytes) -> bytes:
    """A band's content after its checksum, which counts its place too."""
    return hashlib.sha256(b"%d " % number + content).hexdigest().encode() + b" " + content


def _facts(number: int, band: Path) -> dict[str, int] | None:
    """The facts of a stored band, or None where it is missing or not as it was written."""
    with suppress(OSError, ValueError, RecursionError):
        if band.stat().st_size <= BAND_BYTES:
            content = band.read_bytes()
            line = content[:LINE_BYTES].partition(b"\n")[0].partition(b" ")[2]
            facts = json.loads(line)
            is_right = _sealed(number, content.partition(b" ")[2]) == content and isinstance(facts, dict)
            if is_right and all(type(n) is int and 0 <= n < 2**48 for n in facts.values()):
                return facts
    return None


def free_bytes(path: str | os.PathLike) -> int | None:
    """Free bytes on the disk where a file will be written; None if unknown."""
    try:
        return shutil.disk_usage(Path(os.path.realpath(path)).parent).free
    except OSError:
        return None
