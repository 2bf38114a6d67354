"""The commands `neuroscene sheet` and `neuroscene figures`."""

# As in engine.cli.main: only what every command needs is imported here.
from typing import Annotated, Any

import typer

from engine.cli.options import (
    Asked,
    Text,
    Without,
    flag,
    opened,
    option,
    output_option,
    pixels,
    read_output,
    say_remark,
    whole,
)
from engine.errors import SettingError
from engine.output.streams import give
from engine.render.limits import SIZE_MAX

SHEET_HELP = """\b
  neuroscene sheet marching -o grid.png --vary depth=1..4 --vary seed=1,2,3
  neuroscene sheet marching --vary 'scale=0.5..2*9:log' --wrap 3 --cell 300x300
  neuroscene sheet marching --vary activation=.. --set theme=paper --title "Ten activations"
  neuroscene sheet marching --vary 'time=0..5*8'
  neuroscene sheet grid.png -o again.png --set theme=paper      the same sheet, another theme
\b
Values: 1..10 in steps of 1, 0..1:0.25 in steps of 0.25, 0..1*5 for 5 evenly spaced, 0.5..1*9:log for 9 with equal
ratios; a,b,c for a list; .. for all choices. Quote the * for your shell."""

FIGURES_HELP = """\b
  neuroscene figures SCENE --list
  neuroscene figures SCENE -o folder/
  neuroscene figures SCENE 3 depths -o folder/ --cell 200 --films gif
\b
Each is written as NUMBER-NAME.png, a film as NUMBER-NAME.mp4. Other files in the folder stay as they are."""


def sheet(
    *,
    output: Annotated[Text, output_option("FILE", "The PNG to write; - for stdout.", "SCENE-sheet.png")] = None,
    vary: Annotated[
        list[str] | None,
        option(
            "--vary",
            "NAME=VALUES",
            "A setting, or time in seconds, and its values: 1..10, 0..1:0.25, 0..1*5, 1..9*5:log or a,b,c. Given once, "
            "for the columns; given twice, for the columns and the rows.",
        ),
    ] = None,
    wrap: Annotated[
        int | None, option("--wrap", "N", "Lays one --vary out in rows of N cells.", parser=whole("--wrap", 10_000))
    ] = None,
    cell: Annotated[
        tuple | None,
        option(
            "--cell",
            "WxH",
            "Size of a cell in pixels.",
            "a sheet's, or 400x400",
            pixels("--cell", "400x400", square=True),
        ),
    ] = None,
    title: Annotated[Text, option("--title", "TEXT", "One line over the sheet.")] = None,
    own: Annotated[bool, flag("--own", "Gives each cell a legend, a range of colours and a key of its own.")] = False,
    asked: Annotated[Asked, Without(["size"])],
) -> None:
    """Renders a grid of pictures: one or two settings vary along columns and rows.

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
        recipe |= {"own": True} if own else {}
        recipe |= {name: value for name, value in given.items() if value is not None}
        plan = planned(
            found.scene,
            **recipe,
            cell=cell or (found.size if "sheet" in found.state else CELL),
            supersample=found.supersample,
            option="--vary",
        )
        made(plan, path)
        say_remark()
    if path != "-":
        give(path)


def figures(
    *,
    asked: Annotated[Asked, Without(["picture", "time", "size"])],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Figures by name or number; all if none is given.", show_default=False),
    ] = None,
    output: Annotated[Text, output_option("FOLDER", "The folder to write to; it is made.", "SCENE-figures")] = None,
    list_: Annotated[bool, flag("--list", "Lists the figures and makes none.")] = False,
    cell: Annotated[
        int | None,
        option("--cell", "N", "Pixels a cell; every figure is scaled alike.", "400", whole("--cell", SIZE_MAX)),
    ] = None,
    films: Annotated[Text, option("--films", "mp4|webm|gif", "The format of films.", "mp4")] = None,
) -> None:
    """Makes the figures a scene declares, each as a file in a folder."""
    from engine.app.lookup import find_scene
    from engine.cli.listing import figures_of
    from engine.sheets.figures import CELL
    from engine.sheets.figures import figures as make

    scene = asked.scene
    kind = find_scene(scene)
    if list_:
        print(figures_of(kind, scene, names))
        return
    folder = read_output(output, scene, "-figures") if not scene.lower().endswith(".png") else output or "figures"
    if folder == "-":
        raise SettingError("-o -: figures need a folder to be written to.")
    over, films = dict(asked.assignments(kind)), films or "mp4"
    more: dict[str, Any] = {"settings": over, "cell": cell or CELL, "films": films, "supersample": asked.supersample}
    make(scene, folder, names, **more, made=give)
    say_remark()
