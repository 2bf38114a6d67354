"""Nodes: a misspelt attribute is a mistake that is named, for every kind of node that scenes draw with."""

import pytest

from engine.app.lookup import open_scene
from engine.draw.node import Node
from engine.errors import SettingError
from scenes import SCENES


def nodes_of(name):
    scene, clock = open_scene(name)
    scene.advance(clock)
    found, stack = {}, [scene.stage]
    while stack:
        node = stack.pop()
        found.setdefault(type(node), node)
        stack += node.children
    return found.values()


@pytest.mark.parametrize("scene", SCENES)
def test_a_misspelt_attribute_of_a_node_is_an_error_that_names_it(scene):
    nodes = nodes_of(scene)
    assert len(nodes) >= 2
    for node in nodes:
        for name in [key for key in vars(node) if not key.startswith("_") and len(key) > 3]:
            wrong = name[:-2] + name[-1] + name[-2] + "s"
            with pytest.raises(SettingError, match=rf"{type(node).__name__}: .*`{wrong}`.*{name}"):
                setattr(node, wrong, getattr(node, name))
            setattr(node, name, getattr(node, name))  # its own name is taken, as ever


def test_a_node_of_one_s_own_declares_its_attributes_in_init_or_on_the_class():
    class Dot(Node):
        size = 1.0

        def __init__(self):
            super().__init__()
            self.colour = "red"

    class Ring(Dot):
        def __init__(self):
            super().__init__()
            self.width = 2.0  # after the base class's __init__

    ring = Ring()
    ring.size, ring.colour, ring.width, ring._anything = 2.0, "blue", 3.0, 1
    with pytest.raises(SettingError, match=r"Ring: There is no attribute `widht`.* Near: width"):
        ring.widht = 4.0
