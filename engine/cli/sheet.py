"""The commands `neuroscene sheet` and `neuroscene figures`."""

# As in engine.cli.main: only what every command needs is imported here.
import sys
from typing import Annotated

import typer

from engine.cli.options import (
    SIZE_TEXT,
    Asked,
    From,
    HistoryFile,
    ImageFile,
    NetworkFile,
    Scene,
    Seed,
    Settings,
    Supersample,
    Time,
    assignments,
    opened,
    read_output,
    read_supersample,
)
from engine.errors import SettingError
from engine.render.limits import SIZE_MAX

Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="The PNG to write; `-` for stdout. SCENE-sheet.png if not given.",
        show_default=False,
    ),
]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="NAME=VALUES",
        help="A setting, or time, and its values: 1..10, 0..1:0.25, 0..1*5, 40..1/2, 1..9*5:log or a,b,c. "
        "The first for the columns, a second for the rows.",
        show_default=False,
    ),
]
Wrap = Annotated[
    str | None,
    typer.Option("--wrap", metavar="N", help="Lays one --vary out in rows of N cells.", show_default=False),
]
Cell = Annotated[
    str | None,
    typer.Option(
        "--cell", metavar="WxH", help="A cell's size in pixels; a sheet's own, or 400x400.", show_default=False
    ),
]
Title = Annotated[str | None, typer.Option("--title", metavar="TEXT", help="One line over it.", show_default=False)]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="Figures by name or number; all if none is given.", show_default=False),
]
Folder = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FOLDER",
        help="Where to; it is made. SCENE-figures if not given.",
        show_default=False,
    ),
]
Listed = Annotated[bool, typer.Option("--list", help="Names the figures and makes none.")]
Scale = Annotated[
    str | None,
    typer.Option(
        "--cell",
        metavar="N",
        help="Pixels of a cell, 400 if not given; every figure is scaled alike.",
        show_default=False,
    ),
]
Films = Annotated[
    str | None,
    typer.Option("--films", metavar="mp4|webm|gif", help="What films are written as; mp4.", show_default=False),
]

SHEET_HELP = """
\b
  neuroscene sheet marching -o grid.png --vary depth=1..4 --vary seed=1,2,3
  neuroscene sheet marching --vary 'scale=0.5..2*9:log' --wrap 3 --cell 300x300
  neuroscene sheet marching --vary activation=.. --set theme=paper --title "Ten activations"
  neuroscene sheet marching --vary 'time=0..5*8'
  neuroscene sheet grid.png -o again.png --set theme=paper      the same sheet, another theme
\b
Values: 1..10 by ones, 0..1:0.25 in steps, 0..1*5 so many, 40..0.625/2 by a factor, 0.5..1*9:log so many by a
factor; a,b,c a list; .. all choices. Quote a star, or write x for it."""

FIGURES_HELP = """
\b
  neuroscene figures SCENE --list
  neuroscene figures SCENE -o folder/
  neuroscene figures SCENE 3 depths -o folder/ --cell 200 --films gif
\b
Each is written as NUMBER-NAME.png, a film as NUMBER-NAME.mp4. Other files in the folder stay as they are."""


def register(app):
    """Adds the commands."""
    app.command(epilog=SHEET_HELP.strip())(sheet)
    app.command(epilog=FIGURES_HELP.strip())(figures)


