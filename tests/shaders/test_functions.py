"""The functions under wgsl/lib and wgsl/activations against float64, at every size of argument."""

import math
from functools import cache

import numpy as np
import pytest

from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import Module, compose
from engine.gpu.kernel import Kernel
from engine.network.activations import ANYWHERE, Activation

BINDINGS = (Binding("inputs", "read", "array<vec4f>"), Binding("results", "write", "array<vec4f>"))
ULP = 2.0**-23

ELEMENTWISE = [name for name, rule in ANYWHERE.items() if rule.elementwise]
# Their parameter where they have one: not the default, so that a shader that ignores it is found.
PARAMETERS = {"leaky_relu": 0.2, "elu": 0.7, "sine": 3.0, "clipped_relu": 2.5}


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
def activation(name):
    a = PARAMETERS.get(name, 0.0)
    functions = [f"{name}_{part}(z, {a!r})" for part in ("value", "slope", "curvature")]
    return Activation(name, (a,) if a else ()), computed(f"activations/{name}", *functions)


def grid(most=60.0):
    """Float32 numbers of both signs: dense around 0, even in the middle, and down to the smallest."""
    small = np.geomspace(1e-30, 1.0, 400)
    x = np.concatenate([small, np.linspace(0, 12, 3001), np.linspace(12, most, 400)])
    return np.concatenate([-x, x]).astype(np.float32)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_activation_its_slope_and_curvature_are_those_of_the_float64_rule(name):
    rule, run = activation(name)
    z = grid()
    for part, found in zip(("value", "slope", "curvature"), run(z), strict=True):
        exact = getattr(rule, part)(z)
        # 8 ulp: 4 of the fitted function and the products after it. Relative in the tails; where terms of the size of
        # the largest value cancel (near the zeros of gelu's slope, of a sine) it can only be relative to that; a sine's
        # argument is rounded once more, a half ulp of it.
        size = abs(exact)
        if name == "sine" or (part != "value" and name in ("gelu", "silu", "gaussian")):
            size = np.maximum(size, abs(exact).max())
        if name == "sine":
            scale = abs(rule.argument) ** ("value", "slope", "curvature").index(part)
            size = size + scale * abs(rule.argument * z) / 8
        # What is below 2^-122, 8 exp(-87) with its factors, may be given as 0.
        error = abs(found - exact) / (8 * ULP * size + 2.0**-122)
        assert error.max() <= 1, f"{part} at {z[error.argmax()]}: {found[error.argmax()]}, not {exact[error.argmax()]}"


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "gaussian", "gelu", "softplus", "silu", "elu"])
def test_tails_keep_their_relative_accuracy(name):
    rule, run = activation(name)
    z = np.linspace(-40, -1, 2000).astype(np.float32)
    for part, found in zip(("value", "slope"), run(z), strict=False):
        exact = getattr(rule, part)(z)
        # Down to 1e-35, above the smallest normal float32; slopes of gelu and silu cross 0 at -0.75 and -1.28.
        tail = (abs(exact) > 1e-35) & ((z < -2) if name in ("gelu", "silu") else True)
        relative = abs(found - exact)[tail] / abs(exact)[tail]
        assert relative.max() < 16 * ULP, part  # the products above, on both sides of a quotient


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_activations_are_finite_at_any_finite_input(name):
    _, run = activation(name)
    z = np.concatenate([s * np.geomspace(1e-38, 1e30, 500) for s in (-1, 1)])
    assert np.isfinite(run(np.append(z, 0.0))).all()


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
    _, run = activation("tanh")
    z = grid()
    assert np.array_equal(run(-z)[0], -run(z)[0])


def test_slopes_are_the_derivatives_of_values():
    # By symmetric differences in float64 of the rule itself: the table's rows agree with each other.
    z = np.linspace(-5, 5, 1001) + 1e-3  # not at the kinks
    for name in ELEMENTWISE:
        rule = activation(name)[0]
        h = 1e-5  # the third derivative is at most 30 here: errors of 30 h^2 / 6 and 1e-16 / h
        assert abs((rule.value(z + h) - rule.value(z - h)) / (2 * h) - rule.slope(z)).max() < 1e-8, name
        assert abs((rule.slope(z + h) - rule.slope(z - h)) / (2 * h) - rule.curvature(z)).max() < 2e-8, name
