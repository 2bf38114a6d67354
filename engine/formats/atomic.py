"""Files and folders that appear whole or not at all: written under a hidden name, then renamed. Also locks files."""

import errno
import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


_numbers = itertools.count()
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
    path     (attribute) the temporary name

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
        # Shortened, since the target's name may be long; numbered, for threads that write the same target.
        self.path = self.target.with_name(f".{self.target.name[:50]}.{os.getpid()}.{next(_numbers)}.part")

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
        """Renames what was written to the target."""
        old = self.path.with_suffix(".old")
        try:
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
        except OSError as error:
            self.discard()
            raise cannot_write(self.given, error) from None

    def discard(self) -> None:
        """Deletes what was written; the target is unchanged."""
        try:
            if self.path.is_dir():
                shutil.rmtree(self.path, ignore_errors=True)
            else:
                self.path.unlink(missing_ok=True)
        except OSError:
            pass  # The error that led here matters more.


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A stream that becomes the file at path when the block ends; after an error in the block nothing is changed."""
    atomic = AtomicTarget(path)
    try:
        with atomic.path.open("wb") as stream:
            yield stream
    except BaseException as error:
        atomic.discard()
        if isinstance(error, OSError):
            raise cannot_write(atomic.given, error) from None
        raise
    atomic.commit()


def lock(stream: BinaryIO) -> bool:
    """Locks a file until it is closed; returns False if another process has locked it.

    Returns True also on file systems without locks, such as some network disks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(stream.fileno(), LOCK_AT, os.SEEK_SET)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        pass
    return True
