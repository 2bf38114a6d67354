"""The command `neuroscene list`: the scenes, or the settings of one, as text or JSON."""

# As in engine.cli.main: only what every command needs is imported here.
import json
import textwrap
from typing import Annotated, Any

import typer

from engine.cli.options import Text, flag, scene_names

WIDTH = 110

HELP = """\b
  neuroscene list                     the scenes
  neuroscene list marching            its settings
  neuroscene list mine.py --json      the same for programs"""


def list_scenes(
    scene: Annotated[
        Text,
        typer.Argument(
            metavar="SCENE", help="The scene whose settings to list.", autocompletion=scene_names, show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, flag("--json", "As JSON, for programs.")] = False,
) -> None:
    """Lists the scenes, or the settings of one."""
    print(scenes(as_json) if scene is None else settings_of(scene, as_json))


def scenes(as_json: bool = False) -> str:
    """Every scene with one line about it."""
    from engine.app.lookup import scene_names

    found = scene_names()
    if as_json:
        return json.dumps([{"name": name, "doc": line} for name, line in found.items()], indent=2)
    wide = max(map(len, found), default=0)
    return "\n".join(f"{name:{wide}}  {line}" for name, line in found.items())


def settings_of(text: str, as_json: bool = False) -> str:
    """One scene's settings: what each takes, its default and what it does."""
    from engine.app.lookup import find_scene, first_line
    from engine.scene.figure import declared
    from engine.scene.settings import settings

    kind = find_scene(text)
    rows = [_row(setting) for setting in settings(kind).values()]
    if as_json:
        drawn = [{"number": f.number, "name": f.name, "kind": f.kind, "doc": f.doc} for f in declared(kind)]
        return json.dumps({"name": text, "doc": first_line(kind), "settings": rows, "figures": drawn}, indent=2)
    lines = [f"{text}: {first_line(kind)}" if first_line(kind) else text]
    group = None
    wide = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            lines += ["", group]
        lines.append(f"  {row['name']:{wide}}  {row['takes']}, default {_shown(row['default'])}")
        if row["doc"]:
            indent = " " * (wide + 4)
            lines += textwrap.wrap(row["doc"], WIDTH, initial_indent=indent, subsequent_indent=indent)
    if declared(kind):
        lines += ["", f"figures, made by `neuroscene figures {text}`"]
        lines += [f"  {line}" for line in figures_of(kind, text).splitlines()]
    return "\n".join(lines)


def figures_of(kind: type, whose: str, names: list[str] | None = None) -> str:
    """A scene class's figures, or those of some names or numbers, one a line."""
    from engine.scene.figure import chosen, declared

    found = chosen(declared(kind), names or (), whose)
    wide = max(len(figure.name) for figure in found)
    digits = max(len(str(figure.number)) for figure in found)
    return "\n".join(
        f"{figure.number:{digits}}  {figure.name:{wide}}  {' '.join(figure.doc.split())}" for figure in found
    )


def _row(setting: Any) -> dict:
    from engine.network.mlp import Mlp
    from engine.scene.settings import Choice

    low, high = getattr(setting, "bounds", None) or (None, None)
    default = setting.default
    return {
        "name": setting.name,
        "kind": type(setting).__name__.lower(),
        "takes": setting.taken(),
        "default": str(default) if isinstance(default, Mlp) else default,
        "bounds": None if (low, high) == (None, None) else [low, high],
        "choices": list(setting.objects) if isinstance(setting, Choice) else None,
        "unit": setting.unit,
        "group": setting.group,
        "rebuild": setting.rebuild,
        "doc": " ".join((setting.doc or "").split()),
    }


def _shown(value):
    if value is None:
        return "the scene's own"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if str(value) else "empty"
