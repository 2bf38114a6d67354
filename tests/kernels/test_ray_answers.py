"""Every answer along rays is a true statement: held against float64 for networks of every kind."""

import numpy as np
import pytest

from benchmarks.networks import ball_rays
from engine.kernels.rays import GRAZE, HIT, MISS, UNDECIDED, cast
from engine.kernels.search import passes
from engine.kernels.search.budget import Budget
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.reference import rays as twin
from tests.kernels.ray_law import contradictions, random_case
from tests.network.every_activation import SOME

# One of each kind of bounds, alone and behind others; squares of squares would leave float32's numbers.
DEEP = {
    2: ["softplus(3)", "gaussian"],
    3: ["leaky_relu(0.2)", "silu", "sigmoid"],
    4: ["sine(2)", "tanh", "hardtanh(-0.5,0.75)", "gelu"],
    5: ["relu", "mish", "tanh", "erf", "softsign"],
}


@pytest.mark.parametrize("activation", SOME, ids=str)
def test_answers_through_one_layer_of_every_activation_are_true(activation):
    rng = np.random.default_rng(1)
    answers = []
    for _ in range(6):
        net, casting, levels = random_case(rng, (3, 6, 1), [str(activation)], 40)
        found = cast(net, *casting, surfaces=4, **levels)
        assert contradictions(net, *casting, found, samples=300, **levels) == []
        answers.append(found["outcome"])
    assert (np.array(answers) == HIT).sum() > 100 and (np.array(answers) == UNDECIDED).sum() == 0


@pytest.mark.parametrize("depth", DEEP)
def test_answers_through_deep_networks_are_true(depth):
    rng = np.random.default_rng(depth)
    for _ in range(4):
        net, casting, levels = random_case(rng, (3, *[5] * depth, 1), DEEP[depth], 45)
        found = cast(net, *casting, surfaces=4, **levels)
        assert contradictions(net, *casting, found, samples=300, **levels) == []


def test_hard_rays_of_narrow_networks_get_the_answers_that_others_get(monkeypatch):
    rng = np.random.default_rng(3)
    net, casting, levels = random_case(rng, (3, 7, 5, 1), ["softplus(3)", "relu"], 60)
    usual = cast(net, *casting, surfaces=4, **levels)
    # By the kernel that takes many segments at once, from the first on.
    monkeypatch.setattr(passes, "HARD", 0)
    assert usual.tobytes() == cast(net, *casting, surfaces=4, **levels).tobytes()
    assert (usual["outcome"] == HIT).sum() > 20 and usual["segments"].max() > 10


def test_the_twin_answers_truly_too():
    rng = np.random.default_rng(2)
    for activation in ("tanh", "gaussian", "relu"):
        net, casting, levels = random_case(rng, (3, 5, 4, 1), [activation, "sine(2)"], 6)
        found = twin.cast(net, *casting, surfaces=3, **levels)
        assert contradictions(net, *casting, found, samples=300, ulp=2.0**-52, **levels) == []


def test_a_law_that_finds_nothing_would_be_none():
    net, casting, levels = random_case(np.random.default_rng(5), (3, 6, 1), ["tanh"], 40)
    found = cast(net, *casting, surfaces=2, **levels)
    hit = found["outcome"][:, 0] == HIT
    assert hit.sum() > 10
    moved, unseen, turned = found.copy(), found.copy(), found.copy()
    moved["t"][:, 0] += np.float32(1e-2)
    unseen["t"][hit, 0] = casting[2][hit]
    unseen["outcome"][hit] = MISS
    turned["rising"][hit, 0] ^= True
    for wrong in (moved, unseen, turned):
        said = contradictions(net, *casting, wrong, **levels)
        assert len({text.split(",")[0] for text in said}) >= hit.sum() * 0.9


def sheets(name: str, thickness: float, count: int = 4) -> Mlp:
    """Sheets that are each one neuron, steep on both sides."""
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) * thickness
    return Mlp([normals, [[1.3] * count]], [-rng.uniform(-3, 3, count) / thickness, [0.3]], name)


@pytest.mark.parametrize("thickness", [2e-2, 2e-3, 2e-4])
def test_thin_gaussian_sheets_are_crossed_and_none_is_given_up(thickness):
    net, casting = sheets("gaussian", thickness), ball_rays(40)
    found = cast(net, *casting, level=0.37, surfaces=8)
    assert (found["outcome"] == HIT).sum() > 6000
    assert np.isin(found["outcome"], (GRAZE, UNDECIDED)).sum() <= 3 and found["segments"].max() < 2000
    assert contradictions(net, *casting, found, level=0.37, samples=200) == []


