"""How long each pass of a picture takes, by the GPU's own clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import wgpu

from engine.gpu.device import device

# Passes of one query set: two timestamps each, in a buffer of 8 KiB.
PASSES = 512
_current: PassTimes | None = None


@dataclass(frozen=True)
class PassTime:
    """All passes of one label together.

    label     what the passes do: the shader's file, or the phase of the picture
    count     number of passes
    seconds   on the GPU's clock
    """

    label: str
    count: int
    seconds: float


def timing_lack() -> str | None:
    """Why this adapter cannot time passes, in a sentence; None where it can."""
    if "timestamp-query" in device().features:
        return None
    return f"{device().adapter} has no timestamps (the feature timestamp-query), so passes cannot be timed."


class PassTimes:
    """Collects the times of the passes that are begun within `recording`.

    Collects nothing where the adapter has no timestamps; see `timing_lack`.
    """

    def __init__(self) -> None:
        self._sets: list[tuple[wgpu.GPUQuerySet, list[str]]] = []
        self._found: dict[str, tuple[int, float]] = {}

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Times the passes that are begun inside, in this process."""
        global _current
        before, _current = _current, self
        try:
            yield
        finally:
            _current = before

    def writes(self, label: str) -> dict | None:
        """The `timestamp_writes` of one pass descriptor; None where the adapter has no timestamps."""
        if timing_lack():
            return None
        if not self._sets or len(self._sets[-1][1]) == PASSES:
            query_set = device().handle.create_query_set(label="pass times", type="timestamp", count=2 * PASSES)
            self._sets.append((query_set, []))
        query_set, labels = self._sets[-1]
        labels.append(label)
        first = 2 * (len(labels) - 1)
        return {
            "query_set": query_set,
            "beginning_of_pass_write_index": first,
            "end_of_pass_write_index": first + 1,
        }

    def add(self, rows: tuple[PassTime, ...]) -> None:
        """Adds the rows of other PassTimes."""
        for row in rows:
            count, seconds = self._found.get(row.label, (0, 0.0))
            self._found[row.label] = count + row.count, seconds + row.seconds

    def rows(self) -> tuple[PassTime, ...]:
        """A PassTime for each label, longest first; waits for the GPU."""
        sets, self._sets = self._sets, []
        for query_set, labels in sets:
            taken = _seconds(query_set, len(labels))
            self.add(tuple(PassTime(label, 1, float(t)) for label, t in zip(labels, taken, strict=True)))
        found = (PassTime(label, *values) for label, values in self._found.items())
        return tuple(sorted(found, key=lambda row: -row.seconds))

    def table(self) -> str:
        """The rows as lines of text with a sum, or the sentence of `timing_lack`."""
        lack = timing_lack()
        if lack:
            return lack
        rows = self.rows()
        whole = PassTime("all passes", sum(r.count for r in rows), sum(r.seconds for r in rows))
        wide = max(len(row.label) for row in (*rows, whole))
        lines = [f"{'pass':{wide}}  {'count':>6}  {'ms':>9}  {'share':>5}"]
        for row in (*rows, whole):
            share = row.seconds / whole.seconds if whole.seconds else 0.0
            lines.append(f"{row.label:{wide}}  {row.count:6}  {row.seconds * 1e3:9.3f}  {share:5.0%}")
        return "\n".join(lines)


def timestamp_writes(label: str) -> dict | None:
    """The `timestamp_writes` of a pass that is about to begin; None if it is not timed."""
    return _current.writes(label) if _current is not None else None


def _seconds(query_set: wgpu.GPUQuerySet, count: int) -> np.ndarray:
    """(count,) seconds that the passes of a query set took."""
    from wgpu.backends.wgpu_native import lib  # here: see instance.prepare

    handle, queue = device().handle, device().queue
    usage = wgpu.BufferUsage.QUERY_RESOLVE | wgpu.BufferUsage.COPY_SRC
    ticks = handle.create_buffer(label="pass times", size=16 * count, usage=usage)
    encoder = device().encoder("pass times")
    encoder.resolve_query_set(query_set, 0, 2 * count, ticks, 0)
    device().submit(encoder)
    ends = np.frombuffer(queue.read_buffer(ticks), np.uint64).reshape(count, 2)
    # A pass that was recorded but never submitted has written nothing, and a clock may be reset between two timestamps.
    elapsed = (ends[:, 1] - ends[:, 0]).astype(np.int64).clip(0)
    return elapsed * lib.wgpuQueueGetTimestampPeriod(queue._internal) * 1e-9
