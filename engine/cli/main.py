"""The command `neuroscene`: list, run, render, record, export, sheet, figures, train, inspect, download, doctor.

Stdout is data: the path that was written, or what --json asks for. Progress and mistakes go to stderr. The exit status
is 0, or 1 for a fault of ours and for a doctor who found something, 2 for a person's mistake, 3 for a machine without
a Vulkan adapter, 130 after Ctrl-C.
"""

# Only what every command needs is imported here: `neuroscene --help` must not wait for a graphics library.
import os
import re
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from engine.cli import download, export, inspect_command, sheet, train
from engine.cli.options import (
    Asked,
    From,
    HistoryFile,
    ImageFile,
    NetworkFile,
    Scene,
    Seed,
    Settings,
    Size,
    Supersample,
    Time,
    WithPanel,
    opened,
    read_number,
    read_output,
    scene_names,
)
from engine.errors import NeurosceneError, NoAdapterError, SettingError, near
from engine.render.limits import check_memory

OK, FAULT, MISTAKE, NO_ADAPTER, INTERRUPTED = 0, 1, 2, 3, 130

# A window's: the panel takes 320 pixels of it.
WINDOW_SIZE = (1200, 800)

# Set by --traceback or the environment: developers see where an error came from.
TRACEBACK = "NEUROSCENE_TRACEBACK"

app = typer.Typer(
    name="neuroscene",
    help="Pictures of what neural networks compute.",
    epilog="""\b
SCENE is a name from `neuroscene list`, a Python file (mine.py or mine.py:Class), or a PNG made earlier,
which reopens with its settings, camera, time and weights.
\b
  neuroscene list
  neuroscene run marching
  neuroscene render marching -o a.png --set level=0.5
  neuroscene record marching -o a.mp4 --loop
  neuroscene sheet marching -o grid.png --vary depth=1..4 --vary seed=1,2,3""",
    add_completion=True,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _version(asked: bool):
    if asked:
        import engine

        print(f"neuroscene {engine.__version__}")
        raise typer.Exit


def _show_traceback(asked: bool):
    if asked:
        os.environ[TRACEBACK] = "1"


@app.callback()
def neuroscene(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Prints the version.", is_eager=True, callback=_version)
    ] = False,
    traceback: Annotated[
        bool,
        typer.Option(
            "--traceback",
            help=f"Shows where in the code a mistake was met; the same as {TRACEBACK}=1.",
            is_eager=True,
            callback=_show_traceback,
        ),
    ] = False,
):
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(
    "list",
    epilog="""\b
  neuroscene list                     the scenes
  neuroscene list marching            its settings
  neuroscene list mine.py --json      the same for programs""",
)
def list_(
    scene: Annotated[
        str | None,
        typer.Argument(
            metavar="[SCENE]",
            help="A scene whose settings are asked for.",
            autocompletion=scene_names,
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
):
    """Lists the scenes, or the settings of one."""
    from engine.cli import list

    print(list.scenes(json) if scene is None else list.settings_of(scene, json))


@app.command(
    epilog="""\b
  neuroscene run marching
  neuroscene run marching --net model.onnx
  neuroscene run mine.py --set speed=0.5
\b
Without a display it saves the picture instead, and says so.""",
)
def run(
    scene: Scene,
    set_: Settings = None,
    from_: From = None,
    net: NetworkFile = None,
    history: HistoryFile = None,
    image: ImageFile = None,
    seed: Seed = None,
    time: Time = None,
    size: Size = None,
    supersample: Supersample = None,
):
    """Shows a scene in a window."""
    asked = Asked(scene, from_, set_, net, seed, time, size, supersample, history, image)
    with opened(asked) as (shown, clock, _, samples):
        from engine.app.show import show

        check_memory(asked.size or WINDOW_SIZE)
        time = clock.time if asked.tells_time else None
        path = show(shown, size=asked.size or WINDOW_SIZE, time=time, supersample=samples)
    # Without a display the picture was saved instead.
    if path is not None:
        print(path)


@app.command(
    epilog="""\b
  neuroscene render marching -o a.png
  neuroscene render marching -o a.png --size 1600x900 --time 1.2 --supersample 16
  neuroscene render marching -o a.png --set level=0.5 --seed 3 --net model.safetensors
  neuroscene render a.png -o b.png --set theme=paper      the same picture, another theme
  neuroscene render mine.py --from a.png -o b.png         the same of a scene file: a picture never runs one
  neuroscene render marching -o print.tif --size 16384x16384   stopped halfway, the same command goes on
  neuroscene render marching -o - | display               PNG to a pipe""",
)
def render(
    scene: Scene,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The .png or .tif to write; `-` for PNG on stdout. SCENE.png if not given.",
            show_default=False,
        ),
    ] = None,
    set_: Settings = None,
    from_: From = None,
    net: NetworkFile = None,
    history: HistoryFile = None,
    image: ImageFile = None,
    seed: Seed = None,
    time: Time = None,
    size: Size = None,
    supersample: Supersample = None,
    ui: WithPanel = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begins a large picture anew that was stopped, instead of going on.")
    ] = False,
):
    """Renders a picture to a PNG or a TIFF.

    A PNG holds all it takes to make it again: give it as SCENE. Up to 32768x32768, in little memory; a large picture
    that is stopped keeps what is done in FILE.unfinished.
    """
    asked = Asked(scene, from_, set_, net, seed, time, size, supersample, history, image)
    path = read_output(output, scene, ".png")
    with opened(asked) as (shown, clock, size_px, samples):
        from engine.app.make import save

        if ui:
            check_memory(size_px)
        try:
            save(shown, path, size=size_px, time=clock.time, supersample=samples, ui=ui, restart=restart)
        except KeyboardInterrupt as stop:
            # What is kept and how to go on: whoever sent Ctrl-C learns it here or nowhere.
            if str(stop):
                _told(stop, str(stop), INTERRUPTED)
            raise
        remark = shown.remark()
    if remark:
        print(f"neuroscene: note: {remark}.", file=sys.stderr)
    if path != "-":
        print(path)


