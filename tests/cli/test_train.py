"""The command `train`: what it writes, how it stops, how it goes on, and what it says to mistakes."""

import os
import re
import shlex
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import engine
from engine.cli import main
from engine.cli.train import losses_text
from engine.cli.train_options import read_seeds, read_widths
from engine.formats.atomic import AtomicTarget
from engine.network.history import snapshot_steps, spread_steps
from engine.output import resumable
from engine.training.image_data import bottle
from engine.training.trainer import Recipe, Trainer

# A training that takes a moment.
SMALL = ["--side", "16", "--hidden", "8", "--steps", "120"]


@pytest.fixture
def ask(ask, tmp_path, monkeypatch):
    """Runs a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return ask


@pytest.fixture
def stopped(monkeypatch):
    """Ctrl-C arrives while a training works the given time, counted from 1."""

    def at(*turns):
        work, count = Trainer.work, [0]

        def interrupted(self, seconds):
            count[0] += 1
            if count[0] in turns:
                signal.raise_signal(signal.SIGINT)
            # Few steps a turn, however quick the adapter is.
            return self.advance(25)

        assert work is not interrupted
        monkeypatch.setattr(Trainer, "work", interrupted)

    return at


def test_it_is_listed_and_has_help_with_examples(ask):
    assert "train " in ask("--help")[1]
    status, out, err = ask("train", "--help")
    assert (status, err) == (0, "") and "  neuroscene train bottle" in out


def test_the_path_is_all_of_stdout_and_what_to_do_next_is_said(ask):
    status, out, err = ask("train", "bottle", *SMALL)
    assert (status, out) == (0, "bottle.safetensors\n")
    assert "neuroscene run boundaries --history bottle.safetensors" in err
    assert os.listdir() == ["bottle.safetensors"]


def test_the_history_is_the_one_the_trainer_gives(ask):
    ask("train", "bottle", "-o", "a.safetensors", "--seeds", "3,1", *SMALL)
    history = engine.load_history("a.safetensors")
    data = engine.ImageData.from_image(bottle(16))
    trainer = Trainer(data.points, data.targets, Recipe((2, 8, 2), steps=120), (3, 1), domain=data.domain)
    trainer.advance(120)
    same = trainer.history()
    assert np.array_equal(history.weights, same.weights) and np.array_equal(history.losses, same.losses)
    assert history.names == ("seed 3", "seed 1") and np.array_equal(history.steps, snapshot_steps(120))
    assert np.array_equal(history.target, bottle(16))


def test_notes_tell_how_to_make_it_again_and_no_folder_of_this_machine(ask, tmp_path):
    Image.fromarray(bottle(32)).save("b.png")
    words = ["train", tmp_path / "b.png", "-o", tmp_path / "a.safetensors", *SMALL]
    ask(*words)
    notes = engine.load_history("a.safetensors").notes
    assert notes["command"] == "neuroscene train b.png -o a.safetensors --steps 120 --hidden 8 --side 16"
    assert notes["neuroscene"] == engine.__version__ and "2-8-2 relu" in notes["recipe"]
    assert str(tmp_path) not in " ".join(notes.values())
    first = (tmp_path / "a.safetensors").read_bytes()
    assert ask(*notes["command"].split()[1:])[0] == 0 and (tmp_path / "a.safetensors").read_bytes() == first


@pytest.mark.parametrize(
    ("task", "outputs", "axes", "kind"),
    [("classes", 2, 2, "classes"), ("grey", 1, 2, "values"), ("colour", 3, 3, "values")],
)
def test_a_picture_is_learnt_as_the_task_says(ask, task, outputs, axes, kind):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (12, 18, 3)).astype(np.uint8)).save("photo.png")
    assert ask("train", "photo.png", "--task", task, *SMALL)[0] == 0
    history = engine.load_history("photo.safetensors")
    assert history.shape.sizes == (2, 8, outputs) and history.task == kind
    assert history.target.ndim == axes and history.target.shape[:2] == (11, 16)


def test_options_reach_the_recipe(ask):
    ask(
        "train", "bottle", "-o", "a.safetensors", "--steps", "1e2", "--hidden", "4x2,6", "--activation", "tanh",
        "--batch", "all", "--rate", "0.01", "--anneal", "none", "--side", "12", "--snapshots", "0,10,50",
    )  # fmt: skip
    history = engine.load_history("a.safetensors")
    recipe = Recipe((2, 4, 4, 6, 2), activation="tanh", steps=100, batch=0, rate=0.01, anneal="none")
    assert history.shape == recipe.shape and history.notes["recipe"] == str(recipe)
    assert list(history.steps) == [0, 10, 50, 100]


def test_a_number_of_snapshots_is_spread_over_the_steps(ask):
    ask("train", "bottle", "-o", "a.safetensors", "--snapshots", "20", *SMALL)
    assert np.array_equal(engine.load_history("a.safetensors").steps, spread_steps(120, 20))


@pytest.mark.parametrize("count", [2, 50, 431, 700])
def test_spread_steps_are_so_many_and_have_both_ends(count):
    steps = spread_steps(1_280_000, count)
    assert len(steps) == count and (np.diff(steps) > 0).all() and (steps[0], steps[-1]) == (0, 1_280_000)


def test_no_more_snapshots_are_taken_than_there_are_steps():
    assert np.array_equal(spread_steps(60, 1000), np.arange(61))


# The document.

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text()


def test_the_commands_of_the_document_run(ask):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 18, 3)).astype(np.uint8)).save("photo.jpg")
    lines = re.findall(r"^neuroscene train (.*)$", DOCUMENT, re.MULTILINE)
    assert len(lines) >= 5
    for line in lines:
        if "--resume" in line:
            continue  # after a stop, as the tests of stopping do
        words = shlex.split(re.sub(r"--steps \d+", "--steps 20", line))
        status, _, err = ask("train", *words, "--side", "12")
        assert status == 0, (line, err)


def test_the_document_has_every_option_and_every_array():
    from typer.main import get_command

    from engine.formats.tensors.history import ARRAYS

    options = {name for p in get_command(main.app).commands["train"].params for name in p.opts if name.startswith("--")}
    documented = set(re.findall(r"--[a-z]+", DOCUMENT))
    assert options - {"--output"} <= documented
    assert set(ARRAYS) <= set(re.findall(r"`(\w+)`", DOCUMENT))


# Stopping and going on.


def test_ctrl_c_leaves_a_history_that_opens_and_goes_on_to_the_same_bytes(ask, stopped):
    ask("train", "bottle", "-o", "whole.safetensors", *SMALL)
    stopped(3)
    status, out, err = ask("train", "bottle", "-o", "a.safetensors", *SMALL)
    assert (status, out) == (main.INTERRUPTED, "a.safetensors\n")
    history = engine.load_history("a.safetensors")
    assert 50 <= history.steps[-1] <= 75 and "of 120" in history.notes["stopped"]
    assert "neuroscene train --resume a.safetensors" in err
    status, out, err = ask("train", "--resume", "a.safetensors")
    assert (status, out) == (0, "a.safetensors\n")
    ended, whole = engine.load_history("a.safetensors"), engine.load_history("whole.safetensors")
    assert np.array_equal(ended.weights, whole.weights) and np.array_equal(ended.losses, whole.losses)
    assert "stopped" not in ended.notes and "neuroscene train bottle" in ended.notes["command"]
    assert sorted(os.listdir()) == ["a.safetensors", "whole.safetensors"]


def test_what_a_training_goes_on_from_is_neither_history_nor_network(ask, stopped):
    stopped(2)
    ask("train", "bottle", "-o", "a.safetensors", *SMALL)
    for load in (engine.load_history, engine.load):
        with pytest.raises(engine.NeurosceneError, match=r"a\.state\.safetensors is what a training goes on from"):
            load("a.state.safetensors")
    # Either name of the two will do to go on.
    assert ask("train", "--resume", "a.state.safetensors")[:2] == (0, "a.safetensors\n")


def test_a_training_that_diverges_keeps_what_can_be_shown_and_says_so(ask):
    # A step of a thousand times each weight's size: float32 ends within a few.
    words = ["--rate", "1000", "--seeds", "2", "--task", "grey", "--anneal", "none", "--steps", "400"]
    status, out, err = ask("train", "bottle", "-o", "a.safetensors", "--side", "16", "--hidden", "8x6", *words)
    assert (status, out) == (0, "a.safetensors\n") and "seed 0 are not finite from step" in err
    history = engine.load_history("a.safetensors")
    assert np.isfinite(history.weights).all() and "left out" in history.notes


def test_many_losses_are_printed_as_a_span():
    assert losses_text(np.array([0.5, 0.25, 2e9])) == "loss 0.5000 0.2500 2.00e+09"
    assert losses_text(np.linspace(0.1, 0.9, 9)) == "loss 0.1000 to 0.9000"


def test_a_second_ctrl_c_leaves_without_a_file(ask, stopped, monkeypatch):
    def pressed_again(self):
        signal.raise_signal(signal.SIGINT)

    stopped(2)
    monkeypatch.setattr(Trainer, "wait", pressed_again)
    status, out, _ = ask("train", "bottle", *SMALL)
    assert (status, out) == (main.INTERRUPTED, "") and os.listdir() == []


@pytest.mark.parametrize("turns", [(), (2,)], ids=["ended", "stopped"])
def test_a_disk_that_fills_up_during_a_training_does_not_lose_it(ask, stopped, tmp_path, monkeypatch, turns):
    full, home = tmp_path / "full", tmp_path / "home"
    full.mkdir(), home.mkdir()
    create = AtomicTarget.create

    def created(self):
        if home not in self.target.parents:
            raise OSError(28, "No space left on device")
        return create(self)

    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(AtomicTarget, "create", created)
    stopped(*turns)
    (home / "run-1.safetensors").write_bytes(b"another")
    status, out, err = ask("train", "bottle", *SMALL, "-o", full / "run.safetensors")
    kept = home / "run-2.safetensors"
    assert (status, out) == (main.MISTAKE, f"{kept}\n") and "the disk is full" in err and f"it is in {kept}." in err
    assert engine.load_history(kept).steps[-1] == (120 if not turns else 50) and os.listdir(full) == []
    if turns:
        state = home / "run-2.state.safetensors"
        assert f"--resume {state}" in err or f"--resume {kept}" in err
        assert ask("train", "--resume", state, "-o", home / "whole.safetensors").status == 0


def test_a_disk_without_room_for_a_training_is_reported_before_its_first_step(ask, monkeypatch):
    monkeypatch.setattr(resumable, "free_bytes", lambda path: 1000)
    monkeypatch.setattr(Trainer, "advance", lambda self, steps: pytest.fail("a step"))
    status, out, err = ask("train", "bottle", *SMALL)
    assert (status, out) == (main.MISTAKE, "") and "0 bytes free" in err and os.listdir() == []


def test_ctrl_c_is_everybody_s_again_afterwards(ask):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    ask("train", "bottle", *SMALL)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_training_that_ended_has_nothing_to_go_on_with(ask):
    ask("train", "bottle", "-o", "a.safetensors", *SMALL)
    status, out, err = ask("train", "--resume", "a.safetensors")
    assert (status, out) == (2, "") and "ended at step 120" in err


# Progress.


def test_a_terminal_gets_a_bar_with_the_losses(ask, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("engine.cli.train.READING_SECONDS", 0.0)
    err = ask("train", "bottle", "--seeds", "2", *SMALL)[2]
    assert "training" in err and "120/120" in err and "steps/s" in err


def test_a_log_gets_a_line_now_and_then(ask, stopped):
    stopped()
    err = ask("train", "bottle", *SMALL)[2]
    lines = [line for line in err.splitlines() if "step " in line]
    assert 3 <= len(lines) <= 10 and all("of 120, loss" in line for line in lines)


# Mistakes.

MISTAKES = {
    "no image": (["train"], "give an image file, or `bottle`"),
    "no such file": (["train", "boottle.png"], "There is no file boottle.png"),
    "no picture": (["train", "text.png"], "not a picture"),
    "one colour": (["train", "white.png"], "one grey everywhere"),
    "no steps": (["train", "bottle", "--steps", "0"], "--steps 0: it takes a whole number from 1"),
    "half a step": (["train", "bottle", "--steps", "1.5"], "--steps 1.5"),
    "words for steps": (["train", "bottle", "--steps", "many"], "--steps many"),
    "no seeds": (["train", "bottle", "--seeds", "0"], "--seeds 0"),
    "a seed twice": (["train", "bottle", "--seeds", "1,1"], "each once"),
    "a width of nothing": (["train", "bottle", "--hidden", "16,0"], "--hidden 16,0"),
    "a width past any adapter": (["train", "bottle", "--hidden", "100000"], "--hidden 100000"),
    "an unknown activation": (["train", "bottle", "--activation", "rely"], "Near: relu"),
    "a softmax inside": (["train", "bottle", "--activation", "softmax"], "softmax"),
    "an unknown task": (["train", "bottle", "--task", "clases"], "Near: classes"),
    "a rate below 0": (["train", "bottle", "--rate", "-1"], "--rate -1"),
    "an unknown anneal": (["train", "bottle", "--anneal", "cosin"], "cosine"),
    "a side too small": (["train", "bottle", "--side", "2"], "--side 2"),
    "a threshold past white": (["train", "bottle", "--threshold", "2"], "threshold=2"),
    "a threshold for values": (["train", "bottle", "--task", "grey", "--threshold", "0.5"], "--threshold 0.5"),
    "a snapshot past the end": (["train", "bottle", "--steps", "10", "--snapshots", "5,11"], "--snapshots 11"),
    "one snapshot": (["train", "bottle", "--snapshots", "1"], "--snapshots 1"),
    "too much to keep": (["train", "bottle", "--seeds", "1000", "--snapshots", "5000"], "fewer --seeds"),
    "another ending": (["train", "bottle", "-o", "a.npz"], "must end in .safetensors"),
    "no folder": (["train", "bottle", "-o", "no/a.safetensors"], "no folder"),
    "a pipe": (["train", "bottle", "-o", "-"], "needs a file"),
    "nothing to go on with": (["train", "--resume", "no.safetensors"], "no.state.safetensors"),
    "going on with another image": (["train", "bottle", "--resume", "a.safetensors"], "bottle is given too"),
    "going on by another recipe": (["train", "--resume", "a.safetensors", "--steps", "9"], "--steps is given too"),
    "an unknown option": (["train", "bottle", "--step", "9"], "--steps"),
}


@pytest.mark.parametrize(("words", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_before_a_step_is_taken(ask, words, says, monkeypatch):
    def taken(*_):
        raise AssertionError("a step was taken")

    monkeypatch.setattr(Trainer, "work", taken)
    Path("text.png").write_text("not a picture")
    Image.new("L", (20, 20), 255).save("white.png")
    before = sorted(os.listdir())
    status, out, err = ask(*words)
    assert (status, out) == (2, "") and says in err and err.count("\n") == 1
    assert sorted(os.listdir()) == before


def test_seeds_are_a_number_a_list_or_a_span():
    for text, seeds in {"1": [0], "4": [0, 1, 2, 3], "7,": [7], "1,2,7": [1, 2, 7], "5..8": [5, 6, 7, 8]}.items():
        assert read_seeds(text) == seeds


def test_widths_are_lists_or_multiples():
    for text, widths in {"16": (16,), "16,8": (16, 8), "16x3": (16, 16, 16), "4, 8x2": (4, 8, 8)}.items():
        assert read_widths(text) == widths
