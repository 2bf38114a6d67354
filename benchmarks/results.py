"""Stores measurements: benchmarks/results/<name>.csv, a row each with commit, date and adapter."""

import csv
import os
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "results"


def store(name, rows):
    """Prints rows (dicts with the same keys) as a table and appends them to results/<name>.csv.

    The file's first line names the columns; rows of other columns than the file's are refused, so that a table
    stays one table.
    """
    from engine.gpu.device import platform

    wide = {key: max(len(key), *(len(_text(row[key])) for row in rows)) for key in rows[0]}
    print("  ".join(f"{key:{wide[key]}}" for key in rows[0]))
    for row in rows:
        print("  ".join(f"{_text(row[key]):{wide[key]}}" for key in row))
    print(flush=True)
    known = {"commit": _commit(), "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"), "adapter": platform()}
    path = FOLDER / f"{name}.csv"
    FOLDER.mkdir(exist_ok=True)
    columns = [*known, "cores", *rows[0]]
    fresh = not path.exists()
    if not fresh:
        with path.open(newline="") as file:
            assert next(csv.reader(file)) == columns, f"{path} has other columns; move it away."
    with path.open("a", newline="") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        if fresh:
            table.writeheader()
        table.writerows({**known, "cores": os.cpu_count(), **{k: _text(v) for k, v in row.items()}} for row in rows)


def _text(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _commit():
    def git(*words):
        done = subprocess.run(["git", *words], cwd=FOLDER.parent.parent, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        # The tables themselves grow while they are measured; that is no change of what is measured.
        changed = git("status", "--porcelain", "--", ".", ":!benchmarks/results")
        return git("rev-parse", "--short=8", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def spread(run, times=9, warm=1, clock=time.perf_counter):
    """(median, least) seconds of calls of run() by a clock, after some that are not counted."""
    for _ in range(warm):
        run()
    taken = []
    for _ in range(times):
        start = clock()
        run()
        taken.append(clock() - start)
    return statistics.median(taken), min(taken)


def command(*words):
    """Runs `python -m engine` with words, as a process of its own."""
    subprocess.run(
        [sys.executable, "-m", "engine", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
