"""The options of commands: each declared once, and read by the parser declared with it."""

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args

import typer

from engine.cli.certainty import accounted, read_budget
from engine.errors import SettingError
from engine.output.progress import manner, remark, say
from engine.render.limits import SIZE_MAX

if TYPE_CHECKING:
    from engine.scene.scene import Scene
    from engine.scene.view_data import Clock

SUPERSAMPLES = (1, 4, 9, 16)
DEFAULT_SUPERSAMPLE = 4
DEFAULT_SIZE = (800, 600)
# Remarks that are printed, where a command makes many pictures.
MOST_REMARKS = 4
SIZE_TEXT = re.compile(r"^\s*(\d{1,9})\s*[xX×*,]\s*(\d{1,9})\s*$")

# The value of an option that may be left out.
Text = str | None


def option(names: str, metavar: str, help: str, default: str = "", parser: Callable[[str], Any] | None = None) -> Any:
    """A typer.Option.

    names     with spaces between: `-o --output`
    default   the value used if the option is left out, in words for the help
    parser    turns its text into a value; raises a SettingError that quotes the text
    """
    help += f" [default: {default}]" if default else ""
    return typer.Option(*names.split(), metavar=metavar, help=help, parser=parser, show_default=False)


def flag(names: str, help: str) -> Any:
    """A typer.Option without a value."""
    return typer.Option(*names.split(), help=help)


def output_option(metavar: str, help: str, default: str) -> Any:
    """The option `-o`."""
    return option("-o --output", metavar, help, default, _read_path)


# Parsers of texts.


def _read_path(text: str) -> str:
    """A path to write; refuses what is left of `-o=a.png`."""
    if text.startswith("="):
        raise SettingError(f"-o{text}: write -o {text[1:]} or --output{text}; a name that begins with = is ./{text}.")
    return text


def pixels(
    name: str, example: str, most: int | None = SIZE_MAX, *, square: bool = False
) -> Callable[[str], tuple[int, int]]:
    """The parser of an option that takes `WxH`: gives (width, height).

    most     the largest side in pixels, None for any
    square   True where `N` is NxN
    """

    def read(text: str) -> tuple[int, int]:
        match = SIZE_TEXT.match(text if not square or any(c in text for c in "xX×*,") else f"{text}x{text}")
        size = (int(match[1]), int(match[2])) if match and len(text) < 24 else None
        if size is None or min(size) < 1 or (most and max(size) > most):
            sides = f", each from 1 to {most}" if most else ""
            raise SettingError(f"{name} {text}: it takes width x height in pixels{sides}, as in {name} {example}.")
        return size

    return read


def read_supersample(text: str) -> int:
    """1, 4, 9 or 16."""
    if text.strip() not in map(str, SUPERSAMPLES):
        raise SettingError(f"--supersample {text}: it takes one of {', '.join(map(str, SUPERSAMPLES))}.")
    return int(text)


def number(name: str, low: float, high: float) -> Callable[[str], float]:
    """The parser of an option that takes a number."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:  # also refuses nan
            raise SettingError(f"{name} {text}: it takes a number from {low:g} to {high:g}.")
        return value

    return read


def whole(name: str, most: int, least: int = 1) -> Callable[[str], int]:
    """The parser of an option that takes a whole number; it also reads 1_000, 1,000 and 1e3."""

    def read(text: str) -> int:
        try:
            value = float(text.replace(",", "").replace("_", ""))
        except ValueError:
            value = float("nan")
        if not least <= value <= most or value != int(value):  # also refuses nan
            raise SettingError(f"{name} {text}: it takes a whole number from {least} to {most:,}.")
        return int(value)

    return read


def read_output(output: str | None, scene: str, ending: str) -> str:
    """The path to write: the one given, else the scene's name with the ending."""
    if output is not None:
        if not output.strip():
            raise SettingError("-o is empty. Give the path of the file to write.")
        return output
    if scene.lower().endswith(".png"):
        raise SettingError(f"{scene} is a picture itself. Say where the new one goes with -o.")
    name = re.sub(r"\.py(:|$)", r"\1", Path(scene).name).replace(":", "-")
    return name + ending


