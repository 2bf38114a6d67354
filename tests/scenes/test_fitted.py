"""The region of a person's own network: fitted where its samples tell, and never after its size is set."""

import numpy as np
import pytest

import engine
from engine.network.mlp import Mlp
from scenes.marching import Marching, fitted_size


def octahedron(radius):
    """|x| + |y| + |z| - radius."""
    rows = [sign * np.eye(3)[axis] for axis in range(3) for sign in (1, -1)]
    return Mlp([rows, np.ones((1, 6))], [np.zeros(6), [-radius]], "relu")


@pytest.mark.parametrize(("radius", "size"), [(0.4, 1.0), (0.9, 1.0), (0.02, 1.0), (4.0, 5.0), (-1.0, 5.0)])
def test_what_lies_in_the_cube_is_shown_as_large_as_it_is(radius, size):
    assert fitted_size(octahedron(radius), 0, 0.0) == size
    assert fitted_size(octahedron(radius), 0, 0.3 - radius) == 1.0


def test_a_shape_that_reaches_into_the_corners_gets_a_larger_ball():
    rows = [sign * np.eye(3)[axis] for axis in range(3) for sign in (1, -1)]
    cube = Mlp([rows, np.ones((1, 6))], [-0.9 * np.ones(6), [-0.01]], "relu")
    assert 0.9 * 3**0.5 < fitted_size(cube, 0, 0.0) < 3**0.5


def test_a_size_that_is_set_stays_and_another_network_is_fitted_anew():
    scene = Marching()
    assert scene.size == 5.0 and scene.remark() is None
    scene.net = octahedron(0.4)
    assert (
        scene.size == 1.0
        and scene.distance == pytest.approx(2.4)
        and "size=1 was chosen since level 0 was found only inside" in scene.remark()
    )
    scene.net = engine.random_mlp((3, 8, 1), seed=1)
    assert scene.size == 5.0 and scene.distance == pytest.approx(12.0) and "size=1 shows it" in scene.remark()
    scene.net = None
    assert scene.size == 5.0 and scene.remark() is None
    scene.size = 5.0
    scene.net = octahedron(0.4)
    assert scene.size == 5.0 and scene.remark() is None
    assert Marching(net=octahedron(0.4)).size == 1.0
    assert Marching(net=octahedron(0.4), size=5.0).size == Marching(size=5.0, net=octahedron(0.4)).size == 5.0


def test_a_picture_opens_again_with_its_size_and_editing_moves_nothing():
    fitted, whole = Marching(net=octahedron(0.4)), Marching(net=octahedron(0.4), size=5.0)
    for scene in (fitted, whole):
        again = Marching()
        again.restore(scene.state())
        assert again.size == scene.size and again.camera == scene.camera
    scene = Marching()
    scene.matrix_changed(octahedron(0.4))
    assert scene.size == 5.0 and scene.remark() is None
