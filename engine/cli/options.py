"""What the options of commands are called and take: each declared once, and read by the parser that stands with it."""

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args

import typer

from engine.errors import SettingError
from engine.output.progress import say
from engine.render.limits import SIZE_MAX

if TYPE_CHECKING:
    from engine.scene.scene import Scene
    from engine.scene.view_data import Clock

SUPERSAMPLES = (1, 4, 9, 16)
DEFAULT_SUPERSAMPLE = 4
DEFAULT_SIZE = (800, 600)
SIZE_TEXT = re.compile(r"^\s*(\d{1,9})\s*[xX×*,]\s*(\d{1,9})\s*$")


def option(*names: str, metavar: str | None = None, help: str, parser: Callable[[str], Any] | None = None) -> Any:
    """A typer.Option without a shown default. Its parser raises a SettingError that says what arrived."""
    return typer.Option(*names, metavar=metavar, help=help, parser=parser, show_default=False)


def output_option(metavar: str, help: str) -> Any:
    """The option `-o`."""
    return option("-o", "--output", metavar=metavar, help=help)


# Texts to values.


def read_size(text: str) -> tuple[int, int]:
    """(width, height) of `800x600`."""
    match = SIZE_TEXT.match(text)
    if match is None:
        raise SettingError(f"--size {text}: it takes width x height in pixels, as in --size 800x600.")
    size = int(match[1]), int(match[2])
    if not all(1 <= n <= SIZE_MAX for n in size):
        raise SettingError(f"--size {text}: width and height must be from 1 to {SIZE_MAX}.")
    return size


def read_supersample(text: str) -> int:
    """1, 4, 9 or 16."""
    if text.strip() not in map(str, SUPERSAMPLES):
        raise SettingError(f"--supersample {text}: it takes one of {', '.join(map(str, SUPERSAMPLES))}.")
    return int(text)


