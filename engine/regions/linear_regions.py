"""The exact linear regions of a network on a rectangle of a plane, and the boundaries between them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError
from engine.kept import once
from engine.network.history import Domain
from engine.network.mlp import Mlp
from engine.regions import outlines
from engine.regions.decision import cut_decision, decision_layer
from engine.regions.partition import Subdivision
from engine.regions.plane import EPSILON, SAFETY, PlaneLayer, active, affine, codes, folded

# Least tolerance, so that an exact 0 counts as zero even where there is no rounding.
TINY = 1e-300
# Largest sum: squares, and sums after another layer of float32 weights, are still in float64's range.
HUGE = 1e100
# Up to so many points are located by their nearest edge; only for more do the patterns of all regions pay.
FEW = 50
# A path has a kink where its direction changes by more than this, in radians; rounding changes it far less.
BEND = 1e-6


@dataclass(frozen=True, eq=False)
class Partition:
    """A rectangle cut into the regions on which a network is linear. Neurons are numbered from 0 on, layer by layer.

    vertices     (V, 2), world, float64
    edges        (E, 2), vertices from and to; a neuron is active on the left of its edges
    faces        (E, 2), the region on the left and on the right of each; -1 outside the rectangle
    owner        (E,), the neuron whose boundary it is; -1 for the rectangle's sides, `neurons` for the decision
    coincident   (C, 2), an edge, and a neuron that does not own it but whose boundary lies on it too
    count        number of regions
    sizes        neurons of each hidden layer
    after        number of regions after each hidden layer
    low, high    (2,), the rectangle
    """

    vertices: np.ndarray
    edges: np.ndarray
    faces: np.ndarray
    owner: np.ndarray
    coincident: np.ndarray
    count: int
    sizes: tuple
    after: tuple
    low: np.ndarray
    high: np.ndarray
    _layers: list
    _deciding: PlaneLayer | None
    _parents: list
    _never: np.ndarray
    _always: np.ndarray

    @property
    def neurons(self) -> int:
        return sum(self.sizes)

    @once
    def layer_of(self) -> np.ndarray:
        """(neurons + 1,): each neuron's hidden layer; the decision comes after the last."""
        return np.repeat(np.arange(len(self.sizes) + 1), [*self.sizes, 1])

    @once
    def _pieces(self):
        """(edge, who) of all boundaries, owners and coincident ones, sorted by who."""
        owned = np.flatnonzero(self.owner >= 0)
        edge = np.append(owned, self.coincident[:, 0])
        who = np.append(self.owner[owned], self.coincident[:, 1])
        order = np.argsort(who, kind="stable")
        return edge[order], who[order]

    def edges_of(self, neuron: int) -> np.ndarray:
        """(S,): the edges a neuron's boundary consists of, those it shares included; `neurons` for the decision."""
        edge, who = self._pieces
        return edge[slice(*np.searchsorted(who, [neuron, neuron + 1]))]

    def segments(self, neuron: int) -> np.ndarray:
        """(S, 2, 2): the ends of the pieces of a neuron's boundary, world."""
        return self.vertices[self.edges[self.edges_of(neuron)]]

    def polylines(self, neuron: int) -> list[np.ndarray]:
        """A neuron's boundary as few paths: list of (n, 2), world; a closed one ends where it began.

        Vertices where it is straight, since only its own or later layers' lines meet there, are left out.
        """
        edges = self.edges[self.edges_of(neuron)]
        may_bend = self._earliest < self.layer_of[neuron]
        paths = outlines.paths(edges)
        return [self.vertices[[path[0], *(v for v in path[1:-1] if may_bend[v]), path[-1]]] for path in paths]

    @once
    def _earliest(self):
        """(V,): the first layer that has an edge at each vertex; -1 on the rectangle's sides."""
        layer = np.append(self.layer_of, -1)[self.owner]
        earliest = np.full(len(self.vertices), len(self.sizes))
        np.minimum.at(earliest, self.edges[:, 0], layer)
        np.minimum.at(earliest, self.edges[:, 1], layer)
        return earliest

    @once
    def _rings(self):
        return outlines.rings(self.edges, self.faces, self.count)

    def polygons(self) -> list[np.ndarray]:
        """The regions' outlines: list of (n, 2), world, counter-clockwise, in the order of the regions' numbers."""
        starts, ring = self._rings
        return np.split(self.vertices[ring], starts[1:-1])

    @once
    def centres(self) -> np.ndarray:
        """(count, 2): the mean of each region's corners, a point inside it."""
        starts, ring = self._rings
        return np.add.reduceat(self.vertices[ring], starts[:-1]) / np.diff(starts)[:, None]

    def affine(self) -> np.ndarray:
        """(count, outputs, 3): (A | c), with which the last layer's sums, before its activation, are A p + c."""
        return affine(self._layers, self.centres, self._parents)

    def active(self) -> np.ndarray:
        """(count, neurons) bool: which neurons are active in each region."""
        return active(self._layers, self.centres)

    @once
    def _codes(self):
        found = codes(self._layers, self._deciding, self.centres)
        order = np.argsort(found)
        return found[order], order

    def at(self, points: ArrayLike) -> np.ndarray:
        """(N,): the region of each of (N, 2) world points; -1 outside the rectangle, either side on a boundary."""
        points = np.asarray(points, float).reshape(-1, 2)
        inside = ((points >= self.low) & (points <= self.high)).all(1)
        region, found = np.full(len(points), -1), np.zeros(len(points), bool)
        if len(points) > FEW:
            known, order = self._codes
            mine = codes(self._layers, self._deciding, points)
            place = np.minimum(np.searchsorted(known, mine), self.count - 1)
            # Rounding may put a point on different sides of two boundaries that coincide: no region has that pattern.
            found = inside & (known[place] == mine)
            region[found] = order[place[found]]
        for lost in np.flatnonzero(inside & ~found):
            region[lost] = self._region_beside_nearest_edge(points[lost])
        return region

    def _region_beside_nearest_edge(self, point):
        """The region of a point inside the rectangle: the face on its side of the nearest edge.

        Regions are convex: seen from inside, the nearest point of the outline is within an edge, never a corner.
        """
        start, step = self._lines
        distance = _distances(point, start, step)
        # At a vertex several edges are equally near: the side is clearest for the edge whose line is farthest.
        close = np.flatnonzero(distance <= distance.min() + SAFETY * EPSILON * np.abs(self.vertices).max())
        (x, y), (along, up) = point[:, None] - start[:, close], step[:, close]
        cross = along * y - up * x
        best = np.argmax(np.abs(cross) / np.maximum(np.hypot(along, up), TINY))
        left, right = self.faces[close[best]]
        return left if right < 0 or (cross[best] >= 0 and left >= 0) else right

    @once
    def _lines(self):
        """(start, step) of all edges, each (2, E)."""
        start, stop = self.vertices[self.edges].transpose(1, 2, 0).copy()
        return start, stop - start

    @once
    def _piece_lines(self):
        """(start, step) of the pieces of boundaries, each (2, S)."""
        return tuple(line[:, self._pieces[0]] for line in self._lines)

    def nearest(self, point: ArrayLike, among: ArrayLike | None = None) -> tuple[float, int | None]:
        """(distance, neuron): the boundary nearest to a world point; `neurons` for the decision.

        among   (neurons + 1,) bool: only those count
        returns (infinity, None) when there is none
        """
        _, who = self._pieces
        distance = _distances(np.asarray(point, float), *self._piece_lines)
        if among is not None:
            distance[~np.asarray(among, bool)[who]] = np.inf
        least = int(np.argmin(distance)) if len(distance) else None
        if least is None or distance[least] == np.inf:
            return np.inf, None
        return float(distance[least]), int(who[least])

    def dead(self) -> np.ndarray:
        """The neurons that are active nowhere in the rectangle."""
        return np.flatnonzero(self._never)

    def always(self) -> np.ndarray:
        """The neurons that are active all over the rectangle."""
        return np.flatnonzero(self._always)

    def kinks(self) -> np.ndarray:
        """(K, 3): a vertex, a neuron whose boundary bends there, and one of an earlier layer whose boundary it crosses.

        The decision counts as the neuron `neurons`, of a layer after the last.
        """
        edge, who = self._pieces
        vertex, neuron, first, last, times = outlines.meetings(self.edges[edge], who)
        bent = (times > 2) | ((times == 2) & (self._angle(vertex, edge[first], edge[last]) > BEND))
        layer, found = self.layer_of[neuron], []
        for apart in range(1, int(np.bincount(vertex).max(initial=0))):
            a = np.flatnonzero(vertex[apart:] == vertex[:-apart])
            # Neurons are numbered layer by layer: at one vertex the later layer's comes later.
            b = a + apart
            crossing = bent[b] & (layer[a] < layer[b])
            found.append(np.stack([vertex[a], neuron[b], neuron[a]], 1)[crossing])
        return np.concatenate([np.empty((0, 3), int), *found])

    def _angle(self, vertex, first, last):
        """By how many radians the direction changes between a path's two edges at each vertex."""
        a, b = (self.vertices[self.edges[e].sum(1) - vertex] - self.vertices[vertex] for e in (first, last))
        return np.pi - np.abs(np.arctan2(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], (a * b).sum(1)))