# Options that the commands for scenes share.


def scene_names(incomplete: str) -> list[str]:
    """Names of scenes, for the completion of a shell."""
    from scenes import SCENES

    return [name for name in SCENES if name.startswith(incomplete)]


ADAPTER = option(
    "--adapter", "NAME", "The graphics adapter, by a part of its name; `neuroscene doctor --list` names them.",
    "the fastest kind",
)  # fmt: skip


def use_adapter(name: Text) -> None:
    """Does what --adapter asks for. Raises SettingError, with all names, where there is no such adapter."""
    if name is not None:
        from engine.gpu import device

        device.use_adapter(name)


# {field of Asked: its option}
SHARED = {
    "scene": typer.Argument(
        metavar="SCENE",
        help="A name from `neuroscene list`, mine.py, mine.py:Class, or a PNG made earlier.",
        autocompletion=scene_names,
        show_default=False,
    ),
    "sets": option("--set", "NAME=VALUE", "A setting, as `neuroscene list SCENE` names them. May be given repeatedly."),
    "picture": option("--from", "PNG", "A picture of this scene: begins with its settings, camera, weights and time."),
    "net": option(
        "--net", "FILE[:ACTIVATIONS]",
        "The network to show: .safetensors, .npz, .onnx, .pt, .ckpt, .keras; with its activations where a file has "
        "none: a.npz:tanh.",
    ),
    "history": option(
        "--history", "FILE", "The recorded training to show: .safetensors of `neuroscene train` or engine.Recorder."
    ),
    "image": option("--image", "FILE", "The image to learn, or to look at: .png, .jpg and other common formats."),
    "seed": option("--seed", "N", "Short for --set seed=N."),
    "time": option(
        "--time", "SECONDS", "The time shown, or a film's first.", "a PNG's own, or the scene's, or 0 for a film",
        number("--time", -1e9, 1e9),
    ),
    "size": option("--size", "WxH", "Size in pixels.", "a PNG's own, or 800x600", pixels("--size", "800x600")),
    "supersample": option(
        "--supersample", "1|4|9|16", "Samples a pixel, against jagged edges.", "a PNG's own, or 4", read_supersample
    ),
    "budget": option(
        "--budget", "SEGMENTS|SECONDSs", "How far rays are searched: segments a ray, or seconds a picture (60s).",
        "16384", read_budget,
    ),
    "strict": flag("--strict", "Ends with status 4 if any ray is undecided; the picture is written."),
    "quiet": flag("--quiet", "No progress, estimates or notes: only errors, and what is not certain."),
    "adapter": ADAPTER,
    "dump_wgsl": option("--dump-wgsl", "DIR", "Writes every shader to this folder, as it is compiled."),
    "profile": flag("--profile", "Prints how many milliseconds each pass took on the GPU."),
    "verbose": flag("--verbose", "Logs to stderr what is compiled, and how many milliseconds it takes."),
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """The options that scene commands share; None where one is left out."""

    scene: str
    sets: list[str] | None = None
    picture: str | None = None
    net: str | None = None
    history: str | None = None
    image: str | None = None
    seed: str | None = None
    time: float | None = None
    size: tuple | None = None
    supersample: int | None = None
    budget: Any = None
    strict: bool = False
    quiet: bool = False
    adapter: Text = None
    dump_wgsl: str | None = None
    profile: bool = False
    verbose: bool = False

    @property
    def is_time_given(self) -> bool:
        """True if a time was given, by --time or by a picture that is opened again."""
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


def _expansion(annotation: Any) -> list[inspect.Parameter] | None:
    """The options that replace a parameter: Asked's, or those of a table of options; None for an ordinary parameter."""
    kind, *marks = get_args(annotation) or (annotation,)
    mark = marks[0] if marks else ()
    if kind is Asked:
        rows = [
            (f.name, inspect.Parameter.empty if f.default is MISSING else f.default, Annotated[f.type, SHARED[f.name]])
            for f in fields(Asked)
            if f.name not in mark
        ]
    elif isinstance(mark, dict):
        rows = [(name, None, Annotated[Text, row]) for name, row in mark.items()]
    else:
        return None
    return [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=d, annotation=a) for n, d, a in rows]


