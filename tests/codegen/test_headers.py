"""What a generated text says of itself at its top, in the module that the compiler sees."""

import pytest

from engine.codegen.boundaries.module import boundaries_bindings, boundaries_module
from engine.codegen.bounds.enclosure import enclosure_module
from engine.codegen.bounds.layered import layer_module, narrow_module, network_kinds
from engine.codegen.matmul.activation import activated
from engine.codegen.matmul.product import SLAB_TILE, Tile, product_module
from engine.codegen.mlp import each_layer
from engine.codegen.mlp.arithmetics import DUAL, PLAIN
from engine.codegen.mlp.batched import Variant, batched_module
from engine.codegen.mlp.layout import layout
from engine.codegen.mlp.network import network_module
from engine.codegen.train.problem import Problem
from engine.codegen.train.subgroup import Lanes, lanes_module
from engine.codegen.train.workgroup import Threads, threads_module
from engine.kernels.search.fused import kernels
from engine.network.activations import Activation
from engine.network.random import random_mlp

SHAPE = random_mlp([3, 16, 16, 1], "sine(3)").shape
DEEP = random_mlp([3, 64, 64, 64, 2], "tanh").shape
FLAT = random_mlp([2, 30, 30, 30, 3], "relu").shape
PROBLEM = Problem(random_mlp([2, 8, 3], "tanh").shape, "classes")
# A text, and what its top has to say of where it comes from.
CASES = {
    "network": (
        network_module(SHAPE, (PLAIN, DUAL)),
        [str(SHAPE), "plain, dual", f"{layout(SHAPE).count} vec4f", "line"],
    ),
    "deep network": (network_module(DEEP, (DUAL,)), [str(DEEP), "loops"]),
    "slopes": (enclosure_module(random_mlp([3, 8, 1]).shape), ["3-8-1", "slopes"]),
    "one layer": (each_layer.layer_module(each_layer.layer_kinds(DEEP.activations), 8), ["dual", "tanh", "8 lanes"]),
    "parabolas": (layer_module(network_kinds(DEEP), 8), ["parabolas", "tanh, sums", "8 lanes"]),
    "narrow": (narrow_module(network_kinds(SHAPE), 4, 8), ["parabolas", "sine(3)", "8 lanes"]),
    "boundaries": (boundaries_module(FLAT, "values"), [str(FLAT), "values", "straight", "one loop"]),
    "batched": (
        batched_module(FLAT, Variant(4, broadcast=True)),
        ["4 points", "2 to 30", "30 to 30", "relu", "8 lanes"],
    ),
    "slabs": (product_module(SLAB_TILE, Activation("relu")), ["8 points by 8 outputs", "relu", "workgroup memory"]),
    "lanes": (product_module(Tile(6, 10, 8), Activation("tanh"), stores_half=True), ["8 lanes", "written as float16"]),
    "activated": (activated(Activation("elu", (0.5,))), ["elu(0.5)"]),
    "subgroup": (lanes_module(Lanes(PROBLEM, 8)), [str(PROBLEM.shape), "classes", "8 lanes"]),
    "workgroup": (threads_module(Threads(PROBLEM, 128)), [str(PROBLEM.shape), "classes", "128 invocations"]),
}


def top_of(text):
    """The comment at the top of a text."""
    lines = text.splitlines()
    return "\n".join(lines[: next(i for i, line in enumerate(lines) if not line.startswith("//"))])


@pytest.mark.parametrize("case", CASES)
def test_a_generated_text_says_from_what_it_is_made(case):
    text, facts = CASES[case]
    for fact in facts:
        assert fact in top_of(text)


def test_what_is_said_stands_in_the_compiled_module():
    shape = random_mlp([3, 8, 1]).shape
    code = kernels(shape)[0].module.code
    for text in (network_module(shape, (PLAIN,)), enclosure_module(shape)):
        assert top_of(text) in code


def test_what_a_boundary_picture_is_made_from_stands_in_its_module():
    assert boundaries_bindings(FLAT)[0].name == "weights"
    text = boundaries_module(FLAT, "classes")
    assert top_of(text) != top_of(boundaries_module(FLAT, "values"))