def regions(
    net: Mlp,
    domain: Domain | None = None,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    decision: bool = True,
) -> Partition:
    """The Partition of a rectangle into the regions on which the network is linear.

    net        an Mlp of any depth whose hidden layers are of straight pieces: relu, leaky_relu, identity, which has no
               boundaries, and the like; units of a layer may differ
    domain     the plane through its inputs, and the rectangle; None takes two inputs as they are
    low, high  (2,), world: another rectangle than the domain's; without a domain the unit square
    decision   cut along the decision boundary too: where two outputs are equal, where the largest of more changes, or
               where a single one's weighted sum is 0

    Raises NetworkError for other activations (a last one that does not keep the order of its sums has no decision),
    for a rectangle without area, and past a million regions.
    """
    layers = folded(net, domain)
    plane = Subdivision(*_rectangle(domain, low, high))
    deciding = decision_layer(net, layers) if decision else None
    corners = plane.vertices.all.copy()
    h, deviation = corners, EPSILON * np.abs(corners).max(0)
    owner, after = 0, []
    reached: list[np.ndarray] = []
    for number, layer in enumerate(layers[:-1]):
        z, deviation = _sums(layer, h, net), layer.deviation(deviation, h)
        if layer.bends:
            tolerance = SAFETY * deviation + TINY
            layers[number] = replace(layer, tolerance=tolerance)
            off = z - layer.bend.first
            here = np.array([(off > tolerance).any(0), (off < -tolerance).any(0)])
            reached.append(here | ~layer.bend.has_kink)
            z = _cut(plane, layers[number], z, owner)
        else:
            reached.append(np.ones((2, len(layer.bias)), bool))
        h = layer.bent(z)
        owner += len(layer.bias)
        after.append(plane.count)
    if deciding is not None:
        deciding = replace(deciding, tolerance=SAFETY * deciding.deviation(deviation, h) + TINY)
        cut_decision(plane, _sums(deciding, h, net), deciding.tolerance, owner)
    above, below = np.concatenate([np.empty((2, 0), bool), *reached], axis=1)
    sizes = tuple(len(x.bias) for x in layers[:-1])
    return Partition(
        plane.vertices.all, plane.ends.all, plane.faces.all, plane.owner.all, plane.coincident, plane.count,
        sizes, tuple(after), corners[0], corners[2], layers, deciding, _parents(plane, layers), ~above, above & ~below,
    )  # fmt: skip


