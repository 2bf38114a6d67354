"""The generated network: its layout, its text, and what it computes in each arithmetic."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.codegen.mlp.arithmetics import DUAL, PLAIN
from engine.codegen.mlp.body import is_written_out, loop_iterations
from engine.codegen.mlp.layout import layout, pack, weights_binding
from engine.codegen.mlp.network import network_function, network_module, points_module
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.kernel import Kernel
from engine.network.random import random_mlp
from engine.reference import field as twin

MAIN = """\
#import generated/bindings
#import generated/points
#import generated/network

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= arrayLength(&results) {
        return;
    }
    let p = network_point(id.x);
    CALLS
}
"""


def computed(net, x, arithmetic, expression):
    """The vec4f that a WGSL expression of the point p gives, at each point: (N, 4)."""
    shape = net.shape
    bindings = (
        weights_binding(shape),
        Binding("points", "read", "array<vec4f>"),
        Binding("results", "write", "array<vec4f>"),
    )
    generated = {
        "start": MAIN.replace("CALLS", f"results[id.x] = {expression};"),
        "bindings": declare(bindings),
        "points": points_module(shape),
        "network": network_module(shape, (arithmetic,)),
    }
    kernel = Kernel(compose("generated/start", generated), bindings)
    padded = np.zeros((len(x), -(-net.inputs // 4) * 4), np.float32)
    padded[:, : net.inputs] = x
    results = Array("f4", len(x) * 4)
    usage = "uniform" if bindings[0].kind == "uniform" else "storage"
    kernel.run(-(-len(x) // 64), weights=Array.of(pack(net), usage), points=Array.of(padded), results=results)
    return results.read().reshape(-1, 4)


def points(net, count=40):
    return np.random.default_rng(1).uniform(-1, 1, (count, net.inputs)).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 11), min_size=2, max_size=5), st.integers(0, 99))
def test_every_weight_lies_where_the_layout_says_and_the_rest_is_zero(sizes, seed):
    net = random_mlp(sizes, seed=seed)
    data, found = pack(net), 0.0
    assert data.shape == (layout(net.shape).count, 4) and data.dtype == np.float32
    for layer, place in zip(net.layers, layout(net.shape).blocks, strict=True):
        for out, row in enumerate(layer.weights):
            for into, weight in enumerate(row):
                assert data[place.block(out // 4, into // 4) + into % 4, out % 4] == weight
            assert data[place.bias + out // 4, out % 4] == layer.bias[out]
        found += abs(layer.weights.astype(float)).sum() + abs(layer.bias.astype(float)).sum()
    assert np.isclose(abs(data.astype(float)).sum(), found, rtol=1e-12)


def test_weights_are_a_uniform_up_to_64_kib_and_storage_beyond():
    inside, outside = random_mlp([3, 60, 60, 1]).shape, random_mlp([3, 128, 128, 1]).shape
    assert weights_binding(inside).kind == "uniform"
    assert weights_binding(inside).type == f"array<vec4f, {layout(inside).count}>"
    assert layout(outside).count * 16 > 65536
    assert weights_binding(outside).kind == "read"


@pytest.mark.parametrize("arithmetic", [PLAIN, DUAL], ids=lambda a: a.name)
@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 6])
def test_every_arithmetic_compiles_for_any_number_of_inputs(arithmetic, inputs):
    net = random_mlp([inputs, 5, 6], last="softmax")
    arguments = {PLAIN: "p", DUAL: "p, 0u"}[arithmetic]
    member = {PLAIN: "", DUAL: ".value"}[arithmetic]
    found = computed(net, points(net), arithmetic, f"network_{arithmetic.name}({arguments})[1]{member}")
    assert abs(found[:, :2] - net(points(net))[:, 4:]).max() < 1e-6  # probabilities, to 8 ulp


def test_output_k_is_output_k():
    net = random_mlp([3, 9, 7], seed=5)
    x = points(net)
    found = computed(
        net,
        x,
        PLAIN,
        "vec4f(network_output(p, 0u), network_output(p, 3u), network_output(p, 4u), network_output(p, 6u))",
    )
    bound = twin.bounds(net, x, gradient=False)[0]
    assert (abs(found - net(x)[:, [0, 3, 4, 6]]) <= bound[:, [0, 3, 4, 6]]).all()


def test_a_sample_is_the_value_and_the_gradient():
    net = random_mlp([3, 9, 7], seed=5)
    x = points(net)
    found = computed(net, x, DUAL, "vec4f(network_sample(p, 5u).gradient, network_sample(p, 5u).value)")
    values, gradients = twin.value_and_gradient(net, x)
    value_bound, gradient_bound = twin.bounds(net, x)
    assert (abs(found[:, :3] - gradients[:, 5]) <= gradient_bound[:, 5]).all()
    assert (abs(found[:, 3] - values[:, 5]) <= value_bound[:, 5]).all()


@pytest.mark.parametrize("inputs", [3, 4, 7])
def test_derivatives_along_any_three_inputs_are_theirs(inputs):
    net = random_mlp([inputs, 10, 10, 2], "gelu", seed=6)
    x, first = points(net), inputs - 3
    found = computed(
        net,
        x,
        DUAL,
        "vec4f(D[0].x.y, D[0].y.y, D[0].z.y, 0.0)".replace("D", f"network_dual(p, {first}u)"),
    )
    exact, bound = twin.value_and_gradient(net, x)[1][:, 1, first:], twin.bounds(net, x)[1][:, 1, first:]
    assert (abs(found[:, :3] - exact) <= bound).all()


def test_small_networks_are_written_out_and_large_ones_stay_short():
    small = random_mlp([3, 8, 1]).shape
    assert is_written_out(small)
    for loop in ("for (", "array<vec4f, 2>"):
        assert loop not in network_function(small, PLAIN)
    for sizes in (
        [3, 32, 32, 32, 1],
        [2, *[30] * 27, 3],
        [3, 256, 256, 256, 1],
        [784, 300, 100, 10],
        [2, *[64] * 100, 1],
    ):
        shape = random_mlp(sizes).shape
        assert not is_written_out(shape)
        # Lavapipe compiles about 20 ms a block.
        assert network_function(shape, PLAIN).count("network_block(") <= 80


def test_loop_iterations_are_counted_high_enough_and_leave_room():
    for sizes in ([3, 8, 1], [3, 32, 32, 32, 1], [2, *[30] * 27, 3], [3, 256, 256, 256, 1], [3, 40, 70, 33, 2]):
        shape = random_mlp(sizes).shape
        assert iterations(network_function(shape, PLAIN)) <= loop_iterations(shape) < 2000


def iterations(text):
    """Loop iterations of a WGSL function, from its loops' bounds and their nesting."""
    total, open_loops, depth = 0, [], 0
    for line in text.splitlines():
        if match := re.search(r"for \(var \w+ = 0u; \w+ < (\d+)u", line):
            factor = int(match.group(1)) * (open_loops[-1][1] if open_loops else 1)
            total += factor
            open_loops.append((depth, factor))
        depth += line.count("{") - line.count("}")
        while open_loops and depth <= open_loops[-1][0]:
            open_loops.pop()
    return total


