"""Makes a trainer from the texts of `neuroscene train`'s options; a wrong one raises an error of one line."""

import re
from typing import Any

import numpy as np

from engine.cli.options import number, whole
from engine.errors import SettingError, near
from engine.formats.files import MAX_FILE_BYTES, size_text
from engine.formats.tensors.history import check_place
from engine.network.history import snapshot_steps, spread_steps
from engine.network.preprocess import DEEP
from engine.training.image_data import SIDE, SIDE_MAX, SIDE_MIN, ImageData
from engine.training.trainer import Recipe, Trainer

# What --task takes -> (the recipe's task, whether the image is in colour).
TASKS = {"classes": ("classes", False), "grey": ("values", False), "colour": ("values", True)}
TASKS |= {"gray": TASKS["grey"], "color": TASKS["colour"]}
MOST_RUNS, MOST_LAYERS, MOST_SNAPSHOTS = 1024, 100, 5000


def begun(image: str, asked: dict[str, str]) -> tuple[Trainer, dict[str, str]]:
    """(Trainer, notes) of a new training. Every wrong option is refused here, before the first step.

    asked   {option: text} of those that were given, as {"--steps": "1000"}
    """
    name = asked.get("--task", "classes")
    if name.lower() not in TASKS:
        raise SettingError("--task: " + near(name, ("classes", "grey", "colour"), noun="task"))
    task, colour = TASKS[name.lower()]
    if "--threshold" in asked and task != "classes":
        raise SettingError(f"--threshold {asked['--threshold']} parts black from white, which --task {name} does not.")
    side = whole("--side", SIDE_MAX, SIDE_MIN)(asked.get("--side", str(SIDE)))
    steps = whole("--steps", 1 << 32)(asked.get("--steps", "1280000"))
    chosen: dict[str, Any] = {"steps": steps, "batch": _read_batch(asked.get("--batch", "128"))}
    if "--rate" in asked:
        chosen["rate"] = number("--rate", 1e-12, 1e3)(asked["--rate"])
    for option in ("activation", "anneal"):
        if f"--{option}" in asked:
            chosen[option] = asked[f"--{option}"].strip().lower()
    widths, runs = read_widths(asked.get("--hidden", "16,16,16")), read_seeds(asked.get("--seeds", "1"))
    outputs = {"classes": 2}.get(task, 3 if colour else 1)
    recipe = Recipe((2, *widths, outputs), task=task, **chosen)
    stored = read_snapshots(asked["--snapshots"], steps) if "--snapshots" in asked else snapshot_steps(steps)
    _check_size(recipe, len(runs), len(np.union1d(stored, [0, steps])))
    white = whole("--white", DEEP)(asked["--white"]) if "--white" in asked else None
    threshold = asked.get("--threshold")
    data = ImageData.from_image(image, task=task, colour=colour, side=side, threshold=threshold, white=white)
    more = {"snapshots": stored, "domain": data.domain, "target": data.target}
    trainer = Trainer(data.points, data.targets, recipe, runs, **more)
    height, width = data.target.shape[:2]
    about = f"{data.name}, {width} x {height}"
    return trainer, {"image": about if data.threshold is None else f"{about}, white above {data.threshold:.4g}"}


def _check_size(recipe: Recipe, runs: int, snapshots: int) -> None:
    """Refuses a training whose history would be too large to be read again, before it begins."""
    weights = sum(out * (into + 1) for into, out in zip(recipe.sizes, recipe.sizes[1:], strict=False))
    size = 4 * weights * runs * snapshots
    if size > MAX_FILE_BYTES:
        raise SettingError(
            f"{runs} runs of {snapshots} snapshots of {weights:,} weights are {size_text(size)}, and files of at most "
            f"{size_text(MAX_FILE_BYTES)} are read. Take fewer --seeds or --snapshots, or a smaller --hidden."
        )


def read_seeds(text: str) -> list[int]:
    """The seeds written as `4` (four of them, 0 to 3), `1,2,7`, `5..8`, or `7,` (the seed 7 alone)."""
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


def read_widths(text: str) -> tuple[int, ...]:
    """The layer widths written as `16,16,16`, `16x3`, or a mixture of both."""
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


def read_snapshots(text: str, steps: int) -> np.ndarray | list[int]:
    """The steps to store, written as `200` (their number) or `0,10,100`; the first and last are always stored."""
    if "," not in text:
        return spread_steps(steps, whole("--snapshots", MOST_SNAPSHOTS, 2)(text))
    stored = [whole("--snapshots", steps, 0)(part) for part in text.split(",") if part.strip()]
    if len(stored) > MOST_SNAPSHOTS:
        raise SettingError(f"--snapshots: {len(stored)} steps are given; at most {MOST_SNAPSHOTS} are stored.")
    return stored


def _read_batch(text: str) -> int:
    return 0 if text.strip().lower() in ("all", "full") else whole("--batch", 1 << 24, 0)(text)


def place(output: str | None, default: str) -> str:
    """The path of the history to write. Raises FileError where it cannot be written."""
    output = default if output is None else output
    if output == "-" or not output.strip():
        raise SettingError("-o: a history needs a file to be written to. Give a path that ends in .safetensors.")
    check_place(output)
    return output
