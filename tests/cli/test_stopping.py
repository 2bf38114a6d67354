"""Ctrl-C while a picture's rays are searched: what is known is written, and the rest is hatched and counted."""

import os
import signal

import numpy as np
import pytest
from PIL import Image

import engine
from engine.app import lookup, make
from engine.app.jobs import renderer
from engine.app.make import StoppedPicture
from engine.app.picture_state import read_state
from engine.cli import main
from engine.draw.surfaces.crossings import StoredCrossings
from engine.kernels.search import casting
from engine.render.renderer import Renderer

# A network whose rays are searched in passes.
DEEP = ["marching", "--set", "hidden=6", "--set", "depth=2", "--set", "levels=single", "--set", "legend_shown=no"]
SMALL = ["--size", "160x120", "--supersample", "1"]


@pytest.fixture(autouse=True)
def short_passes(monkeypatch):
    """Has a pass over the rays end early, so that small pictures take several."""
    monkeypatch.setattr(casting, "most_turns", lambda shape: 2, raising=False)


@pytest.fixture
def interrupted(monkeypatch):
    """Has a signal, Ctrl-C's if not told, arrive at these steps of a picture, or of those with more rays decided."""

    def at(*numbers, decided=True, share=0.0, number=signal.SIGINT):
        real = Renderer.steps

        def steps(self, *args, **more):
            inner, sent, count = real(self, *args, **more), None, 0
            try:
                while True:
                    found = inner.send(sent)
                    count += found.decided > share * found.rays or not decided
                    sent = yield found
                    if count in numbers:
                        os.kill(os.getpid(), number)
            except StopIteration as end:
                return end.value

        monkeypatch.setattr(Renderer, "steps", steps)

    return at


def test_ctrl_c_writes_what_is_known_says_what_is_not_and_ends_with_130(ask, tmp_path, interrupted):
    whole, part = tmp_path / "a.png", tmp_path / "b.png"
    assert ask("render", *DEEP, *SMALL, "-o", whole).status == main.OK
    # Half of the rays pass the region by.
    interrupted(1, share=0.6)
    answer = ask("render", *DEEP, *SMALL, "-o", part)
    assert (answer.status, answer.out) == (main.INTERRUPTED, f"{part}\n") and answer.is_one_line()
    assert f"Stopped: {part}" in answer.err and "undecided: " in answer.err
    report = renderer().report
    assert 0 < report.undecided < report.rays < 160 * 120
    # Rays that were decided by then are drawn as in the whole picture.
    same = (np.asarray(Image.open(whole)) == np.asarray(Image.open(part))).all(axis=2).mean()
    assert 0.02 < same < 1.0 and same >= report.certified - 0.05
    # It opens again as any other.
    assert read_state(part)["settings"]["depth"] == 2


def test_ctrl_c_where_nothing_can_be_kept_leaves_nothing(ask, tmp_path, interrupted, monkeypatch):
    interrupted(1, decided=False)
    monkeypatch.setattr(make, "_takes_long", lambda scene: False)
    answer = ask("render", *DEEP, *SMALL, "-o", tmp_path / "a.png")
    assert (answer.status, answer.out) == (main.INTERRUPTED, "") and answer.is_one_line()
    assert "nothing was written" in answer.err and "as it was" not in answer.err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_before_the_first_ray_says_that_nothing_was_written(ask, tmp_path, ctrl_c, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"earlier")

    def struck(self, *args, **more):
        ctrl_c()
        yield

    # While a tree of boxes grows; and before there is a scene.
    monkeypatch.setattr(StoredCrossings, "_refine", struck)
    answer = ask("render", *DEEP, *SMALL, "-o", path)
    assert answer.status == main.INTERRUPTED and answer.is_one_line()
    assert f"nothing was written, and {path} is as it was" in answer.err and path.read_bytes() == b"earlier"
    monkeypatch.setattr(lookup, "open_scene", lambda *_: ctrl_c())
    for command in ("render", "record", "export", "sheet"):
        answer = ask(command, *DEEP, "-o", path)
        assert answer.status == main.INTERRUPTED and answer.is_one_line() and "nothing was written" in answer.err


def test_a_second_ctrl_c_ends_at_once(ask, tmp_path, interrupted):
    interrupted(1, 2)
    answer = ask("render", *DEEP, *SMALL, "-o", tmp_path / "a.png")
    assert (answer.status, answer.out) == (main.INTERRUPTED, "") and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_terminal_that_is_closed_stops_work_as_ctrl_c_does(ask, tmp_path, monkeypatch, number, status):
    monkeypatch.setattr(Renderer, "steps", lambda *_, **__: os.kill(os.getpid(), number))
    answer = ask("record", *DEEP, *SMALL, "-o", tmp_path / "a.mp4", "--seconds", "1")
    assert (answer.status, answer.out) == (status, "") and "nothing was saved" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_kill_leaves_an_earlier_picture_as_it_was(ask, tmp_path, interrupted):
    path = tmp_path / "a.png"
    path.write_bytes(b"earlier")
    interrupted(1, number=signal.SIGTERM)
    answer = ask("render", *DEEP, *SMALL, "-o", path)
    assert (answer.status, answer.out) == (143, "") and answer.is_one_line()
    assert path.read_bytes() == b"earlier" and list(tmp_path.iterdir()) == [path]


def test_in_python_it_raises_once_the_file_is_written(tmp_path, interrupted):
    scene, _ = engine.open_scene("marching", hidden=6, depth=2, levels="single")
    interrupted(1)
    with pytest.raises(StoppedPicture, match="undecided"):
        engine.save(scene, tmp_path / "a.png", (160, 120), supersample=1)
    assert (tmp_path / "a.png").exists()
