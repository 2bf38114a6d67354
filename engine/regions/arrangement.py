"""How one layer of functions cuts a subdivision: all edges at once, then each face's lines one after another.

An edge that was there before the layer meets each function at most once, so all its crossings are known at once. What
is left is inside the old faces, where the functions are straight lines: in each round every old face takes the next of
its own lines. There are as many rounds as the busiest face has lines, and a round touches only faces with lines left.
"""

import numpy as np


class Rows:
    """An array that grows by rows; its room is doubled when it runs out. The first array is not copied.

    full   the array with its spare room: right for reading by index
    used   how many rows are in use
    all    those rows, a view
    """

    def __init__(self, start):
        self.full = np.asarray(start)
        self.used = len(self.full)

    @property
    def all(self) -> np.ndarray:
        return self.full[: self.used]

    def add(self, rows: np.ndarray) -> int:
        """Appends rows; returns the number of the first."""
        first, self.used = self.used, self.used + len(rows)
        if self.used > len(self.full):
            # np.empty: the system allocates pages only when they are written, so spare room costs nothing.
            more = np.empty((2 * self.used, *self.full.shape[1:]), self.full.dtype)
            more[:first] = self.full[:first]
            self.full = more
        self.full[first : self.used] = rows
        return first


class Cut:
    """The cuts of one layer, in progress.

    A half-edge is one side of an edge, number 2 * edge + side: side 0 runs from its first vertex to its last with the
    face on the left, side 1 back with the face on the right.

    values   Rows (V, n) and `signs` Rows (V, n) int8, the functions at the vertices
    """

    def __init__(self, plane, values, tolerance, owner):
        self.plane, self.tolerance, self.owner = plane, tolerance, owner
        self.values = Rows(values)
        self.signs = Rows(_signs(values, tolerance))

    def old_edges(self) -> None:
        """Puts vertices where functions cross the edges, and finds which functions each face may be cut by."""
        edges, functions = _changes(self.signs.all, self.plane.ends.all)
        faces = self.plane.faces.full[edges]
        self._lines(faces.ravel(), np.repeat(functions, 2))
        first, last = self.plane.ends.full[edges].T
        crossed = np.flatnonzero(self.signs.full[first, functions] * self.signs.full[last, functions] < 0)
        if len(crossed):
            self._subdivide(edges[crossed], functions[crossed])
        self._begin()

    def _lines(self, faces, functions):
        """The list of each face's functions, one after another: face f has `listed[at[f] : at[f] + lines[f]]`."""
        inside = faces >= 0
        width = len(self.tolerance)
        keys = np.unique(faces[inside] * width + functions[inside])
        self.listed = keys % width
        self.lines = np.bincount(keys // width, minlength=self.plane.count)
        self.at = np.cumsum(self.lines) - self.lines

    def _subdivide(self, edges, functions):
        """The crossings of edges, sorted along each; those that rounding cannot tell apart share a vertex."""
        first, last = self.plane.ends.full[edges].T
        start, end = self.values.full[first, functions], self.values.full[last, functions]
        along = start / (start - end)
        order = np.lexsort((along, edges))
        columns = (edges, functions, first, last, start, end, along)
        edges, functions, first, last, start, end, along = (x[order] for x in columns)
        slope, limit = end - start, self.tolerance[functions]
        later = np.abs(start[1:] + along[:-1] * slope[1:]) <= limit[1:]
        earlier = np.abs(start[:-1] + along[1:] * slope[:-1]) <= limit[:-1]
        apart = np.append(True, (edges[1:] != edges[:-1]) | ~(later | earlier))
        vertex = self._add_vertices(first[apart], last[apart], along[apart]) + np.cumsum(apart) - 1
        self._set_zero(vertex, functions)
        edges, last, vertex = edges[apart], last[apart], vertex[apart]
        more = np.append(edges[1:] == edges[:-1], False)
        pieces = self.plane.split_edges(edges, vertex, np.where(more, np.append(vertex[1:], -1), last))
        self._inherit(edges, pieces)

    def _inherit(self, edges, pieces):
        """What coincides with an edge coincides with its pieces."""
        known = self.plane.coincident
        if len(known):
            piece, pair = np.nonzero(edges[:, None] == known[:, 0])
            more = np.stack([pieces + piece, known[pair, 1]], 1)
            self.plane.coincident = np.concatenate([known, more])

    def _add_vertices(self, first, last, along):
        """Vertices between first and last, with all functions' values; returns the number of the first."""
        weight = along[:, None]
        values = _between(self.values.full, first, last, weight)
        self.values.add(values)
        self.signs.add(_signs(values, self.tolerance))
        return self.plane.vertices.add(_between(self.plane.vertices.full, first, last, weight))

    def _set_zero(self, vertices, functions):
        """Sets functions to exactly 0 at the vertices of their own crossings, in place of interpolated values."""
        self.values.full[vertices, functions] = 0
        self.signs.full[vertices, functions] = 0

    def _begin(self):
        """Collects the half-edges of all faces that have lines."""
        self.root = Rows(np.arange(self.plane.count))
        self.round = -1
        busy = np.append(self.lines > 0, False)
        self.half = np.flatnonzero(busy[self.plane.faces.all.ravel()])
        self.roots = self.plane.faces.full.reshape(-1)[self.half]

    def next_functions(self) -> bool:
        """Goes to each face's next function; False when no face has one left."""
        self.round += 1
        left = self.lines[self.roots] > self.round
        if not left.all():
            self.half, self.roots = self.half[left], self.roots[left]
        if not len(self.half):
            return False
        self.function = self.listed[self.at[self.roots] + self.round]
        ends, width = self.plane.ends.full.reshape(-1), len(self.tolerance)
        signs = self.signs.full.reshape(-1)
        self.from_sign = signs[ends[self.half] * width + self.function]
        self.to_sign = signs[ends[self.half ^ 1] * width + self.function]
        return True

    def new_edges(self) -> None:
        """Puts vertices where the lines cross those drawn before them in the same face."""
        crossed = np.flatnonzero(self.from_sign * self.to_sign < 0)
        if not len(crossed):
            return
        side = self.half[crossed] & 1
        back, crossed_once = crossed[side == 1], crossed[side == 0]
        edges, functions = self.half[crossed_once] >> 1, self.function[crossed_once]
        first, last = self.plane.ends.full[edges].T
        start, end = self.values.full[first, functions], self.values.full[last, functions]
        vertex = self._add_vertices(first, last, start / (start - end)) + np.arange(len(edges))
        self._set_zero(vertex, functions)
        piece = self.plane.split_edges(edges, vertex, last)
        far = self.to_sign[crossed_once]
        self.to_sign[crossed_once] = 0
        self.from_sign[back] = 0
        self._take_up(piece, self.roots[crossed_once])
        signs = np.array([np.zeros_like(far), far]).T
        self.from_sign = np.concatenate([self.from_sign, signs.ravel()])
        self.to_sign = np.concatenate([self.to_sign, signs[:, ::-1].ravel()])

    def _take_up(self, edge, roots):
        """Adds both sides of new edges, numbered from `edge` on, to the half-edges."""
        self.half = np.concatenate([self.half, np.arange(2 * edge, 2 * (edge + len(roots)))])
        self.roots = np.concatenate([self.roots, roots.repeat(2)])

    def split_faces(self) -> None:
        """Cuts each face that has both signs: the positive part keeps its number, the rest becomes a new face.

        Going round a face, its positive vertices are one run, whose ends are the two vertices that the new edge joins.
        """
        changing = np.flatnonzero(self.from_sign != self.to_sign)
        half, start, end = self.half[changing], self.from_sign[changing], self.to_sign[changing]
        face = self.plane.faces.full.reshape(-1)[half]
        begins, stops = (start == 0) & (end > 0), (start > 0) & (end == 0)
        negative = np.zeros(self.plane.count, bool)
        negative[face[end < 0]] = True
        split = face[begins]
        split = split[negative[split]]
        if not len(split):
            return
        ends = self.plane.ends.full.reshape(-1)
        join = np.empty((2, self.plane.count), int)
        join[0, face[stops]] = ends[half[stops] ^ 1]
        join[1, face[begins]] = ends[half[begins]]
        positive = self.from_sign + self.to_sign > 0
        new = np.full(self.plane.count, -1)
        new[split] = order = np.arange(len(split))
        if (new[split] != order).any():
            split, positive = self._untangle(split, positive, join)
            order = np.arange(len(split))
        new[split] = self.plane.count + order
        self._divide(split, new, positive, join)

    def _divide(self, split, new, positive, join):
        faces = self.plane.faces.full.reshape(-1)
        other = np.flatnonzero(~positive)
        moved = new[faces[self.half[other]]]
        other = other[moved >= 0]
        faces[self.half[other]] = moved[moved >= 0]
        roots = self.root.full[split]
        self.root.add(roots)
        functions = self.listed[self.at[roots] + self.round]
        edge = self.plane.ends.add(join[:, split].T)
        self.plane.faces.add(np.array([split, new[split]]).T)
        self.plane.owner.add(self.owner + functions)
        self.plane.count += len(split)
        self._take_up(edge, roots)

    def _untangle(self, split, positive, join):
        """For faces so thin that rounding splits the positive run: keeps its longest part, off by rounding only."""
        ends, faces = self.plane.ends.full.reshape(-1), self.plane.faces.full.reshape(-1)[self.half]
        split, times = np.unique(split, return_counts=True)
        for face in split[times > 1]:
            ring = np.flatnonzero(faces == face)
            after = {ends[self.half[i]]: i for i in ring}
            runs = []
            for i in ring[(self.from_sign[ring] == 0) & positive[ring]]:
                run = [i]
                while self.to_sign[run[-1]] > 0:
                    run.append(after[ends[self.half[run[-1]] ^ 1]])
                runs.append(run)
            longest = max(runs, key=len)
            positive[ring] = False
            positive[longest] = True
            join[:, face] = ends[self.half[longest[-1]] ^ 1], ends[self.half[longest[0]]]
        return split, positive

    def coincident(self) -> np.ndarray:
        """(C, 2): edges with functions that have a boundary there without owning it."""
        signs, ends, faces = self.signs.all, self.plane.ends.all, self.plane.faces.all
        zero = np.packbits(signs == 0, axis=1)
        zero &= np.packbits(signs.any(0))  # a function that is zero everywhere has no boundary
        both = zero[ends[:, 0]] & zero[ends[:, 1]]
        own = self.plane.owner.all - self.owner
        mine = np.flatnonzero(own >= 0)
        both[mine, own[mine] >> 3] &= ~(128 >> (own[mine] & 7)).astype(np.uint8)
        found = [np.empty((0, 2), int)]
        for function in np.flatnonzero(np.unpackbits(np.bitwise_or.reduce(both, 0))):
            edges = np.flatnonzero(both[:, function >> 3] & (128 >> (function & 7)))
            edges = edges[_sides_differ(signs[:, function], ends, faces, self.plane.count, edges)]
            found.append(np.stack([edges, np.full(len(edges), self.owner + function)], 1))
        return np.concatenate(found)


def _between(rows, first, last, weight):
    start = rows[first]
    return start + weight * (rows[last] - start)


def _signs(values, tolerance):
    return (values > tolerance).view(np.int8) - (values < -tolerance).view(np.int8)


def _changes(signs, ends):
    """(edges, functions): all pairs where the signs at an edge's two ends differ, by edge.

    Signs are compared as bits, 8 functions at once: among 100,000 edges and 128 functions few pairs differ.
    """
    bits = np.concatenate([np.packbits(signs > 0, axis=1), np.packbits(signs < 0, axis=1)], axis=1)
    differ = bits[ends[:, 0]] ^ bits[ends[:, 1]]
    half = differ.shape[1] // 2
    differ = differ[:, :half] | differ[:, half:]
    edge, byte = np.nonzero(differ)
    which, bit = np.nonzero(np.unpackbits(differ[edge, byte][:, None], axis=1))
    return edge[which], 8 * byte[which] + bit


def _sides_differ(signs, ends, faces, count, edges):
    """(M,) bool: whether a function is positive on just one side of edges where it is zero; on the rectangle's side,
    whether it is anything but zero."""
    start, end = signs[ends].T
    positive, negative = np.zeros(count + 1, bool), np.zeros(count + 1, bool)
    positive[faces[(start > 0) | (end > 0)]] = True
    negative[faces[(start < 0) | (end < 0)]] = True
    positive[-1] = negative[-1] = False
    left, right = faces[edges].T
    outside = (right < 0) | (left < 0)
    return np.where(outside, positive[left] | positive[right] | negative[left] | negative[right],
                    positive[left] != positive[right])  # fmt: skip
