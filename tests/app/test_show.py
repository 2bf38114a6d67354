"""A scene is shown: in a window, in a notebook, or as a file where there is no display."""

import base64
import io
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import engine
from engine.draw.points import Points
from engine.scene.scene import Scene

SIZE = (48, 32)


class Ring(Scene):
    """A green spot in the middle."""

    loop = 0.5

    def build(self, stage):
        stage.add(Points([[0, 0, 0]], (0, 1, 0, 1), width=80.0))


def shown_in_a_window(monkeypatch, scene, **more):
    """(Viewer, function that drops files) of `show`, whose window is off the screen."""
    from engine.app import show, viewer
    from engine.output import window
    from engine.output.offscreen import make_canvas

    found = {}

    class Seen(viewer.Viewer):
        def __init__(self, *a, **k):
            super().__init__(*a, **k)
            found["viewer"] = self

    monkeypatch.setattr(show, "Viewer", Seen)
    monkeypatch.setattr(window, "make_canvas", lambda size, title: make_canvas(size))
    monkeypatch.setattr(window, "on_drop", lambda canvas, take: found.update(drop=take))
    monkeypatch.setattr(window, "run", lambda: None)
    engine.show(scene, size=(300, 200), **more)
    return found["viewer"], found["drop"]


@pytest.mark.parametrize(("plays", "time", "wanted"), [(False, None, (2.0, False)), (True, None, (0.0, True)),
                                                       (True, 1.5, (1.5, False))])  # fmt: skip
def test_a_window_begins_at_the_scenes_moment_or_plays_unless_a_time_is_given(monkeypatch, plays, time, wanted):
    scene = Ring()
    monkeypatch.setattr(Ring, "plays", plays)
    monkeypatch.setattr(Ring, "moment", 2.0)
    viewer, _ = shown_in_a_window(monkeypatch, scene, time=time)
    assert (viewer.transport.time, viewer.transport.playing) == wanted


def test_a_file_dropped_on_the_window_is_reported_where_no_setting_takes_it(monkeypatch, tmp_path):
    viewer, drop = shown_in_a_window(monkeypatch, Ring())
    drop(str(tmp_path / "photo.png"))
    assert "photo.png" in viewer.notices.problem and "nothing here takes" in viewer.notices.problem


def test_without_a_display_show_saves_the_picture_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("engine.output.window.has_display", lambda: False)
    assert engine.show(Ring(), size=SIZE) == "ring-0001.png"
    said = capsys.readouterr()
    assert said.out == "" and "ring-0001.png" in said.err and "xvfb-run" in said.err
    assert Image.open("ring-0001.png").size == SIZE
    # A second one takes another name: no picture is lost that nobody named.
    assert engine.show(Ring(), size=SIZE) == "ring-0002.png"


def test_a_scene_says_how_it_looks_in_a_notebook():
    data = Ring()._repr_mimebundle_()
    image = Image.open(io.BytesIO(data["image/png"]))
    assert np.array_equal(np.asarray(image), engine.render(Ring(), image.size)[..., :3])
    assert data["text/plain"] == "Ring at 0 s"


NOTEBOOK = """
import numpy as np
import engine
from engine.draw.points import Points

class Ring(engine.Scene):
    def build(self, stage):
        stage.add(Points([[0, 0, 0]], (0, 1, 0, 1), width=80.0))

scene = Ring()
"""


