"""Boundaries on screen: how wide lines are, where they lie, what they do not depend on, and what lies under them."""

import numpy as np
import pytest

from engine.draw.boundaries.boundaries import Boundaries
from engine.errors import SettingError, ShapeError
from engine.network.history import Domain, History, flat
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.regions.linear_regions import regions
from engine.render.renderer import Renderer
from engine.scene.flat_scene import FlatScene
from engine.scene.view_data import Clock

# Half a step of eight bits, as much of dither, and the half precision of light on its way.
STEP = 1.5
WHITE = (1.0, 1.0, 1.0)


class Picture(FlatScene):
    """The boundaries that a function makes, white on the paper theme's background unless it says otherwise."""

    theme = "dark"

    def __init__(self, make, **values):
        self.make = make
        super().__init__(**values)

    def build(self, stage):
        self.boundaries = stage.add(self.make())


@pytest.fixture(scope="module")
def renderer():
    return Renderer()


def white(net, width=2.0, *, only=None, **settings):
    """A maker of white solid lines on black: what is seen of red is their coverage."""

    def make():
        made = Boundaries(net, task="values")
        count = made.neurons
        shown = np.ones(count) if only is None else np.isin(np.arange(count), only).astype(float)
        made.styles(np.ones((count, 3)), shown, np.full(count, width))
        # An answer of 0 everywhere is black.
        made.background = "prediction"
        for name, value in settings.items():
            setattr(made, name, value)
        return made

    return make


def black(net):
    """The network with a last layer that answers 0."""
    weights = [x.weights for x in net.layers[:-1]] + [np.zeros((1, net.layers[-2].bias.size))]
    biases = [x.bias for x in net.layers[:-1]] + [np.zeros(1)]
    return Mlp(weights, biases, [*(x.activation for x in net.layers[:-1]), "identity"])


def shot(renderer, make, size=(120, 120), samples=1, **window):
    return renderer.frame(Picture(make, **window), Clock(0), size, samples).pixels()


def coverage(pixels):
    """Coverage of white on black from sRGB's red."""
    v = pixels[..., 0] / 255.0
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def places(size, x, y, extent):
    """(height, width, 2): world points of the middles of pixels."""
    width, height = size
    pixel = extent / min(width, height)
    across = x + (np.arange(width) + 0.5 - width / 2) * pixel
    up = y - (np.arange(height) + 0.5 - height / 2) * pixel
    return np.stack(np.meshgrid(across, up), axis=-1), pixel


def single(angle, offset=0.1, gain=3.0):
    """One neuron whose boundary is cos(angle) x + sin(angle) y = offset."""
    return Mlp([gain * np.array([[np.cos(angle), np.sin(angle)]]), [[0.0]]], [[-gain * offset], [0.0]], "relu")


@pytest.mark.parametrize("extent", [2.0, 0.02, 2e-7])
@pytest.mark.parametrize("angle", [0.0, 0.7, 2.5])
def test_a_line_covers_by_its_distance_at_any_scale(renderer, extent, angle):
    middle = 0.1 * np.array([np.cos(angle), np.sin(angle)]) + 0.13 * extent
    size, width = (90, 90), 24.0
    net = single(angle)
    found = coverage(shot(renderer, white(net, width), size, x=middle[0], y=middle[1], extent=extent))
    points, pixel = places(size, *middle, extent)
    sums = points @ net.layers[0].weights[0].astype(float) + net.layers[0].bias[0].astype(float)
    far = abs(sums) / np.linalg.norm(net.layers[0].weights[0].astype(float)) / pixel
    wanted = np.clip(width * 90 / 720 / 2 + 0.5 - far, 0, 1)
    # Eight bits of sRGB are steps of at most 0.009 of light.
    assert abs(found - wanted).max() < 0.02


