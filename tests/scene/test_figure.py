"""Figures as data: what they take, and how they are chosen."""

import pytest

from engine.errors import SceneError
from engine.scene.figure import Figure, Step, chosen, declared
from engine.scene.scene import Scene

FIGURES = (
    Figure(3, "surface", "a height map", settings={"seed": 2}),
    Figure(1, "depths", "a sheet", columns={"seed": range(3)}),
    Figure(3, "grey", "the same from above"),
    Figure(12, "loop", "a film", loop=True),
)


class Drawn(Scene):
    @classmethod
    def figures(cls):
        return FIGURES


def test_a_scene_declares_none_unless_it_does():
    assert declared(Scene) == ()


def test_figures_stand_by_number_and_parts_of_one_as_they_were_written():
    assert [f.name for f in declared(Drawn)] == ["depths", "surface", "grey", "loop"]


def test_a_figure_is_a_picture_a_sheet_or_a_film():
    assert [f.kind for f in FIGURES] == ["picture", "sheet", "picture", "film"]
    assert Figure(1, "a", "b", seconds=2.0).kind == "film"


@pytest.mark.parametrize(
    "wanted, names",
    [
        ([], ["surface", "depths", "grey", "loop"]),
        (["loop", "depths"], ["depths", "loop"]),
        (["3"], ["surface", "grey"]),
        ([3, "03", "grey"], ["surface", "grey"]),
    ],
)
def test_names_and_numbers_choose_and_nothing_chooses_all(wanted, names):
    assert [f.name for f in chosen(FIGURES, wanted, "drawn")] == names


def test_what_is_no_figure_is_told_with_the_near_ones():
    with pytest.raises(SceneError, match=r"drawn: There is no figure `sorface`.*Near: surface"):
        chosen(FIGURES, ["sorface"], "drawn")
    with pytest.raises(SceneError, match=r"no figure 4\. It has 3, 1, 12"):
        chosen(FIGURES, ["4"], "drawn")
    with pytest.raises(SceneError, match="no figure 999"):
        chosen(FIGURES, ["9" * 5000], "drawn")
    with pytest.raises(SceneError, match="declares no figures"):
        chosen((), [], "drawn")


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Figure(-1, "a", ""), "number"),
        (lambda: Figure(True, "a", ""), "number"),
        (lambda: Figure(1, "../a", ""), "file"),
        (lambda: Figure(1, "A", ""), "file"),
        (lambda: Figure(1, "a", "", columns="seed=1..3", loop=True), "sheet or a film"),
        (lambda: Figure(1, "a", "", rows="seed=1..3"), "no columns"),
        (lambda: Figure(1, "a", "", wrap=3), "wrap"),
        (lambda: Figure(1, "a", "", columns="seed=1..3", rows="depth=1,2", wrap=3), "wrap"),
        (lambda: Figure(1, "a", "", seconds=2.0, loop=True), "Leave one out"),
        (lambda: Step(3, {}), "text"),
        (lambda: Step("a", [1]), "name: value"),
        (lambda: Step("a", {}, time=float("nan")), "seconds"),
    ],
)
def test_a_figure_that_cannot_be_is_refused_where_it_is_written(make, words):
    with pytest.raises(SceneError, match=words):
        make()


def test_two_figures_of_one_name_are_refused():
    class Twice(Scene):
        @classmethod
        def figures(cls):
            return Figure(1, "a", ""), Figure(2, "a", "")

    with pytest.raises(SceneError, match="two figures named a"):
        declared(Twice)


def test_a_figure_keeps_its_settings_when_the_dictionary_changes():
    given = {"seed": 1}
    figure = Figure(1, "a", "", settings=given, columns=[Step("x", given)])
    given["seed"] = 2
    assert figure.settings == {"seed": 1} and figure.columns[0].settings == {"seed": 1}
