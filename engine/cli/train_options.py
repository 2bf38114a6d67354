"""What the options of `neuroscene train` say, read from their texts: a trainer, or one line of what is wrong."""

import re

import numpy as np

from engine.cli.options import read_number
from engine.errors import SettingError, near
from engine.formats.files import MAX_FILE_BYTES, size_text
from engine.formats.tensors.history import check_place
from engine.network.history import snapshot_steps, spread_steps
from engine.training.image_data import SIDE, SIDE_MAX, SIDE_MIN, ImageData
from engine.training.trainer import Recipe, Trainer

# --task, as a person says it: (a recipe's task, in colour)
# Steps from which on a training is worth waiting for its code.
PATIENCE = 300_000
TASKS = {"classes": ("classes", False), "grey": ("values", False), "colour": ("values", True)}
TASKS |= {"gray": TASKS["grey"], "color": TASKS["colour"]}
MOST_RUNS, MOST_LAYERS, MOST_SNAPSHOTS = 1024, 100, 5000


def begun(image, asked):
    """(Trainer, notes) of a training from its start. Every mistake is told here, before a step is taken."""
    name = asked.get("--task", "classes")
    if name.lower() not in TASKS:
        raise SettingError("--task: " + near(name, ("classes", "grey", "colour"), noun="task"))
    task, colour = TASKS[name.lower()]
    if "--threshold" in asked and task != "classes":
        raise SettingError(f"--threshold {asked['--threshold']} parts black from white, which --task {name} does not.")
    side = read_whole("--side", asked.get("--side", str(SIDE)), SIDE_MIN, SIDE_MAX)
    steps = read_whole("--steps", asked.get("--steps", "1280000"), 1, 1 << 32)
    chosen = {"steps": steps, "batch": _read_batch(asked.get("--batch", "128"))}
    if "--rate" in asked:
        chosen["rate"] = read_number("--rate", asked["--rate"], 1e-12, 1e3)
    for option in ("activation", "anneal"):
        if f"--{option}" in asked:
            chosen[option] = asked[f"--{option}"].strip().lower()
    widths, runs = read_widths(asked.get("--hidden", "16,16,16")), read_seeds(asked.get("--seeds", "1"))
    outputs = {"classes": 2}.get(task, 3 if colour else 1)
    recipe = Recipe((2, *widths, outputs), task=task, **chosen)
    kept = snapshot_steps(steps)
    if "--snapshots" in asked:
        kept = read_snapshots(asked["--snapshots"], steps)
    _check_size(recipe, len(runs), len(np.union1d(kept, [0, steps])))
    data = ImageData.from_image(image, task=task, colour=colour, side=side, threshold=asked.get("--threshold"))
    # A training of minutes is worth half a minute of compiling, where that makes wide networks ten times faster.
    patient = recipe.steps >= PATIENCE
    more = {"snapshots": kept, "domain": data.domain, "target": data.target, "patient": patient}
    trainer = Trainer(data.points, data.targets, recipe, runs, **more)
    height, width = data.target.shape[:2]
    about = f"{data.name}, {width} x {height}"
    return trainer, {"image": about if data.threshold is None else f"{about}, white above {data.threshold:.4g}"}


def _check_size(recipe, runs, snapshots):
    """Refuses a history that could not be read again, before it is made."""
    weights = sum(out * (into + 1) for into, out in zip(recipe.sizes, recipe.sizes[1:], strict=False))
    size = 4 * weights * runs * snapshots
    if size > MAX_FILE_BYTES:
        raise SettingError(
            f"{runs} runs of {snapshots} snapshots of {weights:,} weights are {size_text(size)}, and files of at most "
            f"{size_text(MAX_FILE_BYTES)} are read. Take fewer --seeds or --snapshots, or a smaller --hidden."
        )


def read_whole(option, text, low, high):
    """The whole number an option was given; 1_000, 1,000 and 1e3 are one."""
    try:
        value = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        value = float("nan")
    if not low <= value <= high or value != int(value):  # which no nan is
        raise SettingError(f"{option} {text}: it takes a whole number from {low} to {high:,}.")
    return int(value)


def read_seeds(text):
    """The seeds of `4` (0 to 3), `1,2,7` or `5..8`; `7,` is one."""
    span = re.fullmatch(r"\s*(\d{1,10})\s*\.\.\s*(\d{1,10})\s*", text)
    if span and 0 <= int(span[2]) - int(span[1]) < MOST_RUNS:
        seeds = list(range(int(span[1]), int(span[2]) + 1))
    elif re.fullmatch(r"\s*\d{1,4}\s*", text):
        seeds = list(range(int(text)))
    elif re.fullmatch(r"\s*\d{1,10}\s*(,\s*\d{1,10}\s*)*,?\s*", text):
        seeds = [int(part) for part in text.split(",") if part.strip()]
    else:
        seeds = []
    if not 1 <= len(seeds) <= MOST_RUNS or len(set(seeds)) < len(seeds) or max(seeds) >= 1 << 32:
        raise SettingError(
            f"--seeds {text}: it takes a number of runs from 1 to {MOST_RUNS}, or seeds as 1,2,7 or 5..8, each once."
        )
    return seeds


def read_widths(text):
    """The widths of `16,16,16`, `16x3`, or both mixed."""
    widths = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})\s*(?:[xX×]\s*(\d{1,3})\s*)?", part)
        if match is None or int(match[1]) == 0:
            raise SettingError(f"--hidden {text}: it takes widths of layers, as 16,16,16 or 16x3.")
        widths += [int(match[1])] * int(match[2] or 1)
        if len(widths) > MOST_LAYERS:
            break
    if not 1 <= len(widths) <= MOST_LAYERS:
        raise SettingError(f"--hidden {text}: it takes from 1 to {MOST_LAYERS} layers.")
    return tuple(widths)


def read_snapshots(text, steps):
    """The steps of `200` (so many) or `0,10,100`; the first and the last are always kept."""
    if "," not in text:
        return spread_steps(steps, read_whole("--snapshots", text, 2, MOST_SNAPSHOTS))
    kept = [read_whole("--snapshots", part, 0, steps) for part in text.split(",") if part.strip()]
    if len(kept) > MOST_SNAPSHOTS:
        raise SettingError(f"--snapshots: {len(kept)} steps are given; at most {MOST_SNAPSHOTS} are kept.")
    return kept


def _read_batch(text):
    return 0 if text.strip().lower() in ("all", "full") else read_whole("--batch", text, 0, 1 << 24)


def place(output, default):
    """The path to write, which can be written."""
    output = default if output is None else output
    if output == "-" or not output.strip():
        raise SettingError("-o: a history needs a file to be written to. Give a path that ends in .safetensors.")
    check_place(output)
    return output
