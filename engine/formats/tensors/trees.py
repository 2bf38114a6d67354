"""Arrays of trees: nested mappings, lists and tuples, as checkpoints, Flax, Haiku and plain JAX keep weights."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engine.diagnostics import log
from engine.errors import NetworkError, NeurosceneError
from engine.formats.files import short
from engine.formats.tensors.arrays import NamedArray, array_of, shape_of
from engine.formats.tensors.named import assemble, role_of
from engine.network.mlp import Mlp

MAX_DEPTH = 32

# Entries of a checkpoint that usually hold the weights, the first of them read first.
USUAL = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "params", "weights", "module",
         "ema", "generator")  # fmt: skip
# Entries that hold other things than weights.
OTHER = re.compile(r"optim|sched|scaler|rng|hyper|hparam|args|config|callback|loop|amp_|opt_state", re.IGNORECASE)
# Single entries that tell of a training, as numbers or arrays; nothing is computed from them.
NOTES = re.compile(
    r"(^|[_./])(best|loss(es)?|epochs?|iter\w*|steps?|acc\w*|metrics?|scores?|lr|seeds?|history|version)([_./]|$)", re.I
)
# Entries beside each other that are networks of their own, not parts of one.
APART = re.compile(r"ema|generator|discriminator|critic|actor|policy|value|teacher|student|target|^model|^net_?", re.I)


def from_tree(tree: Any, activations: Any, name: str) -> Mlp:
    """The network of a mapping, list or tuple that holds tensors or arrays, however deep.

    A mapping from names to arrays is read as it is. Of a checkpoint the entry that can be read is; others that hold
    weights are named in the log.

    Raises NetworkError or ShapeError if there is none, with what is wrong with the likeliest.
    """
    if not isinstance(tree, Mapping):
        return assemble(_entries(tree, name), activations, name, ordered=True)
    found = sorted(_states(tree, "", 0, name), key=lambda entry: _rank(entry[0]))
    first: NeurosceneError | None = None
    for place, state in found or [("", tree)]:
        called = f"`{short(place)}` of {name}" if place else name
        try:
            net = assemble(_entries(state, called), activations, called, called=name, ordered=True)
        except NeurosceneError as error:
            first = first or error
            continue
        others = [f"`{short(other)}`" if other else "other entries" for other, _ in found if other != place]
        if others:
            log.warning("%s is shown; %s holds weights in %s too.", called, name, ", ".join(others[:6]))
        return net
    assert first is not None  # there was one entry at least
    raise first


def _rank(place):
    last = place.rpartition("/")[2].lower()
    return (USUAL.index(last) if last in USUAL else len(USUAL)), place.count("/")


def _states(tree, place, depth, name) -> Iterator[tuple[str, Mapping]]:
    """(place, mapping) of each part of a checkpoint that may be the weights of one network."""
    if depth > MAX_DEPTH:
        raise NetworkError(f"{name} is nested deeper than {MAX_DEPTH} mappings. Give names and arrays.")
    inner = {key: value for key, value in tree.items() if isinstance(value, Mapping)}
    separate = any("." in str(key) for value in inner.values() for key in value) or any(
        APART.search(str(key)) or OTHER.search(str(key)) for key in inner
    )
    if any(len(shape_of(value) or ()) >= 2 for key, value in tree.items() if not NOTES.search(str(key))) or (
        not separate and _is_pure(tree, depth)
    ):
        yield place, tree
        inner = {key: value for key, value in inner.items() if key in USUAL}  # of arrays beside a network
    for key, value in inner.items():
        if not OTHER.search(str(key)):
            yield from _states(value, f"{place}/{key}" if place else str(key), depth + 1, name)


def _is_pure(tree, depth):
    """Whether all that a tree holds, at any depth, are arrays."""
    if depth > MAX_DEPTH:
        return True  # `entries` says that it is too deep
    if shape_of(tree) is not None or tree is None:
        return True
    if isinstance(tree, list | tuple):
        return all(_is_pure(value, depth + 1) for value in tree)
    return isinstance(tree, Mapping) and all(_is_pure(value, depth + 1) for value in tree.values())


def _entries(tree, name) -> dict[str, NamedArray]:
    """{name: NamedArray} of a tree, names joined by `/`."""
    found = {}
    for key, value in _leaves(tree, name, "", 0):
        where = f"`{short(key)}` of {name}"
        if not isinstance(key, str):
            raise NetworkError(f"{where} has a {type(key).__name__} as its key; a state dict has names like 0.weight.")
        if isinstance(value, list | tuple):
            try:
                value = np.array(value)
            except ValueError:
                raise NetworkError(f"{where} is a list whose rows differ in length; give arrays.") from None
            if value.dtype.kind not in "fiuc":
                continue  # such as names
        shape = shape_of(value)
        if shape is None and "Uninitialized" in type(value).__name__:
            raise NetworkError(f"{where} has no shape yet. Run the module once on data, then save it.")
        if shape is None or (NOTES.search(key) and role_of(key)[0] is None):
            continue  # such as the arguments and the losses of a training
        found[key] = NamedArray(shape, lambda value=value, where=where: array_of(value, where))
    return found


def _leaves(tree, name, prefix, depth) -> Iterator[tuple[Any, Any]]:
    """(key, value) pairs; what lists hold is called w and b where it is a pair of these, else by its number."""
    if depth > MAX_DEPTH:
        raise NetworkError(f"{name} is nested deeper than {MAX_DEPTH} mappings. Give names and arrays.")
    for key, value in _children(tree, prefix):
        joined = f"{prefix}{key}" if prefix else key
        if value is None or (isinstance(value, str | bool | int | float) and not isinstance(tree, list | tuple)):
            continue  # such as an epoch or a rate, which are not weights
        if isinstance(value, Mapping) or (isinstance(value, list | tuple) and _holds_arrays(value)):
            yield from _leaves(value, name, f"{joined}/", depth + 1)
        elif not (isinstance(value, tuple) and not value):
            yield joined, value


def _children(tree, prefix):
    if isinstance(tree, Mapping):
        return list(tree.items())
    shapes = [len(shape_of(value) or ()) for value in tree]
    if prefix and len(tree) in (1, 2) and shapes[0] == 2 and (len(tree) == 1 or shapes[1] < 2):
        return list(zip("wb", tree, strict=False))
    return [(f"[{i}]" if shapes[i] else str(i), value) for i, value in enumerate(tree)]


def _holds_arrays(values):
    return any(
        isinstance(x, Mapping) or shape_of(x) or (isinstance(x, list | tuple) and len(x) and _holds_arrays(x))
        for x in values
    )
