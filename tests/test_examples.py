"""The networks in examples/ are what their scripts say."""

import sys
from pathlib import Path

import numpy as np
import pytest

import engine

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield
    for name in ("fit", "gyroid"):
        sys.modules.pop(name, None)


def test_the_gyroid_is_its_formula():
    net = engine.load(EXAMPLES / "gyroid.safetensors")
    p = np.random.default_rng(0).uniform(-5, 5, (1000, 3))
    x, y, z = 1.3 * p.T
    exact = np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)
    # 1.3 as float32 is 5e-8 off its value, and so the phase at 5 world units; six neurons of half a unit each.
    assert np.abs(net(p)[:, 0] - exact).max() < 6 * 0.5 * 2 * 5 * 5e-8


def test_the_gyroid_file_is_what_its_script_writes(scripts):
    from gyroid import gyroid

    assert gyroid().equals(engine.load(EXAMPLES / "gyroid.safetensors"))


def test_the_torus_is_near_the_distance_it_was_trained_on(scripts):
    import fit

    net = engine.load(EXAMPLES / "torus.safetensors")
    points = fit.points_in_ball(np.random.default_rng(3), 5000)
    error = net(points)[:, 0] - fit.torus(points)
    # The script printed 0.066 when it had fitted; other points move that a little.
    assert np.sqrt(np.mean(error**2)) < 0.08


def test_the_fit_s_gradient_is_the_slope_of_its_loss(scripts):
    import fit

    rng = np.random.default_rng(4)
    weights = [rng.normal(size=s) * 0.5 for s in ((7, 3), (7,), (5, 7), (5,), (1, 5), (1,))]
    points = fit.points_in_ball(rng, 50)
    target = fit.torus(points)
    closeness = 1.0 / (0.25 + np.abs(target))

    def loss(changed):
        return np.mean(closeness * (fit.forward(changed, points)[-1][:, 0] - target) ** 2)

    for k, slope in enumerate(fit.gradient(weights, points, target)):
        at = np.unravel_index(np.abs(slope).argmax(), slope.shape)
        ends = []
        for sign in (1, -1):
            changed = [w.copy() for w in weights]
            changed[k][at] += sign * 1e-5
            ends.append(loss(changed))
        # A central difference over 1e-5 is exact to about 1e-9 of the loss, here near 10.
        assert abs((ends[0] - ends[1]) / 2e-5 - slope[at]) < 1e-6 * max(1.0, abs(slope[at]))


def test_fitting_lowers_the_error(scripts):
    import fit

    rough = fit.fit(fit.torus, [8], 20)[1]
    assert fit.fit(fit.torus, [8], 400)[1] < 0.7 * rough
