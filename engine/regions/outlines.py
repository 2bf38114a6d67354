"""Rings round faces and paths along edges, from numbers of vertices and edges alone: no angle is computed."""

import numpy as np


def rings(ends: np.ndarray, faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(starts (count + 1,), vertices): face f's vertices, counter-clockwise, are vertices[starts[f] : starts[f + 1]].

    ends, faces   (E, 2) as a Subdivision's
    """
    face, start, stop = faces.ravel(), ends.ravel(), ends[:, ::-1].ravel()
    inside = face >= 0
    face, start, stop = face[inside], start[inside], stop[inside]
    span = int(ends.max()) + 1
    # A face meets a vertex once, so the half-edge that leaves it there follows the one that comes in.
    leaving, coming = np.argsort(face * span + start), np.argsort(face * span + stop)
    after = np.empty(len(face), int)
    after[coming] = leaving
    sizes = np.bincount(face, minlength=count)
    starts = np.append(0, np.cumsum(sizes))
    ordered = np.empty(len(face), int)
    at, left = leaving[starts[:-1]], np.arange(count)
    for step in range(int(sizes.max())):
        ordered[starts[left] + step] = start[at]
        more = sizes[left] > step + 1
        left, at = left[more], after[at[more]]
    return starts, ordered


def paths(ends: np.ndarray) -> list[list[int]]:
    """The paths that edges make: lists of vertex numbers, with each edge once. Paths end where edges branch; a closed
    path ends with its first vertex.

    ends   (E, 2)
    """
    at: dict[int, list[int]] = {}
    for edge, pair in enumerate(ends.tolist()):
        for vertex in pair:
            at.setdefault(vertex, []).append(edge)
    pairs, free = ends.tolist(), [True] * len(ends)

    def walk(vertex):
        path = [vertex]
        while True:
            edge = next((e for e in at[vertex] if free[e]), None)
            if edge is None:
                return path
            free[edge] = False
            vertex = pairs[edge][0] + pairs[edge][1] - vertex
            path.append(vertex)
            if len(at[vertex]) != 2:
                return path

    tips = [vertex for vertex, edges in at.items() if len(edges) != 2]
    found = [walk(vertex) for vertex in tips for edge in at[vertex] if free[edge]]
    return found + [walk(pairs[edge][0]) for edge in range(len(pairs)) if free[edge]]


def meetings(ends: np.ndarray, who: np.ndarray) -> tuple[np.ndarray, ...]:
    """(vertex, who, first edge, last edge, count of edges) for the edges of each `who` at each vertex, sorted.

    ends   (E, 2)
    who    (E,), from 0 on
    """
    vertex, edge = ends.ravel(), np.repeat(np.arange(len(ends)), 2)
    key = vertex * (int(who.max(initial=0)) + 1) + who[edge]
    order = np.argsort(key, kind="stable")
    key, edge = key[order], edge[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    last = np.append(first[1:], len(key)) - 1
    return vertex[order][first], who[edge[first]], edge[first], edge[last], last - first + 1
