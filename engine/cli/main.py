"""The command `neuroscene`: list, run, render, record, export, sheet, figures, train, inspect, download, doctor.

Stdout is for data: the path that was written, or what --json prints. Progress and errors go to stderr. The exit status
is 0 for success; 1 for a fault in neuroscene, and when doctor finds a fault; 2 for a person's mistake; 3 without a
Vulkan adapter, or when it is lost; 4 when --strict is given and rays are undecided; 130 after Ctrl-C, 143 after SIGTERM
and 129 after SIGHUP, which stop work as Ctrl-C does.
"""

# Only what every command needs is imported here: `neuroscene --help` must not wait for a graphics library.
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from engine.cli import download, export, inspect, listing, render, sheet, train
from engine.cli.options import ADAPTER, Text, flag, use_adapter, with_options
from engine.errors import DeviceLostError, NeurosceneError, NoAdapterError, UndecidedError, near, printable
from engine.gpu.native import apart
from engine.output import stopping, streams
from engine.output.progress import manner, say

OK, FAULT, MISTAKE, NO_ADAPTER, OPEN, INTERRUPTED = 0, 1, 2, 3, 4, 130
# {kind of a NeurosceneError: its status}; a MISTAKE for all others
STATUS = {NoAdapterError: NO_ADAPTER, DeviceLostError: NO_ADAPTER, UndecidedError: OPEN}

# Environment variable, also set by --traceback: errors are printed with their traceback.
TRACEBACK = "NEUROSCENE_TRACEBACK"

app = typer.Typer(
    name="neuroscene",
    help="Pictures of what neural networks compute.",
    epilog="""\b
SCENE is a name from `neuroscene list`, a Python file (mine.py or mine.py:Class), or a PNG made earlier,
which opens again with its settings, camera, time and weights. The exit status is 0 for success, 1 for a fault, 2 for
a mistake, 3 without a Vulkan adapter, 4 if rays are undecided and --strict is given, 130 after Ctrl-C.
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


def _version(asked: bool) -> None:
    if asked:
        import engine

        print(f"neuroscene {engine.__version__}")
        raise typer.Exit


def _show_traceback(asked: bool) -> None:
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
            help=f"Shows where in the code an error was raised; the same as {TRACEBACK}=1.",
            is_eager=True,
            callback=_show_traceback,
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def doctor(
    adapter: Annotated[Text, ADAPTER] = None,
    lists: Annotated[bool, flag("--list", "Lists the adapters, the one in use marked, and tests nothing.")] = False,
) -> None:
    """Reports what this machine can do, and tests it.

    Every kernel runs on this machine's adapter and is compared with a twin in float64.
    """
    from engine.doctor import report

    use_adapter(adapter)
    if lists:
        print("\n".join(report.listing()))
        return
    raise typer.Exit(report.main())


DOCTOR_HELP = """\b
  neuroscene doctor
  neuroscene doctor --list
  neuroscene doctor --adapter swiftshader
\b
The exit status is 0 when all is well, 1 when a kernel disagrees with its twin, 3 when there is no Vulkan adapter."""

# name -> (what it runs, examples for its help)
COMMANDS: dict[str, tuple[Callable, str]] = {
    "list": (listing.list_scenes, listing.HELP),
    "run": (render.run, render.RUN_HELP),
    "render": (render.render, render.RENDER_HELP),
    "record": (render.record, render.RECORD_HELP),
    "download": (download.download, download.HELP),
    "export": (export.export, export.HELP),
    "sheet": (sheet.sheet, sheet.SHEET_HELP),
    "figures": (sheet.figures, sheet.FIGURES_HELP),
    "train": (train.train, train.HELP),
    "inspect": (inspect.inspect, inspect.HELP),
    "doctor": (doctor, DOCTOR_HELP),
}
for name, (function, examples) in COMMANDS.items():
    app.command(name, epilog=examples.strip())(with_options(function))


# A person's mistakes, reported in one line.


def main(args: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit status."""
    if args is None:
        streams.hold()
        _stand_anywhere()
    with stopping.interruptible():
        status = _run(args)
        status = stopping.status() or status if status == INTERRUPTED else status
    try:
        streams.finish()
    except OSError as error:
        status = status or _report(error, f"Standard output cannot be written: {error.strerror or error}.", MISTAKE)
    if args is None and apart.is_busy():
        # A driver that compiles would be waited for, and ends badly when its library is taken from under it.
        sys.stderr.flush()
        os._exit(status)
    return status


def _stand_anywhere():
    """Lets a command work in a folder that was deleted, as long as it is given absolute paths."""
    try:
        os.getcwd()
    except FileNotFoundError:
        here = os.open(".", os.O_RDONLY)
        os.chdir("/")
        import engine.scene.settings  # noqa: F401  param asks for the folder when it is imported

        os.fchdir(here)


def _run(args):
    try:
        with manner(lines=True):
            return app(args=args, standalone_mode=False, prog_name="neuroscene") or OK
    except NeurosceneError as error:
        return _report(error, str(error), STATUS.get(type(error), MISTAKE))
    except TyperException as error:
        return _report(error, _usage(error), error.exit_code)
    except BrokenPipeError:
        return OK  # the program that reads our stdout has enough
    except SystemExit as end:
        # typer has an end of its own for that, with 1; and for the completions of shells.
        return OK if isinstance(end.__context__, BrokenPipeError) else end.code or OK
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except OSError as error:
        return _report(error, _system(error), MISTAKE)
    except MemoryError as error:
        return _report(
            error, "This takes more memory than there is. Take a smaller --size or a smaller network.", MISTAKE
        )
    except Exception as error:
        words = printable(" ".join(str(error).split()))
        text = (
            f"{type(error).__name__}: {words}. This is a fault in neuroscene; {TRACEBACK}=1 shows where, for a report."
        )
        return _report(error, text, FAULT)


def _report(error, text, status):
    if os.environ.get(TRACEBACK, "0") not in ("", "0"):
        import traceback

        traceback.print_exception(error)
    say(printable(" ".join(text.split())))
    return status


def _usage(error):
    """The message for a wrong command or option, with similar ones."""
    context: Any = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "neuroscene"
    help_line = f" `{where} --help` says more."
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
    """The message for an OSError: what the system refused, and the path."""
    if not error.filename:
        try:
            os.getcwd()
        except FileNotFoundError:
            return "The current folder was deleted. Change to one that exists, or give absolute paths."
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."