def test_a_cell_that_ends_with_a_scene_shows_a_widget_and_keeps_a_picture():
    nbformat = pytest.importorskip("nbformat", reason="nbformat makes the notebook")
    nbclient = pytest.importorskip("nbclient", reason="nbclient runs the notebook")
    pytest.importorskip("ipykernel", reason="ipykernel is what runs it")
    cells = [NOTEBOOK, "scene", "engine.show(scene, size=(300, 200))", "type(scene)._repr_mimebundle_ is not None"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(book, timeout=600, kernel_name="python3").execute()
    view = "application/vnd.jupyter.widget-view+json"
    shown = []
    for cell, size in ((book.cells[1], (640, 480)), (book.cells[2], (300, 200))):
        widgets = [o["data"][view] for o in cell.outputs if view in o.get("data", {})]
        stills = [o["data"] for o in cell.outputs if "image/png" in o.get("data", {})]
        assert len(widgets) == len(stills) == 1, cell.outputs
        shown.append(widgets[0]["model_id"])
        image = Image.open(io.BytesIO(base64.b64decode(stills[0]["image/png"])))
        assert image.size == size
        middle = np.asarray(image)[image.height // 2, image.width // 2]
        assert middle[1] > 200 and middle[0] < 100  # the green spot
        assert stills[0]["text/html"].count("<img") == 1
    assert shown[0] == shown[1]  # one widget, seen twice
    assert not [o for cell in book.cells for o in cell.outputs if o.output_type == "error" or o.get("name") == "stderr"]


@pytest.fixture
def cells(monkeypatch):
    """A function that shows a scene in a cell of a notebook, given the cell's id and the run's; returns its canvas."""
    from engine.app import show
    from engine.output import notebook
    from engine.output.offscreen import make_canvas

    placed = []
    monkeypatch.setattr(show, "_viewers", weakref.WeakKeyDictionary())
    monkeypatch.setattr(show, "_shown", {})
    monkeypatch.setattr(notebook, "in_notebook", lambda: True)
    monkeypatch.setattr(notebook, "make_canvas", lambda size: make_canvas(SIZE))
    monkeypatch.setattr(notebook, "show_widget", placed.append)

    def run(scene, cell, run):
        monkeypatch.setattr(notebook, "running_cell", lambda: cell and (cell, run))
        show.mimebundle(scene)
        return placed.pop()

    return run


def test_a_cell_that_is_run_again_closes_the_view_that_only_it_has_shown(cells):
    one, two, three = Ring(), Ring(), Ring()
    first = cells(one, "a", "1")
    assert cells(one, "b", "2") is first  # one widget in two places
    second = cells(two, "a", "3")
    assert not first.get_closed() and cells(two, "a", "4") is second
    assert cells(two, "b", "5") is second and first.get_closed() and not second.get_closed()
    # Two scenes in one run of a cell are both shown.
    third = cells(three, "a", "6")
    assert cells(two, "a", "6") is second and not third.get_closed()
    other = cells(one, "a", "7")
    assert other is not first and third.get_closed() and not second.get_closed()
    assert cells(one, None, None) is other


def test_a_widget_that_is_closed_lets_its_scene_go(cells):
    from engine.app import show

    canvas = cells(Ring(), "c", "1")
    scene, viewer = (weakref.ref(thing) for thing in next(iter(show._viewers.items())))
    canvas.close()
    assert not list(show._viewers) and viewer() is None and scene() is None


def test_the_running_cell_is_named_where_the_notebook_says_which_it_is(monkeypatch):
    from engine.output import notebook

    assert notebook.running_cell() is None
    for metadata, wanted in (({"cellId": "x"}, ("x", "m")), ({}, None)):
        message = {"metadata": metadata, "header": {"msg_id": "m"}}
        monkeypatch.setattr(notebook, "_kernel", lambda m=message: SimpleNamespace(get_parent=lambda: m))
        assert notebook.running_cell() == wanted


def test_the_package_gives_a_scene_its_notebook_display(monkeypatch):
    # A scene knows no renderer: without the package's word it is shown as any object.
    from engine.scene import display

    monkeypatch.setattr(display, "mimebundle", lambda scene: {"text/plain": type(scene).__name__})
    assert Ring()._repr_mimebundle_() == {"text/plain": "Ring"}
    monkeypatch.setattr(display, "mimebundle", None)
    assert Ring()._repr_mimebundle_() is None
