"""What a scene remarks on a picture is in the report, and is said once by every command that makes pictures."""

import pytest

import engine
from engine.app import jobs
from engine.cli.options import MOST_REMARKS
from engine.render.picture import Report
from scenes import SCENES
from scenes.random_networks import RandomNetworks

SMALL = ("--size", "16x12", "--supersample", "1")
# A command of each scene whose picture leaves something out, and what is said of that.
REMARKED = {
    "random_networks": (("span=fixed", "low=0.4", "high=0.5"), "values are outside of the range of colours"),
    "boundaries": (("step=0", "run=9"), "run=9: there are 4, and the last is shown"),
    "marching": (("output=5", "hidden=2"), "output=5: the network has 1, counted from 0, and the last is shown"),
    "activations": ((), "neurons are drawn; the others are too faint"),
}


@pytest.mark.parametrize("name", REMARKED)
def test_what_a_picture_leaves_out_is_said_once_and_is_in_the_report(ask, tmp_path, name):
    sets, says = REMARKED[name]
    words = [word for text in sets for word in ("--set", text)]
    answer = ask("render", name, *words, *SMALL, "-o", tmp_path / "a.png")
    assert answer.status == 0 and answer.err.count(says) == 1
    assert [says in remark for remark in jobs.renderer().report.remarks] == [True]


@pytest.mark.parametrize(
    "values, says",
    [
        ({"layer": 9}, "layer=9: the network has 3, and the last is shown"),
        ({"unit": 1}, "unit=1: the layer has 3, counted from 0, and 0 is the first shown"),
        (
            {"layer": 1, "unit": 9, "colour": "grey"},
            "unit=9: the layer has 5, counted from 0, and 4 is the first shown",
        ),
        ({"layer": 1, "unit": 3}, "unit=3: the layer has 5, counted from 0, and 2 is the first shown"),
        ({"layer": 3, "unit": 2, "colour": "grey"}, None),
        ({"layer": 1, "unit": 2}, None),
    ],
)
def test_a_layer_or_unit_that_is_not_there_is_said(values, says):
    scene = RandomNetworks(depth=2, width=5, **values)
    said = (scene.remark() or "").split("; ")
    assert says in said if says else not any("the network has" in line or "the layer has" in line for line in said)


@pytest.mark.parametrize("name", SCENES)
def test_a_remark_is_a_line_that_a_note_can_end(name):
    scene, clock = engine.open_scene(name)
    engine.render(scene, (8, 6), time=clock.time, supersample=1)
    remark = scene.remark()
    assert remark is None or (remark.isprintable() and not remark.endswith("."))


def test_a_sheet_says_of_which_cell_a_remark_is_and_not_more_than_a_few(ask, tmp_path):
    words = ("--set", "span=fixed", "--set", "low=0.4", "--set", "high=0.5", "--cell", "8", "--supersample", "1")
    answer = ask("sheet", "random_networks", "--vary", "seed=1..6", *words, "-o", tmp_path / "a.png")
    notes = [line for line in answer.err.splitlines() if "note: " in line]  # a slow machine tells progress, too
    assert len(notes) == MOST_REMARKS + 1 and "2 more" in notes[-1]
    assert [note.split(": ")[2] for note in notes[:2]] == ["1", "2"]


def test_reports_that_are_added_have_each_remark_once():
    both = Report(remarks=("a", "b")) + Report(remarks=("b", "c"))
    assert both.remarks == ("a", "b", "c")
