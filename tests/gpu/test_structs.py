"""Structs and bindings that Python fills and WGSL reads."""

import numpy as np
import pytest

from engine.errors import ShaderError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import Module
from engine.gpu.kernel import Kernel
from engine.gpu.structs import struct

# Every type, in an order with gaps: a vec3f after a float, a float in a vec3f's fourth place, an array, a matrix.
MIXED = struct(
    "Mixed",
    a="f32", b="vec3f", c="f32", d="vec2f", e="u32", f="vec4f", g="array<vec4f, 3>", h="i32", i="mat4x4f", j="vec2u",
    k="vec3u", l="vec2i", m="vec4u", n="vec4i", o="array<mat4x4f, 2>", p="array<vec4u, 2>", q="array<vec4i, 1>",
)  # fmt: skip


def offsets_by_the_specification(fields):
    """Offsets by WGSL's rules for alignment and size, written here once more as its table says them."""
    align = {"f32": 4, "i32": 4, "u32": 4, "vec2f": 8, "vec2u": 8, "vec2i": 8}
    size = {"f32": 4, "i32": 4, "u32": 4, "vec2f": 8, "vec2u": 8, "vec2i": 8, "vec3f": 12, "vec3u": 12, "mat4x4f": 64}
    at, found = 0, []
    for _, kind in fields:
        element, count = kind[6:-1].split(", ") if kind.startswith("array") else (kind, 1)
        step = align.get(element, 16)
        at = (at + step - 1) // step * step
        found.append(at)
        at += size.get(element, 16) * int(count)
    return found


def test_offsets_are_those_of_the_specification():
    assert [MIXED.dtype.fields[f][1] for f, _ in MIXED.fields] == offsets_by_the_specification(MIXED.fields)
    assert MIXED.dtype.itemsize % 16 == 0


@pytest.mark.parametrize("usage", ["uniform", "read"])
def test_what_python_writes_in_each_field_wgsl_reads(usage):
    """Each field is filled with numbers of its own, and the shader sums field by field."""
    reads = {
        "f32": "s.{0}", "i32": "f32(s.{0})", "u32": "f32(s.{0})",
        "vec2f": "dot(s.{0}, vec2f(1.0, 2.0))", "vec3f": "dot(s.{0}, vec3f(1.0, 2.0, 3.0))",
        "vec4f": "dot(s.{0}, W)", "vec2u": "dot(vec2f(s.{0}), vec2f(1.0, 2.0))",
        "vec2i": "dot(vec2f(s.{0}), vec2f(1.0, 2.0))",
        "vec3u": "dot(vec3f(s.{0}), vec3f(1.0, 2.0, 3.0))", "vec4u": "dot(vec4f(s.{0}), W)",
        "vec4i": "dot(vec4f(s.{0}), W)",
        "mat4x4f": "dot(s.{0}[0] + 2.0 * s.{0}[1] + 3.0 * s.{0}[2] + 4.0 * s.{0}[3], W)",
    }  # fmt: skip
    rng, values, expected, lines = np.random.default_rng(0), {}, [], []
    for number, (field, kind) in enumerate(MIXED.fields):
        base, shape = MIXED.dtype.fields[field][0].subdtype or (MIXED.dtype.fields[field][0], ())
        data = values[field] = rng.integers(1, 9, shape).astype(base)
        flat, element = data.reshape(-1).astype(float), kind
        if kind.startswith("array"):
            # The last item of an array: its stride shows there.
            element, last = kind[6:-1].split(", ")
            flat = data[-1].reshape(-1).astype(float)
            text = reads[element].replace("s.{0}", f"s.{field}[{int(last) - 1}]")
        else:
            text = reads[kind].format(field)
        weights = (
            np.outer([1, 2, 3, 4], [1, 2, 3, 4]).reshape(-1) if element == "mat4x4f" else np.arange(1, len(flat) + 1)
        )
        expected.append(flat @ weights)
        lines.append(f"    sums[{number}] = {text};")
    bindings = (Binding("s", usage, MIXED), Binding("sums", "write", "array<f32>"))
    main = (
        "const W = vec4f(1.0, 2.0, 3.0, 4.0);\n@compute @workgroup_size(1)\nfn main() {\n" + "\n".join(lines) + "\n}\n"
    )
    kernel = Kernel(Module("structs", declare(bindings) + main, ()), bindings)
    sums = Array("f4", len(lines))
    kernel.run(1, s=Array.of(MIXED.new(**values), "uniform" if usage == "uniform" else "storage"), sums=sums)
    assert np.array_equal(sums.read(), expected)


def test_fields_that_are_not_given_are_zero():
    small = struct("Small", a="f32", b="vec3f")
    data = small.new(b=[1, 2, 3])
    assert data["a"][0] == 0 and list(data["b"][0]) == [1, 2, 3]


@pytest.mark.parametrize("kind", ["vec5f", "f64", "array<f32, 3>", "array<vec2f, 2>"])
def test_types_that_cannot_be_held_are_named(kind):
    with pytest.raises(ShaderError, match=r"Bad\.x"):
        _ = struct("Bad", x=kind).dtype


def test_a_binding_of_no_kind_is_refused():
    with pytest.raises(ShaderError, match="uniform, read, write"):
        Binding("x", "readable", "array<f32>")


def test_a_struct_of_two_bindings_is_declared_once():
    one = struct("One", a="f32")
    text = declare(
        [Binding("x", "uniform", one), Binding("y", "read", ("array", one)), Binding("z", "sampler", "sampler")]
    )
    assert text.count("struct One {") == 1
    assert "@group(0) @binding(0) var<uniform> x: One;" in text
    assert "@group(0) @binding(1) var<storage, read> y: array<One>;" in text
    assert "@group(0) @binding(2) var z: sampler;" in text
