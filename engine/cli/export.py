"""The command `neuroscene export`."""

# As in engine.cli.main: only what every command needs is imported here.
import sys
from typing import Annotated

import typer

from engine.cli.options import (
    Asked,
    From,
    HistoryFile,
    ImageFile,
    NetworkFile,
    Scene,
    Seed,
    Settings,
    Time,
    opened,
    read_output,
)

Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="The .svg or .pdf to write; `-` for SVG on stdout. SCENE.svg if not given.",
        show_default=False,
    ),
]
PageSize = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="WxH",
        help="The page's, in mm, cm, in or pt: 120mmx90mm, 12x9cm; a width alone takes the height it needs.",
        show_default=False,
    ),
]

HELP = """
\b
  neuroscene export boundaries -o figure.svg
  neuroscene export boundaries -o figure.pdf --size 85mm
  neuroscene export a.png -o figure.svg                 what the picture shows, as vectors
  neuroscene export mine.py --set theme=paper --time 1.5 -o figure.svg
\b
Every layer is a layer of the drawing and every path has a name; words stay words. No graphics card is needed."""


def register(app):
    """Adds the command."""
    app.command(epilog=HELP.strip())(export)


def export(
    scene: Scene,
    output: Output = None,
    set_: Settings = None,
    from_: From = None,
    net: NetworkFile = None,
    history: HistoryFile = None,
    image: ImageFile = None,
    seed: Seed = None,
    time: Time = None,
    size: PageSize = None,
):
    """Writes a scene as a drawing in vectors: SVG or PDF.

    Not every scene draws vectors; those that do not are rendered.
    """
    asked = Asked(scene, from_, set_, net, seed, time, None, None, history, image)
    path = read_output(output, scene, ".svg")
    with opened(asked) as (shown, clock, _, _):
        from engine.app.export import export

        export(shown, path, size=size, time=clock.time)
        remark = shown.remark()
    if remark:
        print(f"neuroscene: note: {remark}.", file=sys.stderr)
    if path != "-":
        print(path)
