"""The commands `neuroscene sheet` and `neuroscene figures`."""

# As in engine.cli.main: only what every command needs is imported here.
from typing import Annotated, Any

import typer

from engine.cli.options import SIZE_TEXT, Asked, Without, opened, option, output_option, read_output, whole
from engine.errors import SettingError
from engine.render.limits import SIZE_MAX

SHEET_HELP = """\b
  neuroscene sheet marching -o grid.png --vary depth=1..4 --vary seed=1,2,3
  neuroscene sheet marching --vary 'scale=0.5..2*9:log' --wrap 3 --cell 300x300
  neuroscene sheet marching --vary activation=.. --set theme=paper --title "Ten activations"
  neuroscene sheet marching --vary 'time=0..5*8'
  neuroscene sheet grid.png -o again.png --set theme=paper      the same sheet, another theme
\b
Values: 1..10 by ones, 0..1:0.25 in steps, 0..1*5 so many, 0.5..1*9:log so many by a factor; a,b,c a list; .. all
choices. Quote a star."""

FIGURES_HELP = """\b
  neuroscene figures SCENE --list
  neuroscene figures SCENE -o folder/
  neuroscene figures SCENE 3 depths -o folder/ --cell 200 --films gif
\b
Each is written as NUMBER-NAME.png, a film as NUMBER-NAME.mp4. Other files in the folder stay as they are."""


def read_cell(text: str) -> tuple[int, int]:
    """(width, height) of `400x300` or `400`."""
    match = SIZE_TEXT.match(text if any(c in text for c in "xX×*,") else f"{text}x{text}")
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(1 <= side <= SIZE_MAX for side in size):
        raise SettingError(
            f"--cell {text}: it takes width x height in pixels, each from 1 to {SIZE_MAX}, as in --cell 400x400."
        )
    return size


def sheet(
    *,
    output: Annotated[
        str | None, output_option("FILE", "The PNG to write; `-` for stdout. SCENE-sheet.png if not given.")
    ] = None,
    vary: Annotated[
        list[str] | None,
        option(
            "--vary",
            metavar="NAME=VALUES",
            help="A setting, or time, and its values: 1..10, 0..1:0.25, 0..1*5, 1..9*5:log or a,b,c. "
            "The first for the columns, a second for the rows.",
        ),
    ] = None,
    wrap: Annotated[
        int | None,
        option("--wrap", metavar="N", help="Lays one --vary out in rows of N cells.", parser=whole("--wrap", 10_000)),
    ] = None,
    cell: Annotated[
        tuple | None,
        option("--cell", metavar="WxH", help="A cell's size in pixels; a sheet's own, or 400x400.", parser=read_cell),
    ] = None,
    title: Annotated[str | None, option("--title", metavar="TEXT", help="One line over it.")] = None,
    asked: Annotated[Asked, Without(["size"])],
) -> None:
    """Renders a scene many times over, side by side: one or two settings varied along columns and rows.

    The PNG holds all it takes to make it again: give it as SCENE.
    """
    path = read_output(output, asked.scene, "-sheet.png")
    vary = vary or []
    if len(vary) > 2:
        raise SettingError(f"--vary is given {len(vary)} times: the first is for the columns, a second for the rows.")
    if wrap is not None and len(vary) == 2:
        raise SettingError("--wrap lays out one --vary, and two are given. Leave one of them out.")
    with opened(asked) as found:
        from engine.sheets.recipe import read
        from engine.sheets.sheet import CELL, made, planned

        recipe: dict[str, Any] | None = None if vary else read(found.state, found.scene, found.picture)
        if not vary and recipe is None:
            raise SettingError("A sheet needs --vary with a setting and its values, as in --vary seed=1,2,3.")
        if recipe is None:
            recipe = {"columns": vary[0], "rows": vary[1] if len(vary) == 2 else (), "wrap": None, "title": ""}
            if found.picture is not None:
                recipe["time"] = found.clock.time
        given = {"wrap": wrap, "title": title, "time": asked.time}
        recipe |= {name: value for name, value in given.items() if value is not None}
        plan = planned(
            found.scene,
            **recipe,
            cell=cell or (found.size if "sheet" in found.state else CELL),
            supersample=found.supersample,
            said=tuple(f"--vary {text}" for text in (*vary, "", "")[:2]),
        )
        made(plan, path)
    if path != "-":
        print(path)


def figures(
    *,
    asked: Annotated[Asked, Without(["picture", "time", "size"])],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Figures by name or number; all if none is given.", show_default=False),
    ] = None,
    output: Annotated[str | None, output_option("FOLDER", "Where to; it is made. SCENE-figures if not given.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Names the figures and makes none.")] = False,
    cell: Annotated[
        int | None,
        option(
            "--cell",
            metavar="N",
            help="Pixels of a cell, 400 if not given; every figure is scaled alike.",
            parser=whole("--cell", SIZE_MAX),
        ),
    ] = None,
    films: Annotated[str | None, option("--films", metavar="mp4|webm|gif", help="What films are written as; mp4.")] = (
        None
    ),
) -> None:
    """Makes the figures a scene declares, each as a file in a folder."""
    from engine.app.lookup import find_scene
    from engine.cli.listing import figures_of
    from engine.sheets.figures import CELL, making

    scene = asked.scene
    kind = find_scene(scene)
    if list_:
        print(figures_of(kind, scene, names))
        return
    folder = read_output(output, scene, "-figures") if not scene.lower().endswith(".png") else output or "figures"
    if folder == "-":
        raise SettingError("-o -: figures need a folder to be written to.")
    over, films = dict(asked.assignments(kind)), films or "mp4"
    for path in making(
        scene, folder, names, settings=over, cell=cell or CELL, films=films, supersample=asked.supersample
    ):
        print(path, flush=True)
