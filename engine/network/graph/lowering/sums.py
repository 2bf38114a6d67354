"""Weighted sums of units: what every tensor of a function of a vector is, between one activation and the next.

A unit is an input, or what an activation gives. Units come in groups: the inputs, and the elements of each tensor to
which an activation is applied.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class PickedRows:
    """Each row is one unit, times a factor: units (n,) int, factors (n,) float64, 0 where the row has no unit."""

    units: np.ndarray
    factors: np.ndarray

    def rows(self, at: np.ndarray) -> PickedRows:
        """Its rows at places; a place of -1 gives an empty row."""
        return PickedRows(self.units[at], np.where(at < 0, 0.0, self.factors[at]))

    def times(self, factors: np.ndarray) -> PickedRows:
        return PickedRows(self.units, self.factors * factors)

    def matrix(self, count: int) -> np.ndarray:
        full = np.zeros((len(self.units), count))
        full[np.arange(len(self.units)), self.units] = self.factors
        return full

    def through(self, weights: np.ndarray, count: int) -> np.ndarray:
        """weights (m, n) times this, (m, count); with whole and equal factors no number is changed."""
        if np.all(self.factors == 1) and np.array_equal(np.sort(self.units), np.arange(count)):
            return weights[:, np.argsort(self.units)]
        full = np.zeros((len(weights), count))
        np.add.at(full.T, self.units, (weights.astype(float) * self.factors).T)
        return full

    @property
    def used(self) -> np.ndarray:
        """The numbers of the units on which it depends, ascending."""
        return np.unique(self.units[self.factors != 0])


@dataclass(frozen=True, eq=False)
class FullRows:
    """Each row is a weighted sum of the group's units: (n, count), float32 while no arithmetic has been done."""

    array: np.ndarray

    def rows(self, at: np.ndarray) -> FullRows:
        return FullRows(np.where((at < 0)[:, None], 0, self.array[at]))

    def times(self, factors: np.ndarray) -> FullRows:
        return self if np.all(factors == 1) else FullRows(self.array * factors[:, None])

    def matrix(self, count: int) -> np.ndarray:
        return self.array

    def through(self, weights: np.ndarray, count: int) -> np.ndarray:
        return weights.astype(float) @ self.array.astype(float)

    @property
    def used(self) -> np.ndarray:
        return np.flatnonzero(self.array.any(axis=0))


Term = PickedRows | FullRows


@dataclass(frozen=True, eq=False)
class Sums:
    """(n,) numbers: for each row a constant plus weighted sums of the units of some groups.

    terms   {group: Term}
    bias    (n,) float64
    """

    terms: Mapping[UnitGroup, Term]
    bias: np.ndarray

    @property
    def size(self) -> int:
        return len(self.bias)

    @property
    def depth(self) -> int:
        """The number of activations on the longest way from the inputs."""
        return max((group.depth for group in self.terms), default=0)

    @property
    def has_full(self) -> bool:
        return any(isinstance(term, FullRows) for term in self.terms.values())

    @property
    def unit_count(self) -> int:
        """How many units it depends on."""
        return sum(len(term.used) for term in self.terms.values())

    def rows(self, at: np.ndarray, filling: float = 0.0) -> Sums:
        """Its rows at places; a place of -1 gives the number `filling`."""
        at = np.asarray(at).reshape(-1)
        bias = np.where(at < 0, filling, self.bias[at])
        return Sums({g: term.rows(at) for g, term in self.terms.items()}, bias)

    def times(self, factors: np.ndarray | float) -> Sums:
        factors = np.broadcast_to(np.asarray(factors, float), self.bias.shape)
        return Sums({g: term.times(factors) for g, term in self.terms.items()}, self.bias * factors)

    def plus(self, shift: np.ndarray | float) -> Sums:
        return Sums(self.terms, self.bias + shift)

    def added(self, other: Sums) -> Sums:
        terms = dict(self.terms)
        for group, term in other.terms.items():
            terms[group] = _joined(terms[group], term, group.count) if group in terms else term
        return Sums(terms, self.bias + other.bias)

    def through(self, weights: np.ndarray, bias: np.ndarray | float = 0.0) -> Sums:
        """weights (m, n) times this + bias (m,)."""
        terms = {g: FullRows(term.through(weights, g.count)) for g, term in self.terms.items()}
        shift = weights.astype(float) @ self.bias if self.bias.any() else np.zeros(len(weights))
        return Sums(terms, shift + bias)


@dataclass(eq=False)
class UnitGroup:
    """Units that an activation gives, all of one tensor; the inputs have none.

    count        how many
    sums         what the activation is applied to, one for each unit; None of the inputs
    activation   as text; "" of the inputs
    depth        number of activations on the longest way from the inputs to it, its own included
    """

    count: int
    sums: Sums | None = None
    activation: str = ""
    depth: int = field(init=False)
    number: int = field(init=False, default_factory=itertools.count().__next__)  # in the order of making

    def __post_init__(self):
        self.depth = 0 if self.sums is None else self.sums.depth + 1

    def all(self) -> Sums:
        """Its units, as Sums."""
        return Sums({self: PickedRows(np.arange(self.count), np.ones(self.count))}, np.zeros(self.count))


def stacked(parts: Sequence[Sums]) -> Sums:
    """The rows of several Sums, one after another."""
    ends = np.cumsum([0, *(part.size for part in parts)])
    whole = Sums({}, np.zeros(ends[-1]))
    for part, first in zip(parts, ends, strict=False):
        at = np.full(ends[-1], -1)
        at[first : first + part.size] = np.arange(part.size)
        whole = whole.added(part.rows(at))
    return whole


def _joined(a, b, count):
    if isinstance(a, PickedRows) and isinstance(b, PickedRows):
        free = (a.factors == 0) | (b.factors == 0) | (a.units == b.units)
        if free.all():
            return PickedRows(np.where(a.factors == 0, b.units, a.units), a.factors + b.factors)
    return FullRows(a.matrix(count) + b.matrix(count))
