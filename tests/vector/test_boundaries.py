"""Boundaries as a drawing: where each line lies, what it is called, and that all of it is on the page."""

import numpy as np
import pytest
from drawings import all_parts

from engine.draw.boundaries.layer_styles import layer_styles
from engine.errors import SettingError, ShapeError
from engine.network.history import Domain
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.regions.contours import contours
from engine.regions.linear_regions import regions
from engine.vector.boundaries import boundaries_drawing
from engine.vector.page import Group, Path, Raster, Words
from engine.vector.region_colours import centroid, prediction_colours, tints

DOMAIN = Domain.plane(2, [-1.0, -2.0], [3.0, 1.0])


@pytest.fixture(scope="module")
def net():
    return random_mlp([2, 8, 7, 6, 2], "relu", seed=1)


@pytest.fixture(scope="module")
def partition(net):
    return regions(net, DOMAIN)


def drawn(net, partition, **more):
    styles = layer_styles(3, theme=more.get("theme", "paper"))
    return boundaries_drawing(partition, styles, net=net, domain=DOMAIN, **more)


def parts(drawing, kind=Path):
    return {part.name: part for part in all_parts(drawing) if isinstance(part, kind)}


def world(drawing, points, domain=DOMAIN):
    """World points of millimetres, by where the frame stands."""
    frame = parts(drawing)["frame"].polylines[0]
    low, high = frame.min(axis=0), frame.max(axis=0)
    share = (np.asarray(points) - low) / (high - low)
    share[:, 1] = 1 - share[:, 1]
    return domain.low + share * (domain.high - domain.low)


def responses(net, points):
    """Of every hidden neuron before its activation: layer by layer in float64."""
    h, found = np.asarray(points, float), []
    for layer in net.layers[:-1]:
        z = h @ layer.weights.T.astype(float) + layer.bias
        found.append(z)
        h = layer.activation.value(z)
    return found


def test_along_its_whole_path_a_neuron_is_at_zero(net, partition):
    drawing, seen = drawn(net, partition), 0
    paths = parts(drawing)
    for layer, width in enumerate(net.shape.sizes[1:-1]):
        for k in range(width):
            path = paths.get(f"layer-{layer + 1}-neuron-{k + 1}")
            for line in path.polylines if path else ():
                share = np.linspace(0, 1, 7)[:, None, None]
                points = world(drawing, ((1 - share) * line[:-1] + share * line[1:]).reshape(-1, 2))
                # Weights near 1, places near 1, float64: a few hundred roundings.
                assert np.abs(responses(net, points)[layer][:, k]).max() < 1e-12
                seen += 1
    assert seen >= 15


def test_a_neuron_that_changes_sign_has_a_path_and_one_that_does_not_has_none(net, partition):
    x, y = np.meshgrid(np.linspace(-1, 3, 201), np.linspace(-2, 1, 151))
    found = parts(drawn(net, partition))
    for layer, z in enumerate(responses(net, np.stack([x.ravel(), y.ravel()], axis=1))):
        for k in range(z.shape[1]):
            # A neuron of a later layer may be exactly 0 over an area where it is off.
            if z[:, k].min() < 0 < z[:, k].max():
                assert f"layer-{layer + 1}-neuron-{k + 1}" in found
            elif z[:, k].min() > 0 or z[:, k].max() < 0:
                assert f"layer-{layer + 1}-neuron-{k + 1}" not in found


def test_the_decision_boundary_is_where_the_outputs_are_equal(net, partition):
    drawing = drawn(net, partition)
    lines = parts(drawing)["decision-boundary"].polylines
    points = np.concatenate([world(drawing, (line[1:] + line[:-1]) / 2) for line in lines])
    values = net(points)
    assert np.abs(values[:, 0] - values[:, 1]).max() < 1e-12
    assert "decision-boundary" not in parts(drawn(net, partition, decision=False))


def test_layers_have_their_names_colours_and_dashes(net, partition):
    drawing = drawn(net, partition, names=("first", "second", "third"), line_mm=0.5)
    groups, styles = parts(drawing, Group), layer_styles(3, theme="paper")
    for k, (name, style) in enumerate(zip(("first", "second", "third"), styles, strict=True), start=1):
        group = groups[f"layer-{k}"]
        assert group.label == name and len(group.children) > 1
        for path in group.children:
            assert (path.stroke, path.width_mm) == (style.css, 0.5)
            assert path.dash == tuple(0.5 * length for length in style.dash)
            assert path.title == f"layer {k}, neuron {path.name.rpartition('-')[2]}"
        sample = parts(drawing)[f"legend-{name}"]
        assert (sample.stroke, sample.dash) == (style.css, path.dash)
    legend = [part.text for part in groups["legend"].children if isinstance(part, Words)]
    assert legend == ["first", "second", "third", "decision boundary"]


