"""The kernel `train` in all its layouts against its float64 twin, and what any training must keep."""

import numpy as np
import pytest

from engine.codegen.train import subgroup
from engine.codegen.train.blocks import Blocks, blocks_module
from engine.codegen.train.problem import Problem
from engine.codegen.train.subgroup import MOST_VECTORS, Lanes, lanes_module
from engine.codegen.train.workgroup import Threads
from engine.errors import DeviceLimitError, NetworkError, ShapeError
from engine.gpu.device import device
from engine.kernels import train as kernel
from engine.kernels.train import Training, plan_for
from engine.network.activations import Activation
from engine.network.history import flat
from engine.network.mlp import Shape
from engine.network.random import random_mlp
from engine.reference import train as twin
from tests.network.every_activation import SOME

VARIANTS = kernel.variants()
RATES = 1e-2 * np.linspace(1, 0.1, 20)


def case(sizes, activation="tanh", task="classes", last="identity", runs=1, count=300, seed=0):
    """(shape, task, points, targets, flats, seeds) of a small problem: what Training takes first."""
    nets = [random_mlp(sizes, activation, last=last, distribution="glorot", seed=seed + r) for r in range(runs)]
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (count, sizes[0])).astype(np.float32)
    if task == "classes":
        targets = rng.integers(0, sizes[-1], count)
    else:
        targets = rng.random((count, sizes[-1])).astype(np.float32)
    return nets[0].shape, task, points, targets, np.array([flat(net) for net in nets]), [7 + r for r in range(runs)]


def trained(problem, rates=RATES, split=1000, **more):
    """A Training after the rates, begun so many at a time."""
    training = Training(*problem, **more)
    for at in range(0, len(rates), split):
        training.advance(rates[at : at + split])
    return training


def exact(problem, rates=RATES, batch=128, **more):
    shape, task, points, targets, flats, seeds = problem
    return np.array(
        [
            twin.train(shape, w, points, targets, task, rates, batch=batch, seed=s, **more)[-1]
            for w, s in zip(flats, seeds, strict=True)
        ]
    )


def bound(weights, rates=RATES):
    """How far float32 may be from the twin after so few steps that errors do not yet feed on themselves.

    A step moves a weight by rate m / sqrt(v): where a gradient is known to 1e-5 of itself (100 ulp, for sums of a
    hundred products of numbers that went through a few layers), so is the move; and the weight is rounded each step.
    """
    return (1e-5 * rates + 2.0**-23 * abs(weights).max()).sum()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "sizes, activation, task, last, batch",
    [
        ([2, 16, 16, 16, 2], "tanh", "classes", "identity", 128),
        ([2, 7, 5, 3], "gelu", "values", "sigmoid", 13),
        ([3, 9, 10], "silu", "classes", "identity", 0),
        ([2, 20, 1], "sine(2)", "values", "identity", 32),
        ([5, 33, 40, 11], "gelu", "values", "sigmoid", 40),
        # More vectors than are written out.
        ([2, 36, 36, 2], "tanh", "classes", "identity", 24),
        ([2, 4], "relu", "classes", "identity", 32),
        ([1, 8, 1], "tanh", "values", "tanh", 8),
    ],
    ids=str,
)
def test_steps_are_the_twins(sizes, activation, task, last, batch, variant):
    problem = case(sizes, activation, task, last, runs=2)
    training = trained(problem, batch=batch, variant=variant)
    right = exact(problem, batch=batch)
    assert abs(training.weights - right).max() < bound(right)
    assert abs(training.weights - problem[4]).max() > 0.05


# The layouts call the same functions: all of them by the quicker one to compile, and those with a kink by both.
@pytest.mark.parametrize(
    "activation, variant",
    [*((str(activation), VARIANTS[-1]) for activation in SOME), ("relu", "threads"), ("leaky_relu(0.2)", "threads")],
)
def test_every_activation_learns_as_the_twin(activation, variant):
    problem = case([2, 6, 5, 2], activation, "values", seed=1)
    training = trained(problem, RATES[:5], batch=16, variant=variant)
    right = exact(problem, RATES[:5], batch=16)
    assert abs(training.weights - right).max() < bound(right, RATES[:5])


