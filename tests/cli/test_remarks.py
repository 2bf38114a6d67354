"""What a scene remarks on a picture is in the report, and is said once by every command that makes pictures."""

import pytest

import engine
from engine.app import jobs
from engine.cli.options import MOST_REMARKS
from engine.render.picture import Report
from scenes import SCENES

SMALL = ("--size", "16x12", "--supersample", "1")
# A command of each scene whose picture leaves something out, and what is said of that.
REMARKED = {
    "random_networks": (("span=fixed", "low=0.4", "high=0.5"), "values are outside of the range of colours"),
    "boundaries": (("step=0", "run=9"), "run=9: there are 4, and the last is shown"),
    "activations": ((), "neurons are drawn; the others are too faint"),
}


@pytest.mark.parametrize("name", REMARKED)
def test_what_a_picture_leaves_out_is_said_once_and_is_in_the_report(ask, tmp_path, name):
    sets, says = REMARKED[name]
    words = [word for text in sets for word in ("--set", text)]
    answer = ask("render", name, *words, *SMALL, "-o", tmp_path / "a.png")
    assert answer.status == 0 and answer.err.count(says) == 1
    assert [says in remark for remark in jobs.renderer().report.remarks] == [True]


@pytest.mark.parametrize("name", SCENES)
def test_a_remark_is_a_line_that_a_note_can_end(name):
    scene, clock = engine.open_scene(name)
    engine.render(scene, (8, 6), time=clock.time, supersample=1)
    remark = scene.remark()
    assert remark is None or (remark.isprintable() and not remark.endswith("."))


def test_a_sheet_says_of_which_cell_a_remark_is_and_not_more_than_a_few(ask, tmp_path):
    words = ("--set", "span=fixed", "--set", "low=0.4", "--set", "high=0.5", "--cell", "8", "--supersample", "1")
    answer = ask("sheet", "random_networks", "--vary", "seed=1..6", *words, "-o", tmp_path / "a.png")
    notes = answer.err.splitlines()
    assert len(notes) == MOST_REMARKS + 1 and "2 more" in notes[-1]
    assert [note.split(": ")[2] for note in notes[:2]] == ["1", "2"]


def test_reports_that_are_added_have_each_remark_once():
    both = Report(remarks=("a", "b")) + Report(remarks=("b", "c"))
    assert both.remarks == ("a", "b", "c")
