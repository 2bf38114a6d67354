"""Shader modules and bind groups from composed WGSL and declared bindings; made once, kept by source."""

import wgpu

from engine.errors import ShaderError
from engine.gpu.device import device

_modules = {}
_layouts = {}


def shader_module(module):
    """The compiled module of a codegen Module.

    Raises ShaderError with the file and line each part was written in.
    """
    key = module.code
    if key not in _modules:
        try:
            _modules[key] = device().handle.create_shader_module(label=module.name, code=module.code)
        except wgpu.GPUError as error:
            raise ShaderError(module.explain(error)) from None
    return _modules[key]


def _sample_type(text):
    if text.startswith("texture_depth"):
        return "depth"
    if "<u32>" in text:
        return "uint"
    return "unfilterable-float" if text.endswith("/*exact*/") else "float"


def _entry(number, binding, visibility):
    entry = {"binding": number, "visibility": visibility}
    text = binding.type_text
    if binding.kind in ("uniform", "read", "write"):
        kind = {"uniform": "uniform", "read": "read-only-storage", "write": "storage"}[binding.kind]
        entry["buffer"] = {"type": kind}
    elif binding.kind == "texture":
        entry["texture"] = {"sample_type": _sample_type(text), "view_dimension": "2d"}
    elif binding.kind == "storage_texture":
        inside = text[text.index("<") + 1 : text.index(">")].split(",")
        access = {"write": "write-only", "read": "read-only", "read_write": "read-write"}[inside[1].strip()]
        entry["storage_texture"] = {"access": access, "format": inside[0].strip(), "view_dimension": "2d"}
    else:
        entry["sampler"] = {"type": "filtering"}
    return entry


def layouts(bindings, stages):
    """(bind group layout, pipeline layout) of a tuple of bindings.

    stages   "compute", or "draw" for vertex and fragment together
    """
    key = (tuple((b.kind, b.type_text) for b in bindings), stages)
    if key not in _layouts:
        draw = wgpu.ShaderStage.VERTEX | wgpu.ShaderStage.FRAGMENT
        handle = device().handle
        entries = []
        for i, b in enumerate(bindings):
            visibility = wgpu.ShaderStage.COMPUTE if stages == "compute" else draw
            if b.kind in ("write", "storage_texture") and stages == "draw":
                # A vertex stage may not write.
                visibility = wgpu.ShaderStage.FRAGMENT
            entries.append(_entry(i, b, visibility))
        group = handle.create_bind_group_layout(entries=entries)
        _layouts[key] = (group, handle.create_pipeline_layout(bind_group_layouts=[group]))
    return _layouts[key]


def bind_group(bindings, stages, resources, owner):
    """A bind group for `bindings` from resources by name. Raises ShaderError when names do not agree."""
    names = [b.name for b in bindings]
    if set(names) != set(resources):
        raise ShaderError(f"{owner} binds {sorted(names)}, but was given {sorted(resources)}.")
    return device().handle.create_bind_group(
        layout=layouts(bindings, stages)[0],
        entries=[{"binding": i, "resource": resources[n].resource()} for i, n in enumerate(names)],
    )
