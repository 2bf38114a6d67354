"""The command `neuroscene export`."""

# As in engine.cli.main: only what every command needs is imported here.
from typing import Annotated

from engine.cli.options import Asked, Without, opened, option, output_option, read_output, say_remark

HELP = """\b
  neuroscene export boundaries -o figure.svg
  neuroscene export boundaries -o figure.pdf --size 85mm
  neuroscene export a.png -o figure.svg                 what the picture shows, as vectors
  neuroscene export mine.py --set theme=paper --time 1.5 -o figure.svg
\b
Every layer is a layer of the drawing and every path has a name; words stay words. No graphics card is needed."""


def export(
    *,
    output: Annotated[
        str | None,
        output_option("FILE", "The .svg or .pdf to write; `-` for SVG on stdout. SCENE.svg if not given."),
    ] = None,
    asked: Annotated[Asked, Without(["size", "supersample", "dump_wgsl", "profile", "verbose"])],
    size: Annotated[
        str | None,
        option(
            "--size",
            metavar="WxH",
            help="The page's, in mm, cm, in or pt: 120mmx90mm, 12x9cm; a width alone takes the height it needs.",
        ),
    ] = None,
) -> None:
    """Writes a scene as a drawing in vectors: SVG or PDF.

    Not every scene draws vectors; those that do not are rendered.
    """
    path = read_output(output, asked.scene, ".svg")
    with opened(asked) as found:
        from engine.app.export import export

        export(found.scene, path, size=size, time=found.clock.time)
        say_remark(found.scene)
    if path != "-":
        print(path)
