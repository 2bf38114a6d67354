"""Sheets: each cell the picture that render gives, made again from their own files, refused where they cannot be."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from drawn import Drawn
from PIL import Image

from engine.app.lookup import open_scene
from engine.app.make import render
from engine.app.picture_state import read_state, restore_from
from engine.errors import FileError, NetworkError, SettingError, ShapeError
from engine.formats.load_mlp import save
from engine.network.random import random_mlp
from engine.scene.figure import Step
from engine.scene.settings import settings
from engine.scene.view_data import Clock
from engine.sheets.sheet import copied, match, planned, sheet
from engine.view.camera import Camera

CELL = (40, 30)
SMALL = {"cell": CELL, "supersample": 1, "progress": False}


def cells(pixels, plan):
    width, height = plan.layout.cell
    return [pixels[y : y + height, x : x + width] for x, y in plan.layout.places]


def made(scene, **asked):
    """(pixels of the sheet, pixels of its cells in order)."""
    plan = planned(scene, cell=CELL, supersample=1, **asked)
    page = sheet(scene, **asked, **SMALL)
    assert page.shape == (plan.layout.size[1], plan.layout.size[0], 4) and page.dtype == np.uint8
    return page, cells(page, plan)


def alone(time=0.0, camera=None, **values):
    scene = Drawn()
    for name, value in values.items():
        setattr(scene, name, value)
    if camera is not None:
        scene.camera = camera
    return render(scene, CELL, time=time, supersample=1)


def state(scene):
    return {name: getattr(scene, name) for name in settings(scene)}, scene.camera, scene.builds


def test_each_cell_is_the_picture_that_render_gives_for_its_settings():
    _, found = made(Drawn(shade="white"), columns={"spread": (0.5, 1.0, 2.0)}, rows={"seed": [1, 2]})
    # Columns first, then the row below.
    wanted = [alone(shade="white", spread=s, seed=seed) for seed in (1, 2) for s in (0.5, 1.0, 2.0)]
    assert [np.array_equal(a, b) for a, b in zip(found, wanted, strict=True)] == [True] * 6
    assert len({cell.tobytes() for cell in found}) == 6


def test_a_cell_owes_nothing_to_the_cell_before():
    """`width` follows `spread`: it is its own again in the cells that set no spread, and where the sheet said it."""
    columns = [Step("a"), Step("b", {"spread": 3.0}), Step("c"), Step("d", {"width": 1.0}), Step("e", {"seed": 9})]
    _, found = made(Drawn(spread=1.5, width=4.0), columns=columns)
    base = {"spread": 1.5, "width": 4.0}
    wanted = [base, {"spread": 3.0}, base, {**base, "width": 1.0}, {**base, "seed": 9}]
    for cell, values in zip(found, wanted, strict=True):
        assert np.array_equal(cell, alone(**values))


def test_time_is_varied_like_a_setting():
    _, found = made(Drawn(), columns="time=0..0.5*3", rows="seed=1,2")
    wanted = [alone(time, seed=seed) for seed in (1, 2) for time in (0.0, 0.25, 0.5)]
    assert all(map(np.array_equal, found, wanted))


def test_the_sheet_s_own_time_and_camera_are_the_cells():
    near = Camera(eye=(1.0, 2.0, 4.0))
    scene = Drawn()
    scene.camera = near
    _, found = made(scene, columns=[Step("a", {"seed": 1}), Step("b", {"seed": 2}, time=0.0)], time=0.7)
    assert np.array_equal(found[0], alone(0.7, near, seed=1)) and np.array_equal(found[1], alone(0.0, near, seed=2))


def test_choices_switches_networks_and_files_are_varied(tmp_path):
    nets = [random_mlp([2, 3, 1], "tanh", seed=k) for k in (1, 2)]
    save(nets[1], tmp_path / "second.npz")
    _, found = made(Drawn(), columns={"net": [None, nets[0], str(tmp_path / "second.npz")]}, rows="shade=red,white")
    wanted = [alone(net=net, shade=shade) for shade in ("red", "white") for net in (None, *nets)]
    assert all(map(np.array_equal, found, wanted))
    _, (off, on) = made(Drawn(), columns="shown=..")
    assert np.array_equal(off, alone(shown=False)) and np.array_equal(on, alone(shown=True))


def test_the_scene_that_is_given_stays_as_it_is():
    scene = Drawn(seed=3, spread=2.0)
    scene.camera = Camera(eye=(0.0, 1.0, 5.0))
    scene.advance(Clock(0.4))
    before = state(scene)
    made(scene, columns="seed=1..3", rows="spread=0.5,1")
    assert state(scene) == before


def test_only_settings_that_say_so_build_the_scene_again(monkeypatch):
    built = []
    build = Drawn.build
    monkeypatch.setattr(Drawn, "build", lambda self, stage: (built.append(1), build(self, stage)))
    made(Drawn(), columns="spread=0..2*5", rows="shade=..")
    assert len(built) == 1
    built.clear()
    # Twice in a row the same seed, and one setting of a cell's two that is another.
    made(Drawn(), columns="spread=1,2", rows="seed=4,5,6")
    assert len(built) == 3


def test_a_wrapped_sheet_has_the_cells_of_the_row():
    page, row = made(Drawn(), columns="seed=1..5")
    wrapped_page, wrapped = made(Drawn(), columns="seed=1..5", wrap=2)
    assert all(map(np.array_equal, row, wrapped)) and len(wrapped) == 5
    assert wrapped_page.shape[0] > 3 * CELL[1] > page.shape[0] and wrapped_page.shape[1] < page.shape[1]


def test_twice_the_same_sheet_is_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        sheet(Drawn(), tmp_path / name, columns="seed=1..3", rows="shade=..", title="Twice", **SMALL)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_sheet_is_the_same_whoever_draws_it(tmp_path):
    asked = {"columns": "spread=0.5..2*4", "rows": {"net": [None, random_mlp([2, 400, 400, 1], "tanh", seed=1)]}}
    page, _ = made(Drawn(seed=4), **asked)
    with ThreadPoolExecutor(2) as executor:
        assert np.array_equal(sheet(Drawn(seed=4), **asked, **SMALL, executor=executor), page)


def test_the_theme_of_the_sheet_is_the_scene_s():
    dark, _ = made(Drawn(), columns="seed=1,2")
    paper, _ = made(Drawn(theme="paper"), columns="seed=1,2")
    assert dark[0, 0, :3].max() < 50 and (paper[0, 0] == 255).all()
    mixed, found = made(Drawn(), columns="theme=..")
    assert np.array_equal(mixed[0, 0], dark[0, 0]) and (found[1][0, 0] == 255).all()


# What cannot be, refused before anything is drawn.

WRONG = {
    "no columns": ({"columns": ()}, ["columns", "depth=1..10"]),
    "an unknown setting": ({"columns": "sead=1..3"}, ["sead", "seed"]),
    "a wrong row": ({"columns": "seed=1..3", "rows": "count=38..41"}, ["count=41", "from 1 to 40"]),
    "a wrong step": ({"columns": [Step("far", {"spread": 9.0})]}, ["step far", "spread=9", "from 0 to 4"]),
    "an unknown setting in a step": ({"columns": [Step("far", {"spred": 1})]}, ["step far", "spred", "spread"]),
    "one setting on both sides": ({"columns": "seed=1..3", "rows": "seed=1,2"}, ["both vary seed"]),
    "time on both sides": ({"columns": "time=0,1", "rows": [Step("a", {}, 1.0)]}, ["both vary time"]),
    "too many cells": ({"columns": "seed=1..101", "rows": {"count": range(1, 40)}, "times": 3}, ["cells"]),
    "wrap with rows": ({"columns": "seed=1,2", "rows": "count=1,2", "wrap": 2}, ["wrap", "no rows"]),
    "wrap of nothing": ({"columns": "seed=1,2", "wrap": 0}, ["wrap=0"]),
    "no size": ({"columns": "seed=1,2", "cell": (0, 4)}, ["cell=(0, 4)", "32768"]),
    "one side": ({"columns": "seed=1,2", "cell": 400}, ["cell=400"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_reported_before_anything_is_drawn(name, monkeypatch, tmp_path):
    from engine.app import make

    monkeypatch.setattr(make, "render", None)
    asked, words = WRONG[name]
    asked = dict(asked)
    if asked.pop("times", 0):
        asked["columns"], asked["rows"] = "seed=1..301", {"count": list(range(1, 41))}
    with pytest.raises(SettingError) as error:
        sheet(Drawn(), tmp_path / "a.png", **{**SMALL, **asked})
    assert all(word in str(error.value) for word in words), error.value
    assert list(tmp_path.iterdir()) == []


def test_a_sheet_larger_than_the_memory_is_refused_with_what_fits(monkeypatch):
    from engine.render import limits

    monkeypatch.setattr(limits, "memory_bytes", lambda: 10**8)
    with pytest.raises(SettingError, match=r"4 cells of 2000x1500 .* pixels, which takes .* Cells \d+ wide fit"):
        planned(Drawn(), columns="seed=1..4", cell=(2000, 1500))
    fitting = planned(Drawn(), columns="seed=1..4", cell=(1000, 750))
    assert fitting.layout.size[0] * fitting.layout.size[1] * limits.BYTES_A_PIXEL <= 10**8


@pytest.mark.parametrize("name, words", [("a.jpg", ".jpg"), ("a.gif", "saved as .png"), ("no/a.png", "no folder")])
def test_a_path_that_cannot_be_written_is_reported(name, words, tmp_path):
    with pytest.raises(FileError, match=words):
        sheet(Drawn(), tmp_path / name, columns="seed=1,2", **SMALL)


def test_a_sheet_that_fails_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"earlier")

    def update(self, clock):
        if self.seed == 3:
            raise ShapeError("the third fails")

    monkeypatch.setattr(Drawn, "update", update)
    with pytest.raises(ShapeError):
        sheet(Drawn(), path, columns="seed=1..3", **SMALL)
    assert path.read_bytes() == b"earlier" and os.listdir(tmp_path) == ["a.png"]


def test_a_stop_says_how_far_it_was(tmp_path, monkeypatch):
    def update(self, clock):
        if self.seed == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Drawn, "update", update)
    with pytest.raises(KeyboardInterrupt, match=r"Stopped after 2 of 4 cells of a\.png: nothing was saved"):
        sheet(Drawn(), tmp_path / "a.png", columns="seed=1..4", **SMALL)
    assert os.listdir(tmp_path) == []


def test_a_network_that_does_not_fit_the_scene_is_reported():
    with pytest.raises((SettingError, NetworkError), match="3 inputs"):
        planned(Drawn(), columns={"net": [random_mlp([3, 2, 1], "tanh")]})


# The file.


def test_the_file_holds_the_pixels_and_opens_as_a_picture_of_its_scene(tmp_path):
    path = sheet(Drawn(seed=8, spread=2.0), tmp_path / "a.png", columns="count=1..3", time=0.3, **SMALL)
    page, _ = made(Drawn(seed=8, spread=2.0), columns="count=1..3", time=0.3)
    assert np.array_equal(np.asarray(Image.open(path)), page[:, :, :3])
    scene = Drawn()
    assert restore_from(path, scene).time == 0.3
    assert (scene.seed, scene.spread, scene.count) == (8, 2.0, 5)
    assert read_state(path)["size"] == list(CELL)


def test_a_copy_has_the_settings_and_the_camera_even_where_settings_move_others():
    scene = Drawn(spread=3.0, seed=5)
    scene.width, scene.camera = 0.5, Camera(eye=(3.0, 0.0, 0.0))
    other = copied(scene)
    assert state(other)[:2] == state(scene)[:2] and other is not scene
    other.spread = 1.0
    match(other, scene)
    assert state(other)[:2] == state(scene)[:2]


def test_progress_says_how_far_the_cell_being_drawn_is(monkeypatch):
    told = []

    @contextmanager
    def bar(*_, **__):
        yield lambda done, total=None, note=None: told.append((done, note))

    monkeypatch.setattr("engine.sheets.sheet.progress_bar", bar)
    scene = open_scene("marching", depth=2, hidden=12)[0]
    sheet(scene, columns={"level": [0.0, 0.1]}, **SMALL)
    notes = [(done, note) for done, note in told if note]
    assert {done for done, _ in notes} == {0, 1} and [done for done, note in told if note is None] == [1, 2]
    assert all(note.startswith(f"cell {done + 1}: ") for done, note in notes)
    assert any("(rays)" in note for _, note in notes) and any("(normals)" in note for _, note in notes)