@app.command(
    epilog="""\b
  neuroscene record marching -o a.mp4 --seconds 5
  neuroscene record marching -o a.gif --loop --size 400x400     one whole loop: it repeats without a seam
  neuroscene record marching -o frames/ --fps 60                a folder of PNGs
\b
The ending names the format: .gif, .mp4, .webm, or a folder (ending in /) for PNGs.""",
)
def record(
    scene: Scene,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help=".gif, .mp4, .webm or a folder. SCENE.mp4 if not given.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        str | None,
        typer.Option("--seconds", metavar="S", help="How long; one loop of the scene, or 5.", show_default=False),
    ] = None,
    fps: Annotated[
        str | None,
        typer.Option("--fps", metavar="N", help="Frames a second; 30, for a GIF 25.", show_default=False),
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Exactly one loop of the scene, so that it repeats.")] = False,
    set_: Settings = None,
    from_: From = None,
    net: NetworkFile = None,
    history: HistoryFile = None,
    image: ImageFile = None,
    seed: Seed = None,
    time: Time = None,
    size: Size = None,
    supersample: Supersample = None,
):
    """Records a film, an animation or a folder of pictures."""
    asked = Asked(scene, from_, set_, net, seed, time, size, supersample, history, image)
    path = read_output(output, scene, ".mp4")
    if path == "-":
        raise SettingError("-o -: a film needs a file to be written to. Give a path that ends in .gif, .mp4 or .webm.")
    if loop and seconds is not None:
        raise SettingError(
            f"--loop and --seconds {seconds} are both given: one loop has its own length. Leave one out."
        )
    length = read_number("--seconds", seconds, 1e-3, 86400)
    rate = read_number("--fps", fps, 0.01, 1000)
    with opened(asked, film=True) as (shown, clock, size_px, samples):
        if loop and not shown.loop:
            raise SettingError(f"--loop: {scene} does not repeat by itself. Give --seconds instead.")
        from engine.app.make import record

        check_memory(size_px)
        try:
            record(shown, path, seconds=length, fps=rate, size=size_px, supersample=samples, start=clock.time)
        except KeyboardInterrupt as stop:
            # The recorder says what became of the file; whoever sent Ctrl-C learns it here or nowhere.
            _told(stop, str(stop), INTERRUPTED)
            raise
    print(path)


download.register(app)
export.register(app)
sheet.register(app)
train.register(app)
inspect_command.register(app)


@app.command(
    epilog="""\b
  neuroscene doctor
\b
Ends with 0 when all is well, 1 when a kernel disagrees with its twin, 3 when there is no Vulkan adapter.""",
)
def doctor():
    """Tells what this machine can do, and tests it.

    Every kernel runs on this machine's adapter and is compared with its twin in numpy.
    """
    from engine.doctor import report

    raise typer.Exit(report.main())


# Mistakes, in one line.


def main(args=None):
    """Runs a command; returns its exit status."""
    try:
        return app(args=args, standalone_mode=False, prog_name="neuroscene") or OK
    except NeurosceneError as error:
        return _told(error, str(error), NO_ADAPTER if isinstance(error, NoAdapterError) else MISTAKE)
    except TyperException as error:
        return _told(error, _usage(error), error.exit_code)
    except BrokenPipeError:
        # Whoever read our stdout has enough. Python would complain once more when it closes it.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  it stays open to the end
        return OK
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except OSError as error:
        return _told(error, _system(error), MISTAKE)
    except MemoryError as error:
        return _told(
            error, "This takes more memory than there is. Take a smaller --size or a smaller network.", MISTAKE
        )
    except Exception as error:
        words = " ".join(str(error).split())
        text = (
            f"{type(error).__name__}: {words}. This is a fault in neuroscene; {TRACEBACK}=1 shows where, for a report."
        )
        return _told(error, text, FAULT)


def _told(error, text, status):
    if os.environ.get(TRACEBACK, "0") not in ("", "0"):
        import traceback

        traceback.print_exception(error)
    print("neuroscene: " + " ".join(text.split()), file=sys.stderr)
    return status


def _usage(error):
    """A wrong command or option, with the near ones."""
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "neuroscene"
    help_line = f" `{where} --help` tells more."
    wrong = getattr(error, "option_name", None)
    if wrong is not None and type(error).__name__ == "NoSuchOption":
        known = [name for parameter in context.command.params for name in parameter.opts if name.startswith("--")]
        known.append("--help")
        return near(wrong, known, noun="option")
    unknown = re.match(r"No such command '(.*?)'", error.format_message())
    if unknown:
        return near(unknown.group(1), context.command.commands, noun="command") + help_line
    message = error.format_message().strip()
    if not message.endswith("."):
        message += "."
    return message + help_line


def _system(error):
    """What the system refused, with the path it was about."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."
