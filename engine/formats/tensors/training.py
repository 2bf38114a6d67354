"""Unfinished trainings in safetensors files, with all that is needed to continue to the same bytes.

Arrays: weights (R, P) and moments (R, 2, P) at `step`, starts (R, P), the snapshots taken so far (R, T, P), losses
(R, T), the steps of all snapshots, the data, and the domain. The metadata has a format, a version and `about`: JSON
text with the recipe, the seeds and the step.
"""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from engine.errors import FileError, NeurosceneError
from engine.formats.files import opened, short
from engine.formats.tensors import container
from engine.formats.tensors.safetensors import TRAINING as FORMAT
from engine.network.history import Domain
from engine.network.recipe import Recipe

VERSION = 1

# {key: (dtype, axes as letters)}; equal letters are equal lengths
ARRAYS = {
    "losses": ("F64", "RT"), "origin": ("F64", "I"), "axes": ("F64", "2I"), "low": ("F64", "2"), "high": ("F64", "2"),
    "snapshot_steps": ("I64", "S"), "points": ("F32", "NI"), "targets": ("F32", "NO"), "starts": ("F32", "RP"),
    "weights": ("F32", "RP"), "moments": ("F32", "RMP"), "snapshots": ("F32", "RTP"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class State:
    """A training at a step.

    target    picture of the data to learn, or None
    arrays    {key of ARRAYS: array}, without those of the domain
    """

    recipe: Recipe
    seeds: tuple[int, ...]
    step: int
    domain: Domain
    target: np.ndarray | None
    arrays: dict[str, np.ndarray]


def save(state: State, path: str | os.PathLike) -> None:
    """Writes a State, whole or not at all; reading gives the same bits back."""
    about = {
        "recipe": {**asdict(state.recipe), "sizes": list(state.recipe.sizes)},
        "seeds": list(state.seeds),
        "step": state.step,
    }
    metadata = {"about": json.dumps(about, sort_keys=True), "format": FORMAT, "version": str(VERSION)}
    domain = {key: getattr(state.domain, key) for key in ("origin", "axes", "low", "high")}
    arrays = {key: {**state.arrays, **domain}[key] for key in ARRAYS}
    if state.target is not None:
        arrays["target"] = state.target
    container.write(path, container.chunks(metadata, arrays), "Keep fewer snapshots or runs.")


def load(path: str | os.PathLike) -> State:
    """The State in a file. Raises FileError for other files, and for parts that do not fit one another."""
    path = Path(path)
    try:
        with opened(path, "training") as (stream, size):
            return _read(stream, size, short(path.name))
    except MemoryError:
        raise FileError(f"{short(path, 200)} needs more memory than there is.") from None


def _read(stream, size, name):
    metadata, found = container.read(stream, size, name)
    if metadata.get("format") != FORMAT or metadata.get("version") != str(VERSION):
        raise FileError(
            f"{name} is not a training of version {VERSION}, as Trainer.save writes it; it says it is a "
            f"`{short(metadata.get('format', ''))}` of version `{short(metadata.get('version', ''))}`."
        )
    recipe, seeds, step = _about(metadata, name)
    targets = 1 if recipe.task == "classes" else recipe.sizes[-1]
    letters = {"2": 2, "M": 2, "R": len(seeds), "P": recipe.shape.weight_count, "I": recipe.sizes[0], "O": targets}
    for key, (dtype, axes) in ARRAYS.items():
        tensor = found.get(key)
        if tensor is None or tensor.dtype != dtype or len(tensor.shape) != len(axes):
            raise _broken(name, f"its array `{key}` is missing or of another kind")
        wanted = tuple(letters.setdefault(x, n) for x, n in zip(axes, tensor.shape, strict=True))
        if tensor.shape != wanted:
            raise _broken(name, f"its array `{key}` is {short(tensor.shape)} where {wanted} is expected")
    arrays = {key: found[key].read() for key in ARRAYS}
    steps = arrays["snapshot_steps"]
    taken = int((steps <= step).sum())
    if (np.diff(steps) <= 0).any() or steps[:1] != [0] or steps[-1:] != [recipe.steps] or taken != letters["T"]:
        raise _broken(name, f"its snapshots are not those of {recipe.steps:,} steps, {step:,} done")
    if not all(np.isfinite(arrays[key]).all() for key in ("starts", "points", "targets")):
        raise _broken(name, "some of its data are not finite numbers")
    target = found.get("target")
    if target is not None and (target.dtype != "U8" or len(target.shape) not in (2, 3)):
        raise _broken(name, "its target is no picture")
    try:
        domain = Domain(*(arrays.pop(key) for key in ("origin", "axes", "low", "high")))
    except NeurosceneError as error:
        raise _broken(name, str(error).rstrip(".")) from None
    return State(recipe, seeds, step, domain, None if target is None else target.read(), arrays)


def _about(metadata, name):
    """(recipe, seeds, step) from `about`, checked."""
    try:
        about = json.loads(metadata.get("about", ""))
        recipe, seeds, step = (about[key] for key in ("recipe", "seeds", "step"))
        kinds = {field.name: type(field.default) for field in fields(Recipe)[1:]}
        sizes = recipe["sizes"]
        whole = all(type(n) is int for n in [*sizes, *seeds, step]) and 0 < len(sizes) <= 1000 and len(seeds) > 0
        right = set(recipe) == {"sizes", *kinds} and all(isinstance(recipe[k], kind) for k, kind in kinds.items())
        if not (whole and right):
            raise ValueError("its numbers are of other kinds")
        made = Recipe(**{**recipe, "sizes": tuple(sizes)})
    except (ValueError, KeyError, TypeError, RecursionError, NeurosceneError) as error:
        raise _broken(name, f"its recipe cannot be read ({short(error)})") from None
    if not 0 <= step <= made.steps:
        raise _broken(name, f"its step is {step} of {made.steps:,}")
    return made, tuple(seeds), step


def _broken(name, why):
    return FileError(f"{name} is not a whole training: {why}. Train again, or copy it again.")
