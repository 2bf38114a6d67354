"""A render pipeline: its complete state, declared in one call."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import wgpu

from engine.diagnostics import log
from engine.errors import ShaderError
from engine.gpu.bindings import Binding
from engine.gpu.compose import Module
from engine.gpu.device import device
from engine.gpu.shader import Resource, bind_group, layout_key, layouts, milliseconds, shader_module

_pipelines: dict[tuple, wgpu.GPURenderPipeline] = {}

# Colours inside are linear and premultiplied by alpha.
BLENDS = {
    "replace": None,
    "over": {
        "color": {"src_factor": "one", "dst_factor": "one-minus-src-alpha", "operation": "add"},
        "alpha": {"src_factor": "one", "dst_factor": "one-minus-src-alpha", "operation": "add"},
    },
    "add": {
        "color": {"src_factor": "one", "dst_factor": "one", "operation": "add"},
        "alpha": {"src_factor": "one", "dst_factor": "one", "operation": "add"},
    },
    # Ink on paper: what is there, times what the ink lets through.
    "multiply": {
        "color": {"src_factor": "dst", "dst_factor": "zero", "operation": "add"},
        "alpha": {"src_factor": "zero", "dst_factor": "one", "operation": "add"},
    },
}


@dataclass(frozen=True)
class Draw:
    """A draw's fixed state.

    targets    formats of the colour attachments, in order
    blend      replace, over (premultiplied), add or multiply
    depth      None (no depth attachment), "test" (read only), "write" or "keep" (attached, neither tested nor written)
    topology   wgpu's primitive topology
    samples    samples a pixel
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
        constants = constants or {}
        key = module.code, state, tuple(sorted(constants.items())), layout_key(self.bindings, "draw")
        if key not in _pipelines:
            _pipelines[key] = self._create(constants)
        self.handle = _pipelines[key]

    def _create(self, constants):
        shader, begun, state = shader_module(self.module), time.perf_counter(), self.state
        depth = None
        if state.depth is not None:
            depth = {
                "format": "depth32float",
                "depth_write_enabled": state.depth == "write",
                # The closer of two equal depths is the first drawn; LESS_EQUAL lets a line lie on its own surface.
                "depth_compare": "always" if state.depth == "keep" else "less-equal",
            }
        blend = BLENDS[state.blend]
        try:
            pipeline = device().handle.create_render_pipeline(
                label=self.module.name,
                layout=layouts(self.bindings, "draw")[1],
                vertex={"module": shader, "entry_point": "vertex", "constants": constants},
                fragment={
                    "module": shader,
                    "entry_point": "fragment",
                    "constants": constants,
                    "targets": [{"format": f} | ({"blend": blend} if blend else {}) for f in state.targets],
                },
                primitive={"topology": state.topology, "cull_mode": "none"},
                depth_stencil=depth,
                multisample={"count": state.samples},
            )
        except wgpu.GPUError as error:
            raise ShaderError(self.module.explain(error)) from None
        log.debug("render pipeline %s %s: %.1f ms", self.module.name, state, milliseconds(begun))
        return pipeline

    def bind(self, **resources: Resource) -> wgpu.GPUBindGroup:
        """The bind group of Arrays and Textures by the names of the bindings."""
        return bind_group(self.bindings, "draw", resources, self.module.name)

    def draw(
        self, render_pass: wgpu.GPURenderPassEncoder, group: wgpu.GPUBindGroup, vertices: int, instances: int = 1
    ) -> None:
        """Records one draw in a render pass."""
        if vertices and instances:
            render_pass.set_pipeline(self.handle)
            render_pass.set_bind_group(0, group)
            render_pass.draw(vertices, instances)
