"""A shader file with its bindings: composed once, compiled for each format of target at the first use."""

from collections.abc import Mapping

import numpy as np

from engine.draw.frame import Frame
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import Module, compose
from engine.gpu.kernel import Kernel
from engine.gpu.passes import RenderPass
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.shader import Resource
from engine.gpu.structs import Struct
from engine.kept import once

Constants = Mapping[str, float]


class Program:
    """A WGSL file that draws triangle strips, or computes.

    name           of the file under wgsl/, without its ending
    blend, depth   states of its draws, see engine.gpu.pipeline.Draw
    generated      {name: text} that the file imports, besides the bindings
    resources      its bindings, in order: a Struct or `array<T, N>` becomes a uniform, `array<T>` or [Struct] a
                   read-only storage array, a texture type a texture; anything else is a Binding, with its own name
    """

    def __init__(
        self, name: str, *, blend: str = "over", depth: str | None = None, generated: Mapping[str, str] | None = None,
        **resources: str | Struct | list[Struct] | Binding,
    ):  # fmt: skip
        self.name, self.blend, self.depth, self.generated = name, blend, depth, generated or {}
        self.bindings = tuple(_binding(name, given) for name, given in resources.items())
        self._pipelines: dict[tuple, Pipeline] = {}
        self._kernels: dict[tuple, Kernel] = {}

    @once
    def module(self) -> Module:
        """The composed file."""
        return compose(self.name, {"bindings": declare(self.bindings), **self.generated})

    def draw_to(
        self, format: str, step: RenderPass, vertices: int, instances: int = 1, /, *,
        blend: str | None = None, constants: Constants | None = None, **resources: Resource,
    ) -> None:  # fmt: skip
        """Records one draw call in a render pass whose target has a format.

        blend       replaces the program's
        constants   values of the file's `override` declarations
        resources   {name of the binding: Array or Texture}
        """
        key = format, blend, tuple((constants or {}).items())
        if key not in self._pipelines:
            state = Draw((format,), blend or self.blend, self.depth, "triangle-strip")
            self._pipelines[key] = Pipeline(self.module, self.bindings, state, constants=constants)
        pipeline = self._pipelines[key]
        pipeline.draw(step, pipeline.bind(**resources), vertices, instances)

    def draw(
        self, frame: Frame, step: RenderPass, vertices: int, instances: int = 1, /, *,
        blend: str | None = None, constants: Constants | None = None, **resources: Resource,
    ) -> None:  # fmt: skip
        """`draw_to` with the format of the frame's canvas; binds `frame` if the file has that binding."""
        bound = self._with_frame(frame, resources)
        self.draw_to(frame.canvas.format, step, vertices, instances, blend=blend, constants=constants, **bound)

    def compute(
        self,
        frame: Frame,
        size: tuple[int, int],
        /,
        *,
        constants: Constants | None = None,
        **resources: Resource | np.ndarray,
    ) -> None:
        """Records one dispatch with the frame's encoder, in workgroups of 8 x 8 invocations.

        size   (columns, rows) of invocations
        """
        key = tuple((constants or {}).items())
        if key not in self._kernels:
            self._kernels[key] = Kernel(self.module, self.bindings, constants=constants)
        counts = (-(-size[0] // 8), -(-size[1] // 8))
        self._kernels[key].prepared(counts, **self._with_frame(frame, resources)).record(frame.encoder)

    def _with_frame(self, frame, resources):
        return resources | ({"frame": frame.uniforms} if self.bindings[0].name == "frame" else {})


def _binding(name, given):
    if isinstance(given, Binding):
        return given
    if isinstance(given, list):
        return Binding(name, "read", ("array", given[0]))
    if isinstance(given, str) and given.startswith("texture"):
        return Binding(name, "storage_texture" if given.startswith("texture_storage") else "texture", given)
    return Binding(name, "uniform" if isinstance(given, Struct) or "," in given else "read", given)
