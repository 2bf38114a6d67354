"""What is said of rays that stay undecided: by every command, with its share, and with a status of its own."""

import pytest

from engine.app.jobs import renderer
from engine.cli import main
from engine.cli.certainty import read_budget
from engine.errors import SettingError
from engine.kernels.search.budget import Allowance, Budget
from engine.render.picture import Report

# A node that counts 3 grazing and 5 undecided rays in each tile, as nodes of surfaces do.
SCENE = '''
"""Doubtful rays."""

import numpy as np

import engine
from engine.draw.drawable import Drawable
from engine.gpu.array import Array

COUNTS = [40, 3, 5, 0]


class Doubts(Drawable):
    casts_rays = True

    def fill(self, frame, world):
        counts = Array.of(np.array(COUNTS, np.uint32))
        frame.encoder.copy_buffer_to_buffer(counts.buffer, 0, frame.counts.buffer, 0, 16)


class Doubtful(engine.FlatScene):
    """A scene whose rays are counted as doubtful."""

    many = engine.Integer(1, bounds=(1, 9), doc="nothing")
    loop = 1.0

    def build(self, stage):
        stage.add(Doubts())
'''


@pytest.fixture
def doubtful(tmp_path):
    path = tmp_path / "doubtful.py"
    path.write_text(SCENE)
    return path


SMALL = ("--size", "8x8", "--supersample", "1")
MADE = {
    "render": ("render", "a.png", SMALL, 40, 5, 3),
    "several tiles": ("render", "a.png", ("--size", "2000x1000", "--supersample", "1"), 160, 20, 12),
    "record": ("record", "a.gif", (*SMALL, "--quiet", "--seconds", "0.2", "--fps", "20"), 160, 20, 12),
    "sheet": ("sheet", "a.png", ("--vary", "many=1,2", "--cell", "8x8", "--supersample", "1"), 80, 10, 6),
}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("strict", [False, True])
def test_what_is_undecided_is_said_in_a_line_and_is_a_status_where_asked(ask, doubtful, tmp_path, kind, strict):
    command, name, options, rays, undecided, grazes = MADE[kind]
    path = tmp_path / name
    answer = ask(command, doubtful, "-o", path, *options, *["--strict"] * strict)
    assert answer.status == (main.OPEN if strict else main.OK)
    assert answer.out == f"{path}\n" and path.exists()
    assert answer.is_one_line(), answer.err
    said = Report(rays, grazes, undecided)
    assert f"Of {rays:,} rays that enter the region, undecided: {undecided} (" in answer.err and str(said) in answer.err
    assert "--budget 65536" in answer.err


def test_every_command_that_draws_takes_a_budget_and_is_strict():
    import typer

    commands = typer.main.get_command(main.app).commands
    drawing = [
        name for name, command in commands.items()
        if {"scene", "output"} <= {parameter.name for parameter in command.params}
    ]  # fmt: skip
    assert {"render", "record", "export", "sheet", "figures"} <= set(drawing)
    for name in drawing:
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert {"--budget", "--strict", "--quiet"} <= options, name


@pytest.mark.parametrize("name", ["a.svg", "a.png"])
def test_vectors_cast_no_rays_and_are_certain(ask, tmp_path, name):
    command = "export" if name.endswith("svg") else "render"
    words = ("--quiet", "--budget", "1", "--strict", *SMALL * (command == "render"))
    answer = ask(command, "boundaries", "-o", tmp_path / name, *words)
    assert answer.status == main.OK and answer.err == ""


def test_what_does_not_move_is_recorded_and_said(ask, doubtful, tmp_path):
    answer = ask("record", doubtful, "-o", tmp_path / "a.gif", *SMALL, "--seconds", "0.2", "--fps", "20")
    assert answer.status == main.OK and "all 4 frames are the same" in answer.err
    still = ("--set", "levels=single", "--set", "hidden=2")
    answer = ask("record", "marching", "-o", tmp_path / "a.gif", *SMALL, *still, "--seconds", "0.2", "--fps", "20")
    assert "nothing moves at these settings (speed=0.2, sweep=0.0)" in answer.err
    answer = ask("record", "marching", "-o", tmp_path / "a.gif", *SMALL, "--seconds", "1", "--fps", "4")
    assert answer.status == main.OK and "the same" not in answer.err


def test_what_only_grazes_is_said_and_no_budget_is_offered(ask, doubtful, tmp_path):
    doubtful.write_text(SCENE.replace("[40, 3, 5, 0]", "[40, 3, 0, 0]"))
    answer = ask("render", doubtful, "-o", tmp_path / "a.png", *SMALL, "--strict")
    assert answer.status == main.OK and answer.is_one_line()
    assert "3 (7.5%)" in answer.err and "budget" not in answer.err and "undecided" not in answer.err


def test_where_every_ray_is_certain_nothing_is_said(ask, doubtful, tmp_path):
    doubtful.write_text(SCENE.replace("[40, 3, 5, 0]", "[40, 0, 0, 0]"))
    answer = ask("render", doubtful, "-o", tmp_path / "a.png", *SMALL, "--strict")
    assert answer.status == main.OK and answer.err == ""


