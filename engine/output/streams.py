"""The standard streams of a process: any may be closed, or a pipe whose reader has ended."""

import io
import os
import sys
from contextlib import suppress
from typing import Any, BinaryIO, TextIO

from engine.errors import FileError

# Why stdout could not be given a path; what was made is there all the same, so the work goes on.
_problem: OSError | None = None


class _Lasting(io.FileIO):
    """A file whose writes never fail: what cannot be written is lost."""

    def write(self, data: Any) -> int:
        """The number of bytes written or lost."""
        try:
            return super().write(data) or len(data)  # None where a pipe that does not wait is full
        except OSError:
            _end(self)
            return len(data)


def hold() -> None:
    """Makes all three streams such that work goes on whatever they are; called once, before a file is opened.

    A closed one is opened as the null device: else the next file would get its number, and be written to by all that
    write messages. Messages that nobody reads are lost, and characters that a stream cannot encode are escaped.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115  it stays open to the end
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    raw = io.BufferedWriter(_Lasting(2, "w", closefd=False))
    sys.stderr = io.TextIOWrapper(raw, encoding, "backslashreplace", line_buffering=True)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def give(path: str | os.PathLike) -> None:
    """Prints a path that was written on stdout, in its own bytes; `finish` raises what went wrong, if anything did."""
    global _problem
    if sys.stdout is None:
        return
    try:
        if hasattr(sys.stdout, "buffer"):
            sys.stdout.flush()
            sys.stdout.buffer.write(os.fsencode(path) + b"\n")
        else:
            print(os.fspath(path))
        sys.stdout.flush()
    except OSError as error:
        _problem = error
        _end(sys.stdout)


def standard_output() -> BinaryIO:
    """The stream for a picture on stdout. Raises FileError where it is closed."""
    if sys.stdout is None:
        raise FileError("- is standard output, which is closed. Give a file, or leave standard output open.")
    return sys.stdout.buffer


def finish() -> None:
    """Writes what stdout still holds. Raises the OSError for what could not be written, unless its reader has ended."""
    global _problem
    problem, _problem = _problem, None
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        problem = problem or error
        _end(sys.stdout)
    if problem is not None and not isinstance(problem, BrokenPipeError):
        raise problem


def _end(stream: TextIO | io.FileIO) -> None:
    """Lets all further writes to a stream go nowhere."""
    with suppress(OSError, ValueError):  # a stream of a test or a notebook has no number
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
