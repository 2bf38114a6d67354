"""Values in float64 where float32 leaves open on which side of a level a network is."""

import os
import threading

import numpy as np
import pytest

from benchmarks.networks import ball_rays, deep_sdf, siren, torus
from engine.codegen.bounds.rounding import ULP64, output_limit
from engine.gpu.device import device
from engine.kernels.rays import GRAZE, HIT, UNDECIDED, cast, reach_of
from engine.kernels.search import exact, straight
from engine.kernels.search.casting import Levels
from engine.kernels.search.exact import ExactValues
from engine.kernels.search.layered import Layered
from engine.network.random import random_mlp
from tests.kernels.ray_law import contradictions


def worth(net, reach):
    layered = Layered(net)
    layered.within(reach)
    return ExactValues(layered, reach)


def test_a_sine_network_is_decided_where_float32_leaves_every_seventh_ray_open():
    net, casting = siren(128), [x[::5] for x in ball_rays(13, radius=1.0, distance=3.0)]
    found = cast(net, *casting, single=True)
    assert (found["outcome"] == HIT).mean() > 0.8 and (found["outcome"] == GRAZE).mean() < 0.05
    assert contradictions(net, *casting, found, single=True, samples=60) == []


@pytest.mark.parametrize(("activation", "distribution", "met"), [("relu", "he", 0.7), ("tanh", "glorot", 0.2)])
def test_a_deep_random_network_is_decided_where_float32_leaves_most_open(activation, distribution, met):
    net = random_mlp((3, *[32] * 8, 1), activation, distribution=distribution, seed=0, output_bias=False)
    o, d, length = ball_rays(5, radius=5.0, distance=15.0)
    found = cast(net, o, d, length)
    assert (found["outcome"] == HIT).mean() > met and not np.isin(found["outcome"], (GRAZE, UNDECIDED)).any()
    assert contradictions(net, o, d, length, found, samples=200) == []


def test_rays_that_wait_are_answered_as_they_are_in_other_company():
    net, (o, d, length) = siren(64), ball_rays(12, radius=1.0, distance=3.0)
    found = cast(net, o, d, length, single=True, surfaces=3)
    order = np.random.default_rng(0).permutation(len(o))
    assert (cast(net, o[order], d[order], length[order], single=True, surfaces=3) == found[order]).all()
    # Rounding is bounded by how far out rays go: one that says so stays among the few.
    reaches = [reach_of(o[i : i + 1], d[i : i + 1], length[i : i + 1]) for i in range(len(o))]
    few = [int(np.argmax(reaches)), 3, 17, 40]
    assert (cast(net, o[few], d[few], length[few], single=True, surfaces=3) == found[few]).all()


def test_a_wide_relu_network_of_which_float32_knows_nothing_is_decided():
    net, (o, d, length) = deep_sdf(width=96), [x[::7] for x in ball_rays(12, radius=1.0, distance=3.0)]
    assert worth(net, 3.0).rounding > 0.05
    found = cast(net, o, d, length, single=True, surfaces=4)
    assert (found["outcome"][:, 0] == HIT).mean() > 0.2 and not np.isin(found["outcome"], (GRAZE, UNDECIDED)).any()
    assert contradictions(net, o, d, length, found, single=True, samples=2000) == []


@pytest.mark.parametrize(
    "activations", [["relu"] * 4, ["leaky_relu(0.2)", "hardtanh", "abs", "hard_sigmoid"], ["8 relu + 8 identity"] * 4]
)
def test_how_a_piecewise_linear_network_bends_is_known_exactly(activations):
    net = random_mlp((3, *[16] * 4, 1), "relu", distribution="he", seed=2)
    net = net.changed(weights=net.weights, biases=net.biases, activations=[*activations, "identity"])
    rng = np.random.default_rng(0)
    starts = rng.uniform(-1, 1, (40, 3))
    ends = starts + rng.normal(size=(40, 3)) * rng.choice([1e-3, 0.1, 2.0], (40, 1))
    t = np.tile([0.0, 1.0], (40, 1))
    near, far, low, high, _ = straight.strays(net, starts, ends, 0.0, t).T
    x = np.concatenate([np.geomspace(1e-6, 0.5, 2000), 1 - np.geomspace(1e-6, 0.5, 2000)])
    sampled = net((starts[:, None] * (1 - x)[:, None] + ends[:, None] * x[:, None]).reshape(-1, 3))[:, 0]
    departs = sampled.reshape(40, -1) - near[:, None] * (1 - x) - far[:, None] * x
    scaled, room = departs / (4 * x * (1 - x)), 1e-9
    assert (scaled >= low[:, None] - room).all() and (scaled <= high[:, None] + room).all()
    # And no wider than it bends: samples come close to each kink.
    assert (np.minimum(scaled.min(axis=1), 0) <= 0.9 * low + 1e-6).all()
    assert (np.maximum(scaled.max(axis=1), 0) >= 0.9 * high - 1e-6).all()
    assert (high - low > 0.01).mean() > 0.3


