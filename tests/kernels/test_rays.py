"""Crossings found on the GPU against the float64 twin, against formulas, and the laws that any search keeps."""

import numpy as np
import pytest

from benchmarks.networks import ball_rays, seeded, thin_sheets, torus
from engine.errors import NetworkError, SettingError, ShapeError
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.kernels.rays import CROSSING, GRAZE, HIT, MISS, OUTCOMES, UNDECIDED, cast, casts
from engine.kernels.search import casting as casting_module
from engine.kernels.search.budget import Budget
from engine.kernels.search.casting import Casting, Levels
from engine.kernels.search.fused import kernels
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.reference import rays as twin
from tests.kernels.ray_law import contradictions
from tests.network.every_activation import SOME


def few_rays(count, seed=0):
    """Some of the rays of a small picture."""
    o, d, length = ball_rays(24)
    k = np.random.default_rng(seed).choice(len(o), count, replace=False)
    return o[k], d[k], length[k]


def agree(net, count=15, surfaces=3, tolerance=1e-4, **more):
    """True if GPU and twin find the same crossings; t to a tolerance that covers rounding of f over its slope."""
    casting = few_rays(count)
    here = cast(net, *casting, surfaces=surfaces, **more)
    there = twin.cast(net, *casting, surfaces=surfaces, **more)
    # From a graze on, float32 and float64 may rightly tell of different touches.
    certain = np.cumsum((here["outcome"] == GRAZE) | (there["outcome"] == GRAZE), axis=1) == 0
    assert certain.mean() > 0.95
    assert (here["outcome"] == there["outcome"])[certain].all()
    hit = certain & (here["outcome"] == HIT)
    assert (here["level"] == there["level"])[hit].all() and (here["rising"] == there["rising"])[hit].all()
    assert np.abs(here["t"] - there["t"])[certain].max() < tolerance
    return hit.sum()


@pytest.mark.parametrize("activation", SOME, ids=str)
def test_one_layer_of_every_activation_is_crossed_where_the_twin_says(activation):
    net = random_mlp((3, 6, 1), activation, scale=1.5, seed=3)
    assert agree(net, level=0.37, spacing=0.5, surfaces=2) > 10


@pytest.mark.parametrize("activation", SOME, ids=str)
def test_two_layers_and_a_last_of_every_activation_are_crossed_where_the_twin_says(activation):
    # Squares of squares, and long pieces at exactly 0, would leave most rays within rounding of a level.
    scale = {"square": 0.5, "hard_swish": 0.7}.get(activation.name, 1.0)
    net = random_mlp((3, 5, 6, 2), activation, last=activation, scale=scale, seed=6)
    assert agree(net, 10, level=0.013, spacing=0.05, output=1, surfaces=2) > 2


def test_layers_with_an_activation_per_unit_are_crossed_where_the_twin_says():
    net = random_mlp((3, 9, 8, 1), scale=1.5, seed=6)
    net = net.changed(activations=["4 product + 2 tanh + 3 identity", "3 sine(2) + 5 identity", "identity"])
    assert agree(net, 10, level=0.013, spacing=0.2, surfaces=2) > 5


@pytest.mark.parametrize(("sizes", "output"), [((3, 2), 1), ((3, 6, 3), 1), ((3, 9), 5)], ids=str)
@pytest.mark.parametrize("last", ["softmax", "log_softmax"])
def test_an_output_of_softmax_and_of_its_logarithm_is_crossed_where_the_twin_says(sizes, output, last):
    net = random_mlp(sizes, "tanh", last=last, scale=2.0, seed=3)
    assert agree(net, level=0.05, spacing=0.1, output=output) > 5


def test_a_softmax_of_one_output_is_constant():
    found = cast(random_mlp((3, 1), last="softmax"), *few_rays(20), level=0.5)
    assert (found["outcome"] == MISS).all()


@pytest.mark.parametrize("net", [seeded(0, 4.0), torus("relu"), torus("tanh"), torus("sine")], ids=lambda net: net.name)
def test_eight_surfaces_come_front_to_back_where_the_twin_says(net):
    assert agree(net, 8, surfaces=8, level=0.37) > 8
    found = cast(net, *few_rays(200), surfaces=8, level=0.37)
    assert (np.diff(found["t"], axis=1) >= 0).all()


def test_room_for_more_surfaces_than_there_are_costs_nothing():
    net, some = torus("tanh"), few_rays(200)
    three, eight = (cast(net, *some, surfaces=n, level=0.37, single=True) for n in (5, 8))
    ended = (three["outcome"] == MISS).any(axis=1)
    assert ended.sum() > 100
    for cost in ("segments", "evaluations"):
        assert np.array_equal(three[cost][ended], eight[cost][ended])


