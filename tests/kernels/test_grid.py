"""The kernel `grid` against its float64 twin, and the laws of a network seen over a grid."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.codegen.mlp.batched import Variant
from engine.errors import DeviceLimitError, NetworkError, SettingError
from engine.gpu.device import device
from engine.kernels import field, grid
from engine.kernels.grid import Grid, Plane, evaluate_grid
from engine.network.random import random_mlp
from engine.reference import field as field_twin
from engine.reference import grid as twin

SIZE = (37, 21)


def glorot(sizes, activation="tanh", seed=1, **more):
    return random_mlp(sizes, activation, seed=seed, distribution="glorot", **more)


def plane(inputs, step=0.05, seed=0):
    rng = np.random.default_rng(seed)
    return Plane(rng.normal(size=inputs), *(step * rng.normal(size=(2, inputs))))


def placed(p, size=SIZE):
    return p.centre, p.across, p.down, size


def recorded(net, p, size=SIZE, tile=None, **options):
    """What a Grid records, (samples, floats); with options as Grid's."""
    made = net if isinstance(net, Grid) else Grid(net, **options)
    encoder = device().encoder()
    array = made.record(encoder, p, size, tile)
    device().submit(encoder)
    width, height = tile[2:] if tile else size
    found = array.read().reshape(height, width, -1)
    assert found.shape[2] == 4 * made.groups
    return found


# Fused: no loop, a loop of equal layers, passes, unequal layers, several uniform buffers; inputs other than two.
# Stage by stage: a wide layer, a wide last layer, more different layers than one kernel's code may hold.
MANY = [2, 40, 44, 48, 52, 56, 60, 2]
SHAPES = [
    [2, 3],
    [2, 8, 5],
    [1, 6, 1],
    [2, 30, 30, 30, 3],
    [7, 64, 64, 64, 2],
    [2, 12, 40, 17, 3],
    [2, *[31] * 19, 3],
    [2, 70, 66, 3],
    [3, 9, 130],
    MANY,
]


@pytest.mark.parametrize("sizes", SHAPES, ids=lambda s: "-".join(map(str, s[:6])))
def test_values_over_a_grid_are_the_twins(sizes):
    net, p = glorot(sizes), plane(sizes[0])
    error = abs(evaluate_grid(net, p, SIZE) - twin.grid(net, *placed(p))[0])
    assert (error <= twin.bounds(net, *placed(p))[0]).all()
    # As for points: the bound takes all roundings to conspire, but no error grows on its way through Glorot's weights.
    assert error.max() < (16 + max(sizes) / 16) * 2.0**-23


@pytest.mark.parametrize("sizes", [[2, 3], [1, 6, 1], [2, 30, 30, 30, 6], [7, 64, 64, 2], [2, 70, 3]], ids=str)
def test_derivatives_over_a_grid_are_the_twins(sizes):
    net, p = glorot(sizes), plane(sizes[0])
    values, derivatives = evaluate_grid(net, p, SIZE, gradient=True)
    exact, exact_derivatives = twin.grid(net, *placed(p))
    bound, derivatives_bound = twin.bounds(net, *placed(p))
    assert derivatives.shape == (21, 37, sizes[-1], 2)
    assert (abs(values - exact) <= bound).all()
    assert (abs(derivatives - exact_derivatives) <= derivatives_bound).all()


@pytest.mark.parametrize("activation", ["relu", "sine(3)", "gelu", "leaky_relu(0.2)"])
@pytest.mark.parametrize("last", ["sigmoid", "softmax", "log_softmax"])
def test_activations_and_softmax_are_the_twins(activation, last):
    net, p = glorot([2, 9, 9, 6], activation, last=last), plane(2, 0.1)
    values, derivatives = evaluate_grid(net, p, SIZE, gradient=True)
    exact, bound = twin.grid(net, *placed(p)), twin.bounds(net, *placed(p))
    assert (abs(values - exact[0]) <= bound[0]).all() and (abs(derivatives - exact[1]) <= bound[1]).all()
    assert np.array_equal(evaluate_grid(net, p, SIZE), values)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 4.0), st.floats(1e-4, 1.0))
def test_any_weights_and_planes_are_within_the_bound(seed, scale, step):
    net, p = random_mlp([3, 10, 10, 2], "tanh", seed=seed, scale=scale), plane(3, step, seed)
    values, derivatives = evaluate_grid(net, p, (9, 7), gradient=True)
    exact, bound = twin.grid(net, *placed(p, (9, 7))), twin.bounds(net, *placed(p, (9, 7)))
    assert (abs(values - exact[0]) <= bound[0]).all() and (abs(derivatives - exact[1]) <= bound[1]).all()


def test_the_twin_is_the_network_at_the_planes_points():
    net, p = glorot([4, 9, 3]), plane(4)
    values, derivatives = twin.grid(net, *placed(p))
    assert np.allclose(values.reshape(-1, 3), net(p.points(SIZE).reshape(-1, 4)), rtol=1e-13, atol=1e-15)
    # Central differences over a thousandth of a step: its square for the third derivative, 1e-16 over it for rounding.
    nudge = Plane(p.centre + 1e-3 * p.across, p.across, p.down), Plane(p.centre - 1e-3 * p.across, p.across, p.down)
    slope = (twin.grid(net, *placed(nudge[0]))[0] - twin.grid(net, *placed(nudge[1]))[0]) / 2e-3
    assert abs(slope - derivatives[..., 0]).max() < 1e-8


