"""What a machine may lack or take away: shared memory, a home to write to, room on the disk, a clock that goes on."""

import errno
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tree import ROOT

from engine.app.show import make_viewer
from engine.formats import atomic
from engine.output.offscreen import make_canvas
from engine.scene.scene import Scene

SMALL = ("--size", "16x12", "--supersample", "1")
PICTURE = ("render", "marching", *SMALL, "-o")
FILM = ("record", "random_networks", *SMALL, "--seconds", "0.3", "--fps", "10", "-o")
TRAINING = ("train", "bottle", "--side", "8", "--hidden", "8", "--steps", "20", "-o")
# What every kind of writer is asked to write; none of it fits where no byte does.
WRITTEN = [
    (*PICTURE, "a.png"), (*PICTURE, "a.tif"), (*FILM, "a.gif"), (*FILM, "a.mp4"), (*FILM, "a.webm"), (*FILM, "a/"),
    ("export", "boundaries", "-o", "a.svg"), ("export", "boundaries", "-o", "a.pdf"), (*TRAINING, "a.safetensors"),
    ("sheet", "marching", "--vary", "seed=1,2", "--cell", "16", "-o", "a.png"),
    ("render", "random_networks", "--size", "2000x1500", "--supersample", "1", "--set", "depth=1", "-o", "a.png"),
]  # fmt: skip

# Runs commands in the current folder: for each its status, its lines on stderr, and what is in the folder afterwards.
SCRIPT = """
import io, json, os, sys
from contextlib import redirect_stderr, redirect_stdout
from engine.cli import main
for words in json.loads(sys.argv[1]):
    err = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(err):
        status = main.main(words)
    print(json.dumps([status, err.getvalue().splitlines(), sorted(os.listdir())]))
"""


def in_own_mounts(setup, commands, **environment):
    """What SCRIPT says of commands after lines of shell that change mounts, which this process alone sees."""
    line = f'set -e\n{setup}\nexec "$0" -c "$1" "$2"'
    words = ["unshare", "-m", "sh", "-c", line, sys.executable, SCRIPT, json.dumps(commands)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def may_mount():
    try:
        test = ["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
        return subprocess.run(test, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


mounts = pytest.mark.skipif(not may_mount(), reason="needs root, to take parts of a machine away")


@mounts
def test_without_shared_memory_and_with_a_home_that_cannot_be_written_pictures_and_films_are_the_same(ask, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "work").mkdir()
    setup = f"mountpoint -q /dev/shm && umount /dev/shm; mount -t tmpfs -o ro tmpfs {tmp_path}/own; cd {tmp_path}/work"
    commands = [(*PICTURE, "a.png"), (*FILM, "a.gif"), ("download", "squeezenet", "--yes")]
    gone = {"HOME": f"{tmp_path}/own", "XDG_CACHE_HOME": "", "NEUROSCENE_CACHE": f"{tmp_path}/own/cache"}
    picture, film, download = in_own_mounts(setup, commands, **gone)
    assert picture[0] == film[0] == 0
    assert download[0] == 2 and "read-only" in download[1][-1]
    for words, name in ((PICTURE, "a.png"), (FILM, "a.gif")):
        assert ask(*words, tmp_path / name).status == 0
        assert (tmp_path / name).read_bytes() == (tmp_path / "work" / name).read_bytes()


@mounts
def test_a_full_disk_is_a_line_for_every_kind_of_file_and_the_earlier_file_stays(tmp_path):
    setup = f"mount -t tmpfs -o size=16k tmpfs {tmp_path}; cd {tmp_path}; head -c 8192 /dev/zero >a.png; mkdir b"
    setup += "; cat /dev/zero >filled 2>/dev/null || true"
    for words, (status, said, left) in zip(WRITTEN, in_own_mounts(setup, WRITTEN), strict=True):
        assert status == 2 and ("disk is full" in said[-1] or "Make room" in said[-1]), (words, said)
        assert left == ["a.png", "b", "filled"], (words, left)


@pytest.mark.parametrize("words", WRITTEN, ids=lambda words: f"{words[0]} {words[-1]}")
def test_a_disk_that_fills_while_it_is_written_leaves_the_earlier_file(words, ask, tmp_path, monkeypatch):
    def full(opened):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic, "_flushed", full)
    path = tmp_path / words[-1]
    if path.suffix:
        path.write_bytes(b"earlier")
    answer = ask(*words[:-1], path if path.suffix else f"{path}/")
    assert answer.status == 2 and "disk is full" in answer.err.splitlines()[-1]
    left = [p.name for p in tmp_path.iterdir() if not p.name.endswith(".unfinished")]
    assert left == ([path.name] if path.suffix else [])
    assert not path.suffix or path.read_bytes() == b"earlier"


class Still(Scene):
    """Nothing."""


def test_clocks_that_jump_backwards_change_no_film_window_or_progress(ask, tmp_path, monkeypatch):
    assert ask(*FILM, tmp_path / "a.gif").status == 0
    backwards = itertools.count(2_000_000_000, -3600)
    monkeypatch.setattr(time, "time", lambda: float(next(backwards)))
    monkeypatch.setattr(time, "time_ns", lambda: next(backwards) * 10**9)
    assert ask(*FILM, tmp_path / "b.gif").status == 0
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    viewer = make_viewer(Still(), make_canvas((64, 48)), panel=True, playing=True)
    times = []
    for _ in range(3):
        viewer.canvas.draw()
        times.append(viewer.clock.time)
    viewer.canvas.close()
    assert times == sorted(times) and times[-1] < 3600


def test_no_part_of_the_engine_reads_the_clock_on_the_wall():
    """That clock is set by people and networks; time that passes is told by perf_counter and monotonic."""
    reads = ("time.time(", "time_ns(", "datetime.now", "import datetime", "from datetime", "from time import")
    files = [p for folder in ("engine", "scenes") for p in Path(ROOT, folder).rglob("*.py")]
    assert len(files) > 100
    assert [(str(p), word) for p in files for word in reads if word in p.read_text(encoding="utf-8")] == []
