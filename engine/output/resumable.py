"""The finished bands of a large file, stored in a folder beside it until the file is complete: `a.png.unfinished/`.

The folder holds three files: `asked`, whose first line is the key of what is being made; `picture`, the file as far as
it goes; and `bands`, a line of JSON for each band in `picture` after that line's own checksum. What is read back is
compared with sizes and checksums and never executed; what does not fit is discarded and made again.
"""

import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal

from engine.errors import FileError
from engine.formats.atomic import AtomicTarget, cannot_write, lock

ENDING = ".unfinished"
NAMES = {"asked", "bands", "picture"}
# Bands stay in memory for so long, or up to so many bytes: a picture stopped sooner leaves no folder, because making it
# again is quicker than reading about it.
MEMORY_SECONDS, MEMORY_BYTES = 10.0, 2**27
# No line written here is a tenth as long; no picture has as many bands.
LINE_BYTES, MOST_BANDS = 1000, 2**16


class ResumableFile:
    """A file that grows band by band and is put in its place when it is complete.

    path      where the file goes
    key       a text that differs for every other picture; bands of another key are not used
    asked     words for a person who finds the folder
    head      bytes the file begins with
    restart   True to discard what is there

    found     facts of the bands that are there already, in order, as `append` was given them
    message   a line about what was found, or None
    Raises FileError where the file cannot be written, or where another process is making it now.
    """

    def __init__(self, path: str | os.PathLike, key: str, *, asked: str, head: bytes, restart: bool = False):
        self._atomic = AtomicTarget(path)
        self.path = self._atomic.given
        target = self._atomic.target
        self.folder = target.with_name(target.name + ENDING)
        # As the person named it, for messages.
        self.folder_given = self.path + ENDING
        self._key, self._asked, self._head = key, asked, head
        self.found: list[dict[str, int]] = []
        self.message: str | None = None
        self._pending: list[tuple[bytes, dict[str, int]]] = []
        self._begun = time.monotonic()
        # Open while bands are stored on the disk.
        self._picture: BinaryIO | None = None
        self._bands: BinaryIO | None = None
        if os.path.lexists(self.folder):
            self._resume(restart)

    @property
    def is_stored(self) -> bool:
        """True when what was written is on the disk and stays there after a stop."""
        return self._picture is not None

    def append(self, data: bytes, facts: dict[str, int]) -> None:
        """Adds a band's bytes."""
        self.found.append(facts)
        self._pending.append((data, facts))
        size = sum(len(data) for data, _ in self._pending)
        if self.is_stored or time.monotonic() - self._begun >= MEMORY_SECONDS or size >= MEMORY_BYTES:
            self._guard(self._write)

    def finish(self, tail: bytes, patches: list[tuple[int, bytes]]) -> None:
        """Adds the end, writes each patch (place, bytes) over what is there, and puts the file in its place."""
        self._guard(self._finish, tail, patches)

    def stop(self) -> None:
        """Closes the folder: what is on the disk stays for the next time."""
        for stream in (self._picture, self._bands):
            if stream is not None:
                with suppress(OSError):  # a full disk: the last band is incomplete, which its checksum shows
                    stream.close()
        self._picture = self._bands = None
        self._pending = []

    # Behind them.

    def _guard(self, work: Callable[..., None], *args: Any) -> None:
        try:
            work(*args)
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def _finish(self, tail: bytes, patches: list[tuple[int, bytes]]) -> None:
        whole = self.folder / "picture" if self._picture else self._atomic.path
        try:
            with self._picture or open(whole, "wb") as stream:
                if not self._picture:
                    stream.writelines([self._head, *(data for data, _ in self._pending)])
                stream.write(tail)
                for place, data in patches:
                    stream.seek(place)
                    stream.write(data)
        except BaseException:
            self._atomic.discard()
            raise
        os.replace(whole, self._atomic.target)
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        """Writes the pending bands to the disk."""
        if not self.is_stored:
            self.folder.mkdir()
            (self.folder / "asked").write_text(f"{self._key}\n{self._asked}\n", "utf-8")
            picture, bands = self._open("wb")
            picture.write(self._head)
        else:
            picture, bands = self._streams()
        for data, facts in self._pending:
            picture.write(data)
            picture.flush()
            # Only now: a line is about a band that is there.
            bands.write(_line({**facts, "length": len(data), "sha256": hashlib.sha256(data).hexdigest()}))
            bands.flush()
        self._pending = []

    def _streams(self) -> tuple[BinaryIO, BinaryIO]:
        assert self._picture and self._bands
        return self._picture, self._bands

    def _open(self, mode: Literal["wb", "r+b"]) -> tuple[BinaryIO, BinaryIO]:
        self._picture = open(self.folder / "picture", mode)  # noqa: SIM115  closed by stop and finish
        self._bands = open(self.folder / "bands", mode)  # noqa: SIM115
        if not lock(self._bands):
            self.stop()
            raise FileError(
                f"{self.path} is being made by another process just now. Wait for it, or choose another path."
            )
        return self._streams()

    def _resume(self, restart: bool) -> None:
        """Reads the bands that are there, up to the first that is damaged, or discards them."""
        if not stat.S_ISDIR(os.lstat(self.folder).st_mode):
            raise FileError(f"{self.folder_given} is no folder of ours; move it away.")
        names = set(os.listdir(self.folder))
        strange = [n for n in sorted(names) if n not in NAMES or not stat.S_ISREG(os.lstat(self.folder / n).st_mode)]
        if strange:
            raise FileError(f"{self.folder_given} holds {strange[0]}, which is not ours; move it away.")
        if names != NAMES:
            return self._clear(None)
        try:
            picture, bands = self._open("r+b")
        except OSError as error:
            raise cannot_write(self.path, error) from None
        if restart:
            return self._clear(None)
        with open(self.folder / "asked", "rb") as asked:
            if asked.readline(LINE_BYTES).decode("utf-8", "replace").rstrip("\n") != self._key:
                return self._clear(f"{self.folder_given} held bands of another picture; this one starts anew.")
        # The same for every picture of this key, except that the patches at the end may have been written over it.
        picture.write(self._head)
        good, end = 0, len(self._head)
        for line in _lines(bands):
            facts = _facts(line)
            if facts is None or not _is_next(picture, facts.pop("length"), facts.pop("sha256")):
                break
            good += len(line)
            self.found.append(facts)
            end = picture.tell()
        for stream, place in ((picture, end), (bands, good)):
            stream.seek(place)
            stream.truncate()
        return None

    def _clear(self, message: str | None) -> None:
        self.message = message
        self.stop()
        for name in NAMES:
            (self.folder / name).unlink(missing_ok=True)
        self.folder.rmdir()


