"""How a sheet was made, stored in its PNG beside the state of its scene, and read with suspicion.

The state is that of one picture (see engine.app.picture_state), so a sheet opens as a scene wherever a picture does.
What it varies stands under `sheet`: values only, and networks as their weights; nothing in it names a file to open.
"""

from engine.app import picture_state
from engine.app.make import clock_of
from engine.errors import FileError, NeurosceneError
from engine.scene.figure import Step
from engine.scene.settings import assign, is_data, settings
from engine.sheets.axis import MOST_CELLS, Axis

# Of one network, as in a picture; and of all that a sheet varies, so that its text can be read again.
MOST_WEIGHTS = 2**20
MOST_TEXT = picture_state.MAX_STATE_BYTES - (2 << 20)
# Names of what is left out, told when it is reopened.
MOST_NAMED = 20
MOST_TIME = 1e9
LONGEST = 250


def stored(plan):
    """The state of a sheet.Plan, as JSON holds it."""
    state = picture_state.stored(plan.scene, clock_of(plan.scene, plan.time), plan.layout.cell, plan.supersample)
    # The settings may hold a network themselves.
    left = [MOST_TEXT - len(picture_state.text(state)[picture_state.KEYWORD])]
    left_out = state["left_out"]
    state["sheet"] = {
        "columns": _axis(plan, plan.columns, left, left_out),
        "rows": _axis(plan, plan.rows, left, left_out) if plan.rows else None,
        "wrap": plan.wrap,
        "title": _short(plan.title),
        "time": plan.time,
    }
    return state


def _axis(plan, side, left, left_out):
    steps = []
    for step in side.steps:
        values = {}
        for name, value in step.settings.items():
            setting = settings(plan.scene).get(name)
            if is_data(setting) and value is not None:
                value = _weights(setting, value, left, left_out)
            values[name] = value
        steps.append({"label": _short(step.label), "settings": values, "time": step.time})
    return {"title": _short(side.title), "steps": steps}


def _weights(setting, value, left, left_out):
    data = setting.to_bytes(value)
    if len(data) <= MOST_WEIGHTS and 2 * len(data) <= left[0]:
        left[0] -= 2 * len(data)
        return {setting.key: data.hex()}
    if len(left_out) < MOST_NAMED:
        left_out.append(_short(f"{setting.name}: {setting.describe(value)}, {len(data)} bytes"))
    # No weights: told apart from None, which is the scene's own network.
    return {setting.key: ""}


def _short(text):
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= LONGEST else text[:LONGEST]


# Reading.


def read(state, scene, path):
    """{columns, rows, wrap, title, time} for sheet.planned, of a state image_state has read; None if it has no sheet.

    scene   whose settings are meant
    path    for messages

    Raises FileError for what is not as `stored` writes it, and for a network that was too large to be stored.
    """
    recipe = state.get("sheet")
    if recipe is None:
        return None
    if not isinstance(recipe, dict):
        raise _wrong(path, "its sheet")
    wrap, title = recipe.get("wrap"), recipe.get("title")
    if not isinstance(title, str) or not picture_state.is_short(title):
        raise _wrong(path, "its title")
    if wrap is not None and not picture_state.is_whole(wrap, 1, MOST_CELLS):
        raise _wrong(path, "its wrap")
    # Sheets of before had no time of their own, but their picture's.
    time = recipe.get("time", state["time"])
    if time is not None and not (picture_state.is_number(time) and abs(time) <= MOST_TIME):
        raise _wrong(path, "its time")
    columns = _read_axis(recipe.get("columns"), scene, path, "columns")
    rows = None if recipe.get("rows") is None else _read_axis(recipe["rows"], scene, path, "rows")
    return {"columns": columns, "rows": rows, "wrap": wrap, "title": title, "time": time}


def _read_axis(side, scene, path, noun):
    steps = side.get("steps") if isinstance(side, dict) else None
    if (
        not isinstance(steps, list)
        or not 1 <= len(steps) <= MOST_CELLS
        or not picture_state.is_short(side.get("title"))
    ):
        raise _wrong(path, f"its {noun}")
    return Axis(side["title"], tuple(_read_step(step, scene, path, noun) for step in steps))


def _read_step(step, scene, path, noun):
    good = (
        isinstance(step, dict)
        and picture_state.is_short(step.get("label"))
        and isinstance(step.get("settings"), dict)
        and len(step["settings"]) <= len(settings(scene))
        and all(map(picture_state.is_value, step["settings"].values()))
    )
    time = step.get("time") if good else None
    if not good or not (time is None or (picture_state.is_number(time) and abs(time) <= MOST_TIME)):
        raise _wrong(path, f"its {noun}")
    lost = [key for value in step["settings"].values() if isinstance(value, dict) for key in value if not value[key]]
    if lost:
        raise FileError(
            f"{path} does not hold the {lost[0]} {step['label']}: too large to be stored. Say again what is varied."
        )
    probe, values = type(scene)(), {}
    try:
        for name, value in step["settings"].items():
            assign(probe, name, _read_value(settings(scene).get(name), value))
            values[name] = getattr(probe, name)
    except (ValueError, OverflowError, NeurosceneError) as error:
        raise _wrong(path, f"its {noun}: {str(error).rstrip('.')}") from None
    return Step(step["label"], values, time)


def _read_value(setting, value):
    if isinstance(value, dict):
        return setting.from_bytes(bytes.fromhex(value[setting.key]))
    if is_data(setting) and isinstance(value, str):
        # A stored text would be taken as a path, and a picture may not choose what is opened.
        raise ValueError(f"{setting.name} is not a stored {setting.key}")
    return value


def _wrong(path, what):
    return FileError(f"{path} has a stored sheet that is not as neuroscene writes it: {what}. Make it again.")