def _cut(plane, layer, z, owner):
    """Cuts at the kinks of a layer, given its sums at the vertices; returns them at all vertices, the new ones too."""
    units, places, straight = layer.bend.units, layer.bend.places, np.flatnonzero(~layer.bend.has_kink)
    if len(units) == z.shape[1] and not len(straight):
        return plane.cut(z - places, layer.tolerances, owner) + places
    # Sums that nothing bends come along.
    columns = np.concatenate([z[:, units] - places, z[:, straight]], axis=1)
    found = plane.cut(columns, np.append(layer.tolerances, np.full(len(straight), np.inf)), owner)
    plane.rename(owner, units)
    z = np.empty((len(found), z.shape[1]))
    z[:, straight] = found[:, len(units) :]
    z[:, units[::-1]] = (found[:, : len(units)] + places)[:, ::-1]
    return z


def _parents(plane, layers):
    """For each layer, the face before its cuts of each face after them; the decision's cuts count as the last's."""
    cuts, count = iter(plane.parents), 1
    found: list[np.ndarray] = []
    for layer in layers[:-1]:
        found.append(next(cuts) if layer.bends else np.arange(count))
        count = len(found[-1])
    last = np.arange(count)
    for parent in cuts:
        last = last[parent]
    return [*found, last]


def _rectangle(domain, low, high):
    low = (domain.low if domain else np.zeros(2)) if low is None else np.array(low, float)
    high = (domain.high if domain else np.ones(2)) if high is None else np.array(high, float)
    fits = low.shape == high.shape == (2,) and (np.abs([low, high]) < HUGE).all()
    if not fits or not (low < high).all():
        raise NetworkError(f"Regions need a rectangle from low (x, y) to a greater high (x, y), not {low} to {high}.")
    return low, high


def _sums(layer, h, net):
    with np.errstate(over="ignore", invalid="ignore"):
        sums = layer.sums(h)
    if not (np.abs(sums) < HUGE).all():
        raise NetworkError(f"{net} grows past {HUGE:g} in this rectangle. Take a smaller one, near 0.")
    return sums


def _distances(point, start, step):
    """(S,): how far a point is from segments, whose start and step are (2, S)."""
    x, y = point[:, None] - start
    squared = np.maximum(step[0] * step[0] + step[1] * step[1], TINY)
    along = np.clip((x * step[0] + y * step[1]) / squared, 0, 1)
    return np.hypot(x - along * step[0], y - along * step[1])