def test_a_budget_reaches_the_nodes_and_ends_with_the_command(ask, doubtful, tmp_path):
    doubtful.write_text(
        SCENE.replace("        counts =", "        print(frame.allowance.share(64).segments)\n        counts =")
    )
    before = renderer().budget
    for text, segments, said in (("77", 77, "--budget 308"), ("9s", before.segments, "--budget 36s")):
        answer = ask("render", doubtful, "-o", tmp_path / "a.png", *SMALL, "--budget", text)
        assert said in answer.err and answer.out.startswith(f"{segments}\n")
    assert renderer().budget == before


def test_a_budget_so_small_that_seconds_may_be_meant_says_how_they_are_given(ask, doubtful, tmp_path):
    for text, said in (("5", True), ("60", True), ("61", False), ("5s", False)):
        answer = ask("render", doubtful, "-o", tmp_path / "a.png", *SMALL, "--budget", text)
        assert (f"({text} seconds are --budget {text}s.)" in answer.err) == said and answer.is_one_line()


def test_the_bands_of_a_stopped_picture_are_counted_once(ask, doubtful, tmp_path, monkeypatch):
    from engine.output import resumable

    monkeypatch.setattr(resumable, "MEMORY_SECONDS", 0.0)
    options = ("--size", "2000x2000", "--supersample", "1")
    whole = ask("render", doubtful, "-o", tmp_path / "a.png", *options)
    stopped = SCENE.replace("COUNTS = ", "import time\n\nCOUNTS = ").replace(
        "    def fill(self, frame, world):\n",
        "    def fill(self, frame, world):\n        if frame.tile[1] > 1200 and not STOP.exists():\n"
        "            STOP.write_text('')\n            raise KeyboardInterrupt\n",
    )
    doubtful.write_text(
        stopped.replace("import time\n", f"from pathlib import Path\nSTOP = Path({str(tmp_path / 's')!r})\n")
    )
    assert ask("render", doubtful, "-o", tmp_path / "b.png", *options).status == main.INTERRUPTED
    again = ask("render", doubtful, "-o", tmp_path / "b.png", *options)
    assert "continues after" in again.err and again.err.splitlines()[-1] == whole.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "budget"),
    [("65536", Budget(65536)), ("1e5", Budget(100_000)), ("1_000", Budget(1000)), ("30s", Budget(seconds=30.0)),
     ("0.5S", Budget(seconds=0.5))],
)  # fmt: skip
def test_a_budget_is_segments_or_seconds(text, budget):
    assert read_budget(text) == budget


@pytest.mark.parametrize("text", ["", "s", "0", "-3", "1.5", "nan", "nans", "inf", "infs", "1e99", "-1s", "many", "3m"])
def test_another_budget_is_refused_with_what_it_takes(text):
    with pytest.raises(SettingError, match="--budget") as refused:
        read_budget(text)
    assert "segments" in str(refused.value) or "seconds" in str(refused.value)


def test_an_allowance_shares_its_time_by_rays():
    allowance = Allowance(Budget(50, seconds=1000.0), 100)
    first, rest = allowance.share(25), allowance.share(75)
    assert first.segments == rest.segments == 50
    assert 249 < first.seconds <= 250 and 999 < rest.seconds <= 1000
    assert allowance.is_timed and not (allowance.is_over or allowance.is_half_over)
    allowance.stop()
    assert allowance.is_over and allowance.is_half_over and allowance.share(10).seconds == 0.0


def test_without_seconds_an_allowance_ends_only_when_it_is_stopped():
    allowance = Allowance(Budget(50), 100)
    assert allowance.share(25) == Budget(50) and not (allowance.is_over or allowance.is_half_over or allowance.is_timed)
    allowance.stop()
    assert allowance.is_over and allowance.share(1) == Budget(50, seconds=0.0)


def test_reports_add_up_and_say_shares():
    whole = Report(800, 1, 2, 3) + Report(200, 0, 8, 0)
    assert whole.counts == (1000, 1, 10, 3, 0) and whole - Report(200, 0, 8, 0) == Report(800, 1, 2, 3)
    assert whole.certified == 0.99 and Report().certified == 1.0
    assert "undecided: 10 (1.0%)" in str(whole) and "1 (0.10%)" in str(whole)
    assert "99.0000%" in repr(whole) and "none" in str(Report(5))


def test_surfaces_behind_the_last_layer_drawn_are_said(ask, doubtful, tmp_path):
    doubtful.write_text(SCENE.replace("[40, 3, 5, 0]", "[40, 0, 0, 4]"))
    answer = ask("render", doubtful, "-o", tmp_path / "a.png", *SMALL, "--strict")
    assert answer.status == main.OK and answer.is_one_line()
    assert "with surfaces behind the last layer drawn: 4 (10.0%)" in answer.err and "budget" not in answer.err
