"""A rectangle cut along the zero sets of functions that are linear on each of its faces: an exact subdivision.

After Berzins, "Polyhedral complex extraction from ReLU networks using edge subdivision" (ICML 2023): vertices carry the
functions' values, an edge whose ends differ in sign is cut, and only its new vertex is computed. Here faces have
numbers in place of sign vectors.
"""

import numpy as np

from engine.errors import NetworkError
from engine.regions.arrangement import Cut, Rows

# Past this many faces neither a screen nor a vector file shows them, and memory runs short: 128 numbers a vertex are
# 1 GB at a million.
MOST_FACES = 1_000_000


class Subdivision:
    """Vertices, edges between them, and the faces on both sides of each edge; the faces are convex.

    vertices     Rows (V, 2), float64
    ends         Rows (E, 2), the vertices of an edge, first and last
    faces        Rows (E, 2), the face on its left and on its right going from first to last; -1 outside
    owner        Rows (E,), the function whose zero set the edge is; -1 for the rectangle's own sides
    count        number of faces
    parents      a list: for each layer cut, (faces after it,), the face that each was part of before it
    coincident   (C, 2): an edge, and a function that does not own it but whose zero set lies on it too
    """

    def __init__(self, low, high):
        (left, bottom), (right, top) = low, high
        self.vertices = Rows(np.array([[left, bottom], [right, bottom], [right, top], [left, top]], float))
        self.ends = Rows(np.array([[0, 1], [1, 2], [2, 3], [3, 0]]))
        self.faces = Rows(np.array([[0, -1]] * 4))
        self.owner = Rows(np.full(4, -1))
        self.count = 1
        self.parents = []
        self.coincident = np.empty((0, 2), int)

    def cut(self, values: np.ndarray, tolerance: np.ndarray, owner: int) -> np.ndarray:
        """Cuts the faces along the zero sets of functions that are linear on each face and continuous.

        values      (V, n), at the vertices
        tolerance   (n,), smaller values are zero; infinity for functions that cut nothing and are only interpolated
        owner       the number of the first function; the others follow it
        returns     (V', n), the values at all vertices, the new ones included

        Where two zero sets coincide, the first function owns the edge and `coincident` names the second.
        Raises NetworkError when there are more than MOST_FACES faces.
        """
        cut = Cut(self, values, tolerance, owner)
        cut.old_edges()
        while cut.next_functions():
            cut.new_edges()
            cut.split_faces()
            if self.count > MOST_FACES:
                raise NetworkError(
                    f"The network has more than {MOST_FACES:,} linear regions here. "
                    "Take a smaller rectangle or fewer layers."
                )
        self.coincident = np.concatenate([self.coincident, cut.coincident()])
        self.parents.append(cut.root.all)
        return cut.values.all

    def rename(self, owner: int, numbers: np.ndarray) -> None:
        """Gives the functions of the last cut, which began with number `owner`, the numbers owner + numbers."""
        new = owner + np.asarray(numbers)
        owners, beside = self.owner.all, self.coincident[:, 1]
        for who in (owners, beside):
            some = who >= owner
            who[some] = new[who[some] - owner]

    def split_edges(self, edges: np.ndarray, vertices: np.ndarray, ends: np.ndarray) -> int:
        """Each edge now ends at its new vertex; a new edge with its faces and owner goes on from there.

        edges      (M,), the edges; one that is cut more than once stands there for each piece, in order along it
        vertices   (M,), where the piece begins
        ends       (M,), where it ends
        returns    the number of the first new edge
        """
        new = self.ends.add(np.array([vertices, ends]).T)
        self.faces.add(self.faces.full[edges])
        self.owner.add(self.owner.full[edges])
        # Backwards: of an edge's new vertices the first is written last, and stays.
        self.ends.full[edges[::-1], 1] = vertices[::-1]
        return new

    def keep_edges(self, keep: np.ndarray, merged: np.ndarray) -> None:
        """Removes edges, and vertices without any edge left.

        keep     (E,) bool
        merged   (count,), the new number of each face, for faces that became one; from 0 without gaps
        """
        number = np.cumsum(keep) - 1
        self.coincident = self.coincident[keep[self.coincident[:, 0]]]
        self.coincident[:, 0] = number[self.coincident[:, 0]]
        ends = self.ends.all[keep]
        used = np.zeros(self.vertices.used, bool)
        used[ends] = True
        self.vertices = Rows(self.vertices.all[used])
        self.ends = Rows((np.cumsum(used) - 1)[ends])
        self.faces = Rows(np.append(merged, -1)[self.faces.all[keep]])
        self.owner = Rows(self.owner.all[keep])
        self.count = int(merged.max()) + 1
        self.parents.append(np.unique(merged, return_index=True)[1])
