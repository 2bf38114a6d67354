"""The commands that show one scene: `neuroscene run` in a window, `render` as a picture, `record` as a film."""

# As in engine.cli.main: only what every command needs is imported here.
from typing import Annotated

import typer

from engine.cli.options import Asked, Without, number, opened, option, output_option, read_output, say_remark
from engine.errors import SettingError
from engine.render.limits import check_memory

# A window's: the panel takes 320 pixels of it.
WINDOW_SIZE = (1200, 800)

RUN_HELP = """\b
  neuroscene run marching
  neuroscene run marching --net model.onnx
  neuroscene run mine.py --set speed=0.5
\b
Without a display it saves the picture instead, and says so."""

RENDER_HELP = """\b
  neuroscene render marching -o a.png
  neuroscene render marching -o a.png --size 1600x900 --time 1.2 --supersample 16
  neuroscene render marching -o a.png --set level=0.5 --seed 3 --net model.safetensors
  neuroscene render a.png -o b.png --set theme=paper      the same picture, another theme
  neuroscene render mine.py --from a.png -o b.png         the same of a scene file: a picture never runs one
  neuroscene render marching -o print.tif --size 16384x16384   stopped halfway, the same command goes on
  neuroscene render marching -o - | display               PNG to a pipe"""

RECORD_HELP = """\b
  neuroscene record marching -o a.mp4 --seconds 5
  neuroscene record marching -o a.gif --loop --size 400x400     one whole loop: it repeats without a seam
  neuroscene record marching -o frames/ --fps 60                a folder of PNGs
\b
The ending names the format: .gif, .mp4, .webm, or a folder (ending in /) for PNGs."""


def run(*, asked: Annotated[Asked, Without(["profile"])]) -> None:
    """Shows a scene in a window."""
    with opened(asked) as found:
        from engine.app.show import show

        size = asked.size or WINDOW_SIZE
        check_memory(size)
        time = found.clock.time if asked.is_time_given else None
        path = show(found.scene, size=size, time=time, supersample=found.supersample)
    # Without a display the picture was saved instead.
    if path is not None:
        print(path)


def render(
    *,
    output: Annotated[
        str | None, output_option("FILE", "The .png or .tif to write; `-` for PNG on stdout. SCENE.png if not given.")
    ] = None,
    asked: Asked,
    ui: Annotated[bool, typer.Option("--ui", help="With the panel of controls in the picture.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begins a large picture anew that was stopped, instead of going on.")
    ] = False,
) -> None:
    """Renders a picture to a PNG or a TIFF.

    A PNG holds all it takes to make it again: give it as SCENE. Up to 32768x32768, in little memory; a large picture
    that is stopped keeps what is done in FILE.unfinished.
    """
    path = read_output(output, asked.scene, ".png")
    with opened(asked) as found:
        from engine.app.make import save

        if ui:
            check_memory(found.size)
        what = {"time": found.clock.time, "supersample": found.supersample}
        save(found.scene, path, size=found.size, ui=ui, restart=restart, **what)
        say_remark(found.scene)
    if path != "-":
        print(path)


def record(
    *,
    output: Annotated[
        str | None, output_option("FILE", ".gif, .mp4, .webm or a folder. SCENE.mp4 if not given.")
    ] = None,
    seconds: Annotated[
        str | None, option("--seconds", metavar="S", help="How long; one loop of the scene, or 5.")
    ] = None,
    fps: Annotated[
        float | None,
        option("--fps", metavar="N", help="Frames a second; 30, for a GIF 25.", parser=number("--fps", 0.01, 1000)),
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Exactly one loop of the scene, so that it repeats.")] = False,
    asked: Asked,
) -> None:
    """Records a film, an animation or a folder of pictures."""
    path = read_output(output, asked.scene, ".mp4")
    if path == "-":
        raise SettingError("-o -: a film needs a file to be written to. Give a path that ends in .gif, .mp4 or .webm.")
    if loop and seconds is not None:
        raise SettingError(
            f"--loop and --seconds {seconds} are both given: one loop has its own length. Leave one out."
        )
    length = None if seconds is None else number("--seconds", 1e-3, 86400)(seconds)
    with opened(asked, film=True) as found:
        if loop and not found.scene.loop:
            raise SettingError(f"--loop: {asked.scene} does not repeat by itself. Give --seconds instead.")
        from engine.app.make import record

        check_memory(found.size)
        what = {"size": found.size, "supersample": found.supersample, "start": found.clock.time}
        record(found.scene, path, seconds=length, fps=fps, **what)
    print(path)