def test_only_what_is_shown_is_in_the_file(net, partition):
    shown = np.zeros(21, bool)
    shown[[1, 9]] = True
    found = [name for name in parts(drawn(net, partition, shown=shown)) if name.startswith("layer-")]
    assert set(found) <= {"layer-1-neuron-2", "layer-2-neuron-2"} and found


@pytest.mark.parametrize("page", [(120, None), (85, 60), (60, 150), (300, 300), (40, None)])
@pytest.mark.parametrize("names", [None, ("a horizontal name", "y")])
def test_all_of_it_is_on_the_page_and_a_square_is_a_square(net, partition, page, names):
    more = {} if names is None else {"axis_names": names}
    drawing = drawn(net, partition, width_mm=page[0], height_mm=page[1], **more)
    assert drawing.width_mm == page[0] and (page[1] is None or drawing.height_mm == page[1])
    low, high = np.zeros(2), np.array([drawing.width_mm, drawing.height_mm])
    for path in parts(drawing).values():
        for line in path.polylines:
            assert (line >= low).all() and (line <= high).all()
    words = [part for part in all_parts(drawing) if isinstance(part, Words)]
    for one in words:
        left = one.x - {"start": 0, "middle": 0.5, "end": 1}[one.anchor] * one.width_mm
        assert left >= 0 and left + one.width_mm <= high[0] and 0.7 * one.size_mm <= one.y <= high[1]
    width, height = np.ptp(parts(drawing)["frame"].polylines[0], axis=0)
    assert width / height == pytest.approx(4 / 3)
    # Either the width or the height is used up but for the words.
    assert width > high[0] - 20 or height > high[1] - 30


def test_ticks_stand_at_their_numbers(net, partition):
    drawing = drawn(net, partition)
    axes = parts(drawing, Group)["axes"]
    marks = parts(drawing)["ticks"].polylines
    words = [part for part in axes.children if isinstance(part, Words)][: len(marks)]
    assert len(words) >= 6 and "−1" in {one.text for one in words}
    for mark, one in zip(marks, words, strict=True):
        at = world(drawing, mark)
        value = at[0, 0] if one.anchor == "middle" else at[1, 1]
        assert float(one.text.replace("−", "-")) == pytest.approx(value, abs=1e-9)


def test_the_message_of_a_page_too_small_says_which_is_large_enough_and_it_is(net, partition):
    for page in ((20.0, None), (20.0, 20.0), (100.0, 12.0)):
        with pytest.raises(SettingError, match=r"Give it \d+x\d+mm or more") as error:
            drawn(net, partition, width_mm=page[0], height_mm=page[1])
        width, height = str(error.value).split("Give it ")[1].split("mm")[0].split("x")
        drawn(net, partition, width_mm=float(width), height_mm=float(height))
    with pytest.raises(SettingError):
        drawn(net, partition, width_mm=float(width) - 1)


def test_regions_tile_the_frame_and_are_numbered(net, partition):
    drawing = drawn(net, partition, regions="tint")
    paths = parts(drawing, Group)["regions"].children
    assert [path.name for path in paths] == [f"region-{k + 1}" for k in range(partition.count)]

    def area(p):
        return 0.5 * abs(np.sum(p[:, 0] * np.roll(p[:, 1], -1) - np.roll(p[:, 0], -1) * p[:, 1]))

    width, height = np.ptp(parts(drawing)["frame"].polylines[0], axis=0)
    # Float64 over some hundred polygons of 100 mm.
    assert sum(area(path.polylines[0]) for path in paths) == pytest.approx(width * height, rel=1e-10)
    assert all(path.closed and path.fill == path.stroke for path in paths)


@pytest.mark.parametrize("theme", ["paper", "dark"])
def test_predictions_are_light_where_the_second_class_wins(net, partition, theme):
    drawing = drawn(net, partition, regions="prediction", theme=theme)
    seen = set()
    for path in parts(drawing, Group)["regions"].children:
        place = world(drawing, centroid(path.polylines[0])[None])
        first, second = net(place)[0]
        odds = 1 / (1 + np.exp(first - second))
        grey = bytes.fromhex(path.fill[1:])
        low, high = {"paper": (150, 255), "dark": (12, 110)}[theme]
        # Eight bits.
        assert grey[0] == grey[1] == grey[2] and abs(grey[0] - (low + odds * (high - low))) <= 0.5001
        seen.add(odds > 0.5)
    assert seen == {True, False}


