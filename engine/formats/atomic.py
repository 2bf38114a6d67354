"""Files and folders that appear whole or not at all: written under a hidden name, then renamed. Also locks files.

A hidden name is unpredictable, so that no neighbour in a shared folder can put a link there, and it is locked while it
is written. What a killed process has left is not: the next one that writes the same file removes it.
"""

import errno
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from engine.errors import FileError

# What a person can do about an error of writing.
ADVICE = {
    errno.ENOSPC: "the disk is full; make room or choose another disk",
    errno.EDQUOT: "your disk quota is used up; make room or choose another disk",
    errno.EFBIG: "the file grew past the largest this system allows; make it shorter or smaller",
    errno.EACCES: "its folder may not be written to; choose another or change its permissions",
    errno.EPERM: "its folder may not be written to; choose another or change its permissions",
    errno.EROFS: "its disk is read-only; choose another folder",
    errno.ENOENT: "its folder does not exist; make it first",
    errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
}

# How a temporary file is made: never through a link, never over another file.
MADE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
# How one is opened to see whether it is in use; without waiting, should it be a pipe.
SEEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
# The name of a temporary file or folder, or of an earlier folder on its way out: of what, and the random number.
HIDDEN = re.compile(r"\.(?P<of>.{1,50})\.(?P<random>[0-9a-f]{16})\.(?P<kind>part|old)", re.DOTALL)
# Errors of file systems that cannot do what is asked, such as some network disks.
CANNOT = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF)

# The place of the byte that is locked, beyond the file's end: on Windows a locked byte cannot be read either.
LOCK_AT = 2**31 - 2


def cannot_write(path: str | os.PathLike, error: OSError) -> FileError:
    """The FileError for an OSError that was raised while writing to path."""
    reason = ADVICE.get(error.errno or 0) or f"{error.strerror or error}; choose another place"
    return FileError(f"{path} cannot be written: {reason}.")


