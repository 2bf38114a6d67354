"""What belongs to a place of the scene says so, so that it follows a picture that is shown as from another camera."""

import numpy as np
import pytest

from engine.draw.frame import THEMES, Frame
from engine.draw.words.callout import Callout
from engine.draw.words.flat_axes import FlatAxes
from engine.view.camera import Camera


@pytest.mark.parametrize("node", [FlatAxes((-1, -1), (1, 1), (0, 1, "x"), (0, 1, "y")), Callout(("a", "b"))])
def test_words_rings_lines_and_ticks_move_with_their_places(node):
    frame = Frame(Camera(fov=0.0), (300, 200), (0, 0, 300, 200), 1, THEMES["dark"], 1.0)
    node.overlay(frame, np.eye(4))
    assert len(frame.sprites) > 1 and all(sprite.is_placed for sprite in frame.sprites)
    if isinstance(node, Callout):
        assert {sprite.origin for sprite in frame.sprites} == {(150.0, 100.0)}
