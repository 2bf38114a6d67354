"""Passes of a command encoder: labelled, timed inside PassTimes.recording, and grouped under headings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import wgpu

from engine.gpu.timing import timestamp_writes

Colour = tuple[float, float, float, float]
# wgpu's types, for modules that do not import wgpu.
Encoder: TypeAlias = wgpu.GPUCommandEncoder
ComputePass: TypeAlias = wgpu.GPUComputePassEncoder
RenderPass: TypeAlias = wgpu.GPURenderPassEncoder
View: TypeAlias = wgpu.GPUTextureView


def compute_pass(encoder: Encoder, label: str) -> ComputePass:
    """Begins a compute pass."""
    return encoder.begin_compute_pass(label=label, timestamp_writes=timestamp_writes(label))


def render_pass(
    encoder: Encoder,
    label: str,
    view: View,
    *,
    clear: Colour | None = None,
    depth: View | None = None,
    keeps_depth: bool = False,
) -> RenderPass:
    """Begins a render pass.

    view          the texture view that is drawn to
    clear         RGBA that the view is filled with first; None keeps its contents
    depth         the depth attachment, cleared to 1
    keeps_depth   True to read the existing depth without changing it
    """
    colour: dict[str, Any] = {"view": view, "load_op": "load" if clear is None else "clear", "store_op": "store"}
    if clear is not None:
        colour["clear_value"] = clear
    attachment = None
    if depth is not None:
        attachment = {"view": depth} | (
            {"depth_read_only": True}
            if keeps_depth
            else {"depth_load_op": "clear", "depth_store_op": "store", "depth_clear_value": 1.0}
        )
    return encoder.begin_render_pass(
        label=label,
        color_attachments=[colour],
        depth_stencil_attachment=attachment,
        timestamp_writes=timestamp_writes(label),
    )


@contextmanager
def debug_group(encoder: Encoder | RenderPass, label: str) -> Iterator[None]:
    """Groups the commands recorded inside under one heading in frame debuggers."""
    encoder.push_debug_group(label)
    yield
    encoder.pop_debug_group()