@pytest.mark.parametrize("variant", VARIANTS)
def test_moments_are_those_of_the_gradient(variant):
    problem = case([2, 6, 3])
    training = trained(problem, RATES[:1], batch=0, variant=variant)
    shape, task, points, targets, flats, _ = problem
    gradient = twin.loss_and_gradient(shape, flats[0], points, targets, task)[1]
    # After one step the moments are (1 - beta) of the gradient and of its square; 300 samples are summed, in an order
    # whose error is at most 300 halves of an ulp of the largest partial sum, which is no more than 1 here.
    assert abs(training.moments[0, 0] - 0.1 * gradient).max() < 0.1 * 300 * 2.0**-24
    assert abs(np.sqrt(training.moments[0, 1] / 0.001) - abs(gradient)).max() < 300 * 2.0**-23


@pytest.mark.parametrize("variant", VARIANTS)
def test_any_split_of_the_steps_gives_the_same_bytes(variant, monkeypatch):
    problem = case([2, 8, 8, 2], runs=2)
    whole = trained(problem, batch=20, variant=variant)
    for split in (1, 7):
        other = trained(problem, split=split, batch=20, variant=variant)
        assert np.array_equal(other.weights, whole.weights) and np.array_equal(other.moments, whole.moments)
    monkeypatch.setattr(kernel, "MOST_STEPS", 3)
    assert np.array_equal(trained(problem, batch=20, variant=variant).weights, whole.weights)


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "blocks"])
def test_the_longest_dispatch_is_right_to_its_last_step(variant):
    """Some drivers end loops silently after so many iterations: a dispatch must stay below."""
    problem = case([2, 3, 2], count=20)
    longest = Training(*problem, batch=1500, variant=variant)
    steps = longest.most_steps
    rates = np.full(steps, 1e-3)
    longest.advance(rates)
    assert 1 < steps < 200
    assert np.array_equal(
        trained(problem, rates, split=-(-steps // 2), batch=1500, variant=variant).weights, longest.weights
    )
    # Else the dispatch would be too short to tell.
    assert longest.plan.iterations(1500) * longest.plan.loop_iterations * steps > 0.75 * kernel.LOOP_ITERATIONS


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "blocks"])
def test_a_step_spread_over_dispatches_gives_the_same_bytes(variant, monkeypatch):
    problem = case([2, 8, 2], runs=2)
    whole = trained(problem, RATES[:4], batch=0, variant=variant)
    # Room for two iterations over the batch in a dispatch.
    monkeypatch.setattr(kernel, "LOOP_ITERATIONS", 2 * whole.plan.loop_iterations + 2)
    spread = Training(*problem, batch=0, variant=variant)
    assert spread.plan.iterations(300) > 2 and spread.most_steps == 0
    spread.advance(RATES[:4])
    assert np.array_equal(spread.weights, whole.weights) and np.array_equal(spread.moments, whole.moments)


@pytest.mark.skipif("blocks" not in VARIANTS, reason="needs a subgroup of a known size")
def test_a_step_in_a_loop_is_spread_over_dispatches_to_the_same_bytes(monkeypatch):
    problem = case([2, 8, 2], runs=2)
    # All networks have more vectors than are written out.
    monkeypatch.setattr(subgroup, "FEW_VECTORS", 0)
    kernel._kernel.forget()
    whole = trained(problem, RATES[:4], batch=0, variant="lanes")
    assert not whole.plan.are_few
    monkeypatch.setattr(kernel, "LOOP_ITERATIONS", 2 * whole.plan.loop_iterations + 2)
    spread = trained(problem, RATES[:4], batch=0, variant="lanes")
    assert spread.most_steps == 0
    assert np.array_equal(spread.weights, whole.weights) and np.array_equal(spread.moments, whole.moments)
    assert abs(whole.weights - exact(problem, RATES[:4], batch=0)).max() < bound(whole.weights, RATES[:4])
    kernel._kernel.forget()


