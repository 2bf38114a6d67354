"""Histories in safetensors files: the weights of every run at every snapshot, and the data they learnt.

Arrays: steps (T,) I64, losses (R, T) F64, origin, axes, low and high of the domain F64, weights (R, T, P) F32, and
where there are any, target (H, W) or (H, W, 3) U8, samples (N, inputs) F32 and wanted (N,) or (N, outputs) F32. The
metadata has a format, a version and `about`: JSON text with the shape's sizes and activations, the task, the runs'
names and the notes. Any safetensors reader opens it.
"""

import io
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine.errors import FileError, NeurosceneError
from engine.formats.atomic import AtomicTarget
from engine.formats.files import check_layers, check_weights, opened, short, size_text
from engine.formats.tensors import container
from engine.formats.tensors.safetensors import FORMAT as NETWORK
from engine.formats.tensors.safetensors import HISTORY as FORMAT
from engine.formats.tensors.safetensors import TRAINING
from engine.network.history import Domain, History
from engine.network.mlp import Shape
from engine.network.units.mixed import parse

VERSION = 1
ENDING = ".safetensors"

# {key: (dtype, axes)} of the only arrays that are read
ARRAYS: dict[str, tuple[str, tuple[int, ...]]] = {
    "steps": ("I64", (1,)), "losses": ("F64", (2,)), "origin": ("F64", (1,)), "axes": ("F64", (2,)),
    "low": ("F64", (1,)), "high": ("F64", (1,)), "weights": ("F32", (3,)), "target": ("U8", (2, 3)),
    "samples": ("F32", (2,)), "wanted": ("F32", (1, 2)),
}  # fmt: skip
OPTIONAL = ("target", "samples", "wanted")
WHAT = "a history of a training, as `neuroscene train` and engine.Recorder write it"
# Steps are also used as float64, which represents whole numbers exactly up to here.
MAX_STEP = 2**53
# The most bytes of the `about` text, which is part of the header of at most 4 MiB.
MAX_ABOUT_BYTES = 1 << 20


def load(path: str | os.PathLike) -> History:
    """The History in a file. Raises FileError for other files, and for parts that do not fit one another."""
    path = Path(path)
    check_ending(path, "read")
    try:
        with opened(path, "history") as (stream, size):
            return read(stream, size, path.name)
    except MemoryError:
        raise FileError(f"{short(path, 200)} needs more memory than there is. Record fewer snapshots.") from None


def save(history: History, path: str | os.PathLike) -> None:
    """Writes the `finite` part of a history, whole or not at all; reading gives the same bits back."""
    check_ending(path, "saved")
    container.write(path, _chunks(finite(history)), "Keep fewer snapshots or runs.")


def to_bytes(history: History) -> bytes:
    """A history as the bytes of its file; the same history gives the same bytes."""
    return b"".join(_chunks(finite(history)))


def from_bytes(data: bytes, name: str = "these bytes") -> History:
    """The history in the bytes that `to_bytes` made."""
    return read(io.BytesIO(data), len(data), name)


def check_ending(path: str | os.PathLike, done: str) -> None:
    """Raises FileError for a path without a history's ending; done is `read` or `saved`, for the message."""
    if Path(path).suffix.lower() != ENDING:
        raise FileError(f"{short(path, 200)} cannot be {done} as a history: its name must end in {ENDING}.")


def check_place(path: str | os.PathLike) -> None:
    """Raises FileError for a path that cannot be written; to be called before a training, not after it."""
    check_ending(path, "saved")
    AtomicTarget(path)


def finite(history: History) -> History:
    """The history without weights that are not finite; its note `left out` says what is missing.

    Runs with values that are not finite are left out. If all runs have some, all are cut where the first one begins to.
    Raises FileError if nothing remains.
    """
    good = np.isfinite(history.weights).all(axis=2)
    if good.all():
        return history
    words = "; ".join(
        f"the weights of {short(name)} are not finite from step {history.steps[np.argmin(row)]:,} on"
        for name, row in zip(history.names, good, strict=True)
        if not row.all()
    )
    runs, until = good.all(axis=1), history.snapshots
    done = "what diverged is left out"
    if not runs.any():
        done = "all runs are cut there"
        runs, until = np.ones(history.runs, bool), int(good.all(axis=0).argmin())
    if until == 0:
        raise FileError(f"Nothing of this history can be kept: {words}. Train with a smaller rate.")
    return replace(
        history,
        steps=history.steps[:until],
        weights=history.weights[runs, :until],
        losses=history.losses[runs, :until],
        names=tuple(name for name, is_whole in zip(history.names, runs, strict=True) if is_whole),
        notes={**history.notes, "left out": f"{words}; {done}"},
    )