@pytest.mark.parametrize("offset", [0.0, 1e-7, 1e-5])
def test_a_level_at_the_height_of_a_plain_between_sheets_is_a_graze_at_once(offset):
    net, casting = sheets("gaussian", 2e-3), ball_rays(20)
    levels = {"level": 0.3 + offset, "single": True}
    found = cast(net, *casting, surfaces=4, **levels)
    assert (found["outcome"] != UNDECIDED).all() and found["segments"].max() < 2000
    assert contradictions(net, *casting, found, samples=200, **levels) == []


def test_a_flat_crossing_is_where_it_is_said_to_be_or_a_graze():
    # 100 tanh(x / 100) - tanh(x), near 0 x^3 / 3, crosses 0 at x = 0 alone.
    net = Mlp([[[0.01, 0, 0], [1, 0, 0]], [[100, -1]]], None, "tanh")
    starts = -np.linspace(1.2, 2.2, 40)
    origins = np.stack([starts, 0 * starts, 0 * starts], axis=1)
    directions = np.broadcast_to([1.0, 0, 0], origins.shape)
    found = cast(net, origins, directions, 4.0, single=True)
    assert np.isin(found["outcome"], (HIT, GRAZE)).all()
    assert (abs(found["t"][:, 0] + starts.astype("f4")) <= found["uncertainty"][:, 0]).all()
    assert found["uncertainty"].max() < 0.1


def test_what_is_undecided_lies_before_all_crossings_in_contact_too():
    # f stays within a millionth of the level for most of the ray.
    net = random_mlp((3, 8, 1), "tanh", seed=5, scale=1.5)
    origin, direction = [[-4.1617928, 0.7934937, 6.3594441]], [[0.3515863, -0.4726304, -0.8080889]]
    for level in np.float32(-0.9400667) + np.float32(1e-7) * np.arange(-10, 10):
        found = cast(net, origin, direction, 7.583402, level=level, single=True, surfaces=3)
        assert contradictions(net, origin, direction, 7.583402, found, level=level, single=True) == []


def test_a_ray_through_steep_waves_passes_no_crossing_while_it_is_in_contact():
    width = 24
    net = random_mlp((3, *[width] * 4, 1), "sine(2)", distribution="normal", scale=2.5 / np.sqrt(width), seed=0)
    first, *others = net.layers
    net = Mlp(
        [first.weights * np.float32(0.4 * np.sqrt(width)), *(x.weights for x in others)],
        [first.bias * np.float32(np.sqrt(width)), *(x.bias for x in others)],
        net.shape.activations,
    )
    origin, direction = [[0.9583814, -3.7882788, -4.5040812]], [[-0.4019206, 0.8988020, 0.1749712]]
    for level in np.linspace(0.99, 2.1, 12):
        found = cast(net, origin, direction, 0.06, level=level, single=True, surfaces=3)
        assert contradictions(net, origin, direction, 0.06, found, level=level, single=True) == []


@pytest.mark.parametrize(
    ("net", "level"),
    [
        (Mlp([[[1e-25, 0, 0]], [[1e-20]], [[1e38]], [[1e7]]], None, ["identity"] * 4), 0.25),
        (Mlp([[[1, 0, 0]], [[1e38]]], [[-92], [0]], "softplus"), 0.006),
        (Mlp([[[1, 0, 0]], [[1e38]]], [[-92], [0]], "sigmoid"), 0.006),
        (Mlp([[[1e-39, 0, 0]], [[1e38]]], None, "identity"), 0.05),
    ],
    ids=["products", "an activation", "a saturated one", "a weight"],
)
def test_what_underflows_is_not_missed(net, level):
    assert net([-1, 0.1, 0.1])[0] < level < net([1, 0.1, 0.1])[0]
    found = cast(net, [[-1, 0.1, 0.1]], [[1, 0, 0]], 2.0, level=level, single=True, budget=Budget(1000))
    assert found["outcome"][0, 0] != MISS


def test_numbers_beyond_float32_are_not_taken_for_bounds():
    # exp grows from 1e-2 to 1e38 along the ray: squares of bounds, and some bounds, are no numbers.
    net = Mlp([[[30.0, 0, 0]], [[1.0]]], [[-4.0], [0.0]], "exp")
    start = np.linspace(-1.0, 0.0, 20)
    origins = np.stack([start, 0 * start, 0 * start], axis=1)
    directions = np.broadcast_to([1.0, 0, 0], origins.shape)
    for level in (1.0, 1e6, 1e20):
        found = cast(net, origins, directions, 3.0, level=level, single=True, surfaces=2)
        assert contradictions(net, origins, directions, 3.0, found, level=level, single=True) == []
        assert (found["outcome"][:, 0] != MISS).all() and (found["outcome"][:, 0] == HIT).sum() >= 8