def with_options(function: Callable) -> Callable:
    """A command for typer, in which each parameter that stands for a group of options is replaced by them.

    `asked: Asked` is replaced by the options that scene commands share. `given: Annotated[dict[str, str], TABLE]` is
    replaced by those of a table {name: option}; the function gets {name: text} of the options that were given.
    """
    own = inspect.signature(function).parameters
    groups = {name: group for name, p in own.items() if (group := _expansion(p.annotation)) is not None}
    if not groups:
        return function

    def command(**values: Any) -> None:
        for name, group in groups.items():
            taken = {p.name: values.pop(p.name) for p in group}
            is_table = name != "asked"
            values[name] = {n: text for n, text in taken.items() if text is not None} if is_table else Asked(**taken)
        try:
            asked = values.get("asked")
            with manner(quiet=asked is not None and asked.quiet), _diagnosed(asked):
                function(**values)
        except KeyboardInterrupt as stop:
            # Its text says what happened to the file and how to continue; typer turns the exception into exit 130.
            say(str(stop) or "Stopped: nothing was written.")
            raise

    parameters = [one for name, p in own.items() for one in groups.get(name, [p])]
    # inspect.signature, which typer uses, reads this attribute first.
    setattr(command, "__signature__", inspect.Signature(parameters))  # noqa: B010  mypy knows no such attribute
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    return command


@contextmanager
def _diagnosed(asked: Asked | None) -> Iterator[None]:
    """Does what --verbose, --dump-wgsl and --profile ask for, during the block."""
    from engine import diagnostics

    if asked is None:
        yield
        return
    use_adapter(asked.adapter)
    if asked.verbose:
        diagnostics.show_log()
    if asked.dump_wgsl is not None:
        diagnostics.dump_wgsl(asked.dump_wgsl)
    if not asked.profile:
        with accounted(asked.budget, asked.strict):
            yield
        return
    from engine.app.jobs import renderer

    times = renderer().time_passes()
    assert times is not None
    with accounted(asked.budget, asked.strict):
        yield
    say(f"passes on the GPU:\n{times.table()}")


class Opened(NamedTuple):
    """A scene with the settings and the moment that the options ask for.

    size, supersample   of the picture
    picture, state      the path of the PNG it was opened from and the state stored there; else None and {}
    """

    scene: "Scene"
    clock: "Clock"
    size: tuple[int, int]
    supersample: int
    picture: str | None
    state: dict


@contextmanager
def opened(asked: Asked, *, film: bool = False) -> Iterator[Opened]:
    """The scene that the options ask for; errors that its file raises inside the block are reported in one line.

    film   True for a film: without --time the clock is at 0, instead of at the scene's own moment
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


def say_remark(scene: "Scene | None" = None) -> None:
    """Prints on stderr what scenes remark on the pictures of this command, and why no surface was met, if none was.

    scene   whose remark on its present picture is noted first; None where all are noted, as for a sheet
    """
    from engine.app.emptiness import emptiness
    from engine.app.jobs import note, renderer

    if scene is not None:
        note(scene)
    remarks = renderer().report.remarks
    for line in remarks[:MOST_REMARKS]:
        remark(f"note: {line}.")
    if len(remarks) > MOST_REMARKS:
        remark(f"note: {len(remarks) - MOST_REMARKS} more pictures have such notes.")
    nothing = None if scene is None else emptiness(scene, renderer().report)
    if nothing:
        remark(nothing)
