"""The command `neuroscene train`: networks that learn an image, and a file with their weights at many steps."""

# As in engine.cli.main: only what every command needs is imported here.
import itertools
import os
import shlex
import sys
import tempfile
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.options import Text, option, output_option
from engine.errors import FileError, SettingError
from engine.output.progress import progress_bar, say
from engine.output.stopping import stopping
from engine.output.streams import give

if TYPE_CHECKING:
    import numpy as np

    from engine.training.trainer import Trainer

# Seconds of training between two checks for Ctrl-C, and between two readings of the losses.
WORK_SECONDS, READING_SECONDS = 0.2, 1.0
# A stopped training writes a file with this ending, from which it can continue, next to its history.
STATE_ENDING = ".state.safetensors"

HELP = """
\b
  neuroscene train bottle -o run.safetensors
  neuroscene train photo.jpg -o run.safetensors --seeds 4 --steps 200000
  neuroscene train photo.jpg --task colour --hidden 64,64,64 --activation sine
  neuroscene train --resume run.safetensors          continues after Ctrl-C
  neuroscene run boundaries --history run.safetensors
\b
Ctrl-C stops and writes the history so far, and next to it a file to continue from."""


# engine.cli.train_options reads the texts of these options.
OPTIONS = {
    "steps": option("--steps", "N", "Steps of Adam.", "1,280,000"),
    "seeds": option("--seeds", "N|LIST", "Runs side by side: 4 for seeds 0 to 3; or seeds, as 1,2,7 or 5..8.", "1"),
    "hidden": option("--hidden", "WIDTHS", "Widths of the hidden layers, as 16,16,16 or 16x3.", "16,16,16"),
    "activation": option("--activation", "NAME", "Activation of the hidden layers.", "relu"),
    "task": option(
        "--task", "classes|grey|colour", "What is learnt of a pixel: black or white; its grey; its colour.", "classes"
    ),
    "batch": option("--batch", "N|all", "Pixels a step, drawn at random.", "128"),
    "rate": option("--rate", "R", "Learning rate.", "0.001"),
    "anneal": option("--anneal", "cosine|linear|none", "How the learning rate falls.", "cosine"),
    "side": option("--side", "N", "Pixels of the image's longer side; larger images are averaged down.", "200"),
    "threshold": option(
        "--threshold", "GREY|otsu", "Lighter greys are white: from 0 to 1, or found by Otsu's method.",
        "midway for an image of two levels, else otsu",
    ),
    "white": option(
        "--white", "VALUE", "The value of white in an image of 16 bits, such as 4095 for data of 12 bits.",
        "found from the greatest value",
    ),
    "snapshots": option(
        "--snapshots", "N|LIST", "How many steps' weights are stored, dense at first; or which steps, as 0,10,100.",
        "about 430 of a million steps",
    ),
}  # fmt: skip


def train(
    image: Annotated[
        Text, typer.Argument(metavar="IMAGE", help="An image file, or `bottle`, which is drawn.", show_default=False)
    ] = None,
    output: Annotated[Text, output_option("FILE", "The .safetensors file to write.", "IMAGE.safetensors")] = None,
    *,
    given: Annotated[dict[str, str], OPTIONS],
    resume: Annotated[Text, option("--resume", "FILE", "Continues a training that was stopped.")] = None,
) -> None:
    """Trains a small network on an image, and stores its weights at many steps.

    The same command gives the same file on the same adapter.
    """
    asked = {f"--{name}": text for name, text in given.items()}
    # Imported late: a trainer needs the graphics library, and `--help` must be quick.
    from engine.cli import train_options

    if resume is not None:
        trainer, notes, output = _resumed(resume, image, output, asked)
    elif image is None:
        raise SettingError("Nothing to train on: give an image file, or `bottle`, as in `neuroscene train bottle`.")
    else:
        output = train_options.place(output, f"{os.path.splitext(os.path.basename(image))[0]}.safetensors")
        trainer, notes = train_options.begun(image, asked)
        words = ["neuroscene", "train", os.path.basename(image), "-o", os.path.basename(output)]
        notes["command"] = shlex.join([*words, *(word for pair in asked.items() for word in pair)])
    _check_room(trainer, output)
    # Before the bar begins, this raises if there is no adapter or if the network is too large for it.
    trainer.advance(0)
    with stopping() as stopped:
        work_with_progress(trainer, stopped)
        _save(trainer, output, notes)


def work_with_progress(trainer: "Trainer", stopped: threading.Event) -> None:
    """Trains to the end or until `stopped` is set, with progress on stderr."""
    import time

    total, begun = trainer.recipe.steps, trainer.step
    is_terminal, read_at, tenth = sys.stderr.isatty(), time.monotonic(), 10 * begun // total
    with progress_bar("training", total, " steps", is_terminal, initial=begun, unit_scale=True) as move:
        while not trainer.is_done and not stopped.is_set():
            trainer.work(WORK_SECONDS)
            note = None
            if is_terminal and time.monotonic() - read_at > READING_SECONDS:
                read_at, note = time.monotonic(), losses_text(trainer.losses[:, -1])
            move(trainer.step, note=note)
            # If stderr is not a terminal (a log file), ten lines are printed in all.
            if not is_terminal and 10 * trainer.step // total > tenth and not trainer.is_done:
                tenth = 10 * trainer.step // total
                say(f"step {trainer.step:,} of {total:,}, {losses_text(trainer.losses[:, -1])}")
        trainer.wait()


