"""Field images: every pixel is the network's value there, as a colour."""

import numpy as np
import pytest

from engine.draw.colour import colours
from engine.draw.fields.field_image import FieldImage
from engine.errors import SceneError
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.render.renderer import Renderer
from engine.scene.flat_scene import FlatScene
from engine.scene.view_data import Clock

# Half a step of eight bits, as much of dither, and a little for the half precision in which light is kept: 2^-11 of it.
STEP = 1.1


class Field(FlatScene):
    """One field image of a network that is given."""

    def __init__(self, net, outputs=None, given=None, **values):
        self.parts = (net, outputs, given or {})
        super().__init__(**values)

    def build(self, stage):
        net, outputs, given = self.parts
        self.image = stage.add(FieldImage(net, outputs, **given))


@pytest.fixture(scope="module")
def renderer():
    return Renderer()


def points(size, x, y, extent):
    """(height, width, 2): where the middles of a picture's pixels lie, by its own arithmetic."""
    width, height = size
    pixel = extent / min(width, height)
    across = x + (np.arange(width) + 0.5 - width / 2) * pixel
    up = y - (np.arange(height) + 0.5 - height / 2) * pixel
    return np.stack(np.meshgrid(across, up), axis=-1)


@pytest.mark.parametrize("size", [(60, 40), (40, 60)])
@pytest.mark.parametrize(("x", "y", "extent"), [(0.0, 0.0, 2.0), (3.5, -1.25, 0.5)])
def test_three_outputs_are_the_red_green_and_blue_of_each_pixel(renderer, size, x, y, extent):
    net = random_mlp([2, 12, 12, 3], "tanh", last="sigmoid", scale=1.5, seed=3)
    scene = Field(net, x=x, y=y, extent=extent)
    pixels = renderer.frame(scene, Clock(0), size, 1).pixels()[..., :3]
    wanted = 255.0 * net(points(size, x, y, extent).reshape(-1, 2)).reshape(*pixels.shape)
    assert abs(pixels - wanted).max() <= STEP


def test_one_output_goes_through_the_whole_map(renderer):
    net = Mlp([[[1.0, 0.0]]], activations=["identity"])
    scene = Field(net, given={"map": "viridis", "low": -1.0, "high": 1.0})
    pixels = renderer.frame(scene, Clock(0), (64, 64), 1).pixels()[32, :, :3]
    linear = colours("viridis", "image", (points((64, 64), 0, 0, 2.0)[32, :, 0] + 1) / 2)
    wanted = 255.0 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    # The colour is kept in half precision on its way: a relative 2^-11, a third of a step at most.
    assert abs(pixels - wanted).max() <= STEP + 0.4


def test_outputs_are_taken_by_number_also_past_the_fourth(renderer):
    net = random_mlp([2, 8, 9], "tanh", last="sigmoid", seed=5)
    one = renderer.frame(Field(net, (8, 1, 5)), Clock(0), (30, 30), 1).pixels()[..., :3]
    wanted = 255.0 * net(points((30, 30), 0, 0, 2.0).reshape(-1, 2))[:, [8, 1, 5]].reshape(30, 30, 3)
    assert abs(one - wanted).max() <= STEP


def test_a_plane_through_many_inputs_shows_the_network_there(renderer):
    net = random_mlp([6, 10, 3], "tanh", last="sigmoid", seed=7)
    rng = np.random.default_rng(1)
    origin, axes = rng.normal(size=6), rng.normal(size=(2, 6))
    scene = Field(net, given={"origin": origin, "axes": axes})
    pixels = renderer.frame(scene, Clock(0), (40, 40), 1).pixels()[..., :3]
    at = points((40, 40), 0, 0, 2.0).reshape(-1, 2)
    assert abs(pixels - 255.0 * net(origin + at @ axes).reshape(40, 40, 3)).max() <= STEP


def test_supersampling_is_the_mean_of_the_samples_in_linear_light(renderer):
    # Black and white halves of a pixel are half of white's light.
    net = Mlp([[[1e6, 0.0]]], [[0.0]], ["sigmoid"])
    scene = Field(net, given={"map": "grey"})
    pixels = renderer.frame(scene, Clock(0), (5, 5), 4).pixels()[2, :, 0]
    assert pixels[0] == 0 and pixels[4] == 255
    assert abs(int(pixels[2]) - 188) <= 1


def test_what_is_not_finite_is_striped_and_the_rest_is_not(renderer):
    # Past float32's largest to the right.
    net = Mlp([[[3e38, 0.0]], [[10.0], [10.0], [10.0]]], activations=["relu", "identity"])
    scene = Field(net)
    pixels = renderer.frame(scene, Clock(0), (32, 32), 1).pixels()[..., :3].astype(int)
    right, left = pixels[:, 24:], pixels[:, :8]
    assert (left == 0).all()
    assert len(np.unique(right.reshape(-1, 3), axis=0)) == 2 and (right > 100).all() and (right < 160).all()


def test_the_same_pixels_in_any_tiling(renderer):
    net = random_mlp([2, 12, 12, 3], "tanh", last="sigmoid", scale=1.5, seed=3)
    scene = Field(net)
    whole = renderer.frame(scene, Clock(0), (64, 48), 4).pixels()
    steps = renderer.steps(scene, Clock(0), (64, 48), 4, tile_bytes=300 * 8 * 16 * 4)
    count = 0
    while True:
        try:
            next(steps)
            count += 1
        except StopIteration as done:
            assert count > 5 and np.array_equal(done.value.pixels(), whole)
            break


@pytest.mark.parametrize("outputs", [(0, 1), (3,), (-1,), ()])
def test_outputs_there_are_not_are_refused(outputs):
    with pytest.raises(SceneError, match="one or three"):
        FieldImage(random_mlp([2, 4, 3]), outputs)


def test_a_map_takes_one_output_and_rgb_three():
    net = random_mlp([2, 4, 3])
    for outputs, map in (((0,), "rgb"), ((0, 1, 2), "viridis")):
        with pytest.raises(SceneError, match="rgb takes three"):
            FieldImage(net, outputs, map=map)