def _is_next(picture: BinaryIO, length: int, sha256: str) -> bool:
    """True when the next bytes of `picture` are a band of this length and checksum."""
    if length > os.fstat(picture.fileno()).st_size - picture.tell():
        return False
    digest = hashlib.sha256()
    for start in range(0, length, 2**20):
        digest.update(picture.read(min(length - start, 2**20)))
    return digest.hexdigest() == sha256


def _line(facts: dict[str, Any]) -> bytes:
    text = json.dumps(facts, sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()} {text}\n".encode()


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    for _ in range(MOST_BANDS):
        line = stream.readline(LINE_BYTES)
        if not line.endswith(b"\n"):
            return
        yield line


def _facts(line: bytes) -> dict[str, Any] | None:
    """The facts in a line of `bands`, or None where it is not as it was written."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if hashlib.sha256(text).hexdigest().encode() != checksum:
        return None
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict) or "length" not in facts or not isinstance(facts.get("sha256"), str):
        return None
    numbers = [value for name, value in facts.items() if name != "sha256"]
    good = all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 2**48 for n in numbers)
    return facts if good else None


def free_bytes(path: str | os.PathLike) -> int | None:
    """Bytes free on the disk of a file that is to be written, or None where that is not known."""
    try:
        return shutil.disk_usage(Path(os.path.realpath(path)).parent).free
    except OSError:
        return None
