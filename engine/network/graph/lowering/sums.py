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
    """Each row is one unit, times a factor: units (n,) int, -1 where the row has none; factors (n,) float64."""

    units: np.ndarray
    factors: np.ndarray

    def rows(self, at: np.ndarray) -> PickedRows:
        """Its rows at places; a place of -1 gives an empty row."""
        return PickedRows(np.where(at < 0, -1, self.units[at]), self.factors[at])

    def times(self, factors: np.ndarray) -> PickedRows:
        return PickedRows(self.units, self.factors * factors)

    def full(self, count: int) -> FullRows:
        array, takes = np.zeros((len(self.units), count)), np.zeros((len(self.units), count), bool)
        there = np.flatnonzero(self.units >= 0)
        array[there, self.units[there]], takes[there, self.units[there]] = self.factors[there], True
        return FullRows(array, takes)

    def through(self, weights: np.ndarray, takes: np.ndarray, count: int) -> FullRows:
        """weights (m, n) times this; where the rows are all units as they are, no number is changed."""
        if np.all(self.factors == 1) and np.array_equal(np.sort(self.units), np.arange(count)):
            order = np.argsort(self.units)
            return FullRows(weights[:, order], takes[:, order])
        there = self.units >= 0
        array, taken = np.zeros((count, len(weights))), np.zeros((count, len(weights)), bool)
        np.add.at(array, self.units[there], (weights.astype(float) * self.factors).T[there])
        np.logical_or.at(taken, self.units[there], takes.T[there])
        return FullRows(array.T, taken.T)

    @property
    def used(self) -> np.ndarray:
        """The numbers of the units on which it depends, ascending."""
        return np.unique(self.units[self.units >= 0])


@dataclass(frozen=True, eq=False)
class FullRows:
    """Each row is a weighted sum of the group's units.

    array   (n, count), float32 while no arithmetic has been done
    takes   (n, count) bool: which units a row takes, by how it was made; a weight that is 0 by training counts
    """

    array: np.ndarray
    takes: np.ndarray

    def rows(self, at: np.ndarray) -> FullRows:
        gone = (at < 0)[:, None]
        return FullRows(np.where(gone, 0, self.array[at]), self.takes[at] & ~gone)

    def times(self, factors: np.ndarray) -> FullRows:
        return self if np.all(factors == 1) else FullRows(self.array * factors[:, None], self.takes)

    def full(self, count: int) -> FullRows:
        return self

    def through(self, weights: np.ndarray, takes: np.ndarray, count: int) -> FullRows:
        array = weights.astype(float) @ self.array.astype(float)
        if takes.all():
            return FullRows(array, np.broadcast_to(self.takes.any(axis=0), array.shape))
        return FullRows(array, takes.astype(np.float32) @ self.takes.astype(np.float32) > 0)

    @property
    def used(self) -> np.ndarray:
        return np.flatnonzero(self.takes.any(axis=0))


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

    def through(self, weights: np.ndarray, bias: np.ndarray | float = 0.0, takes: np.ndarray | None = None) -> Sums:
        """weights (m, n) times this + bias (m,); takes (m, n): which rows a sum takes; None: those not times 0."""
        takes = weights != 0 if takes is None else takes
        terms = {g: term.through(weights, takes, g.count) for g, term in self.terms.items()}
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
        first, second = a.units >= 0, b.units >= 0
        if not (first & second & (a.units != b.units)).any():
            factors = np.where(first, a.factors, 0.0) + np.where(second, b.factors, 0.0)
            return PickedRows(np.where(first, a.units, b.units), factors)
    a, b = a.full(count), b.full(count)
    return FullRows(a.array + b.array, a.takes | b.takes)
