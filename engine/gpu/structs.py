"""One description of a struct for both languages: a numpy dtype with WGSL's offsets, and the WGSL text."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import ShaderError
from engine.kept import once

# WGSL type -> (numpy base, shape, size, alignment in bytes); WGSL specification, section 14.4.1.
TYPES = {
    "f32": ("f4", (), 4, 4),
    "i32": ("i4", (), 4, 4),
    "u32": ("u4", (), 4, 4),
    "vec2f": ("f4", (2,), 8, 8),
    "vec2u": ("u4", (2,), 8, 8),
    "vec2i": ("i4", (2,), 8, 8),
    "vec3f": ("f4", (3,), 12, 16),
    "vec3u": ("u4", (3,), 12, 16),
    "vec4f": ("f4", (4,), 16, 16),
    "vec4u": ("u4", (4,), 16, 16),
    "vec4i": ("i4", (4,), 16, 16),
    # numpy holds matrices row by row and WGSL by columns: assign the transpose.
    "mat4x4f": ("f4", (4, 4), 64, 16),
}
ARRAY = re.compile(r"^array<(\w+),\s*(\d+)>$")


def _layout(kind, struct, field):
    match = ARRAY.match(kind)
    element = match.group(1) if match else kind
    if element not in TYPES:
        raise ShaderError(f"{struct}.{field} is {kind}; a struct may hold {', '.join(TYPES)} and arrays of them.")
    base, shape, size, align = TYPES[element]
    if match is None:
        return base, shape, size, align
    if size % 16:
        # Uniform buffers want a stride of 16; numpy could not hold the gap without a second dtype.
        raise ShaderError(f"{struct}.{field} is {kind}; arrays in structs must be of vec4f, vec4u, vec4i or mat4x4f.")
    count = int(match.group(2))
    return base, (count, *shape), size * count, align


@dataclass(frozen=True)
class Struct:
    """A struct that Python fills and WGSL reads.

    name     in WGSL, CamelCase
    fields   (name, WGSL type) pairs, in order
    """

    name: str
    fields: tuple[tuple[str, str], ...]

    @once
    def dtype(self) -> np.dtype:
        """The numpy dtype with WGSL's offsets; its size is a multiple of 16, as uniform buffers want."""
        names, formats, offsets, at = [], [], [], 0
        for field, kind in self.fields:
            base, shape, size, align = _layout(kind, self.name, field)
            at = -(-at // align) * align
            names.append(field)
            formats.append((base, shape))
            offsets.append(at)
            at += size
        return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": -(-at // 16) * 16})

    @once
    def wgsl(self) -> str:
        """The struct's declaration."""
        body = "\n".join(f"    {field}: {kind}," for field, kind in self.fields)
        return f"struct {self.name} {{\n{body}\n}}\n"

    def new(self, **values: Any) -> np.ndarray:
        """One struct with the given fields set and the others zero, as a (1,) array."""
        data = np.zeros(1, self.dtype)
        for field, value in values.items():
            data[field][0] = value
        return data


def struct(name: str, **fields: str) -> Struct:
    """Struct(name, fields) written as keywords: struct("Ray", origin="vec3f", length="f32")."""
    return Struct(name, tuple(fields.items()))
