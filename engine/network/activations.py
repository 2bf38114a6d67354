"""The activations by name, and an Activation with its parameters.

A row of `rules` for each has what the float64 twins and the certified bounds need of it. The same functions in WGSL
are in `wgsl/activations/`, a file each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError, located, near
from engine.network.rules.curved import CURVED
from engine.network.rules.joint import JOINT as JOINT
from engine.network.rules.joint import WHOLE
from engine.network.rules.partial import PARTIAL
from engine.network.rules.piecewise import PIECEWISE
from engine.network.rules.rule import Rule
from engine.network.rules.usual import USUAL

# {name: Rule}, the usual ones first.
ACTIVATIONS: dict[str, Rule] = USUAL | PIECEWISE | CURVED | PARTIAL | WHOLE
# And those that only layers of different units have.
KNOWN = ACTIVATIONS | JOINT

# Other names, as PyTorch, Keras, JAX and scikit-learn have them; letters' case and underscores do not matter.
SPELLINGS = {
    "sin": "sine",
    "relu6": "clipped_relu(6)",
    "linear": "identity",
    "none": "identity",
    "logistic": "sigmoid",
    "gelu(tanh)": "gelu_tanh",
    "gelu(none)": "gelu",
    "quick_gelu": "swish(1.702)",
    # In evaluation, the mean of its slopes 1/8 and 1/3.
    "rrelu": "leaky_relu(0.22916667)",
    "hard_silu": "hard_swish",
}
NAMES = {name.replace("_", ""): name for name in (*KNOWN, *SPELLINGS)}

SPELLING = re.compile(r"^\s*([a-zA-Z_]\w*)\s*(?:\(([^()]*)\))?\s*$")


@dataclass(frozen=True)
class Activation:
    """An activation with its parameters; `parse` reads and str() writes `tanh`, `sine(30)`, `leaky_relu(0.2)`.

    name         in the table
    parameters   as many as its Rule has, rounded to float32; none takes the defaults

    Raises NetworkError for a name that is in no table, and for other parameters than its Rule has.
    """

    name: str
    parameters: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in KNOWN:
            raise NetworkError(near(self.name, ACTIVATIONS, noun="activation"))
        wanted, given = self.rule.parameters, tuple(self.parameters) or tuple(p.default for p in self.rule.parameters)
        written = f"Activation `{self.name}({','.join(str(x)[:40] for x in given)})`"
        if len(given) != len(wanted):
            names = ", ".join(p.name for p in wanted)
            takes = f"takes {names}" if wanted else f"takes no parameter. Write `{self.name}`"
            raise NetworkError(f"{written}: {self.name} {takes}.")
        with located(f"{written}: "):
            parameters = tuple(p.read(x) for p, x in zip(wanted, given, strict=True))
        if self.rule.rising and parameters[0] >= parameters[1]:
            raise NetworkError(f"{written}: the {wanted[1].name} must be above the {wanted[0].name}.")
        object.__setattr__(self, "parameters", parameters)

    @staticmethod
    def parse(text: str | Activation) -> Activation:
        """The activation written as `name` or `name(parameter, ...)`; an Activation is returned unchanged.

        Raises NetworkError for a name that is not in the table, or a parameter out of range.
        """
        if isinstance(text, Activation):
            return text
        match = SPELLING.match(_spelled(text)) if isinstance(text, str) else None
        if match is None or match[1] not in KNOWN:
            raise NetworkError(near(text, ACTIVATIONS, noun="activation"))
        return Activation(match[1], tuple(match[2].split(",")) if match[2] is not None else ())  # type: ignore[arg-type]

    @property
    def rule(self) -> Rule:
        return KNOWN[self.name]

    @property
    def argument(self) -> float | tuple[float, ...]:
        """What its Rule's functions take as a: its parameter, 0 for none, or a tuple of several."""
        return self.parameters if len(self.parameters) > 1 else sum(self.parameters, 0.0)

    @property
    def wgsl_type(self) -> str:
        """The type of the functions' argument `a` in WGSL: f32, or a vector of several parameters."""
        return f"vec{len(self.parameters)}f" if len(self.parameters) > 1 else "f32"

    @property
    def wgsl_argument(self) -> str:
        """The functions' argument `a` in WGSL."""
        text = ", ".join(map(repr, self.parameters or (0.0,)))
        return f"{self.wgsl_type}({text})" if len(self.parameters) > 1 else text

    def wgsl(self, what: str, z: str) -> str:
        """WGSL for its value, slope or curvature (`what`) at a vec4f."""
        return f"{self.name}_{what}({z}, {self.wgsl_argument})"

    @property
    def is_whole(self) -> bool:
        """True for what takes all units of a layer together, as softmax does; it can only be the last layer's."""
        return not self.rule.elementwise and self.name not in JOINT

    @property
    def kinds(self) -> tuple[Activation, ...]:
        """The activations of a layer's units, each once; of a Mixed they are several."""
        return (self,)

    def of(self, units: Sequence[int]) -> Activation:
        """The activation of some units of a layer, in this order."""
        return self

    @property
    def unbounded(self) -> str:
        """What it does that no bounds along a ray hold for, as `jumps at 0`; "" for nothing."""
        gaps = self.rule.gaps(self.argument)
        return f"{self.rule.gap} at {' and '.join(f'{z:.4g}' for z in gaps)}" if gaps else ""

    def __str__(self):
        if not self.parameters or (self.rule.optional and self == Activation(self.name)):
            return self.name
        return f"{self.name}({','.join(f'{x:.9g}' for x in self.parameters)})"

    def value(self, z: ArrayLike) -> np.ndarray:
        """s(z), float64, any shape (softmax: over the last axis)."""
        return self.rule.value(np.asarray(z, float), self.argument)

    def slope(self, z: ArrayLike) -> np.ndarray:
        """s'(z), float64, elementwise."""
        return self.rule.slope(np.asarray(z, float), self.argument)

    def curvature(self, z: ArrayLike) -> np.ndarray:
        """s''(z), float64, elementwise."""
        return self.rule.curvature(np.asarray(z, float), self.argument)

    def tangent(self, z: ArrayLike, dz: ArrayLike) -> np.ndarray:
        """The derivative of s(z) for z's derivatives dz, float64; both over the last axis, broadcast in the others."""
        z, dz = np.asarray(z, float), np.asarray(dz, float)
        return self.slope(z) * dz if self.rule.tangent is None else self.rule.tangent(z, dz)


def _spelled(text):
    """A text with the name that the table has, in place of another program's."""
    head, bracket, rest = text.partition("(")
    head, whole = (re.sub(r"[\s_]", "", part).lower() for part in (head, text))
    known = NAMES.get(whole) or NAMES.get(head)
    if known is None:
        return text
    name = SPELLINGS.get(known, known)
    return name if whole in NAMES else f"{name}{bracket}{rest}"


def split(text: str) -> list[str]:
    """The activations of a list such as `tanh,hardtanh(-1,1),identity`: parted at commas outside of parentheses."""
    # In time proportional to the length, which may be a million.
    inside = re.sub(r"\([^()]*\)", lambda found: found.group().replace(",", "\0"), text)
    return [part.replace("\0", ",").strip() for part in inside.split(",")]