@pytest.mark.parametrize("levels", [Levels(0.3, 0.2), Levels(0.5, single=True)])
def test_pieces_end_beside_the_first_level_that_they_pass(levels):
    net = random_mlp((3, 16, 16, 16, 1), "relu", distribution="he", seed=2)
    starts, directions = np.random.default_rng(1).uniform(-1, 1, (2, 60, 3))
    t = np.stack([np.full(60, 0.25), np.full(60, 1.75)], axis=1)
    at = lambda far: starts + far[:, None] * directions
    near, far, low, high, end = straight.strays(net, at(t[:, 0]), at(t[:, 1]), 0.0, t, levels).T
    assert (end == np.float32(end)).all() and (end > t[:, 0]).all() and (end <= t[:, 1]).all()
    assert np.allclose(net(at(t[:, 0]))[:, 0], near, atol=1e-12) and np.allclose(net(at(end))[:, 0], far, atol=1e-12)
    # As where they are asked for so short.
    again = straight.strays(net, at(t[:, 0]), at(end), 0.0, np.stack([t[:, 0], end], axis=1)).T
    assert np.allclose([near, far, low, high], again[:4], atol=1e-9)
    x = np.linspace(0, 1, 500)[:, None]
    along = net((at(t[:, 0]) + x[..., None] * (at(end) - at(t[:, 0]))).reshape(-1, 3))[:, 0].reshape(500, 60)
    side = along < levels.level if levels.single else np.floor((along - levels.level) / levels.spacing)
    passed = (side != side[0]).any(axis=0)
    # Either none is passed, or f is straight until one is.
    assert (passed | (end < 1.75)).mean() > 0.3 and (abs(low - high)[passed & (end < 1.75)] < 1e-6).all()


@pytest.mark.parametrize("levels", [Levels(0.3, 0.2), Levels(0.5, single=True)])
def test_a_level_behind_the_kink_that_a_piece_begins_beside_is_passed_in_one_straight_piece(levels):
    net = random_mlp((3, 16, 16, 16, 1), "relu", distribution="he", seed=2)
    starts, directions = np.random.default_rng(1).uniform(-1, 1, (2, 200, 3)).astype(np.float32).astype(float)
    at = lambda t: starts + t[:, None] * directions
    side = lambda f: f < levels.level if levels.single else np.floor((f - levels.level) / levels.spacing)
    t = np.stack([np.full(200, 0.25), np.full(200, 1.75)], axis=1)
    near, far, _, _, end = straight.strays(net, at(t[:, 0]), at(t[:, 1]), 1e-6, t, levels).T
    # Those that end at the kink before: it is within an ulp of where the next begins.
    cut = (end < 1.75) & (side(near) == side(far))
    t[:, 0] = end
    near, far, low, high, end = (x[cut] for x in straight.strays(net, at(t[:, 0]), at(t[:, 1]), 1e-6, t, levels).T)
    assert cut.sum() > 20 and (side(near) != side(far)).all()
    assert (low == 0).all() and (high == 0).all()


def test_pieces_that_are_too_many_are_halved_and_one_that_is_too_long_is_left_open(monkeypatch):
    net = random_mlp((3, 16, 16, 1), "relu", distribution="he", seed=2)
    starts, ends = np.random.default_rng(0).uniform(-3, 3, (2, 30, 3))
    t = np.tile([0.0, 1.0], (30, 1))
    whole = straight.strays(net, starts, ends, 1e-12, t)
    monkeypatch.setattr(straight, "MOST_HELD", 16 * 24)
    parts = straight.strays(net, starts, ends, 1e-12, t)
    left = np.isinf(parts[:, 3])
    assert 0 < left.sum() < 30 and (parts[left, 2:4] == (-np.inf, np.inf)).all()
    assert np.allclose(parts[~left], whole[~left], atol=1e-12) and np.allclose(parts[:, :2], whole[:, :2])


