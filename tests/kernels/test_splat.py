"""The kernel `splat` against its float64 twin, and the laws of dots that one can see through."""

from dataclasses import replace

import numpy as np
import pytest

from engine.doctor.cloud import LIGHT, front_view, random_colours, random_dots
from engine.kernels import splat as kernel
from engine.kernels.select_neurons import NEURON, packed_look
from engine.kernels.splat import factors_of, find, splat
from engine.reference import splat as twin
from engine.view.camera import Camera

COLOURS = random_colours()
EXTENTS = [(6.0, 15.0), (9.0, 9.0), (2.0, 30.0)]
FACTORS = factors_of([1.0, 0.5, 1.7], [1.0, 0.4, 0.7], [1.0, 1.0, 2.0], [4.0] * 3, [8.0, 8.0, 0.0], EXTENTS)
PLAIN = factors_of([1.0] * 3, [1.0] * 3, [1.0] * 3, [4.0] * 3, [8.0] * 3)


def dots(*rows):
    """NEURON items of (place, opacity, size, tone)."""
    data = np.zeros(len(rows), NEURON.dtype)
    data["place"][:, :3] = [row[0] for row in rows]
    data["look"] = packed_look(*(np.array([row[k] for row in rows]) for k in (1, 2, 3)))
    data["number"] = np.arange(len(rows))
    return data


def seen_from(camera, size=(64, 48), **more):
    """A SplatView of a camera."""
    aspect = size[0] / size[1]
    spread = size[1] / 2 / camera.half_sizes(aspect)[1]
    depths = {"near": camera.near, "far": camera.far, "low": 1.0, "high": 25.0}
    transform = camera.projection(aspect) @ camera.view()
    more = {"offset": (0, 0), "tile": size, "perspective": not camera.is_orthographic} | depths | more
    return kernel.SplatView(transform, size, spread=spread, **more)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("solid", [None, 0.995])
@pytest.mark.parametrize("lit", [False, True])
def test_a_picture_is_the_twins(flat, solid, lit):
    camera = Camera(eye=(3.0, 4.0, 11.0), fov=0.0 if flat else 0.9, height=10.0, near=0.1, far=30.0)
    solid = None if solid is None else 0.4 if flat else solid
    more = {
        "lit": (2**20, 2**28, 2),
        "dimmed": 0.3,
        "opacity_power": 2.2,
        "exposure": 1.8,
        "shade": (0.1, 0.3, 0.9, 0.7),
    }
    view = seen_from(camera, **(more if lit else {}))
    data = random_dots(250)
    found, exact = splat(data, view, FACTORS, COLOURS, solid), twin.splat(data, view, FACTORS, COLOURS, solid)
    # Halves: 2^-11 of colour, of opacity and of what is written; a step of 2^-10 that is no longer seen through.
    assert abs(found - exact).max() < LIGHT and exact[..., 3].max() > 0.5


def test_two_runs_give_the_same_bits():
    view, data = front_view((64, 48)), random_dots(400)
    assert (splat(data, view, FACTORS, COLOURS) == splat(data, view, FACTORS, COLOURS)).all()


@pytest.mark.parametrize(
    "offset, tile", [((0, 0), (31, 48)), ((8, 16), (16, 16)), ((13, 7), (50, 33)), ((63, 47), (1, 1))]
)
def test_a_part_has_the_bits_that_it_has_in_the_whole(offset, tile):
    view, data = front_view((64, 48)), random_dots(400)
    whole = splat(data, view, FACTORS, COLOURS)
    part = splat(data, replace(view, offset=offset, tile=tile), FACTORS, COLOURS)
    (x, y), (w, h) = offset, tile
    assert (part == whole[y : y + h, x : x + w]).all()


