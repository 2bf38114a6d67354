"""The bounds that the search for crossings steps by: nothing the real network does may lie outside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.networks import seeded, thin_sheets, torus
from engine.codegen.bounds.enclosure import enclosure_module
from engine.codegen.mlp.narrow import NARROW
from engine.errors import ShapeError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.kernel import Kernel
from engine.kernels.enclosure import enclose
from engine.kernels.search.layered import VARIANTS, Layered
from engine.network.activations import Activation
from engine.network.graph.lowering.layers import as_mlp
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.network.rules.extrema import extrema
from tests.network.every_activation import BOUNDED, SOME
from tests.network.graph.forms import made

PLACES = 17
ULP = 2.0**-23
# The others, three in a network: less to compile.
REST = [a for a in BOUNDED if a not in SOME and extrema(a, "slope").most < np.inf]


def pieces(count, seed, longest=2.0):
    """Random pieces of rays from a millionth to `longest` world units long: origins, directions, starts, ends."""
    rng = np.random.default_rng(seed)
    origins = rng.uniform(-3, 3, (count, 3)).astype("f4")
    directions = rng.normal(size=(count, 3))
    directions = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype("f4")
    starts = rng.uniform(0, 4, count).astype("f4")
    ends = starts + (longest * 10 ** rng.uniform(-6, 0, count)).astype("f4")
    return origins, directions, starts, ends


def outside(net, count=600, seed=0, output=0, variant=None):
    """How many of the real network's values along pieces of rays are outside their bounds."""
    origins, directions, starts, ends = pieces(count, seed)
    bounds = enclose(net, origins, directions, starts, ends, places=PLACES, output=output, variant=variant)
    x = np.arange(PLACES) / (PLACES - 1)
    t = starts[:, None] + x * (ends.astype(float) - starts)[:, None]
    points = origins[:, None] + t[..., None] * directions[:, None].astype(float)
    real = net(points.reshape(-1, 3))[:, output].reshape(t.shape)
    assert np.isfinite(bounds).all()
    return int(((real < bounds[..., 0]) | (real > bounds[..., 1])).sum())


@pytest.mark.parametrize("activation", SOME, ids=str)
def test_one_layer_of_every_activation_stays_in_its_bounds(activation):
    assert outside(random_mlp((3, 6, 1), activation, scale=2.0, seed=3)) == 0


@pytest.mark.parametrize("activation", SOME, ids=str)
def test_two_layers_and_a_last_of_every_activation_stay_in_their_bounds(activation):
    assert outside(random_mlp((3, 5, 6, 2), activation, last=activation, seed=4), output=1) == 0


@pytest.mark.parametrize("sizes", [(3, 2), (3, 6, 3), (3, 9)], ids=str)
@pytest.mark.parametrize("last", ["softmax", "log_softmax"])
def test_an_output_of_softmax_and_of_its_logarithm_stays_in_its_bounds(sizes, last):
    assert outside(random_mlp(sizes, "tanh", last=last, scale=2.0, seed=5), output=1) == 0


# Runs that share a group of four, units that are carried on, products; in registers, in memory, and by slopes.
UNITS = {
    "slopes": ((3, 9, 1), "2 sine(3) + 3 relu + 4 identity", "identity"),
    "carried": ((3, 11, 9, 1), "8 gelu + 3 identity", "3 leaky_relu(0.2) + 6 tanh", "identity"),
    "products": ((3, 8, 6, 2), "8 product", "2 tanh + 4 product", "1 sigmoid + 1 identity"),
    "wide": ((3, 70, 70, 1), "67 relu + 3 identity", "10 product + 60 sine(2)", "identity"),
}


@pytest.mark.parametrize("name", UNITS)
def test_layers_with_an_activation_per_unit_stay_in_their_bounds(name):
    sizes, *activations = UNITS[name]
    net = random_mlp(sizes, scale=2.0, seed=8)
    assert outside(net.changed(activations=activations), output=sizes[-1] - 1) == 0


def sdf(sizes, activation, seed=1):
    """A network whose values stay about 1 through its layers, as trained ones do."""
    scale = 1 if activation == "relu" else 0.7
    return random_mlp(sizes, activation, distribution="he", scale=scale, seed=seed)


