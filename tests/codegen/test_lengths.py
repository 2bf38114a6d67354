"""How long generated texts are: bounded whatever the network's widths and depth, as drivers compile in proportion."""

import re

import pytest

from engine.codegen.boundaries.module import boundaries_module
from engine.codegen.bounds import layered
from engine.codegen.mlp import each_layer
from engine.codegen.mlp.arithmetics import PLAIN, TANGENT
from engine.codegen.mlp.batched import batched_module
from engine.codegen.mlp.narrow import tangents_module
from engine.codegen.mlp.network import network_module
from engine.codegen.train.blocks import Blocks, blocks_module
from engine.codegen.train.problem import Problem
from engine.codegen.train.subgroup import Lanes, lanes_module
from engine.codegen.train.workgroup import threads_module
from engine.errors import DeviceLimitError
from engine.kernels.field import best_variant, is_whole
from engine.kernels.fields.narrow import GROUPS
from engine.kernels.train import plan_for
from engine.network.activations import Activation
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.network.units.mixed import mixed

# Where one way of writing ends and another begins, and far past the last.
WIDTHS, DEPTHS = (1, 15, 16, 17, 32, 33, 64, 65, 200), (1, 2, 3, 8, 30)
PARTS = ("identity", "relu", "tanh", "sine(30)", "gelu")


def shape_of(width, depth, several):
    net = random_mlp([2, *[width] * depth, 2], "gelu", distribution="glorot")
    if not several or width < len(PARTS):
        return net.shape
    first = width - len(PARTS) + 1
    layer = mixed([(Activation.parse(a), 1 if k else first) for k, a in enumerate(PARTS)])
    return Mlp(net.weights, net.biases, [*[layer] * depth, net.layers[-1].activation]).shape


def field(kind, arithmetic):
    def text(shape):
        if is_whole(shape, kind):
            return network_module(shape, (arithmetic,))
        return each_layer.layer_module(each_layer.layer_kinds(shape.activations), 8, arithmetic)

    return text


def grid(gradient):
    def text(shape):
        variant = best_variant(gradient=gradient)
        return "" if variant.plan(shape) is None else batched_module(shape, variant)

    return text


def bounds(shape):
    kinds = layered.network_kinds(shape)
    whole = layered.narrow_module(kinds, 4, 8)
    return max(*(layered.layer_module(kinds, 8, groups) for groups in layered.LANES_GROUPS), whole, key=len)


def training(shape):
    if len(shape.activations[0].kinds) > 1:
        return ""
    try:
        plan = plan_for(Problem(shape, "classes"))
    except DeviceLimitError:
        return ""
    if isinstance(plan, Blocks):
        return blocks_module(plan.problem)
    return lanes_module(plan) if isinstance(plan, Lanes) else threads_module(plan)


# Letters. Where products are written out, for speed, the text is as long as compiles in up to 2 s on two slow cores.
MOST = {
    "field": (field("plain", PLAIN), 6_000),
    "gradient": (field("tangent", TANGENT), 6_000),
    "grid": (grid(False), 300_000),
    "grid with gradients": (grid(True), 300_000),
    "boundaries": (lambda shape: boundaries_module(shape, "classes"), 25_000),
    "bounds": (bounds, 25_000),
    "gradients in registers": (lambda shape: tangents_module(Activation("gelu"), GROUPS[-1], 8), 26_000),
    "training": (training, 310_000),
}


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("kind", MOST)
def test_no_width_and_depth_makes_a_text_long(kind, several):
    text, most = MOST[kind]
    found = {(width, depth): len(text(shape_of(width, depth, several))) for width in WIDTHS for depth in DEPTHS}
    assert max(found.values()) <= most, max(found, key=found.get)


@pytest.mark.parametrize("several", [False, True])
def test_the_text_of_boundaries_in_loops_is_the_same_but_for_numbers(several):
    shapes = (shape_of(width, depth, several) for width, depth in ((65, 1), (64, 8), (200, 30)))
    numbers = re.compile(r"\d+")
    # The header says the shape.
    texts = {numbers.sub("", boundaries_module(shape, "classes").split("\n", 1)[1]) for shape in shapes}
    assert len(texts) == 1
