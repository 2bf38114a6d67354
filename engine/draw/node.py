"""The scene graph: nodes with a transform, children and visibility."""

from __future__ import annotations

import inspect
import itertools
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import SceneError, SettingError, near

_ids = itertools.count(1)

SomeNode = TypeVar("SomeNode", bound="Node")


def transformed(matrix: np.ndarray, point: ArrayLike) -> np.ndarray:
    """(3,) matrix @ (point, 1), for a (4, 4) transform and a point (3,)."""
    return (matrix @ np.append(point, 1.0))[:3]


def box_chord(origin: np.ndarray, direction: np.ndarray, lower: ArrayLike, upper: ArrayLike) -> tuple[float, float]:
    """(start, end) of the part of a ray inside a box given by two corners; end <= start if it misses the box."""
    with np.errstate(all="ignore"):
        a, b = np.subtract(lower, origin) / direction, np.subtract(upper, origin) / direction
    return max(0.0, float(np.nanmax(np.minimum(a, b)))), float(np.nanmin(np.maximum(a, b)))


class _Checked(type):
    """Marks a node as complete when the whole __init__, that of subclasses included, has ended."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        node = super().__call__(*args, **kwargs)
        node._is_complete = True
        return node

    @property
    def __signature__(cls) -> inspect.Signature:
        """The signature of __init__, for help() and editors; __call__ would hide it."""
        whole = inspect.signature(cls.__init__)  # type: ignore[misc]  # the class's own, not an instance's
        return whole.replace(parameters=list(whole.parameters.values())[1:])


class Node(metaclass=_Checked):
    """A node of the scene graph; by itself it draws nothing.

    A subclass declares its attributes by setting them in __init__, or on the class. After __init__, setting any other
    public name raises SettingError, which lists similar names. Names with an underscore may be set at any time.

    name        for messages and picking
    transform   (4, 4) float64, to the parent's space; p_parent = transform @ (p, 1)
    visible     False hides the node and its children
    pictures    how many were begun of it as a stage: nodes keep what they need for one
    """

    _is_complete = False
    pictures = 0

    def __init__(self, name: str | None = None):
        self.name = name or type(self).__name__
        self.id = next(_ids)
        self.transform = np.eye(4)
        self.visible = True
        self.children: list[Node] = []
        self._parent: weakref.ref[Node] | None = None

    if not TYPE_CHECKING:  # for a type checker, this method would allow any attribute

        def __setattr__(self, name: str, value: Any) -> None:
            if not (name in self.__dict__ or name.startswith("_") or hasattr(type(self), name)) and self._is_complete:
                # Looked up on the class, so that a message does not evaluate properties.
                known = [k for k in dir(self) if not k.startswith("_") and not callable(getattr(type(self), k, None))]
                raise SettingError(f"{type(self).__name__}: {near(name, known, noun='attribute')}")
            super().__setattr__(name, value)

    @property
    def parent(self) -> Node | None:
        """The node that this one is a child of; it holds its children, and is not held by them."""
        return None if self._parent is None else self._parent()

    def add(self, child: SomeNode) -> SomeNode:
        """Adds a child, removing it from its former parent; returns it. Raises SceneError for a cycle."""
        above: Node | None = self
        while above is not None:
            if above is child:
                raise SceneError(f"{child.name} cannot be put under itself.")
            above = above.parent
        if child.parent is not None:
            child.parent.remove(child)
        child._parent = weakref.ref(self)
        self.children.append(child)
        return child

    def remove(self, child: Node) -> None:
        """Removes a child. Raises SceneError for a node that is not a child."""
        if child not in self.children:
            raise SceneError(f"{child.name} is not a child of {self.name}.")
        self.children.remove(child)
        child._parent = None

    def clear(self) -> None:
        """Removes all children."""
        for child in list(self.children):
            self.remove(child)

    def move(self: SomeNode, x: float, y: float, z: float) -> SomeNode:
        """Puts the node's origin at a point of its parent's space; returns the node."""
        self.transform = self.transform.copy()
        self.transform[:3, 3] = (x, y, z)
        return self

    def walk(self, above: np.ndarray | None = None) -> Iterator[tuple[Node, np.ndarray]]:
        """Yields (node, world transform) for this node and all visible descendants, parents first."""
        if not self.visible:
            return
        world = self.transform if above is None else above @ self.transform
        yield self, world
        for child in self.children:
            yield from child.walk(world)