def exact_distance(net, low, high, neurons):
    """A function of (N, 2) points: how far the nearest exact segment of the neurons is."""
    domain = Domain.plane(2, low, high)
    cut = regions(net, domain, decision=False)
    pieces = np.concatenate([cut.segments(k).reshape(-1, 2, 2) for k in neurons])

    def distance(points):
        a, way = pieces[:, 0], pieces[:, 1] - pieces[:, 0]
        best = np.full(len(points), np.inf)
        for start, along in zip(a, way, strict=True):
            t = np.clip((points - start) @ along / max(along @ along, 1e-300), 0, 1)
            best = np.minimum(best, np.hypot(*(points - start - t[:, None] * along).T))
        return best

    return distance, pieces


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu(0.2)", "7 relu + 3 identity"])
def test_lines_and_exact_segments_agree_within_half_a_pixel(renderer, seed, activation):
    net = random_mlp([2, 10, 10, 10, 1], activation.split()[-1], scale=1.2, seed=seed)
    net = black(net.changed(activations=[activation] * 3 + ["identity"]))
    size, width, extent = (150, 150), 10.0, 2.0
    points, pixel = places(size, 0, 0, extent)
    half = width * 150 / 720 / 2
    wrong = 0
    for layer in range(3):
        neurons = range(10 * layer, 10 * layer + 10)
        found = coverage(shot(renderer, white(net, width, only=list(neurons)), size, extent=extent)).ravel()
        # Beyond the frame too: a line there may reach in.
        distance, _ = exact_distance(net, [-1.1, -1.1], [1.1, 1.1], neurons)
        far = distance(points.reshape(-1, 2)) / pixel
        # Opaque lines over each other cover as the nearest at least, and as all together at most.
        assert (found[far > half + 1.0] < 0.02).all()
        wrong += (found < np.clip(half + 0.5 - far - 0.5, 0, 1) - 0.02).sum()
        assert (far[found > 0.9] < half + 0.5).all()
    # Where more than two other lines pass within a pixel, a piece between them may not be asked; they are few.
    assert wrong <= 1e-4 * points.size


def test_curved_lines_lie_where_a_dense_evaluation_changes_sign(renderer):
    net = black(random_mlp([2, 8, 8, 1], "tanh", scale=1.5, seed=4))
    size, width = (100, 100), 14.4
    first = net.layers[0]
    second = net.layers[1]
    points, _ = places((1000, 1000), 0, 0, 2.0)
    h = np.tanh(points @ first.weights.T + first.bias)
    signs = (h @ second.weights[2] + second.bias[2]) > 0
    change = (signs[:-1, :-1] != signs[1:, :-1]) | (signs[:-1, :-1] != signs[:-1, 1:])
    contour = points[:-1, :-1][change] + 0.001 * np.array([1, -1])
    found = coverage(shot(renderer, white(net, width, only=[8 + 2]), size)).ravel()
    at, pixel = places(size, 0, 0, 2.0)
    far = np.array([np.linalg.norm(contour - p, axis=1).min() for p in at.reshape(-1, 2)]) / pixel
    # A line is 2 pixels wide; the distance by the gradient is off by the curve of the line over that, far below half.
    assert (found[far < 0.5] > 0.5).all() and (found[far > 2.0] == 0).all()


def test_units_that_pass_their_sums_on_draw_nothing_and_the_others_draw_what_they_do_alone(renderer):
    # The second layer takes the inputs too, by two units that pass them on.
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(6, 2)), rng.normal(size=(5, 8))
    weights = [np.concatenate([first, np.eye(2)]), second, np.ones((1, 5))]
    net = Mlp(weights, activations=["6 tanh + 2 identity", "tanh", "identity"])
    size, width = (100, 100), 14.4
    assert (coverage(shot(renderer, white(black(net), width, only=[6, 7]), size)) == 0).all()
    found = coverage(shot(renderer, white(black(net), width, only=[9]), size)).ravel()
    points, _ = places((1000, 1000), 0, 0, 2.0)
    signs = np.concatenate([np.tanh(points @ first.T), points], axis=-1) @ second[1] > 0
    change = (signs[:-1, :-1] != signs[1:, :-1]) | (signs[:-1, :-1] != signs[:-1, 1:])
    contour = points[:-1, :-1][change] + 0.001 * np.array([1, -1])
    at, pixel = places(size, 0, 0, 2.0)
    far = np.array([np.linalg.norm(contour - p, axis=1).min() for p in at.reshape(-1, 2)]) / pixel
    assert (found[far < 0.5] > 0.5).all() and (found[far > 2.0] == 0).all()


def test_a_neuron_of_two_kinks_has_a_line_at_each_and_its_regions_differ(renderer):
    # x + 2 y = -0.5 and 1; beside it a unit that passes its sum on.
    net = Mlp([[[1.0, 2.0], [1.0, 0.0]], [[0.0, 0.0]]], activations=["1 hardtanh(-0.5,1) + 1 identity", "identity"])
    size, width = (120, 120), 10.0
    points, pixel = places(size, 0, 0, 2.0)
    found = coverage(shot(renderer, white(black(net), width), size)).ravel()
    sums = points.reshape(-1, 2) @ [1.0, 2.0]
    far = np.abs(sums[:, None] - [-0.5, 1.0]).min(axis=1) / np.sqrt(5) / pixel
    wanted = np.clip(width * 120 / 720 / 2 + 0.5 - far, 0, 1)
    assert np.abs(found - wanted).max() < 0.02  # eight bits of sRGB
    piece = shot(renderer, bare(net, background="regions"), size).reshape(-1, 4)[:, :3].astype(int)
    masks = (sums < -0.55, (sums > -0.45) & (sums < 0.95), sums > 1.05)
    low, between, high = (piece[mask].mean(axis=0) for mask in masks)
    # Within a region only the dither of the last bits differs.
    assert max(np.ptp(piece[mask], axis=0).max() for mask in masks) <= 2
    assert np.abs(low - between).max() > 4 and np.abs(between - high).max() > 4


