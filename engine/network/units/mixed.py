"""An activation per unit: a layer whose consecutive units have different activations, in runs of equal ones."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError
from engine.network.activations import JOINT, Activation

# More runs than a network can have units; a text with more is refused before it is read.
MOST_RUNS = 65536
RUN = re.compile(r"^\s*(\d{1,9})\s+(\S.*)$", re.DOTALL)
# A plus between runs, not one of an exponent such as 1e+3.
PLUS = re.compile(r"\+(?=\s*\d+\s+[a-zA-Z_])")
# Characters of an activation's text that are read; more are no activation.
LONGEST = 80


@dataclass(frozen=True)
class Mixed:
    """The activations of a layer's units; str() writes and `parse` reads `64 sine(1) + 64 cos + 3 identity`.

    runs   (activation, how many consecutive units) of each; neighbours differ. Make one by `mixed`

    A run of `product` is over pairs: it begins at an even unit and has an even number of them.

    Raises NetworkError for runs that no layer can have.
    """

    runs: tuple[tuple[Activation, int], ...]

    def __post_init__(self):
        for activation, first, count in runs(self, self.count):
            if count < 1:
                raise NetworkError(f"Activations `{self}`: a run of {count} {activation}. A run has at least one unit.")
            if activation.is_whole:
                raise NetworkError(f"Activations `{self}`: {activation} takes all units of a layer, not a run of them.")
            if activation.name in JOINT and (first % 2 or count % 2):
                raise NetworkError(
                    f"Activations `{self}`: {activation} takes units two by two, so it begins at an even unit and has "
                    f"an even number, not {count} from unit {first} on."
                )

    @property
    def count(self) -> int:
        """How many units the layer has."""
        return sum(count for _, count in self.runs)

    @property
    def is_whole(self) -> bool:
        """Never: what takes all units together cannot be mixed."""
        return False

    @property
    def kinds(self) -> tuple[Activation, ...]:
        """The activations of the units, each once."""
        return tuple(dict.fromkeys(activation for activation, _ in self.runs))

    def of(self, units: Sequence[int]) -> LayerActivation:
        """The activation of some units of a layer, in this order.

        Raises NetworkError where one of a product's pair is left out.
        """
        each = [activation for activation, count in self.runs for _ in range(count)]
        for at, unit in enumerate(units):
            partner = at + 1 if unit % 2 == 0 else at - 1
            if each[unit].name in JOINT and (at % 2 != unit % 2 or [*units, -1][partner] != unit ^ 1):
                raise NetworkError(f"Unit {unit} of `{self}` goes with unit {unit ^ 1}, and both must be taken.")
        return mixed((each[unit], 1) for unit in units)

    def __str__(self):
        return " + ".join(f"{count} {activation}" for activation, count in self.runs)

    def value(self, z: ArrayLike) -> np.ndarray:
        """s(z), float64; units along the last axis."""
        return self._each("value", np.asarray(z, float))

    def slope(self, z: ArrayLike) -> np.ndarray:
        """s'(z), float64, unit by unit: of a product the diagonal of its Jacobian."""
        return self._each("slope", np.asarray(z, float))

    def curvature(self, z: ArrayLike) -> np.ndarray:
        """s''(z), float64, unit by unit."""
        return self._each("curvature", np.asarray(z, float))

    def tangent(self, z: ArrayLike, dz: ArrayLike) -> np.ndarray:
        """The derivative of s(z) for z's derivatives dz, float64; both over the last axis, broadcast in the others."""
        return self._each("tangent", *np.broadcast_arrays(np.asarray(z, float), np.asarray(dz, float)))

    def _each(self, method, *arrays):
        parts = [
            getattr(activation, method)(*(x[..., first : first + count] for x in arrays))
            for activation, first, count in runs(self, self.count)
        ]
        return np.concatenate(parts, axis=-1)


# What a layer has: one activation for all units, or one for each.
LayerActivation = Activation | Mixed


class Run(NamedTuple):
    """Consecutive units with one activation: the number of the first, and how many."""

    activation: Activation
    first: int
    units: int


def runs(activation: LayerActivation, count: int) -> Iterator[Run]:
    """The runs of a layer of `count` units, one alone if all are alike."""
    at = 0
    for each, units in activation.runs if isinstance(activation, Mixed) else ((activation, count),):
        yield Run(each, at, units)
        at += units


def mixed(of: Iterable[tuple[Activation, int]]) -> LayerActivation:
    """The activation of a layer whose units have these, in runs; one for all if there is just one."""
    grouped = itertools.groupby((pair for pair in of if pair[1]), key=lambda pair: pair[0])
    merged = tuple((activation, sum(count for _, count in pairs)) for activation, pairs in grouped)
    return merged[0][0] if len(merged) == 1 else Mixed(merged)


def parse(text: str | LayerActivation) -> LayerActivation:
    """The activation written as `name`, `name(parameter)`, or runs `64 sine(1) + 3 identity`; others are unchanged.

    Raises NetworkError for names that are not in the table, and for runs that no layer can have.
    """
    if isinstance(text, Mixed):
        return text
    if isinstance(text, Activation) or RUN.match(text) is None:
        return Activation.parse(text if isinstance(text, Activation) else text[:LONGEST])
    parts = [RUN.match(part) for part in PLUS.split(text, maxsplit=MOST_RUNS)]
    if len(parts) > MOST_RUNS:
        raise NetworkError(f"Activations with more than {MOST_RUNS} runs are not read.")
    return mixed((Activation.parse(m.group(2)[:LONGEST]), int(m.group(1))) for m in parts if m)


def check(activation: LayerActivation, count: int, what: str) -> None:
    """Raises NetworkError where an activation cannot be that of `count` units; `what` names the layer."""
    if isinstance(activation, Mixed) and activation.count != count:
        raise NetworkError(f"{what} has {count} units, but its activations `{activation}` are of {activation.count}.")
    if isinstance(activation, Activation) and activation.name in JOINT and count % 2:
        raise NetworkError(f"{what} has {count} units, but {activation} takes them two by two.")