@pytest.mark.parametrize("variant", [*VARIANTS])
def test_every_way_through_the_layers_stays_in_its_bounds(variant):
    width = 4 * NARROW[-1] if variant == "narrow" else 70
    net = sdf((3, width, 9, width, 2), "relu").changed(activations=["relu", "9 tanh", "sine(3)", "softmax"])
    assert outside(net, output=1, variant=variant) == 0


@pytest.mark.parametrize(("sizes", "activation"), [((3, *[32] * 8, 1), "relu"), ((3, 128, 256, 1), "sine(3)")], ids=str)
def test_networks_as_deep_and_wide_as_are_trained_stay_in_their_bounds(sizes, activation):
    assert outside(sdf(sizes, activation), count=200) == 0


@pytest.mark.parametrize("variant", [*VARIANTS])
def test_bounds_of_a_piece_are_the_same_bits_in_any_batch(variant):
    net, (origins, directions, starts, ends) = sdf((3, 12, 32, 3), "tanh"), pieces(150, 3)
    all_of = enclose(net, origins, directions, starts, ends, variant=variant)
    some = np.random.default_rng(0).permutation(150)[:37]
    part = enclose(net, origins[some], directions[some], starts[some], ends[some], variant=variant)
    np.testing.assert_array_equal(part, all_of[some])


@pytest.mark.parametrize("variant", [*VARIANTS])
def test_weights_and_responses_too_small_for_float32_stay_in_their_bounds(variant):
    # Products below 2^-126 are 0 on adapters, and are made large again by the layers that follow.
    net = Mlp([[[1e-25, 0, 0]], [[1e-20]], [[1e38]], [[1e7]]], None, ["identity"] * 3 + ["tanh"])
    small = Mlp([np.eye(3), np.full((4, 3), 1e-39), np.full((1, 4), 1e38)], None, ["tanh", "relu", "identity"])
    assert outside(net, count=100, variant=variant) == outside(small, count=100, variant=variant) == 0


def test_of_numbers_that_overflow_nothing_is_said():
    net = Mlp([np.full((2, 3), 1e30), np.full((1, 2), 1e30)], [[1, 1], [1]], ["relu", "tanh"])
    origins, directions, starts, ends = pieces(20, 1)
    bounds = enclose(net, origins, directions, starts, ends)
    assert (bounds[..., 0] <= -1).all() and (bounds[..., 1] >= 1).all()


@pytest.mark.parametrize("form", ["normed", "quotient", "residual", "sloped"])
def test_layer_norms_quotients_and_residual_sums_stay_in_their_bounds(form):
    net = as_mlp(made(form))
    assert outside(net, count=300) == 0
    origins, directions, _, _ = pieces(100, 1)
    bounds = enclose(net, origins, directions, 0.0, 0.01)
    # Where a short piece has none of a gap, the bounds are of use.
    assert np.median(np.ptp(bounds.reshape(100, -1), axis=1)) < 0.5


def test_the_square_of_a_distance_by_products_is_bounded_closely():
    # x x + y y + z z, whose chords and remainders leave nothing over: the bounds are the parabola itself, to rounding.
    twice = np.kron(np.eye(3), np.ones((2, 1)))
    net = Mlp([twice, [[1, 0, 1, 0, 1, 0]]], activations=["product", "identity"])
    origins, directions, starts, ends = pieces(300, 2)
    bounds = enclose(net, origins, directions, starts, ends, places=3).astype(float)
    assert outside(net) == 0
    size = (np.abs(origins).max() + 8) ** 2
    assert (bounds[:, 1, 1] - bounds[:, 1, 0]).max() < 1e-4 * size


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 30), output_scale=st.floats(0.01, 30))
def test_any_tanh_network_stays_in_its_bounds(seed, scale, output_scale):
    # One shape, so that only weights are uploaded; from nearly linear to steps, where rounding is all there is.
    net = random_mlp((3, 8, 1), "tanh", scale=scale, seed=seed)
    layers = [x.weights for x in net.layers], [x.bias for x in net.layers]
    layers[0][1] = layers[0][1] * np.float32(output_scale)
    assert outside(Mlp(*layers, "tanh"), count=100, seed=seed) == 0


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.1, 10))
def test_any_deep_sine_network_stays_in_its_bounds(seed, scale):
    assert outside(random_mlp((3, 5, 5, 1), "sine(2)", scale=scale, seed=seed), count=100, seed=seed) == 0


