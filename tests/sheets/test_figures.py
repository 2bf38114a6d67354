"""A scene's figures as files: each whole or not at all, named, chosen and scaled."""

import os
from concurrent.futures import ThreadPoolExecutor

import imageio.v3
import numpy as np
import pytest
from drawn import Drawn

import engine
from engine.app.lookup import open_scene
from engine.app.make import render, save
from engine.app.picture_state import read_state, restore_from
from engine.errors import FileError, SceneError, SettingError, ShapeError
from engine.scene.figure import Figure, declared
from engine.scene.scene import Scene
from engine.scene.view_data import Clock
from engine.sheets.figures import figures, file_name, prepared
from engine.sheets.sheet import sheet
from scenes import SCENES

SMALL = {"cell": 20, "supersample": 1, "progress": False}
NAMES = ["01-one.png", "02-spreads.png", "03-turning.mp4", "03-steps.png"]


def test_all_figures_are_made_in_order_and_named_after_number_and_name(tmp_path):
    paths = figures(Drawn, tmp_path / "new", **SMALL)
    assert [os.path.basename(path) for path in paths] == NAMES
    assert sorted(os.listdir(tmp_path / "new")) == sorted(NAMES)
    assert engine.figures is figures


def test_a_picture_is_what_save_gives_and_reopens(tmp_path):
    (path,) = figures(Drawn, tmp_path, ["one"], **SMALL)
    save(Drawn(seed=7), tmp_path / "b.png", (40, 20), supersample=1)
    with open(path, "rb") as a, open(tmp_path / "b.png", "rb") as b:
        assert a.read() == b.read()
    scene = Drawn()
    restore_from(path, scene)
    assert scene.seed == 7


def test_a_sheet_is_what_sheet_gives(tmp_path):
    (path,) = figures(Drawn, tmp_path, [2], **SMALL)
    wanted = sheet(
        Drawn(), tmp_path / "b.png", columns="spread=0.5,1", rows="seed=1..3", title="Spreads", cell=(20, 20),
        supersample=1,
    )  # fmt: skip
    with open(path, "rb") as a, open(wanted, "rb") as b:
        assert a.read() == b.read()


@pytest.mark.parametrize("films", ["mp4", "gif", "webm"])
def test_a_film_has_the_frames_of_one_loop(films, tmp_path):
    (path,) = figures(Drawn, tmp_path, ["turning"], films=films, **{**SMALL, "cell": 32})
    # Two seconds at two frames each.
    frames = imageio.v3.imread(path)
    assert path.endswith(f"03-turning.{films}") and frames.shape[:3] == (4, 16, 32)
    if films == "gif":
        first = render(Drawn(), (32, 16), supersample=1)[:, :, :3].astype(int)
        # 256 colours, dithered.
        assert np.abs(frames[0] - first).mean() < 6


def test_settings_lie_over_the_figures_own_and_under_what_a_sheet_varies(tmp_path):
    one, spreads = figures(Drawn, tmp_path, [1, 2], settings={"seed": 1, "theme": "paper"}, **SMALL)
    assert read_state(one)["settings"]["seed"] == 1 and read_state(one)["settings"]["theme"] == "paper"
    state = read_state(spreads)
    assert [step["settings"]["seed"] for step in state["sheet"]["rows"]["steps"]] == [1, 2, 3]
    assert state["settings"]["theme"] == "paper"


def test_the_scene_that_is_given_lies_under_all_and_stays_as_it_is(tmp_path):
    scene = Drawn(count=9, seed=2)
    scene.advance(Clock())
    (path,) = figures(scene, tmp_path, ["one"], **SMALL)
    settings = read_state(path)["settings"]
    assert (settings["count"], settings["seed"]) == (9, 7) and (scene.seed, scene.builds) == (2, 1)
    (again,) = figures(scene_file(tmp_path), tmp_path, ["one"], **SMALL)
    assert read_state(again)["settings"]["count"] == 5


