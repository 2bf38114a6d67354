"""A scene whose file is saved while it is shown is built anew."""

import os

import numpy as np
import pytest
from hands import Hands

import engine
from engine.app.reload import SceneFiles
from engine.view.camera import Camera

SCENE = """
import engine
from {neighbour} import COLOUR

class Mine(engine.Scene):
    size = engine.Number({size}, bounds=(1, 100), rebuild=True)
    width = engine.Number(5.0, bounds=(1, 100))
    loop = 4.0

    def build(self, stage):
        stage.add(engine.Points([[0, 0, 0]], COLOUR, width=self.size))
"""


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """(Hands over the scene, function that saves the scene file, function that saves its neighbour)."""
    monkeypatch.chdir(tmp_path)
    neighbour = f"colours_{tmp_path.name.replace('-', '_')}"
    clock = iter(range(1, 100))

    def write(name, text):
        (tmp_path / name).write_text(text)
        # A second later each: what is tested is not how fast the test writes.
        os.utime(tmp_path / name, (1e9 + next(clock),) * 2)

    save = lambda text=None, size=60.0: write("mine.py", text or SCENE.format(neighbour=neighbour, size=size))
    save_colour = lambda colour: write(f"{neighbour}.py", f"COLOUR = {colour}\n")
    save_colour((0, 1, 0, 1))
    save()
    scene, _ = engine.open_scene("mine.py")
    hands = Hands(scene)
    yield hands, save, save_colour
    hands.close()


def middle(hands):
    picture = hands.viewer.painter.picture.pixels()
    return picture[picture.shape[0] // 2, picture.shape[1] // 2, :3].astype(int)


def test_a_saved_file_is_shown_with_the_settings_the_camera_and_the_time_kept(shown):
    hands, save, _ = shown
    viewer, before = hands.viewer, hands.scene
    viewer.assign("width", 7.0)
    viewer.scene.camera = camera = Camera(eye=(0.0, 1.0, 20.0))
    viewer.transport.scrub(1.25)
    save(size=80.0)
    hands.wait(0.5)
    assert viewer.scene is not before and viewer.notices.problem is None
    assert (viewer.scene.width, viewer.scene.camera, viewer.transport.time) == (7.0, camera, 1.25)
    # It stood at its default, and the file has another one now.
    assert viewer.scene.size == 80.0
    # The panel works on the scene that is shown.
    viewer.assign("size", 20.0)
    assert viewer.scene.size == 20.0 and not viewer.painter.is_done


def test_a_saved_neighbour_rebuilds_the_scene(shown):
    hands, _, save_colour = shown
    assert np.argmax(middle(hands)) == 1
    save_colour((1, 0, 0, 1))
    hands.wait(0.5)
    assert np.argmax(middle(hands)) == 0


@pytest.mark.parametrize(("text", "words"), [
    ("import engine\nclass Mine(engine.Scene:\n    pass\n", "mine.py:2"),
    ("import engine\nclass Mine(engine.Scene):\n    def build(self, stage):\n        stage.add(1 / 0)\n",
     "mine.py:4: ZeroDivisionError: division by zero"),
    ("import engine\n", "no scene"),
])  # fmt: skip
def test_a_mistake_is_one_line_with_its_place_and_the_last_good_picture_stays(shown, text, words, capsys):
    hands, save, _ = shown
    before, picture = hands.viewer.scene, hands.viewer.painter.picture.pixels()
    save(text)
    hands.wait(0.5)
    problem = hands.viewer.notices.problem
    assert words in problem and "\n" not in problem
    assert hands.viewer.scene is before
    assert np.array_equal(hands.viewer.painter.picture.pixels(), picture)
    # It is mended, and shown.
    save(size=80.0)
    hands.wait(0.5)
    assert hands.viewer.notices.problem is None and hands.viewer.scene.size == 80.0


def test_scenes_of_the_project_and_files_left_alone_are_not_built_again(shown):
    hands, _, _ = shown
    before = hands.viewer.scene
    hands.wait(1.0)
    assert hands.viewer.scene is before
    assert SceneFiles(engine.open_scene("marching")[0]).path is None
