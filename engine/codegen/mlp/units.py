"""Which activation each unit of a group of four has, and WGSL that takes all of them."""

import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import groupby

import numpy as np

from engine.kept import kept
from engine.network.activations import JOINT, Activation
from engine.network.mlp import Shape
from engine.network.units.mixed import LayerActivation, runs

IDENTITY = Activation("identity")
# The activations of a group's units: one for all four, or four.
Group = tuple[Activation, ...]


@kept
def groups(activation: LayerActivation, units: int) -> tuple[Group, ...]:
    """The Group of each four units of a layer; the fill of the last stays finite."""
    each = [run.activation for run in runs(activation, units) for _ in range(run.units)]
    with np.errstate(all="ignore"):
        at_zero = each[-1].value(np.zeros(4))[0]
    fill = each[-1] if each[-1].is_whole or math.isfinite(at_zero) else IDENTITY
    each += [fill] * (-len(each) % 4)
    fours = [tuple(each[at : at + 4]) for at in range(0, len(each), 4)]
    return tuple(four[:1] if len(set(four)) == 1 else four for four in fours)


def layer_groups(shape: Shape, layer: int) -> tuple[Group, ...]:
    """The Group of each four units of a layer of a Shape."""
    return groups(shape.activations[layer], shape.sizes[layer + 1])


def is_even(shape: Shape, layer: int) -> bool:
    """True where all groups of a layer are of the same activations."""
    return len(set(layer_groups(shape, layer))) == 1


def selected(group: Group, text: Callable[[Activation], str], select: str = "select") -> str:
    """The WGSL `text` of a group's activation; where there are several, of each unit its own, by `select`."""
    first, *others = dict.fromkeys(group)
    result = text(first)
    for activation in others:
        mask = ", ".join(str(each == activation).lower() for each in group)
        result = f"{select}({result}, {text(activation)}, vec4<bool>({mask}))"
    return result


def spans(items: Iterable[Hashable]) -> Iterator[range]:
    """The ranges over which items are equal."""
    at = 0
    for _, equal in groupby(items):
        count = len(list(equal))
        yield range(at, at + count)
        at += count


def kinds(activations: Iterable[LayerActivation]) -> list[Activation]:
    """The activations of all units of some layers, each once."""
    return list(dict.fromkeys(kind for activation in activations for kind in activation.kinds))


def imports(activations: Iterable[LayerActivation]) -> list[str]:
    """The #import of each activation's functions; products are in the arithmetics."""
    names = dict.fromkeys(kind.name for kind in kinds(activations) if kind.name not in JOINT)
    return [f"#import activations/{name}" for name in names]


def is_bent(activation: Activation) -> bool:
    """False for what leaves sums as they are: identity, and softmax, which is computed by itself."""
    return activation.name != "identity" and not activation.is_whole
