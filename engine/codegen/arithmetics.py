"""What the generated network can compute with: each an element type and a few functions in `wgsl/arithmetic/`."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Arithmetic:
    """One arithmetic for the network's body.

    name       its file under wgsl/arithmetic/ and the prefix of its functions NAME_start(bias),
               NAME_add(z, block, h) and NAME_enter(z, block, ...)
    element    the WGSL type that stands for four neurons' responses
    arguments  of the generated function `network_NAME`, given the WGSL type of a point
    enter      what NAME_enter takes after z and the block, given the number of the group of inputs
    lift       the activation of `z`, given its name and its parameter as WGSL text
    """

    name: str
    element: str
    arguments: str
    enter: Callable[[str], str]
    lift: Callable[[str, str], str]


PLAIN = Arithmetic(
    "plain",
    "vec4f",
    "p: NetworkPoint",
    lambda k: f"network_lanes(p, {k})",
    lambda name, a: f"{name}_value(z, {a})",
)
DUAL = Arithmetic(
    "dual",
    "Dual",
    "p: NetworkPoint, first: u32",
    lambda k: f"network_lanes(p, {k}), i32(first) - 4 * i32({k})",
    lambda name, a: f"dual_chain(z, {name}_value(z.value, {a}), {name}_slope(z.value, {a}))",
)
LINE = Arithmetic(
    "line",
    "Line",
    "p: NetworkPoint, direction: NetworkPoint",
    lambda k: f"network_lanes(p, {k}), network_lanes(direction, {k})",
    lambda name, a: f"line_chain(z, {name}_value(z.value, {a}), {name}_slope(z.value, {a}))",
)
FOUR = Arithmetic(
    "four",
    "Four",
    "p: NetworkPoint, q: NetworkPoint, r: NetworkPoint, s: NetworkPoint",
    lambda k: ", ".join(f"network_lanes({point}, {k})" for point in "pqrs"),
    lambda name, a: "Four(" + ", ".join(f"{name}_value(z.{point}, {a})" for point in "abcd") + ")",
)
