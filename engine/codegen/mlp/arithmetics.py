"""The arithmetics of the generated network: each is an element type and some functions in `wgsl/arithmetic/`."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.codegen.mlp.units import is_bent, layer_groups, selected
from engine.network.mlp import Shape


@dataclass(frozen=True)
class Arithmetic:
    """One arithmetic for the network's body.

    name       its file in wgsl/arithmetic/, and the prefix of its functions NAME_start(bias) and NAME_add(z, block, h)
    element    the WGSL type that stands for four neurons' responses
    arguments  of the generated function `network_NAME`, as (name, WGSL type) pairs
    enter      the first layer's NAME_add: WGSL for z plus a block times input group k, given the texts of the three
    lift       the activation of `z`, given its name and its parameter as WGSL text
    """

    name: str
    element: str
    arguments: tuple[tuple[str, str], ...]
    enter: Callable[[str, str, str], str]
    lift: Callable[[str, str], str]

    def start(self, layer: int, bias: str, group: str) -> str:
        """WGSL for the sums of a group before any product; bias: its place among the weights."""
        return f"{self.name}_start(weights[{bias}])"

    def product(self, layer: int, z: str, block: str, k: str, h: str) -> str:
        """WGSL for z plus a block times input group k, whose responses are h."""
        if layer == 0:
            return self.enter(z, block, k)
        return f"{self.name}_add({z}, {block}, {h})"

    def response(self, shape: Shape, layer: int, z: str, group: str, at: int) -> str:
        """WGSL for the activation of z; softmax is applied to all outputs afterwards."""
        one = lambda a: f"{self.name}_{a.name}({z}, {a.wgsl_argument})" if is_bent(a) else z
        return selected(layer_groups(shape, layer)[at], one, SELECTS.get(self.name, f"{self.name}_select"))


# Numbers have WGSL's own.
SELECTS = {"plain": "select"}

POINT = ("p", "NetworkPoint")

PLAIN = Arithmetic(
    "plain",
    "vec4f",
    (POINT,),
    lambda z, block, k: f"plain_enter({z}, {block}, network_inputs(p, {k}))",
    lambda name, a: f"{name}_value(z, {a})",
)
DUAL = Arithmetic(
    "dual",
    "Dual",
    (POINT, ("first", "u32")),
    lambda z, block, k: f"dual_enter({z}, {block}, network_inputs(p, {k}), i32(first) - 4 * i32({k}))",
    lambda name, a: f"dual_chain(z, {name}_value(z.value, {a}), {name}_slope(z.value, {a}))",
)
# Duals whose inputs have derivatives already, as those between two pieces of one network do; the kernel defines
# `network_dual_input(i: u32, k: u32) -> Dual`.
TANGENT = Arithmetic(
    "dual",
    "Dual",
    (("i", "u32"),),
    lambda z, block, k: f"dual_add({z}, {block}, network_dual_input(i, {k}))",
    DUAL.lift,
)