@pytest.mark.skipif("blocks" not in VARIANTS, reason="needs a subgroup of a known size")
def test_blocks_spread_over_dispatches_give_the_same_bytes(monkeypatch):
    problem = case([2, 9, 2], runs=2)
    whole = trained(problem, RATES[:4], batch=0, variant="blocks")
    assert whole.plan.iterations(300) == 3 and len(whole._turns) == 2
    # Room for one block of samples a workgroup in a dispatch, and one step in a submission.
    monkeypatch.setattr(kernel, "LOOP_ITERATIONS", whole.plan.loop_iterations)
    monkeypatch.setattr(kernel, "SUBMITTED", 1)
    spread = trained(problem, RATES[:4], batch=0, variant="blocks")
    assert len(spread._turns) == 4 and spread.most_steps == 1
    assert np.array_equal(spread.weights, whole.weights) and np.array_equal(spread.moments, whole.moments)


def test_code_of_blocks_is_the_same_for_all_sizes_and_that_of_lanes_ends_where_blocks_begin():
    sizes = ([2, 4, 2], [3, 80, 80, 3], [2, *[32] * 12, 2])
    assert len({blocks_module(Problem(case(some)[0], "classes")).split("\n", 1)[1] for some in sizes}) == 1
    for width in range(1, 130):
        plan = Lanes(Problem(case([2, width, width, 2])[0], "classes"), 8)
        # A product is at most three operations: forwards, backwards, and in the gradient.
        assert not plan.is_small_enough() or lanes_module(plan).count("fma(") < 4 * MOST_VECTORS


def test_planning_takes_no_memory_for_weights_that_are_too_many():
    def problem(*sizes):
        layers = *[Activation.parse("tanh")] * (len(sizes) - 2), Activation.parse("identity")
        return Problem(Shape(sizes, layers), "values")

    for sizes in ((1, 1, 1), (2, 7, 9, 3), (3, 20, 33, 16, 5)):
        for lanes in kernel.LANE_COUNTS:
            plan = Lanes(problem(*sizes), lanes)
            assert plan.count == len(plan.vectors)
    with pytest.raises(DeviceLimitError, match="too wide or deep"):
        plan_for(problem(2, *[8192] * 20, 2))


def test_threads_of_a_gpu_give_the_bytes_of_those_of_software(monkeypatch):
    problem = case([2, 9, 7, 2], runs=2)
    found = []
    for threads in (8, 128):
        monkeypatch.setattr(kernel, "SOFTWARE_THREADS", threads)
        monkeypatch.setattr(kernel, "THREADS", threads)
        found.append(trained(problem, RATES[:6], batch=100, variant="threads").weights)
    assert np.array_equal(*found)


@pytest.mark.parametrize("variant", VARIANTS)
def test_runs_side_by_side_are_the_runs_alone(variant):
    problem = case([2, 8, 2], runs=3)
    together = trained(problem, batch=16, variant=variant).weights
    for r in range(3):
        alone = (*problem[:4], problem[4][r : r + 1], problem[5][r : r + 1])
        assert np.array_equal(trained(alone, batch=16, variant=variant).weights[0], together[r])


def test_a_thousand_steps_are_the_twins():
    problem = case([2, 8, 8, 2])
    rates = 1e-3 * 0.5 * (1 + np.cos(np.pi * np.arange(1000) / 1000))
    training, right = trained(problem, rates, batch=32), exact(problem, rates, batch=32)
    # The sum of the rates is 0.5, and this smooth problem's errors do not feed on themselves.
    assert abs(training.weights - right).max() < bound(right, rates)
    assert abs(training.weights - problem[4]).max() > 0.1


def test_the_twins_gradient_is_the_losss_derivative():
    for task, last in (("classes", "identity"), ("values", "sigmoid")):
        shape, _, points, targets, flats, _ = case([2, 4, 3, 3], "tanh", task, last)
        gradient = twin.loss_and_gradient(shape, flats[0], points, targets, task)[1]
        for i, along in enumerate(1e-5 * np.eye(len(gradient))):
            ends = [twin.loss_and_gradient(shape, flats[0] + s * along, points, targets, task)[0] for s in (1, -1)]
            # 1e-10 for the third derivative, 1e-16 / 1e-5 for the subtraction.
            assert abs((ends[0] - ends[1]) / 2e-5 - gradient[i]) < 1e-9