@pytest.mark.parametrize("thickness", [2e-3, 2e-4])
def test_both_sides_of_thin_sheets_are_found(thickness):
    net = thin_sheets(thickness)
    found = cast(net, *few_rays(300), level=0.37, surfaces=8)
    hit = found["outcome"] == HIT
    assert hit.sum() > 1000
    # f is 0.3 between the sheets and 1.6 within one: levels 0.37 and 1.37 are passed on entering and on leaving.
    whole = hit[:, :4].all(axis=1)
    assert whole.sum() > 200
    assert (found["level"][whole, :4] == [0, 1, 1, 0]).all(axis=1).mean() > 0.9
    assert (found["rising"][whole, :4] == [True, True, False, False]).all(axis=1).mean() > 0.9
    assert agree(net, 15, surfaces=1, level=0.37) > 8


@pytest.mark.parametrize("net", [seeded(1), seeded(2, 10.0), torus("relu"), torus("tanh")], ids=lambda net: net.name)
def test_no_first_crossing_that_dense_samples_see_is_missed(net):
    origins, directions, lengths = few_rays(60, seed=1)
    found = cast(net, origins, directions, lengths, level=0.37)
    level = float(np.float32(0.37))
    for o, d, length, row in zip(
        origins.astype(float), directions.astype(float), lengths.astype(float), found, strict=True
    ):
        t = np.linspace(0, length, 10001)
        floors = np.floor(net(o + t[:, None] * d)[:, 0] - level)
        change = np.flatnonzero(floors != floors[0])
        if len(change):
            # 1e-4: float32 rounding of f over its least slope at these hits.
            assert row["outcome"][0] in (HIT, GRAZE) and row["t"][0] <= t[change[0]] + 1e-4
        if row["outcome"][0] == HIT:
            assert net(o + row["t"][0].astype(float) * d)[0] - level == pytest.approx(row["level"][0], abs=1e-4)


@pytest.mark.parametrize("offset", [1e-2, 1e-5, 1e-6, 1e-7, 0.0, -1e-7, -1e-6, -1e-5])
def test_rays_along_a_tangent_are_missed_only_where_float64_says_so(offset):
    # exp(-x^2) + exp(-y^2) + exp(-z^2) is 3 at the middle and less all around.
    peak = Mlp([np.eye(3), np.ones((1, 3))], None, "gaussian")
    rng = np.random.default_rng(3)
    directions = rng.normal(size=(20, 3))
    directions = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype("f4")
    origins = (-3 * directions).astype("f4")
    found = cast(peak, origins, directions, 6.0, level=3.0 - offset, single=True, surfaces=2)
    exact = twin.cast(peak, origins, directions, 6.0, level=3.0 - offset, single=True, surfaces=2)
    missed = found["outcome"][:, 0] == MISS
    assert (exact["outcome"][missed, 0] == MISS).all()
    # And what is called certain is so.
    for k in range(2):
        hit = found["outcome"][:, k] == HIT
        assert (exact["outcome"][hit, k] == HIT).all()
    if offset == 1e-2:
        assert (found["outcome"] == HIT).all() and found["rising"][:, 0].all() and not found["rising"][:, 1].any()


def test_a_ray_that_begins_on_a_level_says_that_it_cannot_tell():
    plane = Mlp([[[1.0, 0, 0]]])
    found = cast(plane, [[0, 0, 0]], [[1, 0, 0]], 2.5, surfaces=4)[0]
    assert found["outcome"].tolist() == [GRAZE, HIT, HIT, MISS]
    assert (abs(found["t"] - [0, 1, 2, 2.5]) <= found["uncertainty"]).all() and found["uncertainty"].max() < 1e-5


def test_permuting_hidden_neurons_moves_no_crossing():
    net, order = seeded(4, 2.0), np.random.default_rng(1).permutation(8)
    first, last = net.layers
    mixed = Mlp([first.weights[order], last.weights[:, order]], [first.bias[order], last.bias], "tanh")
    _same_crossings(net, mixed)


def test_turning_the_signs_of_a_tanh_neuron_moves_no_crossing():
    net = seeded(5, 2.0)
    first, last = net.layers
    signs = np.array([1, -1, 1, 1, -1, -1, 1, -1], np.float32)
    turned = Mlp([first.weights * signs[:, None], last.weights * signs], [first.bias * signs, last.bias], "tanh")
    _same_crossings(net, turned)