@pytest.mark.parametrize("entries, bins", [(500, 2**14), (2**22, 5), (1, 2**14)])
def test_how_the_work_is_divided_changes_no_bit(entries, bins, monkeypatch):
    view, data = front_view((61, 45)), random_dots(300)
    whole = splat(data, view, FACTORS, COLOURS, 0.995)
    monkeypatch.setattr(kernel, "MOST_ENTRIES", entries)
    monkeypatch.setattr(kernel, "MOST_BINS", bins)
    assert (splat(data, view, FACTORS, COLOURS, 0.995) == whole).all()


@pytest.mark.parametrize("eye", [(0, 0, 12), (0, 0, -12), (12, 0, 0), (-12, 0, 0), (0, 11, 5), (7, -6, 6)])
@pytest.mark.parametrize("flat", [False, True])
def test_the_nearer_dot_lies_over_the_farther_one_from_wherever_they_are_seen(eye, flat):
    eye = np.array(eye, float)
    camera = Camera(eye=eye, fov=0.0 if flat else 0.8, height=10.0, near=0.1, far=30.0)
    towards = eye / np.linalg.norm(eye)
    colours = COLOURS.copy()
    colours[:64, :3], colours[64:, :3] = (1, 0, 0), (0, 0, 1)
    red, blue = (2 * towards, 0.5, 2.0, 0.5), (-2 * towards, 0.75, 3.0, 2.5)
    for rows in ((red, blue), (blue, red)):
        # Whatever the order in the list: red at half, and blue through what red lets through.
        middle = splat(dots(*rows), seen_from(camera, (65, 65)), PLAIN, colours)[32, 32]
        assert np.allclose(middle, [0.5, 0, 0.5 * 0.75, 0.5 + 0.5 * 0.75], atol=LIGHT)


def test_many_dots_never_shine_brighter_than_their_brightest_colour():
    rng = np.random.default_rng(3)
    rows = [(rng.normal(0, 1.5, 3), rng.random(), 0.6, rng.random()) for _ in range(800)]
    found = splat(dots(*rows), front_view((40, 40)), PLAIN, COLOURS)
    assert found[..., 3].max() > 0.99
    assert (found[..., :3] <= COLOURS[:64, :3].max(0) * found[..., 3:] + LIGHT).all() and found[..., 3].max() <= 1.0


def test_a_dot_is_round_with_a_soft_edge():
    view = front_view((80, 80))
    found = splat(dots(((0.0, 0.0, 0.0), 1.0, 2.0, 0.5)), view, PLAIN, COLOURS)[..., 3]
    radius = 2.0 * view.spread / 12.0
    x, y = np.meshgrid(np.arange(80) - 39.5, np.arange(80) - 39.5)
    away = np.hypot(x, y)
    assert (found[away < 0.87 * radius] == 1.0).all() and (found[away > 1.13 * radius] == 0.0).all()
    assert np.allclose(found, found.T) and np.allclose(found, found[::-1])
    # The area of a disc; its soft edge adds e^2 / 3 with e of 0.12, and an edge of many samples is summed well.
    assert found.sum() == pytest.approx(np.pi * radius**2 * (1 + 0.12**2 / 3), rel=0.005)


def test_a_dot_smaller_than_a_sample_is_as_much_paler():
    lights = []
    for size in (0.02, 0.04):
        rows = [((x, y, 0.0), 0.8, size, 0.5) for x, y in np.random.default_rng(5).uniform(-3, 3, (300, 2))]
        view = front_view((64, 64))
        assert size * view.spread / 12.0 < 0.5
        lights.append(splat(dots(*rows), view, PLAIN, COLOURS)[..., 3].sum())
    # Four times the area: four times the light, but for where they overlap.
    assert lights[1] / lights[0] == pytest.approx(4.0, rel=0.1)


def test_what_is_solid_hides_what_lies_behind_it_and_nothing_else():
    view = front_view((48, 48))
    front, behind = ((0.0, 0.0, 3.0), 0.6, 2.0, 0.5), ((0.0, 0.0, -3.0), 0.9, 3.0, 0.1)
    # The depth of a plane through the origin.
    z, w = (view.transform @ (0.0, 0.0, 0.0, 1.0))[2:]
    both = splat(dots(front, behind), view, PLAIN, COLOURS, z / w)
    assert (both == splat(dots(front), view, PLAIN, COLOURS)).all() and both.any()


