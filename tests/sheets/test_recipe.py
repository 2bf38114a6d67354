"""What a sheet's PNG says of how it was made: read back as it was, refused where it is not as written."""

import copy
import json

import pytest
from drawn import Drawn
from PIL import Image, PngImagePlugin

from engine.app import picture_state
from engine.app.picture_state import read_state
from engine.cli import main
from engine.errors import FileError, NeurosceneError
from engine.formats.load_mlp import save
from engine.network.random import random_mlp
from engine.scene.figure import Step
from engine.sheets import recipe as sheet_recipe
from engine.sheets.recipe import read, stored
from engine.sheets.sheet import planned, sheet
from scenes import SCENES

SMALL = {"cell": (24, 18), "supersample": 1}
NETS = [random_mlp([2, 3, 1], "tanh", seed=k) for k in (1, 2)]


def recipe(**asked):
    plan = planned(Drawn(seed=3), **(asked or {"columns": {"net": [None, *NETS]}, "rows": "time=0,1"}), **SMALL)
    return plan, stored(plan)


def again(state):
    """A state as it comes back from a file."""
    return json.loads(picture_state.text(state)[picture_state.KEYWORD])


def test_what_was_varied_comes_back_with_its_networks():
    plan, state = recipe()
    found = planned(Drawn(seed=3), **read(again(state), Drawn(), "a.png"), **SMALL)
    for side in ("columns", "rows"):
        before, after = getattr(plan, side), getattr(found, side)
        assert (after.title, [(s.label, s.time) for s in after.steps]) == (
            before.title,
            [(s.label, s.time) for s in before.steps],
        )
    nets = [step.settings["net"] for step in found.columns.steps]
    assert nets[0] is None and nets[1].equals(NETS[0]) and nets[2].equals(NETS[1])


def test_wrap_title_steps_and_choices_come_back():
    steps = [Step("a", {"shade": "white", "shown": False}), Step("b", {"words": "x, y", "spread": 0.1}, 2.0)]
    plan, state = recipe(columns=steps, wrap=1, title="Two")
    found = read(again(state), Drawn(), "a.png")
    assert found["columns"] == plan.columns and (found["rows"], found["wrap"], found["title"]) == (None, 1, "Two")


def test_a_picture_s_state_holds_no_sheet():
    _, state = recipe()
    del state["sheet"]
    assert read(again(state), Drawn(), "a.png") is None


def test_networks_past_the_limits_are_left_out_and_said(monkeypatch):
    monkeypatch.setattr(sheet_recipe, "MOST_WEIGHTS", 100)
    _, state = recipe()
    assert len(state["left_out"]) == 2 and "2-3-1" in state["left_out"][0]
    with pytest.raises(FileError, match=r"a\.png does not hold the network random .*seed 1.*varied"):
        read(again(state), Drawn(), "a.png")


def test_many_networks_leave_a_file_that_can_be_read(tmp_path):
    """Each is small enough for a picture; all of them together are not."""
    nets = [random_mlp([2, 480, 480, 1], "tanh", seed=k) for k in range(6)]
    _, state = recipe(columns={"net": nets})
    assert len(picture_state.text(state)[picture_state.KEYWORD]) < picture_state.MAX_STATE_BYTES
    kept = [bool(step["settings"]["net"]["network"]) for step in state["sheet"]["columns"]["steps"]]
    assert kept == [True] * 3 + [False] * 3


# From strangers.


def broken(change):
    _, state = recipe()
    state = copy.deepcopy(again(state))
    change(state["sheet"], state["sheet"]["columns"]["steps"])
    return state


def _set(key, value):
    return lambda s, steps: s.__setitem__(key, value)


def _step(key, value):
    return lambda s, steps: steps[0].__setitem__(key, value)


