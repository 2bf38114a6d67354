"""Shader modules and bind groups from composed WGSL and declared bindings: made once, then taken from a cache."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from itertools import count, groupby
from pathlib import Path
from typing import Protocol, TypeVar

import wgpu

from engine.diagnostics import WGSL_FOLDER, log, wgsl_folder
from engine.errors import FileError, ShaderError
from engine.gpu.bindings import Binding
from engine.gpu.compose import Module
from engine.gpu.device import device, platform
from engine.gpu.native.apart import apart
from engine.kept import store

# (layout, ids of the resources) -> (bind group, weak references to the resources); removed with the first of these.
_groups: dict[tuple, tuple[wgpu.GPUBindGroup, list[weakref.ref]]] = {}


T = TypeVar("T")
# Seconds that compiling has taken in this process.
_spent = [0.0]


class Resource(Protocol):
    """What can be bound: an Array, a Texture, a Sampler. `resource` returns the same as long as the object lives."""

    def resource(self) -> dict | wgpu.GPUTextureView | wgpu.GPUSampler: ...


def shader_module(module: Module) -> wgpu.GPUShaderModule:
    """The compiled module of composed WGSL.

    Raises ShaderError with the source file and line, FileError where the text cannot be dumped (--dump-wgsl).
    """

    def make():
        folder = wgsl_folder()
        if folder is not None:
            dump(module, folder)
        handle = device().handle
        return compiled(lambda: handle.create_shader_module(label=module.name, code=module.code), module)

    return cached(module.code, module, f"module, {module.code.count(chr(10))} lines", make)


def cached(key: Hashable, module: Module, what: str, make: Callable[[], T]) -> T:
    """The object that `make` compiles from a module, or the cached one with the same key; `what` names it in the log.

    Raises ShaderError with the file and line when it does not compile.
    """

    def timed():
        begun = time.perf_counter()
        try:
            made = make()
        except wgpu.GPUError as error:
            raise ShaderError(module.explain(error)) from None
        log.debug("%s: %s: %.1f ms", module.name, what, (time.perf_counter() - begun) * 1e3)
        return made

    return store.get(key, timed)


def compiled(make: Callable[[], T], module: Module) -> T:
    """What `make` compiles from a module; a status line says so meanwhile."""
    begun = time.perf_counter()
    try:
        return apart(make, f"compiling {module.name.removesuffix('.wgsl').rpartition('/')[2].replace('_', ' ')}")
    finally:
        _spent[0] += time.perf_counter() - begun


def compile_seconds() -> float:
    """How long this process has compiled so far, in all threads."""
    return _spent[0]


def dump(module: Module, folder: Path) -> Path:
    """Writes a module to folder/NAME.NUMBER.wgsl, under a header of what it was made from. FileError if it cannot."""
    stem = module.name.removesuffix(".wgsl").replace("/", "-")
    parts = groupby(module.places, key=lambda place: place[0])
    head = [
        f"// {module.name}, as it was compiled on {platform()}.",
        f"// {module.code.count(chr(10))} lines. Made from, in this order:",
        *(f"//   {len(list(lines)):5} lines of {file}" for file, lines in parts),
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            path = folder / f"{stem}.{number}.wgsl"
            # Other processes write here too: each takes the first number that is free.
            with suppress(FileExistsError), path.open("x", encoding="utf-8") as stream:
                stream.write("\n".join(head) + "\n" + module.code)
                break
    except OSError as error:
        where = f"{folder}, which --dump-wgsl or {WGSL_FOLDER} names"
        raise FileError(f"{where}: no shader can be written there: {error.strerror}. Name another folder.") from None
    return path


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


def layout_key(bindings: Sequence[Binding], stages: str) -> tuple:
    """The identity of a layout of bindings: their kinds and types, not their names."""
    return stages, *((b.kind, b.type_text) for b in bindings)


def layouts(bindings: Sequence[Binding], stages: str) -> tuple[wgpu.GPUBindGroupLayout, wgpu.GPUPipelineLayout]:
    """The bind group layout and the pipeline layout of bindings.

    stages   "compute", or "draw" for vertex and fragment together
    """
    return store.get(layout_key(bindings, stages), lambda: _made_layouts(bindings, stages))


def _made_layouts(bindings, stages):
    draw = wgpu.ShaderStage.VERTEX | wgpu.ShaderStage.FRAGMENT
    handle = device().handle
    entries = []
    for i, b in enumerate(bindings):
        visibility = wgpu.ShaderStage.COMPUTE if stages == "compute" else draw
        if b.kind in ("write", "storage_texture") and stages == "draw":
            # A vertex stage may not write.
            visibility = wgpu.ShaderStage.FRAGMENT
        entries.append(_entry(i, b, visibility))
    label = f"{stages}: {', '.join(b.name for b in bindings)}"
    group = handle.create_bind_group_layout(label=label, entries=entries)
    return group, handle.create_pipeline_layout(label=label, bind_group_layouts=[group])


def bind_group(
    bindings: Sequence[Binding], stages: str, resources: Mapping[str, Resource], owner: str
) -> wgpu.GPUBindGroup:
    """A bind group for `bindings` from resources by name, cached as long as all the resources live.

    owner   whose bindings they are, for messages and the label

    Raises ShaderError when names do not agree.
    """
    if len(resources) != len(bindings) or not all(b.name in resources for b in bindings):
        raise ShaderError(f"{owner} binds {sorted(b.name for b in bindings)}, but was given {sorted(resources)}.")
    bound = [resources[b.name] for b in bindings]
    key = layout_key(bindings, stages), *map(id, bound)
    if key not in _groups:
        group = device().handle.create_bind_group(
            label=owner,
            layout=layouts(bindings, stages)[0],
            entries=[{"binding": i, "resource": resource.resource()} for i, resource in enumerate(bound)],
        )
        # A bind group keeps its resources' GPU memory alive, so it must go with them; and Python uses ids again.
        forget = lambda _: _groups.pop(key, None)
        _groups[key] = group, [weakref.ref(resource, forget) for resource in bound]
    return _groups[key][0]
