"""A scene whose file is saved while it is shown is built anew."""

import os

import numpy as np
import pytest
from hands import Hands

import engine
from engine.app.live.reload import SceneFiles
from engine.errors import SceneError
from engine.view.camera import Camera

MINE = "import engine\nclass Mine(engine.Scene):\n"
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
    (MINE + "    view = 'bogus'\n", "There is no kind of view `bogus`"),
    (MINE + "    def matrix(self):\n        return 1 / 0\n", "mine.py:4: ZeroDivisionError"),
    (MINE + "    def actions(self):\n        return [3]\n", "must be a list of Actions"),
    (MINE + "    def units(self):\n        return 3\n", "must be Units or None"),
    (MINE + "    theme = 3\n", "theme=3"),
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


def test_a_file_saved_while_it_is_read_is_read_again(shown, tmp_path):
    hands, save, _ = shown
    saves_itself = "import pathlib\npathlib.Path({path!r}).write_text({text!r})\n"
    last = SCENE.format(neighbour="colours", size=90.0).replace("from colours import COLOUR", "COLOUR = (1, 0, 0, 1)")
    save(saves_itself.format(path=str(tmp_path / "mine.py"), text=last) + last.replace("90.0", "70.0"))
    hands.wait(0.3)
    hands.wait(0.5)
    assert hands.viewer.scene.size == 90.0


def test_a_module_that_was_missing_is_looked_for(shown, tmp_path):
    hands, save, _ = shown
    name = f"late_{tmp_path.name.replace('-', '_')}"
    save(SCENE.format(neighbour=name, size=80.0))
    hands.wait(0.5)
    assert name in hands.viewer.notices.problem
    (tmp_path / f"{name}.py").write_text("COLOUR = (1, 0\n")
    hands.wait(0.5)
    assert f"{name}.py:1" in hands.viewer.notices.problem
    (tmp_path / f"{name}.py").write_text("COLOUR = (1, 0, 0, 1)\n")
    hands.wait(0.5)
    assert hands.viewer.notices.problem is None and hands.viewer.scene.size == 80.0


def test_a_scene_whose_answers_are_wrong_is_refused_before_a_window_opens(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.py").write_text("import engine\nclass Wrong(engine.Scene):\n    view = 'bogus'\n")
    scene, _ = engine.open_scene("wrong.py")
    with pytest.raises(SceneError, match=r"Wrong\.view: There is no kind of view `bogus`"):
        Hands(scene)


def test_a_scene_may_answer_from_what_its_build_made(tmp_path, monkeypatch):
    class Made(engine.Scene):
        def build(self, stage):
            self.words = ["one", "two"]

        def actions(self):
            return [engine.Action(word, word, lambda: None) for word in self.words]

        def listing(self):
            return engine.Listing("Words", tuple(engine.ListingRow(word, "") for word in self.words))

    hands = Hands(Made())
    assert hands.viewer.notices.problem is None and [a.name for a in hands.scene.actions()] == ["one", "two"]
    hands.close()


def test_an_answer_that_fails_later_does_not_stop_the_window(shown):
    hands, _, _ = shown
    scene = hands.viewer.scene
    hands.viewer.live = True
    scene._fails = True
    type(scene).reach = property(lambda self: 1 / 0 if self._fails else None)
    hands.viewer._on_draw()
    assert "division by zero" in hands.viewer.notices.problem
    scene._fails = False
    hands.viewer._on_draw()