def test_rounding_that_is_coarser_than_the_bend_of_a_piece_leaves_none_outside():
    # Waves so steep that float32 knows z to 1e-3 only, most pieces at whose ends it is flat and bends one way.
    net = random_mlp((3, 5, 6, 2), "sine(3)", last="sine(3)", scale=3.0, seed=4)
    assert outside(net, count=60000, seed=5, output=1) == 0


@pytest.mark.parametrize("net", [thin_sheets(2e-4), seeded(1, 10.0), torus("tanh")], ids=lambda net: net.name)
def test_networks_that_rays_are_measured_on_stay_in_their_bounds(net):
    assert outside(net) == 0


def test_bounds_of_half_the_piece_are_at_least_four_times_as_close():
    net, (origins, directions, starts, _) = torus("tanh"), pieces(200, 1)

    def width(length):
        bounds = enclose(net, origins, directions, starts, starts + np.float32(length), places=3)
        return bounds[:, 1, 1].astype(float) - bounds[:, 1, 0]

    # A millionth of a unit bends by nothing: what is left there is rounding.
    rounding = width(1e-6)
    wide, narrow = (np.median(width(length) - rounding) for length in (0.2, 0.1))
    assert wide / narrow > 4


@pytest.mark.parametrize(
    "activations", [REST[i : i + 3] for i in range(0, len(REST), 3)], ids=lambda some: "-".join(a.name for a in some)
)
def test_layers_of_different_activations_stay_in_their_bounds(activations):
    net = random_mlp((3, *[5] * len(activations), 2), seed=6)
    assert outside(net.changed(activations=[*activations, "identity"]), output=1) == 0


def test_only_networks_of_three_inputs_have_rays():
    with pytest.raises(ShapeError, match="2 inputs"):
        enclosure_module(random_mlp((2, 4, 1)).shape)
    with pytest.raises(ShapeError, match="2 inputs"):
        Layered(random_mlp((2, 4, 4, 1)))


def both(lines, call, z):
    """Value and slope of an activation at z, (N,) each, by one call of the WGSL that gives both."""
    bindings = (Binding("z", "read", "array<vec4f>"), Binding("both", "write", "array<vec4f>"))
    text = f"""\
#import generated/bindings
{lines}
@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) id: vec3u) {{
    let b = {call};
    both[2u * id.x] = b.value;
    both[2u * id.x + 1u] = b.slope;
}}
"""
    module = compose("generated/probe", {"probe": text, "bindings": declare(bindings)})
    both = Array("f4", 2 * len(z))
    Kernel(module, bindings).run(len(z) // 4, z=Array.of(z), both=both)
    return both.read().reshape(-1, 2, 4).transpose(1, 0, 2).reshape(2, -1).astype(float)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_value_and_slope_from_one_exponential_are_as_exact_as_apart(name):
    activation = Activation(name)
    z = np.concatenate([np.linspace(-43, 43, 4000), np.geomspace(1e-8, 43, 200)]).astype("f4")
    value, slope = both("#import lib/saturating", f"{name}_both(z[id.x])", z)
    # The value to 4 ulp of 1 and the slope to 16 of itself: what the bounds take them for.
    assert (abs(value - activation.value(z)) <= 4 * ULP).all()
    assert (abs(slope - activation.slope(z)) <= 16 * ULP * activation.slope(z)).all()


def test_value_and_slope_of_a_sine_from_one_reduction_are_as_exact_as_apart():
    z = np.concatenate([np.linspace(-5000, 5000, 4000), np.geomspace(1e-8, 5000, 200)]).astype("f4")
    value, slope = both("#import lib/wave", "sine_both(z[id.x], 2.0)", z)
    assert (abs(value - np.sin(2.0 * z.astype(float))) <= 4 * ULP).all()
    assert (abs(slope - 2.0 * np.cos(2.0 * z.astype(float))) <= 8 * ULP).all()
