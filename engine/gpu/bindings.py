"""The resources a shader reads and writes, declared once for both its WGSL and its bind group layout."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import ShaderError
from engine.gpu.structs import Struct

KINDS = {
    "uniform": "var<uniform>",
    "read": "var<storage, read>",
    "write": "var<storage, read_write>",
    "texture": "var",
    "storage_texture": "var",
    "sampler": "var",
}
# The type of a storage_texture that is read as a table of vec4f.
TABLE = "texture_storage_2d<rgba32float, read>"


@dataclass(frozen=True)
class Binding:
    """One resource of group 0; its number is its place in the list.

    name   in WGSL
    kind   uniform, read or write (storage buffers), texture, storage_texture, sampler; ShaderError for another
    type   a WGSL type as text (`array<vec4f>`, `texture_2d<f32>`), or a Struct, or ("array", Struct)
    """

    name: str
    kind: str
    type: "str | Struct | tuple[str, Struct]"

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ShaderError(f"Binding {self.name} is `{self.kind}`; it may be {', '.join(KINDS)}.")

    @property
    def struct(self) -> Struct | None:
        if isinstance(self.type, Struct):
            return self.type
        return self.type[1] if isinstance(self.type, tuple) else None

    @property
    def type_text(self) -> str:
        if isinstance(self.type, Struct):
            return self.type.name
        if isinstance(self.type, tuple):
            return f"array<{self.type[1].name}>"
        return self.type


def declare(bindings: Sequence[Binding]) -> str:
    """The WGSL of a list of bindings: the structs they use, once each, then one line for each binding."""
    structs = dict.fromkeys(b.struct for b in bindings if b.struct)
    lines = [s.wgsl for s in structs]
    for i, b in enumerate(bindings):
        lines.append(f"@group(0) @binding({i}) {KINDS[b.kind]} {b.name}: {b.type_text};")
    return "\n".join(lines) + "\n"