HOSTILE = {
    "columns that are none": _set("columns", None),
    "columns that are a text": _set("columns", "seed=1..3"),
    "rows that are a number": _set("rows", 3),
    "a title of two lines": _set("title", "a\nb"),
    "no title": lambda s, steps: s.pop("title"),
    "a title that is none": _set("title", 3),
    "a wrap of nothing": _set("wrap", 0),
    "a wrap that is a switch": _set("wrap", True),
    "no steps": lambda s, steps: steps.clear(),
    "too many steps": lambda s, steps: steps.extend(steps[:1] * 10_001),
    "a step that is none": lambda s, steps: steps.append(None),
    "a label that is none": _step("label", 3),
    "a label without end": _step("label", "x" * 10**4),
    "a label with an escape": _step("label", "\x1b[2J"),
    "settings that are a list": _step("settings", [1]),
    "an unknown setting": _step("settings", {"no": 1}),
    "a value outside its bounds": _step("settings", {"count": 99}),
    "a value of another kind": _step("settings", {"count": "many"}),
    "a value too large for anything": _step("settings", {"spread": 10**400}),
    "a value that is a list": _step("settings", {"count": [1]}),
    "a path as a network": _step("settings", {"net": "/etc/passwd"}),
    "a network that is none": _step("settings", {"net": {"network": "zz"}}),
    "a network of other bytes": _step("settings", {"net": {"network": "00" * 40}}),
    "a network with a path": _step("settings", {"net": {"network": "", "path": "/etc/passwd"}}),
    "a time that is a text": _step("time", "0"),
    "a time without end": _step("time", 1e300),
    "a time past all numbers": _step("time", 10**400),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_recipe_that_is_not_as_written_is_refused_in_a_line(name):
    with pytest.raises(
        FileError, match=r"^a\.png has a stored sheet that is not as neuroscene writes it: its "
    ) as error:
        read(broken(HOSTILE[name]), Drawn(), "a.png")
    assert "\n" not in str(error.value) and len(str(error.value)) < 1500


def test_a_sheet_that_is_no_object_is_refused():
    _, state = recipe()
    with pytest.raises(FileError, match="its sheet"):
        read({**state, "sheet": [1]}, Drawn(), "a.png")


@pytest.mark.parametrize("wrap", [None, 2])
def test_sides_that_undo_each_other_are_refused_as_anybody_s(wrap):
    _, state = recipe(columns="seed=1,2", rows="count=1,2")
    state["sheet"]["rows"] = state["sheet"]["columns"]
    state["sheet"]["wrap"] = wrap
    with pytest.raises(NeurosceneError):
        planned(Drawn(), **read(again(state), Drawn(), "a.png"), **SMALL)


# By the command.

FILE = '''
"""A file with the scene of these tests."""

from drawn import Drawn


class Mine(Drawn):
    """The same in a person's own file."""
'''


@pytest.fixture
def ask(ask, tmp_path, monkeypatch):
    """Runs a command in a folder with a scene file `mine.py`."""
    (tmp_path / "mine.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return ask


def test_a_sheet_is_made_again_from_its_own_file(ask, tmp_path, monkeypatch):
    monkeypatch.setitem(SCENES, "drawn", "drawn:Drawn")
    save(NETS[0], "a.npz")
    sides = ["--vary", "net=none,a.npz", "--vary", "spread=0..2*3", "--title", "Again"]
    small = ["--cell", "24x18", "--supersample", "1"]
    assert ask("sheet", "drawn", "-o", "a.png", "--seed", "4", "--time", "0.5", *sides, *small) == (0, "a.png\n", "")
    (tmp_path / "a.npz").unlink()
    assert ask("sheet", "a.png", "-o", "b.png")[:2] == (0, "b.png\n")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert ask("sheet", "b.png", "-o", "paper.png", "--set", "theme=paper", "--title", "")[0] == 0
    paper, dark = Image.open("paper.png"), Image.open("a.png")
    assert paper.getpixel((0, 0)) == (255, 255, 255) and paper.size[0] == dark.size[0]
    assert paper.size[1] < dark.size[1]  # there is no title line
    # Other things are varied with the same cells; and one picture of it is drawn.
    assert ask("sheet", "a.png", "-o", "c.png", "--vary", "seed=1..3")[0] == 0
    assert (read_state("c.png")["size"], read_state("c.png")["settings"]["seed"]) == ([24, 18], 4)
    assert ask("render", "a.png", "-o", "one.png")[0] == 0 and Image.open("one.png").size == (24, 18)


def test_a_sheet_of_a_person_s_file_is_made_again_by_naming_both(ask, tmp_path):
    assert ask("sheet", "mine.py", "-o", "a.png", "--vary", "seed=1,2", "--cell", "24", "--supersample", "1")[0] == 0
    assert ask("sheet", "mine.py", "--from", "a.png", "-o", "b.png")[0] == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    status, _, err = ask("sheet", "a.png", "-o", "b.png")
    assert status == main.MISTAKE and "--from a.png" in err


def test_a_hostile_file_is_reported_in_a_line(ask, tmp_path):
    sheet(Drawn(), tmp_path / "a.png", columns="seed=1,2", **SMALL)
    state = read_state("a.png")
    state["scene"] = "x:Mine"
    state["sheet"]["columns"]["steps"][0]["settings"] = {"net": "/etc/passwd"}
    info = PngImagePlugin.PngInfo()
    info.add_itxt(*picture_state.text(state).popitem())
    Image.new("RGB", (4, 4)).save("b.png", pnginfo=info)
    status, out, err = ask("sheet", "mine.py", "--from", "b.png", "-o", "c.png")
    assert (status, out) == (main.MISTAKE, "") and err.count("\n") == 1 and "not a stored network" in err
    assert not (tmp_path / "c.png").exists()
