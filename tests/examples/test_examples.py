"""The networks in examples/ are what their scripts say."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

import engine

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield
    for name in ("fit", "gyroid", "two_moons"):
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


def test_fitted_networks_are_near_the_distances_they_were_trained_on(scripts):
    import fit

    # The script printed the first number when it had fitted; other points move that a little.
    for name, printed, activation in (
        ("torus", 0.066, "tanh"),
        ("trefoil", 0.00784, "relu"),
        ("sponge", 0.00302, "sine(30)"),
    ):
        net, shape = engine.load(EXAMPLES / f"{name}.safetensors"), fit.SHAPES[name]
        points = fit.points_in_ball(np.random.default_rng(3), 5000, shape.radius)
        error = net(points)[:, 0] - shape.distance(points)
        assert np.sqrt(np.mean(error**2)) < 1.25 * printed
        assert str(net.layers[0].activation) == activation and len(net.layers) == len(shape.hidden) + 1


@pytest.mark.parametrize("activation", ["tanh", "relu", "sine(3)"])
def test_the_fit_s_gradient_is_the_slope_of_its_loss(scripts, activation):
    import fit

    kind = engine.Activation.parse(activation)
    rng = np.random.default_rng(4)
    weights = [rng.normal(size=s) * 0.5 for s in ((7, 3), (7,), (5, 7), (5,), (1, 5), (1,))]
    points = fit.points_in_ball(rng, 50)
    target = fit.torus(points)
    closeness = 0.25 / (0.25 + np.abs(target))

    def loss(changed):
        return np.mean(closeness * (fit.forward(changed, points, kind)[0][-1][:, 0] - target) ** 2)

    for k, slope in enumerate(fit.gradient(weights, points, target, kind, 0.25)):
        at = np.unravel_index(np.abs(slope).argmax(), slope.shape)
        ends = []
        for sign in (1, -1):
            changed = [w.copy() for w in weights]
            changed[k][at] += sign * 1e-5
            ends.append(loss(changed))
        # A central difference over 1e-5 is exact to about 1e-9 of the loss, here near 10.
        assert abs((ends[0] - ends[1]) / 2e-5 - slope[at]) < 1e-6 * max(1.0, abs(slope[at]))


def test_fitting_lowers_the_error(scripts, monkeypatch):
    import fit

    monkeypatch.setattr(fit, "POOL", 20_000)
    shape = dataclasses.replace(fit.SHAPES["torus"], hidden=[8])
    assert fit.fit(shape, steps=400)[1] < 0.7 * fit.fit(shape, steps=20)[1]


def test_two_moons_are_half_circles_that_interlock(scripts):
    from two_moons import two_moons

    points, moon = two_moons(4000)
    assert points.dtype == np.float32 and np.array_equal(np.bincount(moon), [2000, 2000])
    for which, centre in ((0, (0.0, 0.0)), (1, (1.0, 0.5))):
        off = np.linalg.norm(points[moon == which] - centre, axis=1) - 1.0
        # Noise of 0.12: the mean of 2000 is known to 0.0027, and the curve adds half of 0.12 squared.
        assert abs(off.mean()) < 0.02 and abs(off.std() - 0.12) < 0.01


def test_without_pytorch_the_moons_say_what_to_install(scripts, monkeypatch, tmp_path):
    import two_moons

    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(sys, "argv", ["two_moons.py", str(tmp_path / "a.safetensors")])
    with pytest.raises(SystemExit, match="pip install torch"):
        two_moons.main()