def read(stream: BinaryIO, size: int, name: str) -> History:
    """The History in a stream of `size` bytes; `name` is the file's name for messages."""
    name = short(name)
    metadata, arrays = container.read(stream, size, name)
    _check_format(metadata, arrays, name)
    about = _about(metadata, name)
    for key, (dtype, axes) in ARRAYS.items():
        tensor = arrays.get(key)
        if tensor is None and key in OPTIONAL:
            continue
        if tensor is None or tensor.dtype != dtype or len(tensor.shape) not in axes:
            found = "is missing" if tensor is None else f"is {short(tensor.dtype)} {short(tensor.shape)}"
            raise _broken(name, f"its array `{key}` {found}")
    sizes, weights = about["sizes"], arrays["weights"].shape
    count = Shape(tuple(sizes), ()).weight_count
    if weights[2] != count:
        raise _broken(name, f"its weights are {weights}, but layers of {short(sizes)} have {count}")
    got = {key: arrays[key].read() for key in ARRAYS if key in arrays}
    if not np.isfinite(got["weights"]).all():
        raise _broken(name, "some of its weights are not finite numbers")
    if not ((got["steps"] >= 0) & (got["steps"] < MAX_STEP)).all():
        raise _broken(name, "some of its steps are below 0 or past 9e15")
    try:
        return History(
            Shape(tuple(sizes), tuple(parse(text) for text in about["activations"])),
            got["steps"],
            got["weights"],
            got["losses"],
            Domain(got["origin"], got["axes"], got["low"], got["high"]),
            about["task"],
            got.get("target"),
            tuple(about["names"]),
            about["notes"],
            got.get("samples"),
            got.get("wanted"),
        )
    except NeurosceneError as error:
        raise _broken(name, str(error).rstrip(".")) from None


def _broken(name, why):
    return FileError(f"{name} is not a whole history: {why}. Record it again, or copy it again.")


def _check_format(metadata, arrays, name):
    """Raises FileError for another kind of file, saying which kind it is."""
    kind, version = metadata.get("format"), metadata.get("version", "")
    if kind == FORMAT and version == str(VERSION):
        return
    if kind == FORMAT:
        raise FileError(f"{name} is a history of version `{short(version)}`; {VERSION} is read. Update neuroscene.")
    if kind == NETWORK or any(key.endswith("weight") for key in arrays):
        raise FileError(
            f"{name} is a network, not {WHAT}. Show it with --net, or as a history of one moment by "
            "engine.History.of(engine.load(path), domain)."
        )
    if kind == TRAINING:
        raise FileError(
            f"{name} is what a training goes on from. Give the history beside it, or go on with `neuroscene train "
            "--resume`."
        )
    said = f"says it is a `{short(kind)}`" if kind else f"holds {len(arrays)} arrays that are none"
    raise FileError(f"{name} is not {WHAT}: it {said}.")


def _about(metadata, name):
    """The dict of texts and numbers in `about`, its types checked."""
    try:
        about = json.loads(metadata.get("about", ""))
    except (ValueError, RecursionError) as error:
        raise _broken(name, f"its `about` is not JSON ({short(error)})") from None
    about = about if isinstance(about, dict) else {}
    sizes = about.get("sizes")
    if not isinstance(sizes, list) or len(sizes) < 2 or not all(type(n) is int and n > 0 for n in sizes):
        raise _broken(name, f"its sizes are {short(sizes)}")
    check_layers(len(sizes) - 1, name)
    for key in ("activations", "names"):
        if not isinstance(about.get(key), list) or not all(isinstance(x, str) for x in about[key]):
            raise _broken(name, f"its {key} are no list of texts")
    if len(about["activations"]) != len(sizes) - 1:
        raise _broken(name, f"it has {len(sizes) - 1} layers and {len(about['activations'])} activations")
    check_weights(Shape(tuple(sizes), ()).weight_count, name)
    notes = about.get("notes")
    if not isinstance(notes, dict) or not all(isinstance(x, str) for x in notes.values()):
        raise _broken(name, "its notes are no table of texts")
    if not isinstance(about.get("task"), str):
        raise _broken(name, "it names no task")
    return about


def _chunks(history):
    about = {
        "activations": [str(a) for a in history.shape.activations],
        "names": [str(name) for name in history.names],
        "notes": {str(key): str(value) for key, value in history.notes.items()},
        "sizes": [int(n) for n in history.shape.sizes],
        "task": history.task,
    }
    text = json.dumps(about, sort_keys=True)
    if len(text) > MAX_ABOUT_BYTES:
        raise FileError(
            f"The names and notes of this history have {size_text(len(text))}; at most {size_text(MAX_ABOUT_BYTES)} "
            "are kept. Shorten them."
        )
    arrays = {key: getattr(history.domain if hasattr(history.domain, key) else history, key) for key in ARRAYS}
    arrays = {key: array for key, array in arrays.items() if array is not None}
    return container.chunks({"about": text, "format": FORMAT, "version": str(VERSION)}, arrays)