def test_regions_may_have_colours_of_one_s_own_as_many_as_there_are(net, partition):
    colours = np.arange(3 * partition.count).reshape(-1, 3).astype(np.uint8)
    paths = parts(drawn(net, partition, regions=colours), Group)["regions"].children
    assert [list(bytes.fromhex(path.fill[1:])) for path in paths] == colours.tolist()
    with pytest.raises(ShapeError, match="regions take"):
        drawn(net, partition, regions=colours[1:])
    with pytest.raises(SettingError, match="prediction, tint"):
        drawn(net, partition, regions="stripes")


def test_a_background_lies_in_the_frame_below_all_else(net, partition):
    pixels = np.zeros((3, 4, 3), np.uint8)
    drawing = drawn(net, partition, background=pixels, regions=True)
    image = parts(drawing, Raster)["image"]
    corners = np.array([[image.x, image.y], [image.x + image.width, image.y + image.height]])
    assert np.allclose(world(drawing, corners), [[-1, 1], [3, -2]], atol=1e-12)
    assert [part.name for part in drawing.children][:2] == ["background", "regions"]


def test_exact_and_traced_are_said_to_be_what_they_are(net, partition):
    curved = random_mlp([2, 6, 6, 6, 2], "tanh", scale=2, seed=2)
    traced = drawn(curved, contours(curved, DOMAIN, cells=64))
    assert "traced, not exact" in traced.description and "linear" not in traced.description
    assert f"{partition.count} regions" in drawn(net, partition).description
    with pytest.raises(SettingError, match="curved"):
        drawn(curved, contours(curved, DOMAIN, cells=16), regions=True)


def test_a_traced_path_is_thinned_to_micrometres(net, partition):
    curved = random_mlp([2, 6, 6, 6, 2], "tanh", scale=2, seed=2)
    found = contours(curved, DOMAIN, cells=64)
    drawing = drawn(curved, found)
    before = sum(len(line) for k in range(19) for line in found.polylines(k))
    lines = [line for p in parts(drawing).values() if p.name.startswith("layer-") for line in p.polylines]
    assert sum(map(len, lines)) < before / 3


@pytest.mark.parametrize("wrong", [{"shown": np.ones(20, bool)}, {"names": ("a", "b")}])
def test_parts_that_do_not_fit_are_refused(net, partition, wrong):
    with pytest.raises(ShapeError, match="3 hidden layers of 21 neurons"):
        drawn(net, partition, **wrong)


def test_an_unknown_theme_is_refused(net, partition):
    with pytest.raises(SettingError, match="paper, dark"):
        boundaries_drawing(partition, layer_styles(3), net=net, theme="black")


# Colours.


def test_a_centroid_is_the_mean_of_a_triangle_s_corners_and_of_many_points_in_a_polygon():
    corners = np.array([[0.0, 0.0], [5.0, 1.0], [2.0, 7.0]])
    assert centroid(corners) == pytest.approx(corners.mean(axis=0))
    # An L of three unit squares.
    shape = np.array([[0, 0], [2, 0], [2, 1], [1, 1], [1, 2], [0, 2]], float)
    assert centroid(shape) == pytest.approx([2.5 / 3, 2.5 / 3])
    assert centroid(np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])).tolist() == [1, 1]


def test_values_are_grey_or_the_colours_they_are():
    one = Mlp([np.ones((1, 2))], activations=["sigmoid"])
    assert prediction_colours([[0.0], [50.0]], one, "values").tolist() == [[202] * 3, [255] * 3]
    three = Mlp([np.ones((3, 2))], activations=["identity"])
    assert prediction_colours([[0.0, 0.5, 2.0]], three, "values").tolist() == [[0, 128, 255]]
    # As classes the same three outputs are odds: the certain one has its own colour.
    assert prediction_colours([[-99.0, 99.0, 0.0]], three).tolist() == [[0xE6, 0x9F, 0x00]]


def test_tints_of_neighbours_in_number_are_far_apart():
    colours = tints(200).astype(int)
    assert np.abs(np.diff(colours, axis=0)).max(axis=1).min() > 15
    assert tints(0).shape == (0, 3)
