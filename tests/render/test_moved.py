"""The last picture as a moved camera sees it."""

import math

import numpy as np
import pytest

from engine.draw.frame import Sprite
from engine.gpu.device import device
from engine.gpu.texture import Texture
from engine.render.present import blit_moved, moved_sprites
from engine.view.camera import Camera
from engine.view.orbit import Angles, angles, placed

SIZE = (96, 64)


def moved(pixels, old, now, radius=0.0):
    texture, target = Texture.of(pixels), Texture(SIZE, "rgba8unorm")
    with device().recording("moved") as encoder:
        blit_moved(encoder, texture, target.view, "rgba8unorm", SIZE, (0.0, 0.0, 0.0), old, now, radius)
    return target.read()


def noise():
    pixels = np.random.default_rng(1).integers(0, 256, (*SIZE[::-1], 4), np.uint8)
    pixels[..., 3] = 255
    return pixels


@pytest.mark.parametrize("camera", [Camera(), Camera(fov=0.0)])
def test_a_camera_that_has_not_moved_sees_the_picture(camera):
    pixels = noise()
    # A step: the driver interpolates between texels with eight bits.
    assert np.abs(moved(pixels, camera, camera, 1.0).astype(int) - pixels).max() <= 1


def test_a_flat_picture_is_panned_exactly_and_what_was_outside_is_background():
    old, pixels, by = Camera(fov=0.0), noise(), 7
    step = old.height / SIZE[1] * by
    now = old.with_(eye=(step, 0.0, 12.0), target=(step, 0.0, 0.0))
    seen = moved(pixels, old, now)
    assert np.abs(seen[:, :-by].astype(int) - pixels[:, by:]).max() <= 2
    assert (seen[:, -by + 1 :, :3] == 0).all()


@pytest.mark.parametrize("turn", [-0.3, 0.1, 0.4])
def test_a_place_on_the_ball_goes_where_the_camera_sees_it(turn):
    old = Camera()
    at = angles(old)
    now = placed(old, Angles(at.azimuth + turn, at.altitude + 0.5 * turn, at.distance))
    point, aspect = np.array([0.3, 0.4, math.sqrt(4.0 - 0.25)]), SIZE[0] / SIZE[1]

    def place(camera):
        x, y, _ = camera.project(point, aspect)
        return np.array([(x + 1.0) / 2.0 * SIZE[0], (1.0 - y) / 2.0 * SIZE[1]])

    grid = np.stack(np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5), -1)
    spot = np.exp(-(((grid - place(old)) / 3.0) ** 2).sum(-1))
    pixels = np.repeat((255 * spot).astype(np.uint8)[..., None], 4, axis=-1)
    seen = moved(pixels, old, now, 2.0)[..., 0].astype(float)
    middle = (grid * seen[..., None]).sum((0, 1)) / seen.sum()
    assert np.abs(middle - place(now)).max() < 1.0
    # Its word goes with it, and one of the whole picture stays.
    word = np.zeros((2, 2, 4), np.uint8)
    x, y = (round(n) - 1 for n in place(old))
    words = Sprite(word, x, y, is_placed=True), Sprite(word, x, y), Sprite(word, x + 30, y - 20, True, (x + 1, y + 1))
    placed_word, fixed, called = moved_sprites(words, SIZE, old, now, 2.0)
    assert np.abs((placed_word.x + 1, placed_word.y + 1) - middle).max() < 1.5
    assert (fixed.x, fixed.y) == (x, y)
    # What lies beside its place keeps its distance from it.
    assert (called.x - placed_word.x, called.y - placed_word.y) == (30, -20)


@pytest.mark.parametrize("camera", [Camera(), Camera(fov=0.0)])
def test_in_a_wider_picture_what_was_seen_keeps_its_shape_and_words_their_edge(camera):
    small = (48, 64)
    grid = np.stack(np.meshgrid(np.arange(small[0]) + 0.5, np.arange(small[1]) + 0.5), -1)
    spot = np.exp(-(((grid - (34.0, 20.0)) / 3.0) ** 2).sum(-1))
    pixels = np.repeat((255 * spot).astype(np.uint8)[..., None], 4, axis=-1)
    texture, target = Texture.of(pixels), Texture(SIZE, "rgba8unorm")
    radius = 0.0 if camera.is_orthographic else 1.0
    with device().recording("moved") as encoder:
        blit_moved(encoder, texture, target.view, "rgba8unorm", SIZE, (0.0,) * 3, camera, camera, radius, small)
    seen = target.read()[..., 0].astype(float)
    grid = np.stack(np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5), -1)
    middle, aspects = (grid * seen[..., None]).sum((0, 1)) / seen.sum(), (small[0] / small[1], SIZE[0] / SIZE[1])
    halves = [np.array(camera.half_sizes(aspect)) for aspect in aspects]
    off = (np.array([34.0, 20.0]) / small * 2.0 - 1.0) * halves[0] / halves[1]
    assert np.abs(middle - (off + 1.0) / 2.0 * SIZE).max() < 0.7
    spread = np.sqrt((((grid - middle) ** 2) * seen[..., None]).sum((0, 1)) / seen.sum())
    assert spread[0] == pytest.approx(spread[1], rel=0.05)
    word = np.zeros((2, 2, 4), np.uint8)
    words = Sprite(word, 33, 19, is_placed=True), Sprite(word, 40, 60), Sprite(word, 4, 2)
    placed_word, right, left = moved_sprites(words, SIZE, camera, camera, radius, small)
    assert np.abs((placed_word.x + 1, placed_word.y + 1) - middle).max() < 1.5
    assert (right.x, right.y, left.x, left.y) == (88, 60, 4, 2)
