"""A compute kernel: composed WGSL, its bindings, and how to run it."""

import wgpu

from engine.errors import DeviceLimitError, ShaderError
from engine.gpu.device import device
from engine.gpu.shader import bind_group, layouts, shader_module

_pipelines = {}
MAX_GROUPS = 65535  # WebGPU's limit of workgroups a dimension


def compute_pipeline(module, entry, constants, bindings):
    """The compute pipeline of a module, from the cache where it has been made before.

    Raises ShaderError with the file and line when it does not compile.
    """
    key = (module.code, entry, tuple(sorted(constants.items())), tuple((b.kind, b.type_text) for b in bindings))
    if key not in _pipelines:
        shader = shader_module(module)
        try:
            _pipelines[key] = device().handle.create_compute_pipeline(
                layout=layouts(bindings, "compute")[1],
                compute={"module": shader, "entry_point": entry, "constants": constants},
            )
        except wgpu.GPUError as error:
            raise ShaderError(module.explain(error)) from None
    return _pipelines[key]


class Kernel:
    """A compute entry point.

    module      from codegen.compose
    bindings    tuple of codegen Binding, in the order of their numbers
    entry       name of the entry point
    constants   values of the module's overrides
    """

    def __init__(self, module, bindings, *, entry="main", constants=None):
        self.module = module
        self.bindings = tuple(bindings)
        self.pipeline = compute_pipeline(module, entry, constants or {}, self.bindings)

    def bind(self, **resources):
        """A bind group of Arrays and Textures by the names of the bindings; keep it while they stay the same."""
        return bind_group(self.bindings, "compute", resources, self.module.name)

    def dispatch(self, encoder, group, workgroups):
        """Records one dispatch.

        workgroups   1 to 3 counts of workgroups
        Raises DeviceLimitError past 65535 in a dimension.
        """
        counts = tuple(workgroups) if hasattr(workgroups, "__len__") else (workgroups,)
        if max(counts) > MAX_GROUPS:
            raise DeviceLimitError(
                f"{self.module.name} was asked for {counts} workgroups; the limit is {MAX_GROUPS} a side."
            )
        step = encoder.begin_compute_pass()
        step.set_pipeline(self.pipeline)
        step.set_bind_group(0, group)
        step.dispatch_workgroups(*counts)
        step.end()

    def run(self, workgroups, **resources):
        """Binds, dispatches once and submits."""
        encoder = device().encoder()
        self.dispatch(encoder, self.bind(**resources), workgroups)
        device().submit(encoder)
