"""The functions under wgsl/lib and wgsl/activations against float64, at every size of argument."""

import math
from functools import cache

import numpy as np
import pytest

from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import Module, compose
from engine.gpu.kernel import Kernel
from engine.network.activations import Activation
from engine.network.rules.extrema import extrema
from engine.reference.field import CANCELLING, CROSSING, MORE_ULPS
from tests.network.every_activation import EVERY

BINDINGS = (Binding("inputs", "read", "array<vec4f>"), Binding("results", "write", "array<vec4f>"))
ULP = 2.0**-23
PARTS = ("value", "slope", "curvature")


def computed(file, *expressions):
    """f(x) for each WGSL expression of `z`, a vec4f, as functions of float32 arrays."""
    stores = "\n".join(f"    results[{len(expressions)}u * id.x + {i}u] = {e};" for i, e in enumerate(expressions))
    main = (
        "@compute @workgroup_size(64)\nfn main(@builtin(global_invocation_id) id: vec3u) {\n"
        "    if id.x >= arrayLength(&inputs) {\n        return;\n    }\n"
        f"    let z = inputs[id.x];\n{stores}\n}}\n"
    )
    code = declare(BINDINGS) + compose(file).code + main
    kernel = Kernel(Module(file, code, ()), BINDINGS)

    def run(x):
        x = np.asarray(x, np.float32)
        padded = np.resize(x, -(-len(x) // 4) * 4)
        results = Array("f4", len(padded) * len(expressions))
        kernel.run(-(-len(padded) // 256), inputs=Array.of(padded), results=results)
        found = results.read().reshape(-1, len(expressions), 4).transpose(1, 0, 2)
        return found.reshape(len(expressions), -1)[:, : len(x)]

    return run


@cache
def shader(activation):
    """A function that gives value, slope and curvature of float32 numbers."""
    return computed(f"activations/{activation.name}", *(activation.wgsl(p, "z") for p in PARTS))


def grid(most=60.0):
    """Float32 numbers of both signs: dense around 0, even in the middle, and down to the smallest."""
    small = np.geomspace(1e-30, 1.0, 400)
    x = np.concatenate([small, np.linspace(0, 12, 3001), np.linspace(12, most, 400)])
    return np.concatenate([-x, x]).astype(np.float32)


def turned(activation, part, z):
    """How far float32 may be off by rounding the argument of the function itself, as in sin(a z)."""
    h = 1e-3 * min(1.0, activation.rule.scale(activation.argument), activation.rule.period(activation.argument) or 1.0)
    function = getattr(activation, part)
    return activation.rule.scaled * ULP * abs(z * (function(z + h) - function(z - h)) / (2 * h))


@pytest.mark.parametrize("activation", EVERY, ids=str)
def test_an_activation_its_slope_and_curvature_are_those_of_the_float64_rule(activation):
    z = grid()
    for part, found in zip(PARTS, shader(activation)(z), strict=True):
        right = getattr(activation, part)(z)
        # No value in float64: none here; past float32: its end.
        assert np.array_equal(np.isnan(found), np.isnan(right)), part
        past = abs(right) > 3.3e38
        assert (abs(found[past]) > 3e38).all(), part
        z_, found, right = (x[~(past | np.isnan(right))] for x in (z.astype(float), found, right))
        # 8 ulp: 4 of the fitted function and the products after it. Relative in the tails; where terms of the size of
        # the largest value cancel (near the zeros of gelu's slope, of a sine) it can only be relative to that.
        size = abs(right)
        if (activation.name in CANCELLING and part == "value") or (part != "value" and activation.name in CROSSING):
            size = np.maximum(size, 1.0 if part == "value" else extrema(activation, part).most)
        # What is below 2^-115, 100 exp(-87) with its factors, may be given as 0.
        bound = MORE_ULPS.get(activation.name, 8) * ULP * size + 2.0**-115
        if activation.rule.scaled:
            bound = bound + 2 * turned(activation, part, z_)
        error = abs(found - right) / bound
        assert error.max() <= 1, f"{part} at {z_[error.argmax()]}: {found[error.argmax()]}, not {right[error.argmax()]}"


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "gaussian", "gelu", "silu", "elu", "mish", "selu", "log_sigmoid"])
def test_tails_keep_their_relative_accuracy(name):
    z, activation = np.linspace(-40, -1, 2000).astype(np.float32), Activation.parse(name)
    for part, found in zip(PARTS[:2], shader(activation)(z), strict=False):
        exact = getattr(activation, part)(z)
        # Down to 1e-35, above the smallest normal float32; slopes of gelu, silu and mish cross 0 from -0.75 to -1.28.
        tail = (abs(exact) > 1e-35) & ((z < -2) if name in ("gelu", "silu", "mish") else True)
        relative = abs(found - exact)[tail] / abs(exact)[tail]
        assert relative.max() < 16 * ULP, part  # the products above, on both sides of a quotient


@pytest.mark.parametrize("activation", EVERY, ids=str)
def test_activations_are_finite_at_any_finite_input(activation):
    z = np.concatenate([s * np.geomspace(1e-38, 1e30, 500) for s in (-1, 1)]).astype(np.float32)
    z = np.append(z, np.float32(0.0))
    found = shader(activation)(z)
    assert np.isfinite(found[:, ~np.isnan(activation.value(z.astype(float)))]).all()


def test_sines_hold_to_a_thousand():
    x = np.linspace(-1000, 1000, 20001).astype(np.float32)
    sine, cosine = computed("lib/sine", "safe_sin(z)", "safe_cos(z)")(x)
    # 2 ulp of 1, the argument being taken as it is.
    assert abs(sine - np.sin(x.astype(float))).max() < 2 * ULP
    assert abs(cosine - np.cos(x.astype(float))).max() < 2 * ULP


def test_exponentials_are_within_three_ulp():
    x = np.linspace(-86, 87, 20001).astype(np.float32)
    assert (abs(computed("lib/exponential", "safe_exp(z)")(x)[0] / np.exp(x.astype(float)) - 1)).max() < 3 * ULP
    x = -np.geomspace(1e-30, 80, 5000).astype(np.float32)
    assert (abs(computed("lib/exponential", "expm1_negative(z)")(x)[0] / np.expm1(x.astype(float)) - 1)).max() < 3 * ULP
    x = np.concatenate([[0.0], np.geomspace(1e-30, 1, 5000)]).astype(np.float32)
    found = computed("lib/exponential", "log1p_unit(z)")(x)[0]
    assert abs(found - np.log1p(x.astype(float))).max() < 3 * ULP
    assert (abs(found[1:] / np.log1p(x[1:].astype(float)) - 1)).max() < 3 * ULP


def test_the_normal_cdf_is_relatively_accurate_in_its_tail():
    z = np.linspace(-12.5, 8, 5000).astype(np.float32)
    exact = np.array([0.5 * math.erfc(-float(x) / math.sqrt(2)) for x in z])
    assert (abs(computed("lib/normal", "normal_cdf(z)")(z)[0] / exact - 1)).max() < 8 * ULP


def test_a_mirrored_tanh_is_minus_itself_to_the_bit():
    z, run = grid(), shader(Activation("tanh"))
    assert np.array_equal(run(-z)[0], -run(z)[0])


def test_logarithms_and_inverse_functions_are_within_four_ulp():
    x = np.concatenate([np.geomspace(1.2e-38, 3e38, 9001), np.linspace(0.5, 2, 9001)]).astype(np.float32)
    (found,) = computed("lib/logarithm", "safe_log(z)")(x)
    exact = np.log(x.astype(float))
    assert (abs(found - exact) <= 4 * ULP * abs(exact) + 2.0**-126).all()
    x = np.linspace(-1, 1, 20001).astype(np.float32)
    file = "lib/inverse_trigonometry"
    for name, right in (("asin", np.arcsin), ("acos", np.arccos), ("atan", np.arctan)):
        exact = right(x.astype(float))
        assert (abs(computed(file, f"safe_{name}(z)")(x)[0] - exact) <= 4 * ULP * abs(exact) + 2.0**-126).all(), name
