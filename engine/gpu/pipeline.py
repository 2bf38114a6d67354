"""A render pipeline: its complete state, declared in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import wgpu

from engine.gpu.bindings import Binding
from engine.gpu.compose import Module
from engine.gpu.device import device
from engine.gpu.shader import Resource, bind_group, cached, compiled, layout_key, layouts, shader_module


def _sums(source, target, alpha=None):
    """A blend: source times the first factor + target times the second; `alpha`: the two factors for alpha."""
    names = ("src_factor", "dst_factor")
    pairs = {"color": (source, target), "alpha": alpha or (source, target)}
    return {key: dict(zip(names, pair, strict=True), operation="add") for key, pair in pairs.items()}


# Colours inside are linear and premultiplied by alpha.
BLENDS = {
    "replace": None,
    "over": _sums("one", "one-minus-src-alpha"),
    "add": _sums("one", "one"),
    # A filter on paper: the target, times the light that the filter lets through.
    "multiply": _sums("dst", "zero", alpha=("zero", "one")),
}


@dataclass(frozen=True)
class Draw:
    """The fixed state of a draw.

    targets    formats of the colour attachments, in order
    blend      replace, over (premultiplied), add or multiply
    depth      None (no depth attachment), "test" (read only), "write" or "keep" (attached, neither tested nor written)
    topology   wgpu's primitive topology
    samples    samples per pixel
    """

    targets: tuple[str, ...]
    blend: str = "over"
    depth: str | None = None
    topology: str = "triangle-list"
    samples: int = 1


class Pipeline:
    """Vertex and fragment stages of one WGSL file (`vertex`, `fragment`) with their bindings.

    Vertices are pulled from storage arrays by index; there are no vertex buffers.
    Raises ShaderError with the file and line when it does not compile.
    """

    def __init__(
        self, module: Module, bindings: Sequence[Binding], state: Draw, *, constants: Mapping[str, float] | None = None
    ):
        self.module = module
        self.bindings = tuple(bindings)
        self.state = state
        self._constants = dict(constants or {})
        self._key = module.code, state, tuple(sorted(self._constants.items())), layout_key(self.bindings, "draw")
        _ = self.handle

    @property
    def handle(self) -> wgpu.GPURenderPipeline:
        """Compiled for the present device; kept as long as there is room."""
        return cached(self._key, self.module, f"render pipeline {self.state}", self._create)

    def _create(self):
        state, depth = self.state, None
        if state.depth is not None:
            depth = {
                "format": "depth32float",
                "depth_write_enabled": state.depth == "write",
                # Equal depths pass, so that a line that lies on a surface is drawn over it.
                "depth_compare": "always" if state.depth == "keep" else "less-equal",
            }
        blend = BLENDS[state.blend]
        stage = {"module": shader_module(self.module), "constants": self._constants}
        targets = [{"format": f} | ({"blend": blend} if blend else {}) for f in state.targets]
        make = partial(
            device().handle.create_render_pipeline,
            label=self.module.name,
            layout=layouts(self.bindings, "draw")[1],
            vertex=stage | {"entry_point": "vertex"},
            fragment=stage | {"entry_point": "fragment", "targets": targets},
            primitive={"topology": state.topology, "cull_mode": "none"},
            depth_stencil=depth,
            multisample={"count": state.samples},
        )
        return compiled(make, self.module)

    def bind(self, **resources: Resource) -> wgpu.GPUBindGroup:
        """The bind group of Arrays and Textures by the names of the bindings."""
        return bind_group(self.bindings, "draw", resources, self.module.name)

    def draw(
        self, render_pass: wgpu.GPURenderPassEncoder, group: wgpu.GPUBindGroup, vertices: int, instances: int = 1
    ) -> None:
        """Records one draw in a render pass; nothing for 0 vertices or 0 instances."""
        if vertices and instances:
            render_pass.set_pipeline(self.handle)
            render_pass.set_bind_group(0, group)
            render_pass.draw(vertices, instances)
