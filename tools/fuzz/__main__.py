"""Damages files of every kind that is read, and counts what reading them does: python -m tools.fuzz --count 10000.

Each damaged file must be read, or refused by a NeurosceneError of one line: within seconds and a bound of memory, and
without a word on stderr. Files that do anything else are kept, and the exit status is 1. Linux only.
"""

import argparse
import io
import os
import signal
import sys
import tempfile
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from engine.diagnostics import log
from engine.errors import LONGEST_MESSAGE, NeurosceneError
from tools.fuzz.damage import damaged
from tools.fuzz.kinds import KINDS, Kind

# Seconds of the processor that reading a small damaged file may take.
MAX_SECONDS = 10


class Hang(BaseException):
    """Reading a file has taken MAX_SECONDS."""


@contextmanager
def _heard() -> Iterator[Callable[[], bytes]]:
    """A function that gives what has been written to file 2 since its last call, by whatever library."""
    with tempfile.TemporaryFile() as file:
        kept, level = os.dup(2), log.level
        os.dup2(file.fileno(), 2)
        log.setLevel("ERROR")  # remarks on what was read are no fault
        try:

            def said() -> bytes:
                end = file.seek(0, io.SEEK_CUR)
                file.seek(0)
                text = file.read()
                file.seek(0)
                file.truncate()
                return text if end or text else b""

            yield said
        finally:
            log.setLevel(level)
            os.dup2(kept, 2)
            os.close(kept)


class Peak:
    """The peak of this process's memory, as Linux tells it."""

    def __init__(self) -> None:
        self.status = os.open("/proc/self/status", os.O_RDONLY)
        self.before = self._now()

    def _now(self) -> int:
        text = os.pread(self.status, 4096, 0)
        return int(text[text.index(b"VmHWM:") + 6 :].split(maxsplit=1)[0]) << 10

    def grown(self) -> int:
        """Bytes by which the peak has grown since the last call; after a large step the peak begins anew."""
        grown = self._now() - self.before
        if grown > 64 << 20:
            Path("/proc/self/clear_refs").write_text("5")
        self.before = self._now()
        return grown


def outcome(kind: Kind, path: Path, said: Callable[[], bytes], peak: Peak) -> str:
    """`read`, `refused`, or what is wrong."""
    result = "read"
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
    try:
        kind.read(path)
    except NeurosceneError as error:
        text = str(error)
        result = (
            "refused" if "\n" not in text and len(text) <= LONGEST_MESSAGE else f"message of {len(text)} characters"
        )
    except Hang:
        result = "hang"
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        result = f"{type(error).__name__}: {str(error)[:100]} ({Path(place.filename).name}:{place.lineno})"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    grown = peak.grown()
    if grown > kind.most:
        return f"took {grown >> 20} MiB ({result})"
    noise = said()
    return f"stderr: {noise[:200]!r}" if noise else result


def attacked(name: str, count: int, keep: Path) -> Counter[str]:
    """{outcome: how often} of so many damaged files of a kind."""
    kind, counts = KINDS[name](), Counter[str]()
    peak = Peak()
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    with tempfile.TemporaryDirectory() as folder, _heard() as said:
        path = Path(folder) / f"a{kind.ending}"
        for number in range(count):
            path.write_bytes(damaged(kind.samples, rng))
            found = outcome(kind, path, said, peak)
            counts[found] += 1
            if found not in ("read", "refused") and counts[found] == 1:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{name.replace(' ', '-')}-{number}{kind.ending}").write_bytes(path.read_bytes())
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; all if none is given")
    parser.add_argument("--count", type=int, default=1000, help="damaged files of each kind")
    parser.add_argument("--keep", type=Path, default=Path("fuzzed"), help="a folder for files at fault")
    asked = parser.parse_args()

    def late(*_: object) -> None:
        raise Hang

    signal.signal(signal.SIGPROF, late)
    warnings.simplefilter("default")
    faults = 0
    for name in asked.kinds or KINDS:
        try:
            counts = attacked(name, asked.count, asked.keep)
        except ImportError as error:
            print(f"{name}: left out, {error}")
            continue
        wrong = {text: n for text, n in counts.items() if text not in ("read", "refused")}
        faults += sum(wrong.values())
        print(
            f"{name}: {counts['read']:,} read, {counts['refused']:,} refused, {sum(wrong.values()):,} at fault",
            flush=True,
        )
        for text, number in sorted(wrong.items(), key=lambda item: -item[1])[:20]:
            print(f"    {number} {text}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