def test_negating_doubling_and_permuting_neurons_leaves_the_lines(renderer):
    net = black(random_mlp([2, 9, 7, 1], "relu", scale=1.2, seed=2))
    one, two, last = net.layers
    order = np.random.default_rng(0).permutation(9)
    same = Mlp(
        [2.0 * one.weights[order], 0.5 * two.weights[:, order], last.weights],
        [2.0 * one.bias[order], two.bias, last.bias],
        "relu",
    )
    whole = shot(renderer, white(net, 3.0))
    assert np.array_equal(whole, shot(renderer, white(same, 3.0)))
    # A tanh neuron turned round gives the same response with the sign of its way out turned.
    smooth = black(random_mlp([2, 9, 7, 1], "tanh", scale=1.2, seed=2))
    one, two, last = smooth.layers
    signs = np.where(np.arange(9) % 2, -1.0, 1.0)
    turned = Mlp(
        [signs[:, None] * one.weights, two.weights * signs, last.weights], [signs * one.bias, two.bias, last.bias]
    )
    assert np.array_equal(shot(renderer, white(smooth, 3.0)), shot(renderer, white(turned, 3.0)))


def test_tiles_are_parts_of_the_whole(renderer):
    make = white(black(random_mlp([2, 8, 8, 1], "relu", seed=1)), 4.0)
    whole = renderer.frame(Picture(make), Clock(0), (64, 48), 4).pixels()
    steps = renderer.steps(Picture(make), Clock(0), (64, 48), 4, tile_bytes=300 * 8 * 16 * 4)
    count = 0
    while True:
        try:
            next(steps)
            count += 1
        except StopIteration as done:
            assert count > 5 and np.array_equal(done.value.pixels(), whole)
            break


def test_hidden_neurons_draw_nothing(renderer):
    net = black(random_mlp([2, 8, 8, 1], "relu", seed=1))
    assert shot(renderer, white(net, 4.0))[..., :3].max() > 200
    assert shot(renderer, white(net, 4.0, only=[]))[..., :3].max() == 0
    assert shot(renderer, white(net, 0.0))[..., :3].max() == 0


def test_dashes_are_even_in_every_direction_and_at_every_scale(renderer):
    def make_at(angle):
        def make():
            made = white(single(angle, 0.0), 4.0)()
            made.styles(np.ones((1, 3)), widths=[4.0], dashes=[(5.0, 5.0)])
            return made

        return make

    for angle in np.linspace(0.05, 3.1, 9):
        for extent in (2.0, 1e-3):
            # A line 2 pixels wide whose marks and gaps are 10 long: half of it is drawn, whatever the scale.
            found = coverage(shot(renderer, make_at(angle), (360, 360), extent=extent))
            solid = coverage(shot(renderer, white(single(angle, 0.0), 4.0), (360, 360), extent=extent))
            # 18 periods over the picture: half a period too much or too little, and 2 in 100 of direction.
            assert abs(found.sum() / solid.sum() - 0.5) < 0.05


def test_a_snapshot_from_the_history_is_the_network_itself(renderer):
    nets = [random_mlp([2, 8, 8, 2], "relu", seed=k) for k in range(3)]
    domain = Domain.plane(2, [-1, -1], [1, 1])
    history = History(nets[0].shape, [0, 1, 2], [[flat(n) for n in nets]], [[3.0, 2.0, 1.0]], domain)
    scene = Picture(lambda: Boundaries(nets[0]))
    scene.advance(Clock(0))
    scene.boundaries.snapshots(history)
    for k in (2, 0, 1):
        scene.boundaries.at(k)
        found = renderer.frame(scene, Clock(0), (60, 60), 1).pixels()
        assert np.array_equal(found, shot(renderer, lambda k=k: Boundaries(nets[k]), (60, 60)))
    scene.boundaries.show(nets[0])
    assert np.array_equal(
        renderer.frame(scene, Clock(0), (60, 60), 1).pixels(), shot(renderer, lambda: Boundaries(nets[0]), (60, 60))
    )