def test_minibatches_are_even_and_differ_by_seed_and_step():
    drawn = np.concatenate([twin.minibatch(3, step, 128, 100) for step in range(500)])
    # 640 times each of 100 numbers, give or take 25: 6 of them is past any luck.
    assert abs(np.bincount(drawn, minlength=100) - 640).max() < 6 * 25.2
    a, b, c = twin.minibatch(3, 0, 128, 40_000), twin.minibatch(3, 1, 128, 40_000), twin.minibatch(4, 0, 128, 40_000)
    assert len({*a.tolist()} & {*b.tolist()}) < 10 and len({*a.tolist()} & {*c.tolist()}) < 10


def test_what_is_too_large_is_refused_and_says_what_fits():
    for variant, width, words in (
        ("threads", 600, r"1208 inputs and neurons.*Take fewer"),
        ("blocks", 3000, "too wide"),
    ):
        shape = Shape((2, width, width, 2), tuple(map(Activation.parse, ("relu", "relu", "identity"))))
        if variant in VARIANTS:
            with pytest.raises(DeviceLimitError, match=words):
                plan_for(Problem(shape, "classes"), variant)


def test_memory_of_the_largest_threads_layout_is_portable():
    for sizes in ([2, 64, 64, 2], [2, *[64] * 7, 8], [2, 500, 1]):
        shape = Shape(tuple(sizes), tuple(Activation.parse("relu") for _ in sizes[1:]))
        plan = Threads(Problem(shape, "values"), 128)
        plan.check()
        memory = 16 * plan.fours * (2 * plan.units + plan.problem.targets)
        assert plan.fours >= 1 and memory <= 16384


def test_places_of_weights_are_told_apart():
    for sizes in ([2, 16, 16, 2], [1, 3], [5, 9, 17, 8]):
        shape = Shape(tuple(sizes), tuple(Activation.parse("relu") for _ in sizes[1:]))
        problem = Problem(shape, "values")
        for plan in (
            Lanes(problem, 8),
            Lanes(problem, 4),
            Blocks(problem, 8),
            Blocks(problem, 16),
            Threads(problem, 128),
        ):
            assert len(set(plan.places.of.tolist())) == problem.weights
            weights = np.random.default_rng(0).random((3, problem.weights)).astype(np.float32)
            assert np.array_equal(plan.places.unpack(plan.places.pack(weights)), weights)


def test_what_cannot_be_trained_is_refused():
    shape, task, points, targets, flats, seeds = case([2, 4, 2])
    softmax = Shape(shape.sizes, (Activation.parse("tanh"), Activation.parse("softmax")))
    with pytest.raises(NetworkError, match="no softmax"):
        Training(softmax, task, points, targets, flats, seeds)
    with pytest.raises(ShapeError, match="do not fit"):
        Training(shape, "values", points, targets, flats, seeds)
    with pytest.raises(ShapeError, match="do not fit"):
        Training(shape, task, points, targets[:-1], flats, seeds)
    with pytest.raises(ShapeError, match="do not fit"):
        Training(shape, task, points[:, :1], targets, flats, seeds)
    with pytest.raises(ShapeError, match="expected"):
        Training(shape, task, points, targets, flats[:, :-1], seeds)


@pytest.mark.skipif(not device().is_software, reason="GPUs share a sample a thread")
def test_small_networks_are_spread_over_lanes_on_software_drivers():
    shape = case([2, 16, 16, 16, 2])[0]
    assert isinstance(plan_for(Problem(shape, "classes")), Lanes if "lanes" in VARIANTS else Threads)


@pytest.mark.skipif("lanes" not in VARIANTS, reason="needs a subgroup of a known size")
@pytest.mark.skipif(not device().is_software, reason="GPUs share a sample a thread")
def test_larger_networks_pass_through_lanes_in_blocks_of_any_width_and_depth():
    for sizes in ([2, 96, 96, 2], [2, *[32] * 8, 2], [2, 1000, 2]):
        assert isinstance(plan_for(Problem(case(sizes)[0], "classes")), Blocks)
