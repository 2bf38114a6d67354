"""What the commands' options are called, what they take, and how a scene is opened by them."""

import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import SettingError
from engine.render.limits import SIZE_MAX

SUPERSAMPLES = (1, 4, 9, 16)
DEFAULT_SUPERSAMPLE = 4
DEFAULT_SIZE = (800, 600)
SIZE_TEXT = re.compile(r"^\s*(\d{1,9})\s*[xX×*,]\s*(\d{1,9})\s*$")


def scene_names(incomplete: str):
    from scenes import SCENES

    return [name for name in SCENES if name.startswith(incomplete)]


Scene = Annotated[
    str,
    typer.Argument(
        metavar="SCENE",
        help="A name from `neuroscene list`, mine.py, mine.py:Class, or a PNG made earlier.",
        autocompletion=scene_names,
        show_default=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A setting, as `neuroscene list SCENE` names them. May be given often.",
        show_default=False,
    ),
]
NetworkFile = Annotated[
    str | None,
    typer.Option(
        "--net",
        metavar="FILE[:ACTIVATIONS]",
        help="The network to show: .safetensors, .npz, .onnx, .pt. `net.npz:tanh` names activations.",
        show_default=False,
    ),
]
HistoryFile = Annotated[
    str | None,
    typer.Option(
        "--history",
        metavar="FILE",
        help="The recorded training to show: .safetensors of `neuroscene train` or engine.Recorder.",
        show_default=False,
    ),
]
ImageFile = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="FILE",
        help="The image to learn, or to look at: .png, .jpg and their kin.",
        show_default=False,
    ),
]
# Numbers arrive as text and are read here, so that a mistake is told with what arrived.
Seed = Annotated[str | None, typer.Option("--seed", metavar="N", help="Short for --set seed=N.", show_default=False)]
Time = Annotated[
    str | None,
    typer.Option("--time", metavar="SECONDS", help="The moment to show; a PNG's own, or 0.", show_default=False),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="PNG",
        help="A picture this scene made: starts from its settings, camera, weights and time.",
        show_default=False,
    ),
]
Size = Annotated[
    str | None,
    typer.Option(
        "--size", metavar="WxH", help="Width and height in pixels; a PNG's own, or 800x600.", show_default=False
    ),
]
Supersample = Annotated[
    str | None,
    typer.Option(
        "--supersample",
        metavar="1|4|9|16",
        help="Samples a pixel, against jagged edges; a PNG's own, or 4.",
        show_default=False,
    ),
]
WithPanel = Annotated[bool, typer.Option("--ui", help="With the panel of controls in the picture.")]


class Asked:
    """What the options say of the scene and its picture, read from their texts; None where nothing was said."""

    def __init__(
        self, scene, picture, sets, net, seed, time, size, supersample, history=None, image=None
    ):  # fmt: skip
        self.scene, self.picture, self.sets, self.net, self.seed = scene, picture, sets or (), net, seed
        self.history, self.image = history, image
        self.time = read_number("--time", time, -1e9, 1e9)
        self.size = None if size is None else read_size(size)
        self.supersample = None if supersample is None else read_supersample(supersample)

    @property
    def tells_time(self):
        """True where a moment was told, by --time or by a picture that is opened again."""
        from engine.app.lookup import is_picture

        return self.time is not None or self.picture is not None or is_picture(self.scene)


@contextmanager
def opened(asked, *, film=False):
    """(scene, clock, size, supersample) for a command; inside, a scene file's own faults become one line.

    film   True where the clock is a film's first: 0 unless told, where a picture is for the scene's own moment
    """
    from engine.app.lookup import is_picture, open_scene, told_by_line
    from engine.app.picture_state import read_state, restore_from
    from engine.scene.settings import assign

    scene, clock = open_scene(asked.scene)
    picture = asked.scene if is_picture(asked.scene) else None
    if asked.picture is not None:
        picture, clock = asked.picture, restore_from(asked.picture, scene)
    for name, value in assignments(scene, asked.sets, asked.net, asked.seed, asked.history, asked.image):
        assign(scene, name, value)
    if asked.time is not None:
        clock = replace(clock, time=asked.time)
    elif picture is None and not film:
        clock = replace(clock, time=scene.moment)
    state = read_state(picture) if picture else {}
    size = asked.size or tuple(state.get("size", DEFAULT_SIZE))
    samples = asked.supersample or state.get("supersample", DEFAULT_SUPERSAMPLE)
    with told_by_line(scene):
        yield scene, clock, size, samples


def assignments(scene, sets, net, seed, history=None, image=None):
    """(name, text) pairs of --set, --seed, --net, --history and --image, in the order they take effect."""
    from engine.scene.data_settings import Convolutional, Image, Network, Recorded
    from engine.scene.settings import settings

    pairs = []
    for text in sets:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise SettingError(f"--set {text}: it takes name=value, as in --set seed=3.")
        pairs.append((name.strip(), value))
    if seed is not None:
        pairs.append(("seed", seed))
    for option, path, kinds in (
        ("--net", net, (Network, Convolutional)), ("--history", history, (Recorded,)), ("--image", image, (Image,)),
    ):  # fmt: skip
        if path is None:
            continue
        names = [name for name, setting in settings(scene).items() if isinstance(setting, kinds)]
        if not names:
            name = scene.__name__ if isinstance(scene, type) else type(scene).__name__
            raise SettingError(f"{option} {path}: {name} has no setting for {kinds[0].noun}.")
        pairs.append((names[0], path))
    return pairs


def read_size(text):
    """(width, height) of `800x600`."""
    match = SIZE_TEXT.match(text)
    if match is None:
        raise SettingError(f"--size {text}: it takes width x height in pixels, as in --size 800x600.")
    size = int(match.group(1)), int(match.group(2))
    if not all(1 <= n <= SIZE_MAX for n in size):
        raise SettingError(f"--size {text}: width and height must be from 1 to {SIZE_MAX}.")
    return size


def read_supersample(text):
    if text.strip() not in map(str, SUPERSAMPLES):
        raise SettingError(f"--supersample {text}: it takes one of {', '.join(map(str, SUPERSAMPLES))}.")
    return int(text)


def read_number(option, text, low, high):
    """The number an option was given; None stays None."""
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:  # which no nan is
        raise SettingError(f"{option} {text}: it takes a number from {low:g} to {high:g}.")
    return value


def read_output(output, scene, ending):
    """The path to write; named after the scene when none is given."""
    if output is not None:
        if not output.strip():
            raise SettingError("-o is empty. Give the path of the file to write.")
        return output
    if scene.lower().endswith(".png"):
        raise SettingError(f"{scene} is a picture itself. Say where the new one goes with -o.")
    name = re.sub(r"\.py(:|$)", r"\1", Path(scene).name).replace(":", "-")
    return name + ending
