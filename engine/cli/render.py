"""The commands that show one scene: `neuroscene run` in a window, `render` as a picture, `record` as a film."""

# As in engine.cli.main: only what every command needs is imported here.
from typing import Annotated, Any

from engine.cli.options import (
    Asked,
    Text,
    Without,
    flag,
    number,
    opened,
    option,
    output_option,
    read_output,
    say_remark,
    whole,
)
from engine.errors import SettingError
from engine.output.streams import give
from engine.render.limits import check_memory

# The default size of a window; its panel takes 320 of the 1200 pixels.
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
  neuroscene render mine.py --from a.png -o b.png         the same for your own scene, which a.png alone never runs
  neuroscene render marching -o print.tif --size 16384x16384   after a stop, the same command continues
  neuroscene render marching -o a.png --budget 65536 --strict   no ray undecided, or status 4
  neuroscene render marching -o a.png --set theme=clear   transparent where nothing is
  neuroscene render marching -o a.exr                     the light itself, for compositing
  neuroscene render marching -o - | display               PNG to a pipe"""

RECORD_HELP = """\b
  neuroscene record marching -o a.mp4 --seconds 5
  neuroscene record marching -o a.gif --loop --size 400x400     one whole loop: it repeats without a seam
  neuroscene record marching -o a.mp4 --depth 10                no bands in soft shading
  neuroscene record marching -o a.webm --set theme=clear        transparent where nothing is
  neuroscene record marching -o frames/ --fps 60                a folder of PNGs
\b
The ending names the format: .gif, .mp4, .webm, .mov, .apng, or a folder (ending in /) for PNGs."""


def depth_option(more: str, default: str) -> Any:
    """The option `--depth`."""
    return option("--depth", "BITS", f"Bits of a colour: {more}.", default, whole("--depth", 32))


def run(*, asked: Annotated[Asked, Without(["profile", "budget", "strict", "quiet"])]) -> None:
    """Shows a scene in a window."""
    with opened(asked) as found:
        from engine.app.show import show

        size = asked.size or WINDOW_SIZE
        check_memory(size)
        time = found.clock.time if asked.is_time_given else None
        path = show(found.scene, size=size, time=time, supersample=found.supersample)
    # Without a display the picture was saved instead.
    if path is not None:
        give(path)


def render(
    *,
    output: Annotated[
        Text, output_option("FILE", "The .png, .tif or .exr to write; - for stdout.", "SCENE.png")
    ] = None,
    asked: Asked,
    ui: Annotated[bool, flag("--ui", "With the panel of controls in the picture.")] = False,
    restart: Annotated[bool, flag("--restart", "Begins a stopped large picture from its start.")] = False,
    depth: Annotated[int | None, depth_option("16 for .png, .tif and .exr, 32 for .exr", "8; 16 for .exr")] = None,
) -> None:
    """Renders a picture to a PNG, a TIFF or an OpenEXR file.

    A PNG holds all it takes to make it again: give it as SCENE. Sizes up to 32768x32768 take little memory; of a large
    picture that is stopped, what is finished stays in FILE.unfinished. Of a smaller one, Ctrl-C writes what is known.
    """
    path = read_output(output, asked.scene, ".png")
    with opened(asked) as found:
        from engine.app.make import StoppedPicture, save

        if ui:
            check_memory(found.size)
        time, samples = found.clock.time, found.supersample
        try:
            save(
                found.scene, path, size=found.size, time=time, supersample=samples, ui=ui, restart=restart, depth=depth
            )
        except StoppedPicture:
            if path != "-":
                give(path)
            raise
        say_remark(found.scene)
    if path != "-":
        give(path)


def record(
    *,
    output: Annotated[
        Text, output_option("FILE", "The .gif, .mp4, .webm, .mov, .apng or folder to write.", "SCENE.mp4")
    ] = None,
    seconds: Annotated[
        float | None,
        option("--seconds", "S", "Seconds to record.", "one loop of the scene, or 5", number("--seconds", 1e-3, 86400)),
    ] = None,
    fps: Annotated[
        float | None, option("--fps", "N", "Frames a second.", "30; 25 for .gif", number("--fps", 0.01, 1000))
    ] = None,
    depth: Annotated[int | None, depth_option("10 for .mp4 and .webm, 16 for PNGs", "8; 10 for .mov")] = None,
    quality: Annotated[
        str, option("--quality", "WORD|CRF", "Of .mp4 and .webm: small, good, best, or a CRF.", "good")
    ] = "good",
    loop: Annotated[bool, flag("--loop", "Exactly one loop of the scene, so that it repeats.")] = False,
    asked: Asked,
) -> None:
    """Records a film, an animation or a folder of pictures."""
    path = read_output(output, asked.scene, ".mp4")
    if path == "-":
        raise SettingError("-o -: a film needs a file to be written to. Give a path that ends in .gif, .mp4 or .webm.")
    if loop and seconds is not None:
        raise SettingError(
            f"--loop and --seconds {seconds:g} are both given: a loop has its own length. Leave one out."
        )
    with opened(asked, film=True) as found:
        if loop and not found.scene.loop:
            raise SettingError(f"--loop: {asked.scene} does not repeat by itself. Give --seconds instead.")
        from engine.app.make import record

        check_memory(found.size)
        start, samples = found.clock.time, found.supersample
        what: dict[str, Any] = {"seconds": seconds, "fps": fps, "start": start, "depth": depth, "quality": quality}
        record(found.scene, path, size=found.size, supersample=samples, **what)
        say_remark(found.scene)
    give(path)
