"""What is finished of a large file, kept in a folder beside its place until all is: `a.png.unfinished/`.

The folder holds three files: `asked`, whose first line is the key of what is being made; `picture`, the file as far as
it goes; and `bands`, a line of JSON for each band of it behind that line's own checksum. What is read back from there
is held against sizes and checksums and never run; what does not fit is thrown away and made again.
"""

import hashlib
import json
import os
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.errors import FileError
from engine.formats.atomic import Beside, cannot_write

try:
    import fcntl
except ImportError:  # Windows: two of one command at once are not told apart there
    fcntl = None  # type: ignore[assignment]

ENDING = ".unfinished"
NAMES = {"asked", "bands", "picture"}
# A picture done sooner leaves nothing when it is stopped: making it again is quicker than reading about it.
KEEP_SECONDS = 10.0
# Or held in memory until then, if that is more: packed bands, in bytes.
KEEP_BYTES = 2**27
# No line that we write is a tenth as long; no picture has as many bands.
LINE_BYTES, MOST_BANDS = 1000, 2**16


class ResumableFile:
    """A file that grows band by band and is put in its place when it is whole.

    path      where the file goes
    key       a text that is another for every other picture; bands of another key are not gone on with
    asked     words for a person who finds the folder
    head      bytes the file begins with
    restart   True to throw away what is kept

    found     facts of the bands that are there already, in order, as `append` was given them
    said      a line about what was found, or None
    Raises FileError where the file cannot be written, or where another process is making it just now.
    """

    def __init__(self, path, key, *, asked, head, restart=False):
        self._beside = Beside(path)
        self.path = self._beside.given
        target = self._beside.target
        self.folder = target.with_name(target.name + ENDING)
        # As the person named it, for messages.
        self.folder_given = self.path + ENDING
        self._key, self._asked, self._head = key, asked, head
        self.found, self.said = [], None
        self._held, self._begun = [], time.monotonic()
        # Binary streams while bands are kept on the disk.
        self._picture: Any = None
        self._bands: Any = None
        if os.path.lexists(self.folder):
            self._look(restart)

    @property
    def is_kept(self):
        """True when what was written is on the disk and stays there after a stop."""
        return self._picture is not None

    def append(self, data, facts):
        """Adds a band's bytes; facts are whole numbers by name."""
        self.found.append(facts)
        self._held.append((data, facts))
        late = time.monotonic() - self._begun >= KEEP_SECONDS or sum(len(d) for d, _ in self._held) >= KEEP_BYTES
        if self.is_kept or late:
            self._guard(self._write)

    def finish(self, tail, patches):
        """Adds the end, puts bytes over what was written, and the file in its place."""
        self._guard(self._finish, tail, patches)

    def stop(self):
        """Lets go: what is on the disk stays for the next time."""
        for stream in (self._picture, self._bands):
            if stream is not None:
                with suppress(OSError):  # a full disk: the last band is incomplete, which its checksum tells
                    stream.close()
        self._picture = self._bands = None
        self._held = []

    # Behind them.

    def _guard(self, work, *args):
        try:
            work(*args)
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def _finish(self, tail, patches):
        if self.is_kept:
            stream, whole = self._picture, self.folder / "picture"
        else:
            whole = self._beside.path
            stream = whole.open("wb")
        try:
            if not self.is_kept:
                stream.write(self._head)
                for data, _ in self._held:
                    stream.write(data)
            stream.write(tail)
            for place, data in patches:
                stream.seek(place)
                stream.write(data)
            stream.close()
        except BaseException:
            stream.close()
            if whole == self._beside.path:
                self._beside.discard()
            raise
        os.replace(whole, self._beside.target)
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self):
        """Brings what is held to the disk."""
        if not self.is_kept:
            self.folder.mkdir()
            (self.folder / "asked").write_text(f"{self._key}\n{self._asked}\n", "utf-8")
            self._open("wb")
            self._picture.write(self._head)
        for data, facts in self._held:
            self._picture.write(data)
            self._picture.flush()
            # Only now: a line tells of a band that is there.
            self._bands.write(_line({**facts, "length": len(data), "sha256": hashlib.sha256(data).hexdigest()}))
            self._bands.flush()
        self._held = []

    def _open(self, mode):
        self._picture = open(self.folder / "picture", mode)  # noqa: SIM115  closed by stop and finish
        self._bands = open(self.folder / "bands", mode)  # noqa: SIM115
        if fcntl is not None:
            try:
                fcntl.flock(self._bands, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.stop()
                raise FileError(
                    f"{self.path} is being made by another process just now. Wait for it, or choose another path."
                ) from None

    def _look(self, restart):
        """Goes on from what is there, as far as it is right."""
        if not stat.S_ISDIR(os.lstat(self.folder).st_mode):
            raise FileError(f"{self.folder_given} is no folder of ours; move it away.")
        strange = sorted(set(os.listdir(self.folder)) - NAMES)
        files = [p for p in self.folder.iterdir() if not stat.S_ISREG(os.lstat(p).st_mode)]
        if strange or files:
            name = strange[0] if strange else files[0].name
            raise FileError(f"{self.folder_given} holds {name}, which is not ours; move it away.")
        if set(os.listdir(self.folder)) != NAMES:
            return self._clear(None)
        self._guard(self._open, "r+b")
        if restart:
            return self._clear(None)
        with open(self.folder / "asked", "rb") as stream:
            if stream.readline(LINE_BYTES).decode("utf-8", "replace").rstrip("\n") != self._key:
                return self._clear(f"{self.folder_given} held what was done of another picture; this one starts anew.")
        # The same for every picture of this key, but that the very end may have been put over it already.
        self._picture.write(self._head)
        good, end = 0, len(self._head)
        for line in _lines(self._bands):
            facts = _facts(line)
            if facts is None or not self._is_right(facts):
                break
            good += len(line)
            self.found.append({k: v for k, v in facts.items() if k not in ("length", "sha256")})
            end = self._picture.tell()
        for stream, place in ((self._picture, end), (self._bands, good)):
            stream.seek(place)
            stream.truncate()
        return None

    def _is_right(self, facts):
        """True when the next band of `picture` is the one that the facts are of."""
        left, sum_ = facts["length"], hashlib.sha256()
        if left > os.fstat(self._picture.fileno()).st_size - self._picture.tell():
            return False
        while left:
            part = self._picture.read(min(left, 2**20))
            if not part:
                return False
            sum_.update(part)
            left -= len(part)
        return sum_.hexdigest() == facts["sha256"]

    def _clear(self, said):
        self.said = said
        self.stop()
        for name in NAMES:
            (self.folder / name).unlink(missing_ok=True)
        self.folder.rmdir()


def _line(facts):
    text = json.dumps(facts, sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()} {text}\n".encode()


def _lines(stream):
    for _ in range(MOST_BANDS):
        line = stream.readline(LINE_BYTES)
        if not line.endswith(b"\n"):
            return
        yield line


def _facts(line):
    """What a line of `bands` tells, or None where it is not as it was written."""
    sum_, _, text = line.rstrip(b"\n").partition(b" ")
    if hashlib.sha256(text).hexdigest().encode() != sum_:
        return None
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict) or not isinstance(facts.pop("sha256", None), str):
        return None
    whole = all(isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 2**48 for v in facts.values())
    return {**facts, "sha256": json.loads(text)["sha256"]} if whole and "length" in facts else None


def free_bytes(path):
    """Bytes free where a file is to go, or None where that is not told."""
    try:
        return shutil.disk_usage(Path(os.path.realpath(path)).parent).free
    except OSError:
        return None