def test_dots_behind_the_eye_or_beyond_the_far_end_are_not_drawn():
    rows = [((0.0, 0.0, z), 1.0, 3.0, 0.5) for z in (12.0, 12.05, 20.0, -19.0, -1000.0)]
    assert not splat(dots(*rows), front_view((32, 32)), PLAIN, COLOURS).any()


@pytest.mark.parametrize("what", ["opacity", "appeared"])
def test_a_block_at_zero_is_not_drawn_and_one_wholly_there_is_as_without(what):
    data, view = random_dots(200), front_view((40, 40))
    alone = data[data["block"] != 1]
    values = {"opacity": [1.0] * 3, "appeared": [1.0] * 3} | {what: [1.0, 0.0, 1.0]}
    hidden = factors_of(values["opacity"], values["appeared"], [1.0] * 3, [4.0] * 3, [8.0] * 3)
    assert (splat(data, view, hidden, COLOURS) == splat(alone, view, PLAIN, COLOURS)).all()


def test_a_block_appears_from_its_front_to_its_back():
    data, view = random_dots(600), front_view((40, 40))
    data["block"] = 0
    deep, before, whole = (4.0 - data["place"][:, 2]) / 8.0, np.zeros(600), twin.dots(data, view, PLAIN)["opacity"]
    for appeared in np.linspace(0.0, 1.0, 9):
        factors = factors_of([1.0], [appeared], [1.0], [4.0], [8.0])
        now = twin.dots(data, view, factors)["opacity"]
        assert (now >= before).all()
        before = now
        if appeared == 0.5:
            assert deep[now > 0].mean() < 0.4 < 0.6 < deep[(now == 0) & (whole > 0)].mean()
    assert (before == whole).all()


@pytest.mark.parametrize("flat", [False, True])
def test_the_dot_that_is_found_is_the_frontmost_that_holds_the_point(flat):
    camera = Camera(eye=(3.0, 4.0, 11.0), fov=0.0 if flat else 0.9, height=10.0, near=0.1, far=30.0)
    data, view = random_dots(4500, radius=0.3), seen_from(camera, (200, 150))
    points = np.random.default_rng(6).integers(0, 150, (60, 2)) + 0.5
    found = [find(data, view, FACTORS, p) for p in points]
    assert found == [twin.find(data, view, FACTORS, p) for p in points]
    assert found.count(None) not in (0, len(found))


def test_the_dot_that_is_found_is_the_one_whose_colour_the_picture_has():
    # Opaque ones, each of its own colour: the front one is all that is seen.
    rng = np.random.default_rng(7)
    data = dots(*[(rng.uniform(-3, 3, 3), 1.0, 0.9, k / 40) for k in range(40)])
    view = front_view((60, 60))
    picture, where, hits = splat(data, view, PLAIN, COLOURS), twin.dots(data, view, PLAIN), 0
    for x, y in rng.integers(0, 60, (150, 2)):
        away = np.hypot(*(where["at"] - (x + 0.5, y + 0.5)).T) / where["radius"]
        # Soft edges mix colours.
        if (abs(away - 1) > 0.2).all():
            number = find(data, view, PLAIN, (x + 0.5, y + 0.5))
            shown = [number] if number is not None else []
            assert np.allclose(splat(data[shown], view, PLAIN, COLOURS)[y, x], picture[y, x], atol=LIGHT)
            hits += number is not None
    assert hits > 10


def test_nothing_gives_an_empty_picture():
    view = front_view((17, 9))
    assert (splat(np.zeros(0, NEURON.dtype), view, PLAIN, COLOURS) == np.zeros((9, 17, 4))).all()
    assert find(np.zeros(0, NEURON.dtype), view, PLAIN, (3, 3)) is None