@pytest.mark.parametrize("sizes", [[2, 30, 30, 3], [3, 70, 2]], ids=str)
@pytest.mark.parametrize("gradient", [False, True])
def test_a_sample_has_the_same_bits_in_every_tile_and_split(sizes, gradient, monkeypatch):
    net, p = glorot(sizes), plane(sizes[0])
    whole = recorded(net, p, gradient=gradient)
    made = Grid(net, gradient=gradient)
    for x, y, width, height in ((0, 0, 1, 1), (5, 3, 30, 2), (36, 20, 1, 1), (11, 0, 26, 21)):
        assert np.array_equal(
            recorded(made, p, tile=(x, y, width, height)), whole[y : y + height, x : x + width]
        )  # fmt: skip
    monkeypatch.setattr(grid, "WORK", 1)
    monkeypatch.setattr(field, "WORK", 1)
    assert np.array_equal(recorded(made, p), whole)


def variant_of(points, **told):
    """What stands for grid.way: always this one, however large the grid is."""
    return lambda *, gradient, half, large: Variant(points, gradient, half=half, **told)


@pytest.mark.parametrize("sizes", [[2, 10, 10, 3], [2, 24, 24, 2]], ids=str)
def test_any_number_of_points_an_invocation_gives_the_same_bytes(sizes, monkeypatch):
    net, p = glorot(sizes), plane(2)
    values, derivatives = evaluate_grid(net, p, SIZE, gradient=True)
    for points, broadcast in ((1, False), (2, False), (3, field.best_variant().broadcast)):
        # So little code that the wider network takes two iterations a layer.
        monkeypatch.setattr(grid, "best_variant", variant_of(points, broadcast=broadcast, written=400 * points))
        assert np.array_equal(evaluate_grid(net, p, SIZE), values)
        if points == 1:
            monkeypatch.setattr(grid, "best_variant", variant_of(points, broadcast=broadcast, written=1200))
            assert np.array_equal(evaluate_grid(net, p, SIZE, gradient=True)[1], derivatives)


def test_a_value_is_the_same_bits_with_its_gradient():
    net, p = glorot([2, 30, 30, 3]), plane(2)
    assert np.array_equal(evaluate_grid(net, p, SIZE), evaluate_grid(net, p, SIZE, gradient=True)[0])


def test_a_relu_network_is_linear_within_each_of_its_regions():
    """Second differences of a linear function vanish: what remains is rounding, of values no larger than `most`."""
    net, size = random_mlp([2, 16, 16, 16, 1], "relu", seed=3, scale=0.7), (160, 120)
    p = Plane(np.zeros(2), np.array([0.03, 0.0]), np.array([0.0, 0.03]))
    values = evaluate_grid(net, p, size)[..., 0].astype(float)
    h, patterns = p.points(size), []
    for layer in net.layers[:-1]:
        z = h @ layer.weights.T.astype(float) + layer.bias
        patterns.append(z > 0)
        h = np.maximum(z, 0)
    pattern = np.concatenate(patterns, axis=-1)
    # Three in a row with one pattern lie in one convex region.
    inside = (pattern[:, :-2] == pattern[:, 1:-1]).all(-1) & (pattern[:, 1:-1] == pattern[:, 2:]).all(-1)
    second = values[:, 2:] - 2 * values[:, 1:-1] + values[:, :-2]
    bound = twin.bounds(net, *placed(p, size), gradient=False)[0][..., 0]
    allowed = bound[:, 2:] + 2 * bound[:, 1:-1] + bound[:, :-2]
    assert 0.5 < inside.mean() < 1
    assert (abs(second)[inside] <= allowed[inside]).all()
    # In fact some ulp of the largest value; across a boundary they are what the network is made of.
    most = abs(values).max()
    assert abs(second[inside]).max() < 32 * 2.0**-24 * most
    assert abs(second[~inside]).max() > 1e-3 * most


def test_the_same_plane_copies_no_weights_and_another_only_the_first_layer(monkeypatch):
    made, net = Grid(glorot([3, 30, 30, 2])), None
    recorded(made, plane(3))
    copied = []
    whole, part = grid.batched_weights, grid.pack_layer
    monkeypatch.setattr(grid, "batched_weights", lambda *a: copied.append("all") or whole(*a))
    monkeypatch.setattr(grid, "pack_layer", lambda *a: copied.append("first") or part(*a))
    compiled = grid._fused_kernel.made
    made.show(made.net)
    recorded(made, plane(3))
    assert copied == []
    moved = recorded(made, plane(3, seed=5))
    assert copied == ["first"]
    net = glorot([3, 30, 30, 2], seed=9)
    made.show(net)
    other = recorded(made, plane(3, seed=5))
    assert copied == ["first", "all"]
    assert grid._fused_kernel.made == compiled
    assert np.array_equal(moved, recorded(glorot([3, 30, 30, 2]), plane(3, seed=5)))
    assert np.array_equal(other, recorded(net, plane(3, seed=5)))