class AtomicTarget:
    """A file or folder to write, under a hidden temporary name in the same folder.

    path     the path of the result
    folder   True for a folder

    given    (attribute) the path as text, for messages
    target   (attribute) the path of the result, links followed, so that a link is not replaced by a file
    path     (attribute) the temporary name; `create` or `create_folder` makes it

    Raises FileError at once for a path that cannot be written, and not after an hour of rendering.
    """

    def __init__(self, path: str | os.PathLike, *, folder: bool = False):
        self.given = os.fspath(path)
        if "\0" in self.given:
            raise FileError(f"{self.given!r} has a null byte in it; give a plain path.")
        self.target = Path(os.path.realpath(self.given))
        try:
            self._check(folder)
        except OSError as error:
            raise cannot_write(self.given, error) from None
        self.path = self._unused()
        # Locked until the result has its name, also while another program writes to it.
        self._held: int | None = None

    def _unused(self) -> Path:
        # Shortened, since the target's name may be long.
        return self.target.with_name(f".{self.target.name[:50]}.{secrets.token_hex(8)}.part")

    def create(self) -> BinaryIO:
        """The stream of the temporary file, made now. Raises OSError."""
        return os.fdopen(os.dup(self._made(lambda path: os.open(path, MADE, 0o666))), "wb")

    def create_folder(self) -> None:
        """Makes the temporary folder. Raises OSError."""
        if sys.platform == "win32":  # where folders cannot be opened
            self.path.mkdir()
        else:
            self._made(_folder)

    def _made(self, make: Callable[[Path], int]) -> int:
        """What `make` has made at the temporary name and opened, locked."""
        _sweep(self.target)
        while True:
            self._held = make(self.path)
            if _locked(self._held) is not False and is_at(self._held, self.path):
                return self._held
            # Another process has just taken it for one that a killed process has left.
            self._release()
            self.path = self._unused()

    def _check(self, folder: bool) -> None:
        target, above = self.target, self.target.parent
        if not target.name:
            raise FileError(f"{self.given} is the root of a disk; give the path of something in it.")
        if not above.is_dir():
            if above.exists():
                raise FileError(f"{self.given} cannot be written: {above} is a file, not a folder. Choose a folder.")
            raise FileError(f"{self.given} cannot be written: there is no folder {above}. Make it first.")
        if not os.access(above, os.W_OK | os.X_OK):
            raise cannot_write(self.given, PermissionError(errno.EACCES, "no permission"))
        if target.is_dir() and not folder:
            raise FileError(f"{self.given} is a folder; give the path of a file in it.")
        if target.exists() and not target.is_dir() and (folder or not target.is_file()):
            # Renaming over a device or a pipe would destroy it for all programs.
            what = "a file" if target.is_file() else "not a regular file"
            raise FileError(f"{self.given} is {what}; choose another path.")

    def commit(self) -> None:
        """Renames what was written to the target, once it is on the disk."""
        old = self.path.with_suffix(".old")
        try:
            self._sync()
            if sys.platform == "win32":  # where an open file cannot be renamed
                self._release()
            if self.target.is_dir():
                # A folder with files cannot be replaced by renaming, so the old one is moved away first, then deleted.
                os.rename(self.target, old)
                try:
                    os.rename(self.path, self.target)
                except BaseException:
                    os.rename(old, self.target)
                    raise
                shutil.rmtree(old, ignore_errors=True)
            else:
                os.replace(self.path, self.target)
            with suppress(OSError):  # the name is in its place; a folder that cannot be opened is no loss
                sync(self.target.parent, os.O_RDONLY)
        except OSError as error:
            self.discard()
            raise cannot_write(self.given, error) from None
        finally:
            self._release()

    def _sync(self) -> None:
        if self.path.is_dir():
            for file in os.scandir(self.path):
                sync(file.path, os.O_RDWR)
        elif self._held is not None:
            _flushed(self._held)

    def _release(self) -> None:
        if self._held is not None:
            os.close(self._held)
        self._held = None

    def discard(self) -> None:
        """Deletes what was written; the target is unchanged."""
        if sys.platform == "win32":
            self._release()
        try:
            _remove(self.path)
        except OSError:
            pass  # The error that led here matters more.
        finally:
            self._release()


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A stream that becomes the file at path when the block ends; after an error in the block nothing is changed."""
    atomic = AtomicTarget(path)
    try:
        with atomic.create() as stream:
            yield stream
    except BaseException as error:
        atomic.discard()
        if isinstance(error, OSError):
            raise cannot_write(atomic.given, error) from None
        raise
    atomic.commit()


def _folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY)


def sync(path: str | os.PathLike, flags: int) -> None:
    """Waits until a file or folder, opened with these flags, is on the disk. Raises OSError."""
    opened = os.open(path, flags)
    try:
        _flushed(opened)
    finally:
        os.close(opened)


def _flushed(opened: int) -> None:
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in CANNOT:
            raise


def lock(stream: BinaryIO) -> bool:
    """Locks a file until it is closed; returns False if another process has locked it.

    Returns True also on file systems without locks, such as some network disks.
    """
    return _locked(stream.fileno()) is not False


def _locked(opened: int) -> bool | None:
    """Locks an open file: False if it is another's, None on file systems without locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(opened, LOCK_AT, os.SEEK_SET)
            msvcrt.locking(opened, msvcrt.LK_NBLCK, 1)
            os.lseek(opened, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def is_at(opened: int, path: Path) -> bool:
    """Whether an open file is the one that a path names, which another process may have removed."""
    try:
        return os.path.samestat(os.fstat(opened), os.lstat(path))
    except OSError:
        return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sweep(target: Path) -> None:
    """Removes what killed processes have left beside a target; a folder moved away for a new one is put back."""
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in [*entries]:
            found = HIDDEN.fullmatch(entry.name)
            if found and found["of"] == target.name[:50] and not entry.is_symlink():
                with suppress(OSError):
                    _tidy(target, Path(entry.path), found["kind"])


def _tidy(target: Path, path: Path, kind: str) -> None:
    """Removes a temporary file or folder that no process holds."""
    if kind == "old":
        # Its process holds the new folder until that has its name.
        if not path.with_suffix(".part").exists():
            if target.exists():
                _remove(path)
            else:
                os.rename(path, target)
        return
    opened = os.open(path, SEEN)
    try:
        if _locked(opened):
            if sys.platform != "win32" or not path.is_dir():
                _remove(path)
            old = path.with_suffix(".old")
            if old.exists():
                _tidy(target, old, "old")
    finally:
        os.close(opened)