def pieces_of(count, seed=0):
    """(count, 8) float32: origin, near t; direction, far t; from 1e-4 to 0.5 long."""
    rng = np.random.default_rng(seed)
    pieces = np.zeros((count, 8), np.float32)
    pieces[:, :3] = rng.uniform(-1, 1, (count, 3))
    pieces[:, 4:7] = rng.normal(size=(count, 3))
    pieces[:, 4:7] /= np.linalg.norm(pieces[:, 4:7], axis=1, keepdims=True)
    pieces[:, 3] = rng.uniform(0.0, 0.5, count)
    pieces[:, 7] = pieces[:, 3] + np.geomspace(1e-4, 0.5, count)
    return pieces


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_pieces_that_threads_bound_are_found_in_their_order(activation, monkeypatch):
    net = random_mlp((3, *[32] * 8, 1), activation, distribution="glorot", seed=0)
    known, pieces, levels = worth(net, 4.0), pieces_of(90), Levels(0.0)
    assert known.has_bounds
    whole = known(pieces, levels)
    monkeypatch.setattr(exact, "TOGETHER", (7, 7))
    assert np.allclose(known(pieces, levels), whole, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("apart", [False, True])
def test_all_processors_bound_pieces_but_the_one_that_a_window_answers_on(apart, monkeypatch):
    known, pieces, names = worth(random_mlp((3, 16, 16, 1), "relu"), 4.0), pieces_of(1000), set()
    if not known.walks:
        pytest.skip("with a graphics card float32 comes first")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    usual = exact.strays
    monkeypatch.setattr(exact, "strays", lambda *x: (names.add(threading.current_thread().name), usual(*x))[1])
    if apart:
        worker = threading.Thread(target=known, args=(pieces, Levels(0.0)), name="worker")
        worker.start()
        worker.join()
        assert names == {"worker"}
    else:
        known(pieces, Levels(0.0))
        assert all(name.startswith("bounds") for name in names)


@pytest.mark.parametrize("wanted", [(0.1, 0.7), (-0.7, -0.1), (-0.3, 0.3)])
def test_a_range_holds_what_its_rounding_to_float32_moves(wanted, monkeypatch):
    net = random_mlp((3, *[32] * 8, 1), "tanh", distribution="glorot", seed=0)
    monkeypatch.setattr(exact, "remainder", lambda _, near, far: [np.full(len(near.value), x) for x in wanted])
    low, high = worth(net, 4.0)(pieces_of(20), Levels(0.0))[:, 2:4].astype(float).T
    assert (low <= wanted[0]).all() and (high >= wanted[1]).all()
    assert np.allclose(low, wanted[0], rtol=1e-6) and np.allclose(high, wanted[1], rtol=1e-6)


def test_the_last_activation_counts_in_how_well_float64_is_known():
    net = random_mlp((3, 16, 16, 1), "tanh", distribution="glorot", seed=4)
    steep = net.changed(weights=net.weights, biases=net.biases, activations=[*net.activations[:-1], "sine(30)"])
    assert output_limit(steep, 1.0, ULP64) > 20 * output_limit(net, 1.0, ULP64)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sine(3)", "gelu"])
def test_float64_is_as_good_as_is_said(activation):
    """Held against 64 bits of mantissa, which the float64 of this machine does not have."""
    if np.finfo(np.longdouble).eps > 1e-18:
        pytest.skip("long double is no more than float64 here")
    net = random_mlp((3, *[16] * 5, 1), activation, distribution="glorot", seed=4)
    p = np.random.default_rng(0).uniform(-0.5, 0.5, (200, 3))
    h = p.astype(np.longdouble)
    for layer in net.layers:
        sums = h @ layer.weights.T.astype(np.longdouble) + layer.bias
        exact = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "sine": lambda z: np.sin(3 * z)}
        last = layer.activation.name == "identity"
        h = sums if last else exact.get(layer.activation.name, lambda z: _gelu(z))(sums)
    bound = output_limit(net, 1.0, ULP64)
    # The reference's own gelu is of float64.
    assert 0 < float(abs(net(p) - h).max()) <= bound < 1e-8 * abs(net(p)).max()


def _gelu(z):
    from math import erf

    return z * (1 + np.vectorize(lambda x: np.longdouble(erf(float(x))))(z / np.sqrt(np.longdouble(2)))) / 2


def test_twenty_layers_of_which_float32_may_lose_all_digits_have_surfaces_in_float64():
    net = random_mlp((3, *[24] * 20, 1), "relu", distribution="he", seed=1)
    o, d, length = (x[::11] for x in ball_rays(30, radius=5.0, distance=15.0))
    found = worth(net, reach_of(o, d, length))
    assert found.rounding > 1e5 and found.error < 0.05
    found = cast(net, o, d, length)
    assert (found["outcome"] == HIT).sum() > 5 and (found["outcome"] != UNDECIDED).all()
    assert contradictions(net, o, d, length, found, samples=2000) == []


def test_nobody_waits_for_what_is_of_no_use():
    assert 0 < worth(siren(64), 3.0).share < 0.02
    # Where distances are not known neither are error bounds.
    assert worth(siren(64), np.inf).share == 0
    # Eight layers 128 wide have bounds of short pieces that are four times their rounding.
    assert worth(random_mlp((3, *[128] * 8, 1), "tanh", distribution="glorot", seed=0), 3.0).share == 0


def test_networks_whose_contacts_are_brief_in_float32_do_without():
    distance = torus("tanh")
    assert worth(distance, 3.0).share == 0
    # But for what is cheap in float64, beside a software driver.
    assert (worth(torus("relu"), 3.0).share > 0) == device().is_software
    found = cast(distance, *ball_rays(10, radius=1.0, distance=3.0), single=True)
    assert (found["outcome"] == GRAZE).mean() < 0.05