def test_a_wide_network_may_move_and_change_too():
    made = Grid(glorot([3, 70, 20, 2]))
    recorded(made, plane(3))
    assert np.array_equal(recorded(made, plane(3, seed=5)), recorded(glorot([3, 70, 20, 2]), plane(3, seed=5)))
    made.show(glorot([3, 70, 20, 2], seed=9))
    assert np.array_equal(recorded(made, plane(3)), recorded(glorot([3, 70, 20, 2], seed=9), plane(3)))
    # Another shape is another kernel.
    made.show(glorot([2, 5, 1]))
    assert np.array_equal(recorded(made, plane(2)), recorded(glorot([2, 5, 1]), plane(2)))


def test_a_close_look_far_from_zero_loses_nothing():
    """2^-20 a step around (5, 7): float32 points would coincide by pairs, the plane's coordinates do not."""
    net = glorot([2, 20, 20, 1])
    p = Plane(np.array([5.0, 7.0]), np.array([2.0**-23, 0.0]), np.array([0.0, 2.0**-23]))
    _, derivatives = evaluate_grid(net, p, (16, 16), gradient=True)
    exact, bound = twin.grid(net, *placed(p, (16, 16)))[1], twin.bounds(net, *placed(p, (16, 16)))[1]
    assert (abs(derivatives - exact) <= bound).all()
    # Relative to the slope itself, which is a ten-millionth: some ulp of it.
    assert abs(derivatives - exact).max() < 1e-4 * abs(exact).max()


@pytest.mark.skipif("shader-f16" not in device().features, reason="this adapter has no f16")
@pytest.mark.parametrize("sizes", [[2, 30, 30, 30, 3], [4, 50, 64, 2], [2, 100, 70, 3]], ids=str)
def test_f16_is_within_its_twins_bound(sizes):
    net, p = glorot(sizes, last="sigmoid"), plane(sizes[0])
    exact = twin.grid(net, *placed(p))[0]
    error = abs(evaluate_grid(net, p, SIZE, precision="f16") - exact)
    assert (error <= twin.half_bounds(net, *placed(p))).all()
    # In fact some units of float16 at 1, 2^-11; and it is float16, not float32.
    assert 1e-5 < error.max() < 8 * 2.0**-11


def test_a_precision_that_is_not_there_is_refused(monkeypatch):
    with pytest.raises(SettingError, match="f32 and f16"):
        Grid(glorot([2, 5, 1]), precision="f8")
    if "shader-f16" in device().features:
        with pytest.raises(DeviceLimitError, match="derivatives in f16, which is for layers up to 64 wide"):
            evaluate_grid(glorot([2, 70, 1]), plane(2), SIZE, gradient=True, precision="f16")
        with pytest.raises(NetworkError, match=r"Layer 1 .* holds 100000; float16 ends at 65504"):
            Grid(glorot([2, 5, 1]).edited(1, 0, 2, 1e5), precision="f16")
    without = SimpleNamespace(features=device().features - {"shader-f16"}, adapter="This one")
    monkeypatch.setattr(grid, "device", lambda: without)
    with pytest.raises(DeviceLimitError, match="This one has none"):
        Grid(glorot([2, 5, 1]), precision="f16")


def test_a_plane_of_other_inputs_is_refused():
    with pytest.raises(NetworkError, match=r"origin \(3,\)"):
        evaluate_grid(glorot([3, 5, 1]), plane(2), SIZE)


def test_a_grid_larger_than_is_held_comes_in_parts(monkeypatch):
    net, p = glorot([2, 8, 3]), plane(2)
    whole = evaluate_grid(net, p, SIZE)
    monkeypatch.setattr(grid, "HELD", 16 * 37 * 4)
    assert np.array_equal(evaluate_grid(net, p, SIZE), whole)


def test_points_and_grid_agree_where_both_are_exact():
    # Steps of 1/8 around 0: the plane's products are exact, so both kernels are given the same numbers.
    net = glorot([2, 30, 30, 3])
    p = Plane(np.zeros(2), np.array([0.125, 0.0]), np.array([0.0, 0.125]))
    found = field.evaluate(net, p.points((16, 12)).reshape(-1, 2)).reshape(12, 16, 3)
    bound = field_twin.bounds(net, p.points((16, 12)).reshape(-1, 2), gradient=False)[0].reshape(12, 16, 3)
    assert (abs(found - evaluate_grid(net, p, (16, 12))) <= 2 * bound).all()


def test_a_large_grid_has_the_bytes_of_a_small_one(monkeypatch):
    net = random_mlp([2, *[12] * 5, 3], "tanh", scale=1.5, seed=4)
    plane = Plane(np.zeros(2), np.array([0.05, 0.0]), np.array([0.0, -0.05]))
    small = grid.evaluate_grid(net, plane, (37, 23))
    monkeypatch.setattr(grid, "LARGE", 0)
    assert np.array_equal(grid.evaluate_grid(net, plane, (37, 23)), small)