def test_only_sizes_and_activations_change_the_text():
    a, b = random_mlp([3, 8, 1], seed=1), random_mlp([3, 8, 1], seed=2)
    assert network_module(a.shape) == network_module(b.shape)
    assert network_module(a.shape) != network_module(random_mlp([3, 9, 1]).shape)
    assert network_module(a.shape) != network_module(random_mlp([3, 8, 1], "sine(3)").shape)
    assert network_module(random_mlp([3, 8, 1], "sine(3)").shape) != network_module(
        random_mlp([3, 8, 1], "sine(4)").shape
    )


@pytest.mark.parametrize("arithmetic", [PLAIN, DUAL])
def test_layers_alike_share_a_loop_and_their_runs_have_one_each(arithmetic):
    alike = "40 tanh + 5 relu + 19 identity"
    net = random_mlp([3, 64, 64, 64, 64, 64, 1])
    text = network_function(net.changed(activations=[*[alike] * 5, "identity"]).shape, arithmetic)
    # The layers 1 to 4 are in one loop, as in a network of one activation; the first and the last are by themselves.
    plain = network_function(net.shape, arithmetic)
    assert text.count("var at1") == plain.count("var at1") == 1
    # A loop over the groups of tanh in each of the two places where such a layer is written.
    assert text.count(f"{arithmetic.name}_tanh(") - 1 == 2
