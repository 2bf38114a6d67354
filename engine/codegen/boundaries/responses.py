"""The WGSL of a boundary picture's activations: hidden units' responses and their boundaries, and the last values."""

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from engine.codegen.mlp.units import is_bent, kinds, spans
from engine.codegen.text import function
from engine.kept import kept
from engine.network.activations import JOINT, Activation
from engine.network.mlp import Shape
from engine.network.units.bends import places
from engine.network.units.mixed import runs

# The sums at which a unit has boundaries, and its activation.
UnitKind = tuple[tuple[float, ...], Activation]


def last_value(shape: Shape) -> Iterator[str]:
    """Statements that return the last activation of output k, whose sum is all of z."""
    of = lambda a: a.wgsl("value", "z") if is_bent(a) else "z"
    *others, end = runs(shape.activations[-1], shape.sizes[-1])
    for run in others:
        yield f"if k < {run.first + run.units}u {{ return {of(run.activation)}; }}"
    yield f"return {of(end.activation)};"


@kept
def unit_kinds(shape: Shape) -> tuple[tuple[UnitKind, ...], np.ndarray]:
    """The kinds of a Shape's hidden units, each once; and (groups, 4) of each group's units their numbers in these.

    The fill of a layer's last group has the number after the last.
    """
    each = _hidden_units(shape)
    known = {kind: number for number, kind in enumerate(dict.fromkeys(kind for layer in each for kind in layer))}
    rows = []
    for layer in each:
        row = np.full(-(-len(layer) // 4) * 4, len(known), np.uint32)
        row[: len(layer)] = [known[kind] for kind in layer]
        rows.append(row.reshape(-1, 4))
    return tuple(known), np.concatenate(rows)


def _hidden_units(shape):
    """The UnitKind of each unit, layer by layer."""
    layers = zip(shape.activations[:-1], shape.sizes[1:], strict=False)
    return [
        list(zip(places(a, n), (run.activation for run in runs(a, n) for _ in range(run.units)), strict=True))
        for a, n in layers
    ]


def hidden_function(shape: Shape, starts: Sequence[int] | None, straight: bool, z: str) -> Iterator[str]:
    """boundary_hidden: stores a hidden group's sums and gives its responses, by its units' activations.

    starts     the number of each hidden layer's first group; None: the text is the same for all sizes, and calls
               `kinds_of(group)`, the numbers of `unit_kinds`
    straight   whether sums are differences from the picture's middle
    z          WGSL for the sums
    """
    each = _hidden_units(shape)
    if starts is None:
        kinds_of, _ = unit_kinds(shape)
        spots, activations = (_kind_masks([kind[part] for kind in kinds_of]) for part in (0, 1))
        lines = ["let kind = kinds_of(group);", *_by_units(spots, activations, straight, z)]
    elif all(some == (0.0,) for layer in each for some, _ in layer):
        lines = [*_by_layers(shape, straight, z)]
    else:
        first = [4 * start for start in starts]
        spots, activations = (_masks(first, [[kind[part] for kind in layer] for layer in each]) for part in (0, 1))
        number = "let unit = vec4u(4u * group) + vec4u(0u, 1u, 2u, 3u);"
        lines = [number, *_by_units(spots, activations, straight, z)]
    return function("boundary_hidden(p: Plane, c: vec4f, layer: u32, group: u32) -> Plane", lines)


def _moved(activation, straight):
    """WGSL for an activation's response and slope."""
    if activation.name == "identity":
        return "p.v", "vec4f(1.0)"
    name, a = activation.name, activation.wgsl_argument
    return f"moved_{name}(p.v, c, {a})" if straight else activation.wgsl("value", "z"), activation.wgsl("slope", "z")


def _by_layers(shape, straight, z):
    yield f"let z = {z};"
    yield "boundary_store(z, p, group);"
    for i, a in enumerate(kinds(shape.activations[:-1])):
        moved, slope = _moved(a, straight)
        if i == 0:
            yield f"var response = {moved};"
            yield f"var slope = {slope};"
            continue
        mine = " || ".join(f"layer == {k}u" for k, b in enumerate(shape.activations[:-1]) if b == a)
        yield f"response = select(response, {moved}, {mine});"
        yield f"slope = select(slope, {slope}, {mine});"
    yield "return Plane(response, slope * p.x, slope * p.y);"


def _by_units(spots, activations, straight, z):
    """The statements where units differ, or have boundaries elsewhere than at 0: {places or activation: whose}."""
    yield f"let z = {z};"
    yield "var sum = z;"
    yield "var turn = vec4f(1.0);"
    for some, mask in spots.items():
        if some == ():
            yield f"sum = select(sum, vec4f(1.0), {mask});"
            yield f"turn = select(turn, vec4f(0.0), {mask});"
        elif some != (0.0,):
            yield from _from_nearest(some, mask)
    yield "boundary_store(sum, Plane(p.v, turn * p.x, turn * p.y), group);"
    yield "var response = p;"
    for a, mask in activations.items():
        if a.name in JOINT:
            yield f"response = plane_select(response, plane_product(p), {mask});"
        elif is_bent(a):
            value, slope = _moved(a, straight)
            yield f"response = plane_select(response, Plane({value}, {slope} * p.x, {slope} * p.y), {mask});"
    yield "return response;"


def _from_nearest(some, mask):
    """Statements for sums from the nearest of several places; the sign turns at each, so that it tells pieces apart."""
    value, sign = f"z - vec4f({some[0]!r})", "vec4f(1.0)"
    for k, (p, q) in enumerate(pairwise(some)):
        past, turned = f"z > vec4f({(p + q) / 2!r})", "-" * (k % 2 == 0)
        value = f"select({value}, {turned}(z - vec4f({q!r})), {past})"
        sign = f"select({sign}, vec4f({turned}1.0), {past})"
    yield f"sum = select(sum, {value}, {mask});"
    yield f"turn = select(turn, {sign}, {mask});"


def _kind_masks(keys):
    """{key: WGSL for which units have it}, from the key of each kind."""
    found: dict[Hashable, list[str]] = {}
    for number, key in enumerate(keys):
        found.setdefault(key, []).append(f"kind == vec4u({number}u)")
    return {key: " | ".join(f"({one})" for one in some) for key, some in found.items()}


def _masks(first, layers):
    """{key: WGSL for which units have it}, from the keys of each layer's units, whose numbers begin at `first`."""
    found: dict[Hashable, list[str]] = {}
    for at, keys in zip(first, layers, strict=True):
        for span in spans(keys):
            here = f"units_between(unit, {at + span.start}u, {at + span.stop}u)"
            found.setdefault(keys[span.start], []).append(here)
    return {key: " | ".join(some) for key, some in found.items()}
