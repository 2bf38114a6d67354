"""Messages on stderr, and the one progress bar for everything that takes long."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def say(line: str) -> None:
    """Prints a line for people on stderr, since stdout is for data."""
    print(f"neuroscene: {line}", file=sys.stderr)


def is_shown(progress: bool | None) -> bool:
    """Whether to show progress: `progress` itself; for None, whether stderr is a terminal."""
    return sys.stderr.isatty() if progress is None else progress


@contextmanager
def progress_bar(
    name: str, total: int, unit: str, progress: bool | None = None, **more: Any
) -> Iterator[Callable[..., None]]:
    """A function `move(done, total=None, note=None)` that moves a bar on stderr, or does nothing.

    unit       of `total`: frame, cell, B
    progress   True or False; None for a bar where stderr is a terminal
    more       for tqdm: `initial`, `unit_scale`, `leave`
    """
    if not is_shown(progress):
        yield lambda done, total=None, note=None: None
        return
    from tqdm import tqdm  # only where there is a bar to show

    with tqdm(desc=name, total=total, unit=unit, file=sys.stderr, dynamic_ncols=True, **more) as bar:
        # The first step may wait for the shader compiler; the bar is shown at once.
        bar.refresh()

        def move(done: int, total: int | None = None, note: str | None = None) -> None:
            bar.total = total or bar.total
            if note is not None:
                bar.set_postfix_str(note, refresh=False)
            if done < bar.n:
                bar.initial = done  # the work has begun again, as when a server cannot continue a download
            bar.update(done - bar.n)

        yield move
