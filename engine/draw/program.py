"""A shader file and what it binds: composed once, and compiled for each kind of target when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import Module, compose
from engine.gpu.kernel import Kernel
from engine.gpu.passes import Encoder, RenderPass
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.shader import Resource

Constants = Mapping[str, float]


class Program:
    """A WGSL file that draws, or computes.

    name        of the file under wgsl/, without its ending
    bindings    what it binds, in the order of their numbers
    generated   texts that it imports, by name, besides the bindings
    state       blend, depth and topology of what it draws, see engine.gpu.pipeline.Draw
    """

    def __init__(self, name: str, *bindings: Binding, generated: Mapping[str, str] | None = None, **state: Any):
        self.name, self.bindings, self.generated, self.state = name, bindings, generated or {}, state
        self._pipelines: dict[tuple, Pipeline] = {}
        self._kernels: dict[tuple, Kernel] = {}

    @cached_property
    def module(self) -> Module:
        """The composed file."""
        return compose(self.name, {"bindings": declare(self.bindings), **self.generated})

    def draw(
        self, step: RenderPass, format: str, vertices: int, instances: int = 1, /, *,
        blend: str | None = None, constants: Constants | None = None, **resources: Resource,
    ) -> None:  # fmt: skip
        """Records one draw in a render pass.

        format      of the target
        blend       in place of the state's
        constants   values of the file's overrides
        resources   Arrays and Textures by the names of the bindings
        """
        state = self.state | ({"blend": blend} if blend else {})
        key = format, blend, tuple((constants or {}).items())
        if key not in self._pipelines:
            self._pipelines[key] = Pipeline(self.module, self.bindings, Draw((format,), **state), constants=constants)
        pipeline = self._pipelines[key]
        pipeline.draw(step, pipeline.bind(**resources), vertices, instances)

    def compute(
        self, encoder: Encoder, size: tuple[int, int], /, *, constants: Constants | None = None, **resources: Resource
    ) -> None:
        """Records one dispatch of workgroups that take 8 x 8 places each.

        size   (columns, rows) of places
        """
        key = tuple((constants or {}).items())
        if key not in self._kernels:
            self._kernels[key] = Kernel(self.module, self.bindings, constants=constants)
        kernel = self._kernels[key]
        kernel.dispatch(encoder, kernel.bind(**resources), (-(-size[0] // 8), -(-size[1] // 8)))
