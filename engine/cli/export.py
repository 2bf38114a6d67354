"""The command `neuroscene export`."""

# As in engine.cli.main: only what every command needs is imported here.
from typing import Annotated

from engine.cli.options import Asked, Text, Without, flag, opened, option, output_option, read_output, say_remark
from engine.output.streams import give

HELP = """\b
  neuroscene export boundaries -o figure.svg
  neuroscene export boundaries -o figure.pdf --size 85mm
  neuroscene export marching -o figure.pdf              silhouettes and rims of the surfaces over the picture
  neuroscene export random_networks --alone -o lines.svg --set colour=viridis     curves of equal value
  neuroscene export a.png -o figure.svg                 what the picture shows, as vectors
  neuroscene export mine.py --set theme=paper --time 1.5 -o figure.svg
\b
Each of the scene's layers is a layer of the drawing, every path has a name, and text stays text. A graphics card is
needed only for a picture of a scene in space under the vectors."""


def export(
    *,
    output: Annotated[Text, output_option("FILE", "The .svg or .pdf to write; - for stdout.", "SCENE.svg")] = None,
    asked: Annotated[Asked, Without(["size", "supersample", "dump_wgsl", "profile", "verbose"])],
    size: Annotated[
        Text,
        option(
            "--size",
            "WxH",
            "The page's size, as 120mmx90mm, 12x9cm, 4in; a width alone takes the height it needs.",
            "the scene's own",
        ),
    ] = None,
    alone: Annotated[bool, flag("--alone", "Vectors alone, without an image under them.")] = False,
) -> None:
    """Writes a scene as a drawing in vectors: SVG or PDF.

    Not every scene draws vectors: use `neuroscene render` for the others.
    """
    path = read_output(output, asked.scene, ".svg")
    with opened(asked) as found:
        from engine.app.export import export

        export(found.scene, path, size=size, time=found.clock.time, alone=alone)
        say_remark(found.scene)
    if path != "-":
        give(path)