def test_scaling_the_output_with_its_levels_moves_no_crossing():
    net = seeded(6, 2.0)
    first, last = net.layers
    tripled = Mlp([first.weights, last.weights * np.float32(4)], [first.bias, last.bias], "tanh")
    _same_crossings(net, tripled, {"level": 0.25}, {"level": 1.0, "spacing": 4.0})


def _same_crossings(a, b, for_a=None, for_b=None):
    casting = few_rays(300, seed=2)
    one = cast(a, *casting, surfaces=4, **(for_a or {"level": 0.25}))
    other = cast(b, *casting, surfaces=4, **(for_b or {"level": 0.25}))
    assert (one["outcome"] == other["outcome"]).mean() > 0.999
    both = (one["outcome"] == HIT) & (other["outcome"] == HIT)
    assert (one["level"] == other["level"])[both].all()
    # Sums in another order round differently: 1e-6 of f over slopes that are seldom below 0.01.
    assert np.quantile(np.abs(one["t"] - other["t"])[both], 0.99) < 1e-4


def test_fewer_surfaces_are_the_first_of_more():
    casting = few_rays(100)
    all_of_them = cast(seeded(0, 4.0), *casting, surfaces=8)
    for count in (1, 3):
        some = cast(seeded(0, 4.0), *casting, surfaces=count)
        for field in ("t", "outcome", "level", "rising"):
            assert np.array_equal(some[field], all_of_them[field][:, :count])


@pytest.mark.parametrize("net", [seeded(0, 4.0), thin_sheets(2e-3), torus("tanh")], ids=lambda net: net.name)
def test_a_budget_that_runs_out_is_said_and_nothing_lies_before(net):
    casting = few_rays(60)
    found = cast(net, *casting, level=0.37, surfaces=3, budget=Budget(segments=6))
    undecided = found["outcome"] == UNDECIDED
    assert undecided.any() and not undecided.all()
    assert (undecided[:, :2] <= undecided[:, 1:]).all() and found["segments"].max() <= 18
    assert contradictions(net, *casting, found, level=0.37) == []


def test_answers_do_not_depend_on_how_often_a_search_is_stopped_and_taken_up(monkeypatch):
    for net in (thin_sheets(2e-3), torus("tanh")):
        whole = cast(net, *few_rays(70), level=0.37, surfaces=3)
        with monkeypatch.context() as patch:
            patch.setattr(casting_module, "FIRST_TURNS", 3)
            patch.setattr(casting_module, "MOST_TURNS", 5)
            assert (cast(net, *few_rays(70), level=0.37, surfaces=3) == whole).all()


def test_rays_that_are_given_up_say_how_far_they_are_certain(monkeypatch):
    net, casting_rays = thin_sheets(2e-3), few_rays(60)
    o, d, length = casting_rays
    rays = np.concatenate([o, length[:, None], d, np.zeros((60, 1))], axis=1).astype("f4")
    crossings, casting = Array(CROSSING, 60), Casting(net)
    steps = casting.steps(Array.of(rays), 60, Levels(0.37), crossings, surfaces=1)
    monkeypatch.setattr(casting_module, "FIRST_TURNS", 5)
    progress = next(steps)
    steps.close()
    casting.give_up()
    found = np.zeros(60, casts(1))
    answers = crossings.read()
    for name in ("t", "uncertainty", "level"):
        found[name][:, 0] = answers[name]
    found["outcome"][:, 0], found["rising"][:, 0] = answers["kind"] & 3, answers["kind"] & 4
    undecided = found["outcome"][:, 0] == UNDECIDED
    assert undecided.sum() == 60 - progress.decided > 0
    assert found["t"][undecided].max() > 0
    assert contradictions(net, *casting_rays, found, level=0.37) == []


@pytest.mark.parametrize("sizes", [(3, 8, 1), (3, 8, 8, 1)])
def test_rays_that_are_given_up_before_the_first_pass_are_undecided_from_their_start(sizes):
    o, d, length = few_rays(60)
    length[::5] = 0.0
    rays = Array.of(np.concatenate([o, length[:, None], d, np.zeros((60, 1))], axis=1).astype("f4"))
    casting, crossings = Casting(random_mlp(sizes, seed=4)), Array(CROSSING, 60)
    # What another casting left is not taken for an answer of this one.
    for _ in casting.steps(rays, 60, Levels(0.37), crossings, surfaces=1):
        pass
    crossings.write(np.array([(1.0, 0.0, 0.0, HIT)] * 60, CROSSING))
    casting.steps(rays, 60, Levels(0.37), crossings, surfaces=1).close()
    casting.give_up()
    found = crossings.read()
    assert ((found["kind"] & 3) == np.where(length > 0, UNDECIDED, MISS)).all() and (found["t"] == 0).all()