def sheet(
    scene: Scene,
    output: Output = None,
    vary: Vary = None,
    wrap: Wrap = None,
    cell: Cell = None,
    title: Title = None,
    set_: Settings = None,
    from_: From = None,
    net: NetworkFile = None,
    history: HistoryFile = None,
    image: ImageFile = None,
    seed: Seed = None,
    time: Time = None,
    supersample: Supersample = None,
):
    """Renders a scene many times over, side by side: one or two settings varied along columns and rows.

    The PNG holds all it takes to make it again: give it as SCENE.
    """
    asked = Asked(scene, from_, set_, net, seed, time, None, supersample, history, image)
    path = read_output(output, scene, "-sheet.png")
    vary = vary or []
    if len(vary) > 2:
        raise SettingError(f"--vary is given {len(vary)} times: the first is for the columns, a second for the rows.")
    size, in_a_row = _read_cell(cell), _read_whole("--wrap", wrap, 10_000)
    if in_a_row is not None and len(vary) == 2:
        raise SettingError("--wrap lays out one --vary, and two are given. Leave one of them out.")
    with opened(asked) as (shown, clock, own_size, samples):
        from engine.sheets.recipe import read
        from engine.sheets.sheet import CELL, made, planned

        picture, state = _state(asked)
        recipe = None if vary else read(state, shown, picture)
        if not vary and recipe is None:
            raise SettingError("A sheet needs --vary with a setting and its values, as in --vary seed=1,2,3.")
        if recipe is None:
            recipe = {"columns": vary[0], "rows": vary[1] if len(vary) == 2 else (), "wrap": None, "title": ""}
            if picture is not None:
                recipe["time"] = clock.time
        if in_a_row is not None:
            recipe["wrap"] = in_a_row
        if title is not None:
            recipe["title"] = title
        if asked.time is not None:
            recipe["time"] = asked.time
        plan = planned(
            shown,
            **recipe,
            cell=size or (own_size if "sheet" in state else CELL),
            supersample=samples,
            said=tuple(f"--vary {text}" for text in (*vary, "", "")[:2]),
        )
        _telling_of_a_stop(made, plan, path)
    if path != "-":
        print(path)


def figures(
    scene: Scene,
    names: Names = None,
    output: Folder = None,
    list_: Listed = False,
    cell: Scale = None,
    films: Films = None,
    set_: Settings = None,
    net: NetworkFile = None,
    history: HistoryFile = None,
    image: ImageFile = None,
    seed: Seed = None,
    supersample: Supersample = None,
):
    """Makes the figures a scene declares, each as a file in a folder."""
    from engine.app.lookup import find_scene
    from engine.cli import list as listing
    from engine.sheets.figures import CELL, making

    kind = find_scene(scene)
    if list_:
        print(listing.figures_of(kind, scene, names))
        return
    folder = read_output(output, scene, "-figures") if not scene.lower().endswith(".png") else output or "figures"
    if folder == "-":
        raise SettingError("-o -: figures need a folder to be written to.")
    over = assignments(kind, set_ or (), net, seed, history, image)
    size = _read_whole("--cell", cell, SIZE_MAX)
    samples = None if supersample is None else read_supersample(supersample)

    def make():
        chosen = {"settings": dict(over), "cell": size or CELL, "films": films or "mp4", "supersample": samples}
        for path in making(scene, folder, names, **chosen):
            print(path, flush=True)

    _telling_of_a_stop(make)


def _telling_of_a_stop(work, *args):
    """Ctrl-C says what became of the file; whoever sent it learns it here or nowhere."""
    try:
        work(*args)
    except KeyboardInterrupt as stop:
        if str(stop):
            print(f"neuroscene: {stop}", file=sys.stderr)
        raise


def _state(asked):
    """(path, state) of the picture that is started from; nothing for other scenes."""
    from engine.app.lookup import is_picture
    from engine.app.picture_state import read_state

    picture = asked.picture or (asked.scene if is_picture(asked.scene) else None)
    return picture, {} if picture is None else read_state(picture)


def _read_cell(text):
    """(width, height) of `400x300` or `400`."""
    if text is None:
        return None
    match = SIZE_TEXT.match(text if any(c in text for c in "xX×*,") else f"{text}x{text}")
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(1 <= side <= SIZE_MAX for side in size):
        raise SettingError(
            f"--cell {text}: it takes width x height in pixels, each from 1 to {SIZE_MAX}, as in --cell 400x400."
        )
    return size


def _read_whole(option, text, most):
    if text is None:
        return None
    value = int(text) if text.strip().isdecimal() and len(text) < 10 else 0
    if not 1 <= value <= most:
        raise SettingError(f"{option} {text}: it takes a whole number from 1 to {most}.")
    return value
