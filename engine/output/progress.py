"""Messages on stderr, and the one progress bar for everything that takes long."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Seconds between two lines of progress where stderr is no terminal, and between two states of a bar's note.
BETWEEN_LINES, BETWEEN_NOTES = 10.0, 0.2
# What follows the name of a bar of a share of the work, which has a note on the time left.
SHARE = "{desc} {percentage:3.0f}%|{bar}| {elapsed}{postfix}"


@dataclass
class _Manner:
    """How this process speaks: with lines of progress where there is no terminal; or without progress and remarks."""

    lines: bool = False
    quiet: bool = False


_manner = _Manner()


@contextmanager
def manner(*, lines: bool | None = None, quiet: bool | None = None) -> Iterator[None]:
    """In the block, has progress told in lines where there is no terminal, as in a log; or nothing but errors."""
    before = _manner.lines, _manner.quiet
    _manner.lines, _manner.quiet = (
        old if new is None else new for old, new in zip(before, (lines, quiet), strict=True)
    )
    try:
        yield
    finally:
        _manner.lines, _manner.quiet = before


def say(line: str) -> None:
    """Prints a line for people on stderr, since stdout is for data."""
    print(f"neuroscene: {line}", file=sys.stderr, flush=True)


def remark(line: str) -> None:
    """Prints a line that --quiet leaves out."""
    if not _manner.quiet:
        say(line)


def is_shown(progress: bool | None) -> bool:
    """Whether to show progress: `progress` itself; for None, whether stderr is a terminal."""
    return not _manner.quiet and (sys.stderr.isatty() if progress is None else progress)


Move = Callable[..., None]


@contextmanager
def progress_bar(name: str, total: float, unit: str, progress: bool | None = None, **more: Any) -> Iterator[Move]:
    """A function `move(done, total=None, note=None)` that moves a bar on stderr, or says it in a line now and then.

    unit       of `total`: frame, cell, B; "" for a share of the work, of which the total is 1
    progress   True or False; None for a bar where stderr is a terminal, else for lines where `manner` asks for them
    more       for tqdm: `initial`, `unit_scale`, `leave`
    """
    if not is_shown(progress):
        if progress is None and _manner.lines and not _manner.quiet:
            with _Log(name, total, unit) as log:
                yield log.move
        else:
            yield lambda done, total=None, note=None: None
        return
    from tqdm import tqdm  # only where there is a bar to show

    more |= {} if unit else {"bar_format": SHARE}
    with tqdm(desc=name, total=total, unit=unit, file=sys.stderr, dynamic_ncols=True, **more) as bar:
        # The first step may wait for the shader compiler; the bar is shown at once.
        bar.refresh()
        noted = 0.0

        def move(done: float, total: float | None = None, note: str | None = None) -> None:
            nonlocal noted
            bar.total = total or bar.total
            if done < bar.n:
                bar.initial = done  # the work has begun again, as when a server cannot continue a download
            bar.update(done - bar.n)
            if note is not None and time.monotonic() > noted + BETWEEN_NOTES:
                noted = time.monotonic()
                bar.set_postfix_str(note)

        yield move


class _Log:
    """Says in a line now and then how far the work is, also while a step of it takes long."""

    def __init__(self, name: str, total: float, unit: str):
        self.name, self.total, self.unit = name, total, unit
        self.done: float = 0
        self.note = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tell_often, daemon=True)

    def __enter__(self) -> "_Log":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def move(self, done: float, total: float | None = None, note: str | None = None) -> None:
        """Notes how far the work is."""
        self.done, self.total, self.note = done, total or self.total, self.note if note is None else note

    def tell(self) -> None:
        """Says it."""
        units = f"{self.unit}{'s' * (len(self.unit) > 1)}"
        far = f"{self.done:,} of {self.total:,} {units}" if units else f"{self.done:.0%}"
        say(", ".join(filter(None, (f"{self.name}: {far}", self.note))))

    def _tell_often(self):
        while not self._ended.wait(BETWEEN_LINES):
            self.tell()