def test_passes_that_are_recorded_beforehand_find_the_same():
    net, (o, d, length) = thin_sheets(2e-3), few_rays(60)
    rays = Array.of(np.concatenate([o, length[:, None], d, np.zeros((60, 1))], axis=1).astype("f4"))
    one, other, casting = Array(CROSSING, 120), Array(CROSSING, 120), Casting(net)
    encoder = device().encoder("rays")
    assert list(casting.steps(rays, 60, Levels(0.37), one, surfaces=2, encoder=encoder)) == []
    device().submit(encoder)
    for _ in casting.steps(rays, 60, Levels(0.37), other, surfaces=2):
        pass
    assert one.read().tobytes() == other.read().tobytes()


def test_levels_and_weights_are_data_and_compile_nothing():
    first, second = seeded(1), seeded(2)
    run = kernels(first.shape)
    for net in (first, second):
        for level, spacing, single in ((0.1, 1.0, False), (0.2, 0.5, True)):
            cast(net, *few_rays(5), level=level, spacing=spacing, single=single)
    assert kernels(second.shape) is run


def test_two_runs_give_the_same_bytes():
    casting = few_rays(200)
    assert cast(torus("tanh"), *casting).tobytes() == cast(torus("tanh"), *casting).tobytes()


def test_no_rays_find_nothing():
    assert cast(seeded(), np.zeros((0, 3)), np.zeros((0, 3)), 1.0).shape == (0,)


@pytest.mark.parametrize(
    ("kind", "arguments", "more"),
    [
        (ShapeError, ([[0, 0]], [[0, 1]], 1.0), {}),
        (ShapeError, ([[0, 0, 0]], [[0, 0, 1], [0, 1, 0]], 1.0), {}),
        (ShapeError, ([[0, 0, np.nan]], [[0, 0, 1]], 1.0), {}),
        (ShapeError, ([[0, 0, 0]], [[0, 0, 1]], [1.0, 2.0]), {}),
        (SettingError, ([[0, 0, 0]], [[0, 0, 1]], -1.0), {}),
        (SettingError, ([[0, 0, 0]], [[0, 0, 0]], 1.0), {}),
        (SettingError, ([[0, 0, 0]], [[0, 0, 1]], 1.0), {"spacing": 0.0}),
        (SettingError, ([[0, 0, 0]], [[0, 0, 1]], 1.0), {"level": np.inf}),
        (SettingError, ([[0, 0, 0]], [[0, 0, 1]], 1.0), {"surfaces": 9}),
        (NetworkError, ([[0, 0, 0]], [[0, 0, 1]], 1.0), {"output": 1}),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(kind, arguments, more):
    with pytest.raises(kind) as caught:
        cast(seeded(), *arguments, **more)
    assert "\n" not in str(caught.value)


def test_layers_too_wide_for_registers_are_crossed_where_the_twin_says():
    # 68 neurons are 17 groups of four, one more than registers are taken for.
    assert agree(random_mlp((3, 68, 1), "tanh", last="tanh", scale=0.5, seed=2), 8, level=0.1, spacing=0.2) > 8


def test_outcomes_have_names():
    assert [OUTCOMES[n] for n in (MISS, HIT, GRAZE, UNDECIDED)] == [
        "miss", "hit", "graze", "undecided",
    ]  # fmt: skip


def test_a_plateau_at_a_level_is_passed_at_once():
    net = Mlp([np.float32([[1, 0, 0]]), np.float32([[1]]), np.float32([[1]])], None, ["relu", "relu", "identity"])
    found = cast(net, [[-1, 0, 0]], [[1, 0, 0]], 0.5, level=0, single=True)[0]
    assert found["outcome"][0] == GRAZE and found["segments"] < 20


def test_a_wide_layer_is_searched_through_arrays():
    net = random_mlp((3, 100, 1), "tanh", seed=1)
    assert not Casting(net).records and Casting(random_mlp((3, 64, 1), "tanh", seed=1)).records


@pytest.mark.parametrize(("level", "spacing"), [(1e39, 1.0), (0.0, 1e39), (0.0, 1e-60)])
def test_levels_beyond_float32_are_refused(level, spacing):
    with pytest.raises(SettingError, match="float32"):
        cast(random_mlp((3, 4, 1), "tanh"), [[0, 0, 0]], [[1, 0, 0]], 1.0, level=level, spacing=spacing)