def read_number(option: str, text: str, low: float, high: float) -> float:
    """The number an option was given."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:  # which no nan is
        raise SettingError(f"{option} {text}: it takes a number from {low:g} to {high:g}.")
    return value


def number(option: str, low: float, high: float) -> Callable[[str], float]:
    """The parser of an option that takes a number."""
    return lambda text: read_number(option, text, low, high)


def whole(option: str, most: int) -> Callable[[str], int]:
    """The parser of an option that takes a whole number from 1 on."""

    def read(text: str) -> int:
        value = int(text) if text.strip().isdecimal() and len(text) < 10 else 0
        if not 1 <= value <= most:
            raise SettingError(f"{option} {text}: it takes a whole number from 1 to {most}.")
        return value

    return read


def read_output(output: str | None, scene: str, ending: str) -> str:
    """The path to write; named after the scene when none is given."""
    if output is not None:
        if not output.strip():
            raise SettingError("-o is empty. Give the path of the file to write.")
        return output
    if scene.lower().endswith(".png"):
        raise SettingError(f"{scene} is a picture itself. Say where the new one goes with -o.")
    name = re.sub(r"\.py(:|$)", r"\1", Path(scene).name).replace(":", "-")
    return name + ending


# What the commands that take a scene share.


def scene_names(incomplete: str) -> list[str]:
    """Names of scenes, for a shell that completes them."""
    from scenes import SCENES

    return [name for name in SCENES if name.startswith(incomplete)]


@dataclass(frozen=True)
class Asked:
    """What the shared options say of the scene and its picture; None where nothing was said."""

    scene: Annotated[
        str,
        typer.Argument(
            metavar="SCENE",
            help="A name from `neuroscene list`, mine.py, mine.py:Class, or a PNG made earlier.",
            autocompletion=scene_names,
            show_default=False,
        ),
    ]
    sets: Annotated[
        list[str] | None,
        option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting, as `neuroscene list SCENE` names them. May be given often.",
        ),
    ] = None
    picture: Annotated[
        str | None,
        option(
            "--from",
            metavar="PNG",
            help="A picture this scene made: starts from its settings, camera, weights and time.",
        ),
    ] = None
    net: Annotated[
        str | None,
        option(
            "--net",
            metavar="FILE[:ACTIVATIONS]",
            help="The network to show: .safetensors, .npz, .onnx, .pt. `net.npz:tanh` names activations.",
        ),
    ] = None
    history: Annotated[
        str | None,
        option(
            "--history",
            metavar="FILE",
            help="The recorded training to show: .safetensors of `neuroscene train` or engine.Recorder.",
        ),
    ] = None
    image: Annotated[
        str | None,
        option("--image", metavar="FILE", help="The image to learn, or to look at: .png, .jpg and their kin."),
    ] = None
    seed: Annotated[str | None, option("--seed", metavar="N", help="Short for --set seed=N.")] = None
    time: Annotated[
        float | None,
        option(
            "--time",
            metavar="SECONDS",
            help="The moment to show; a PNG's own, or 0.",
            parser=number("--time", -1e9, 1e9),
        ),
    ] = None
    size: Annotated[
        tuple | None,
        option("--size", metavar="WxH", help="Width and height in pixels; a PNG's own, or 800x600.", parser=read_size),
    ] = None
    supersample: Annotated[
        int | None,
        option(
            "--supersample",
            metavar="1|4|9|16",
            help="Samples a pixel, against jagged edges; a PNG's own, or 4.",
            parser=read_supersample,
        ),
    ] = None
    dump_wgsl: Annotated[
        str | None, option("--dump-wgsl", metavar="DIR", help="Writes every shader there, as it is compiled.")
    ] = None
    profile: Annotated[bool, option("--profile", help="Prints how long each pass took on the GPU.")] = False
    verbose: Annotated[bool, option("--verbose", help="Logs to stderr what is compiled, and how long it takes.")] = (
        False
    )

    @property
    def is_time_given(self) -> bool:
        """True where a moment was given, by --time or by a picture that is opened again."""
        from engine.app.lookup import is_picture

        return self.time is not None or self.picture is not None or is_picture(self.scene)

    def assignments(self, scene: Any) -> list[tuple[str, str]]:
        """(name, text) pairs of --set, --seed, --net, --history and --image, in the order they take effect.

        scene   or its class
        """
        from engine.scene.data_settings import Convolutional, Image, Network, Recorded
        from engine.scene.settings import settings

        pairs = []
        for text in self.sets or ():
            name, sign, value = text.partition("=")
            if not sign or not name.strip():
                raise SettingError(f"--set {text}: it takes name=value, as in --set seed=3.")
            pairs.append((name.strip(), value))
        if self.seed is not None:
            pairs.append(("seed", self.seed))
        for given, path, kinds in (
            ("--net", self.net, (Network, Convolutional)),
            ("--history", self.history, (Recorded,)),
            ("--image", self.image, (Image,)),
        ):
            if path is None:
                continue
            names = [name for name, setting in settings(scene).items() if isinstance(setting, kinds)]
            if not names:
                name = scene.__name__ if isinstance(scene, type) else type(scene).__name__
                raise SettingError(f"{given} {path}: {name} has no setting for {kinds[0].noun}.")
            pairs.append((names[0], path))
        return pairs


class Without(tuple):
    """Names of shared options that a command does not take: `asked: Annotated[Asked, Without(["size"])]`."""


def with_shared_options(function: Callable) -> Callable:
    """A command as typer reads it: its parameter `asked` is replaced by the options that Asked declares."""
    given = inspect.signature(function).parameters
    if "asked" not in given:
        return function
    left_out = [name for mark in get_args(given["asked"].annotation) if isinstance(mark, Without) for name in mark]
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=field.type,
        )
        for field in fields(Asked)
        if field.name not in left_out
    ]

    def command(**values: Any) -> None:
        asked = Asked(**{parameter.name: values.pop(parameter.name) for parameter in shared})
        try:
            with _diagnosed(asked):
                function(asked=asked, **values)
        except KeyboardInterrupt as stop:
            # What became of the file and how to go on; typer makes an exit status of the exception.
            if str(stop):
                say(str(stop))
            raise

    parameters = [one for name, p in given.items() for one in (shared if name == "asked" else [p])]
    # Where inspect.signature looks first.
    setattr(command, "__signature__", inspect.Signature(parameters))  # noqa: B010  mypy knows no such attribute
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    return command


@contextmanager
def _diagnosed(asked: Asked) -> Iterator[None]:
    """Does what --verbose, --dump-wgsl and --profile ask for."""
    from engine import diagnostics

    if asked.verbose:
        diagnostics.show_log()
    if asked.dump_wgsl is not None:
        diagnostics.dump_wgsl(asked.dump_wgsl)
    if not asked.profile:
        yield
        return
    from engine.app.jobs import renderer

    times = renderer().time_passes()
    yield
    say(f"passes on the GPU:\n{times.table()}")


class Opened(NamedTuple):
    """A scene as the options ask for it.

    size, supersample   of the picture
    picture, state      the PNG it was opened from and what that stores; None and {} without one
    """

    scene: "Scene"
    clock: "Clock"
    size: tuple[int, int]
    supersample: int
    picture: str | None
    state: dict


@contextmanager
def opened(asked: Asked, *, film: bool = False) -> Iterator[Opened]:
    """The scene that is asked for, for a command; inside, a scene file's own faults become one line.

    film   True where the clock is a film's first: 0 if none is given, where a picture is for the scene's own moment
    """
    from engine.app.lookup import is_picture, open_scene, report_user_errors
    from engine.app.picture_state import read_state, restore_from
    from engine.scene.settings import assign

    scene, clock = open_scene(asked.scene)
    picture = asked.scene if is_picture(asked.scene) else None
    if asked.picture is not None:
        picture, clock = asked.picture, restore_from(asked.picture, scene)
    for name, value in asked.assignments(scene):
        assign(scene, name, value)
    if asked.time is not None:
        clock = replace(clock, time=asked.time)
    elif picture is None and not film:
        clock = replace(clock, time=scene.moment)
    state = read_state(picture) if picture else {}
    size = asked.size or tuple(state.get("size", DEFAULT_SIZE))
    samples = asked.supersample or state.get("supersample", DEFAULT_SUPERSAMPLE)
    with report_user_errors(scene):
        yield Opened(scene, clock, size, samples, picture, state)


def say_remark(scene: "Scene") -> None:
    """Tells on stderr what must be said of a scene's picture."""
    remark = scene.remark()
    if remark:
        say(f"note: {remark}.")
