"""How a sheet was made, stored in its PNG with the state of its scene, and checked when it is read.

The state is that of one picture (see engine.app.picture_state), so a sheet can be opened as a scene like any picture.
What varies is stored under `sheet`, as values, networks as their weights; nothing in it names a file to open.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.app import picture_state
from engine.app.make import clock_of
from engine.app.picture_state import is_number, is_short, is_value, is_whole
from engine.errors import FileError, NeurosceneError
from engine.scene.figure import Step
from engine.scene.scene import Scene
from engine.scene.settings import assign, from_stored, is_data, settings
from engine.scene.view_data import MOST_TIME
from engine.sheets.axis import MOST_CELLS, Axis

if TYPE_CHECKING:
    from engine.sheets.sheet import SheetPlan

# The most bytes of one network, as in a picture; and of the whole text, so that it can be read again.
MOST_WEIGHTS = 2**20
MOST_TEXT = picture_state.MAX_STATE_BYTES - (2 << 20)
# The most names of left-out networks that are stored for a message.
MOST_NAMED = 20
LONGEST = 250


def stored(plan: "SheetPlan") -> dict[str, Any]:
    """The state of a sheet, as plain data for JSON."""
    state = picture_state.stored(plan.scene, clock_of(plan.scene, plan.time), plan.layout.cell, plan.supersample)
    left_out = state["left_out"]
    # The state of the scene may contain a network already.
    room = MOST_TEXT - sum(map(len, picture_state.text(state).values()))

    def axis_of(side: Axis) -> dict[str, Any]:
        return {"title": _short(side.title), "steps": [step_of(step) for step in side.steps]}

    def step_of(step: Step) -> dict[str, Any]:
        values = {name: value_of(settings(plan.scene).get(name), value) for name, value in step.settings.items()}
        return {"label": _short(step.label), "settings": values, "time": step.time}

    def value_of(setting: Any, value: Any) -> Any:
        nonlocal room
        if not is_data(setting) or value is None:
            return value
        data = setting.stored(value, min(MOST_WEIGHTS, room // 2))
        if isinstance(data, dict):
            room -= len(data[setting.key])
            return data
        if len(left_out) < MOST_NAMED:
            left_out.append(_short(data))
        # A network without stored weights is an empty text, since None means the scene's own network.
        return {setting.key: ""}

    state["sheet"] = {
        "columns": axis_of(plan.columns),
        "rows": axis_of(plan.rows) if plan.rows else None,
        "wrap": plan.wrap,
        "title": _short(plan.title),
        "time": plan.time,
        "own": plan.own,
    }
    return state


def _short(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:LONGEST]


def read(state: dict[str, Any], scene: Scene, path: str | Path | None) -> dict[str, Any] | None:
    """{columns, rows, wrap, title, time, own} for sheet.planned, from a state that was read; None without a sheet.

    scene   the scene whose settings vary
    path    for messages

    Raises FileError for anything that `stored` does not write, and for a network that was too large to be stored.
    """
    recipe = state.get("sheet")
    if recipe is None:
        return None
    found = dict(recipe) if isinstance(recipe, dict) else {}
    # Sheets of earlier versions stored no time; theirs is the state's.
    found.setdefault("time", state["time"])
    # And their cells had ranges of their own.
    found.setdefault("own", True)
    columns, rows = found.get("columns"), found.get("rows")
    checks = {
        "sheet": isinstance(recipe, dict),
        "title": is_short(found.get("title")),
        "wrap": found.get("wrap") is None or is_whole(found["wrap"], 1, MOST_CELLS),
        "time": _is_time(found["time"]),
        "own": isinstance(found["own"], bool),
        "columns": _is_axis(columns, scene),
        "rows": rows is None or _is_axis(rows, scene),
    }
    for what, is_good in checks.items():
        if not is_good:
            raise _wrong(path, what)
    found["columns"] = _axis(columns, scene, path, "columns")
    found["rows"] = None if rows is None else _axis(rows, scene, path, "rows")
    return {name: found.get(name) for name in ("columns", "rows", "wrap", "title", "time", "own")}


def _is_time(time: Any) -> bool:
    return time is None or (is_number(time) and abs(time) <= MOST_TIME)


def _is_axis(side: Any, scene: Scene) -> bool:
    steps = side.get("steps") if isinstance(side, dict) else None
    return (
        isinstance(steps, list)
        and 1 <= len(steps) <= MOST_CELLS
        and is_short(side.get("title"))
        and all(_is_step(step, scene) for step in steps)
    )


def _is_step(step: Any, scene: Scene) -> bool:
    return (
        isinstance(step, dict)
        and is_short(step.get("label"))
        and isinstance(step.get("settings"), dict)
        and len(step["settings"]) <= len(settings(scene))
        and all(map(is_value, step["settings"].values()))
        and _is_time(step.get("time"))
    )


def _axis(side: Any, scene: Scene, path: str | Path | None, noun: str) -> Axis:
    """The Axis of stored columns or rows, whose form has been checked."""
    steps = []
    for step in side["steps"]:
        probe, values = type(scene)(), {}
        for name, value in step["settings"].items():
            if isinstance(value, dict) and "" in value.values():
                raise FileError(
                    f"{path} does not hold the {next(iter(value))} {step['label']}: too large to be stored. "
                    "Say again what is varied."
                )
            try:
                assign(probe, name, from_stored(settings(scene).get(name), value))
            except (ValueError, KeyError, AttributeError, OverflowError, NeurosceneError) as error:
                raise _wrong(path, f"{noun}: {str(error).rstrip('.')}") from None
            values[name] = getattr(probe, name)
        steps.append(Step(step["label"], values, step.get("time")))
    return Axis(side["title"], tuple(steps))


def _wrong(path: str | Path | None, what: str) -> FileError:
    return FileError(f"{path} has a stored sheet that is not as neuroscene writes it: its {what}. Make it again.")