def losses_text(losses: "np.ndarray") -> str:
    """The loss of each run; of many runs, the smallest and the largest."""
    words = [f"{loss:.4f}" if loss < 1000 else f"{loss:.2e}" for loss in losses]
    if len(losses) > 6:
        order = losses.argsort()  # nan comes last
        return f"loss {words[order[0]]} to {words[order[-1]]}"
    return "loss " + " ".join(words)


def _check_room(trainer: "Trainer", output: str) -> None:
    """Raises FileError if the disk has no room for the history and the file to continue from, before the first step."""
    from engine.formats.files import size_text
    from engine.output.resumable import free_bytes

    snapshots, weights = len(trainer.snapshot_steps), trainer.recipe.shape.weight_count * trainer.runs
    need, free = 4 * weights * (2 * snapshots + 4) + trainer.points.nbytes + trainer.targets.nbytes, free_bytes(output)
    if free is not None and need > free:
        raise FileError(
            f"{output} and the file to continue from may take {size_text(need)}, and their disk has "
            f"{size_text(free)} free. Make room, choose another disk, or store fewer --snapshots."
        )


# Continuing.


def state_of(output: str) -> str:
    """The path of the file to continue from, for a history's path."""
    return str(output).removesuffix(".safetensors") + STATE_ENDING


def _resumed(resume, image, output, asked):
    """(Trainer, notes, output) of a training that was stopped."""
    from engine.cli.train_options import place
    from engine.formats.tensors import history as file
    from engine.training.trainer import Trainer

    for given in [image] if image is not None else [*asked][:1]:
        raise SettingError(
            f"--resume continues with the image and recipe of {resume}, but {given} is given too. Leave it out."
        )
    history = resume.removesuffix(STATE_ENDING) + ".safetensors" if resume.endswith(STATE_ENDING) else resume
    state = state_of(history)
    output = place(output, history)
    if not os.path.exists(state) and os.path.exists(history):
        found = file.load(history)
        raise SettingError(
            f"{resume} cannot be continued: its training ended at step {found.steps[-1]:,}, and no {state} is there."
        )
    trainer = Trainer.load(state)
    notes = file.load(history).notes if os.path.exists(history) else {}
    return trainer, {key: text for key, text in notes.items() if key not in ("stopped", "left out")}, output


def _kept(write, path):
    """(where a file was written, None or the FileError of the place asked for): elsewhere if it cannot be there."""
    try:
        write(path)
        return path, None
    except FileError as error:
        for folder in (os.curdir, os.path.expanduser("~"), tempfile.gettempdir()):
            stem, ending = os.path.splitext(os.path.join(folder, os.path.basename(path)))
            if path.endswith(STATE_ENDING):
                stem, ending = stem.removesuffix(".state"), STATE_ENDING
            with suppress(FileError, OSError):
                place = next(p for k in itertools.count(1) if not os.path.lexists(p := f"{stem}-{k}{ending}"))
                write(place)
                return place, FileError(f"{error} So that nothing is lost, it is in {os.path.abspath(place)}.")
        raise


def _save(trainer, output, notes):
    """Writes the history, and for an unfinished training also a file to continue from."""
    from dataclasses import replace

    import engine
    from engine.app.jobs import adapter
    from engine.formats.tensors.history import finite, save

    history, state = trainer.history(), state_of(output)
    total = trainer.recipe.steps
    notes = {**history.notes, **notes, "neuroscene": engine.__version__, "adapter": adapter()}
    if not trainer.is_done:
        notes["stopped"] = f"after step {trainer.step:,} of {total:,}"
    history = finite(replace(history, notes=notes))
    output, lost = _kept(lambda place: save(history, place), output)
    if not trainer.is_done:
        state, lost_too = _kept(trainer.save, state_of(output))
        lost = lost or lost_too
        command = f"neuroscene train --resume {shlex.quote(output if lost_too is None else state)}"
        say(f"Stopped {notes['stopped']}: {output} is the history so far. Continue with `{command}`.")
    elif lost is None and os.path.exists(state):
        os.remove(state)  # the training is finished, so its file is not needed any more
    if "left out" in history.notes:
        say(f"note: {history.notes['left out']}.")
    command = f"neuroscene run boundaries --history {shlex.quote(output)}"
    say(f"{losses_text(history.losses[:, -1])} over all pixels. See it with `{command}`.")
    give(output)
    if lost is not None:
        raise lost
    if not trainer.is_done:
        raise KeyboardInterrupt
