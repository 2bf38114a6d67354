"""Drawings in vectors, as tests look at them."""

from engine.vector.page import Group


def all_parts(drawing):
    """Every part of a Drawing or a Group, groups before what is in them."""
    for part in drawing.children:
        yield part
        if isinstance(part, Group):
            yield from all_parts(part)