def scene_file(folder):
    """The path of a scene file."""
    (folder / "mine.py").write_text("from drawn import Drawn\n\n\nclass Mine(Drawn):\n    pass\n")
    return str(folder / "mine.py")


def test_the_same_files_whoever_draws_them(tmp_path):
    with ThreadPoolExecutor(2) as executor:
        a = figures(Drawn, tmp_path / "a", executor=executor, **SMALL)
    b = figures(Drawn, tmp_path / "b", **SMALL)
    for one, other in zip(a, b, strict=True):
        with open(one, "rb") as left, open(other, "rb") as right:
            assert left.read() == right.read()


def test_other_files_in_the_folder_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "01-one.png").write_text("an older one")
    figures(Drawn, tmp_path, ["one"], **SMALL)
    assert sorted(os.listdir(tmp_path)) == ["01-one.png", "notes.txt"]
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "01-one.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_that_fails_is_named_and_leaves_no_file_and_those_before_it(tmp_path, monkeypatch):
    def update(self, clock):
        if self.seed == 3:
            raise ShapeError("the third fails")

    monkeypatch.setattr(Drawn, "update", update)
    with pytest.raises(ShapeError, match="figure 2, spreads: the third fails"):
        figures(Drawn, tmp_path, **SMALL)
    assert os.listdir(tmp_path) == ["01-one.png"]


class Wrong(Scene):
    wrong: tuple = ()

    @classmethod
    def figures(cls):
        return Figure(1, "good", "is not made either"), *cls.wrong


@pytest.mark.parametrize(
    "figure, asked, words",
    [
        (Figure(2, "bad", "", settings={"sed": 1}), {}, ["figure 2, bad", "sed", "seed"]),
        (Figure(2, "bad", "", columns="seed=1..x"), {}, ["figure 2, bad", "1..x"]),
        (Figure(2, "bad", "", loop=True), {}, ["figure 2, bad", "has none"]),
        (Figure(2, "bad", "", size=(32768, 8)), {"cell": 401}, ["figure 2, bad", "32768"]),
        (Figure(2, "fine", ""), {"cell": 0}, ["cell=0"]),
        (Figure(2, "fine", ""), {"films": "avi"}, ["avi", "gif"]),
        (Figure(2, "fine", ""), {"settings": {"sed": 1}}, ["figure 1, good", "sed", "seed"]),
        (Figure(2, "fine", ""), {"names": ["god"]}, ["god", "Near: good"]),
    ],
)
def test_what_cannot_be_is_reported_before_anything_is_drawn(figure, asked, words, tmp_path, monkeypatch):
    monkeypatch.setattr(Wrong, "wrong", (figure,))
    with pytest.raises((SceneError, SettingError)) as error:
        figures(Wrong, tmp_path / "new", **asked)
    assert all(word in str(error.value) for word in words), error.value
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "folder, words", [("a.txt", "is a file"), ("no/where", "folder does not exist"), ("", "no folder")]
)
def test_a_folder_that_cannot_be_is_reported(folder, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(FileError, match=words):
        figures(Drawn, folder, ["one"], **SMALL)


def test_progress_names_each_figure(tmp_path, capsys):
    figures(Drawn, tmp_path, ["one", "steps"], **{**SMALL, "progress": True})
    printed = capsys.readouterr()
    assert (
        printed.out == "" and "1 of 2: 01-one.png, a picture" in printed.err and "2 of 2: 03-steps.png" in printed.err
    )


@pytest.mark.parametrize("name", list(SCENES))
def test_the_figures_of_every_scene_can_be_made(name):
    """Every value in them is one that the scene takes, and each has a file of its own; nothing is drawn."""
    scene, _ = open_scene(name)
    figures_of = declared(type(scene))
    for figure in figures_of:
        assert callable(prepared(scene, figure, {}, 1.0, None)[1])
        ending = "mp4" if figure.kind == "film" else "png"
        assert file_name(figure) == f"{figure.number:02}-{figure.name}.{ending}"
    assert len({file_name(figure) for figure in figures_of}) == len(figures_of)