def bare(net, **settings):
    """A maker without lines."""

    def make():
        made = Boundaries(net)
        made.styles(np.zeros((made.neurons, 3)), np.zeros(made.neurons))
        for name, value in settings.items():
            setattr(made, name, value)
        return made

    return make


def test_two_classes_are_the_grey_of_the_second_s_probability(renderer):
    net = random_mlp([2, 8, 8, 2], "relu", scale=2.0, seed=3)
    found = shot(renderer, bare(net), (40, 40))[..., 0]
    logits = net(places((40, 40), 0, 0, 2.0)[0].reshape(-1, 2))
    wanted = 255.0 / (1.0 + np.exp(logits[:, 0] - logits[:, 1]))
    assert abs(found.ravel() - wanted).max() <= STEP


def test_a_target_is_shown_pixel_by_pixel_and_nothing_beyond_it(renderer):
    image = np.random.default_rng(1).integers(0, 256, (4, 6, 3)).astype(np.uint8)
    net = random_mlp([2, 4, 2], "relu", seed=3)
    place = ((-0.6, -0.4), (0.6, 0.4))
    make = bare(net, background="target", target=image, place=place)
    found = shot(renderer, make, (100, 100))[..., :3].astype(int)
    wanted = np.repeat(np.repeat(image, 10, axis=0), 10, axis=1)
    assert abs(found[30:70, 20:80] - wanted).max() <= STEP
    empty = shot(renderer, bare(net, background="none"), (100, 100))[..., :3]
    assert np.array_equal(found[:30], empty[:30])


def test_regions_on_both_sides_of_a_line_differ(renderer):
    net = random_mlp([2, 8, 8, 2], "relu", scale=1.2, seed=5)
    found = shot(renderer, bare(net, background="regions"), (150, 150))[..., :3].astype(int)
    points = places((150, 150), 0, 0, 2.0)[0].reshape(-1, 2)
    h1 = points @ net.layers[0].weights.T + net.layers[0].bias
    h2 = np.maximum(h1, 0) @ net.layers[1].weights.T + net.layers[1].bias
    pattern = (np.concatenate([h1, h2], axis=1) > 0).reshape(150, 150, -1)
    # Neighbours with one neuron between them; eight bits may hide a difference of less than 2.
    one = (pattern[:, 1:] != pattern[:, :-1]).sum(axis=-1) == 1
    assert one.sum() > 200 and (abs(found[:, 1:] - found[:, :-1]).max(axis=-1)[one] >= 2).all()


def test_a_plane_through_many_inputs_shows_the_network_there(renderer):
    net = random_mlp([5, 10, 2], "relu", seed=7)
    rng = np.random.default_rng(1)
    origin, axes = rng.normal(size=5), rng.normal(size=(2, 5))

    def make():
        made = Boundaries(net, origin=origin, axes=axes)
        made.styles(np.zeros((10, 3)), np.zeros(10))
        return made

    logits = net(origin + places((40, 40), 0, 0, 2.0)[0].reshape(-1, 2) @ axes)
    found = shot(renderer, make, (40, 40))[..., 0]
    assert abs(found.ravel() - 255.0 / (1.0 + np.exp(logits[:, 0] - logits[:, 1]))).max() <= STEP


@pytest.mark.parametrize("sizes", [[2, 40, 40, 2], [2, 64, 30, 64, 3], [2, 5, 4]])
def test_wide_networks_and_classes_show_their_lines(renderer, sizes):
    net = random_mlp(sizes, "relu", scale=1.2, seed=3)
    make = lambda: Boundaries(net)
    found = shot(renderer, make, (60, 60))
    assert len(np.unique(found[..., :3].reshape(-1, 3), axis=0)) > 20


def test_what_cannot_be_drawn_is_said_in_a_line(renderer):
    net = random_mlp([2, 4, 2], "relu", seed=3)
    with pytest.raises(ShapeError, match="4 neurons"):
        Boundaries(net).styles(np.zeros((3, 3)))
    with pytest.raises(ShapeError, match="no hidden layer"):
        Boundaries(random_mlp([2, 2], "relu", seed=3))
    with pytest.raises(SettingError, match="background"):
        shot(renderer, bare(net, background="nothing"))
    with pytest.raises(SettingError, match="dash"):
        Boundaries(net).styles(np.zeros((4, 3)), dashes=[(1.0, -1.0)] * 4)


def test_a_snapshot_without_a_history_is_refused():
    with pytest.raises(SettingError, match="no history"):
        Boundaries(random_mlp([2, 4, 2])).at(0)
