"""The adapter and device everything runs on: Vulkan, chosen once per process."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import FrameType
from typing import Any

import wgpu
from wgpu.backends.wgpu_native import _ffi, extras

from engine.diagnostics import log
from engine.errors import NoAdapterError

FEATURES = ("shader-f16", "timestamp-query", "subgroup", "float32-filterable")
# Limits that are requested at the adapter's own maximum.
WIDE_LIMITS = ("max-buffer-size", "max-storage-buffer-binding-size", "max-texture-dimension-2d")
# Limits of every WebGPU device (specification, section 3.6.2). All are requested by name, because an unnamed limit
# would be the adapter's own; so a kernel that runs here runs everywhere.
PORTABLE_LIMITS = {
    "max-texture-dimension-1d": 8192,
    "max-texture-dimension-2d": 8192,
    "max-texture-dimension-3d": 2048,
    "max-texture-array-layers": 256,
    "max-bind-groups": 4,
    "max-bindings-per-bind-group": 1000,
    "max-dynamic-uniform-buffers-per-pipeline-layout": 8,
    "max-dynamic-storage-buffers-per-pipeline-layout": 4,
    "max-sampled-textures-per-shader-stage": 16,
    "max-samplers-per-shader-stage": 16,
    "max-storage-buffers-per-shader-stage": 8,
    "max-storage-textures-per-shader-stage": 4,
    "max-uniform-buffers-per-shader-stage": 12,
    "max-uniform-buffer-binding-size": 65536,
    "max-storage-buffer-binding-size": 134217728,
    "max-buffer-size": 268435456,
    "max-vertex-buffers": 8,
    "max-vertex-attributes": 16,
    "max-vertex-buffer-array-stride": 2048,
    "max-inter-stage-shader-variables": 16,
    "max-color-attachments": 8,
    "max-color-attachment-bytes-per-sample": 32,
    "max-compute-workgroup-storage-size": 16384,
    "max-compute-invocations-per-workgroup": 256,
    "max-compute-workgroup-size-x": 256,
    "max-compute-workgroup-size-y": 256,
    "max-compute-workgroup-size-z": 64,
    "max-compute-workgroups-per-dimension": 65535,
    "min-uniform-buffer-offset-alignment": 256,
    "min-storage-buffer-offset-alignment": 256,
}

# A C type that can be looked up: a name, alone or with one star or bracket behind it.
C_NAME = re.compile(r"\s*(\w+)\s*(\*|\[\s*\])?\s*$")

NO_ADAPTER = (
    "No Vulkan adapter was found, so nothing can be drawn. Install a driver: "
    "Debian or Ubuntu without a GPU: `apt-get install mesa-vulkan-drivers libvulkan1`; "
    "Fedora: `dnf install mesa-vulkan-drivers vulkan-loader`; Arch: `pacman -S vulkan-swrast vulkan-icd-loader`; "
    "with a GPU: its vendor's driver with Vulkan; "
    "macOS: `brew install molten-vk vulkan-loader`. Then run `neuroscene doctor`."
)


def maker() -> str:
    """The name of the calling module outside engine.gpu, such as `draw.lines`: the label where none is given."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not name.startswith(("engine.gpu.", "contextlib")):
            return name.removeprefix("engine.")
        frame = frame.f_back
    return "engine.gpu"


@dataclass(frozen=True)
class Device:
    """The device in use.

    handle    wgpu's device
    adapter   name of the adapter; driver, its driver; backend, its graphics interface
    kind      DiscreteGPU, IntegratedGPU, CPU ...
    features  those of FEATURES that it has
    limits    name -> value, with hyphens
    """

    handle: wgpu.GPUDevice
    adapter: str
    kind: str
    driver: str
    backend: str
    features: frozenset
    limits: dict = field(repr=False)

    @property
    def queue(self) -> wgpu.GPUQueue:
        return self.handle.queue

    @property
    def is_software(self) -> bool:
        """True for a driver that computes on the processor, such as lavapipe."""
        return self.kind == "CPU"

    def encoder(self, label: str | None = None) -> wgpu.GPUCommandEncoder:
        """A new command encoder."""
        return self.handle.create_command_encoder(label=label or maker())

    @contextmanager
    def recording(self, label: str | None = None) -> Iterator[wgpu.GPUCommandEncoder]:
        """An encoder whose commands are submitted at the end of the `with` block."""
        encoder = self.encoder(label or maker())
        yield encoder
        self.submit(encoder)

    def submit(self, encoder: wgpu.GPUCommandEncoder) -> None:
        """Ends an encoder and hands its commands to the queue."""
        self.queue.submit([encoder.finish()])


def look_up_types(ffi: Any) -> bool:
    """Makes a cffi.FFI look simple type names up in its table; it parses all other names as before.

    wgpu speaks to its library through cffi, which reads a type's name (`WGPUExtent3D *`) by writing a C program that
    declares every name it knows and parsing that in Python: 10 to 30 ms for each of some seventy names, a second before
    the first picture. All but a few of them are a declared name, alone or with one star or bracket behind it.

    Returns False, and changes nothing, where cffi has other internals than expected.
    """
    try:
        from cffi import model
        from cffi.commontypes import resolve_common_type

        parser = ffi._parser
        declared, parse, pointer = parser._declarations, parser.parse_type_and_quals, parser._get_type_pointer
    except (ImportError, AttributeError):
        return False

    def read(text):
        match = C_NAME.match(text)
        if match is None:
            return parse(text)
        name, mark = match.groups()
        if "typedef " + name in declared:
            kind, quals = declared["typedef " + name]
        elif name in model.PrimitiveType.ALL_PRIMITIVE_TYPES:
            kind, quals = resolve_common_type(parser, name)
        else:
            return parse(text)
        if mark is None:
            return kind, quals
        return (pointer(kind, quals), 0) if mark == "*" else (model.ArrayType(kind, None), quals)

    parser.parse_type_and_quals = read
    return True


def _prepare_instance():
    look_up_types(_ffi.ffi)
    if sys.platform.startswith("linux"):
        # Mesa complains on stderr, once a device, where no desktop session has set this.
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
        # LP_NATIVE_VECTOR_WIDTH=512 would make fields 1.2 to 1.3 times faster, but Mesa 22.3 crashes at some pictures.
    # Without this wgpu tries OpenGL too and takes 0.8 s instead of 0.3 s to start.
    try:
        extras.set_instance_extras(backends=["Vulkan"])
    except RuntimeError:
        pass  # An instance exists already, made by other code; the backend is checked below.


@cache
def device() -> Device:
    """The device of this process, made at the first call.

    NEUROSCENE_PORTABLE=1 in the environment keeps it within PORTABLE_LIMITS, as the tests do.
    Raises NoAdapterError with install lines when there is no Vulkan adapter.
    """
    _prepare_instance()
    adapters = [a for a in wgpu.gpu.enumerate_adapters_sync() if a.info.get("backend_type") == "Vulkan"]
    if not adapters:
        raise NoAdapterError(NO_ADAPTER)
    order = {"DiscreteGPU": 0, "IntegratedGPU": 1, "VirtualGPU": 2, "CPU": 4}
    adapter = min(adapters, key=lambda a: order.get(a.info.get("adapter_type"), 3))
    features = {f for f in FEATURES if f in adapter.features}
    limits = dict(PORTABLE_LIMITS)
    if os.environ.get("NEUROSCENE_PORTABLE") != "1":
        limits |= {name: adapter.limits[name] for name in WIDE_LIMITS if name in adapter.limits}
    try:
        handle = adapter.request_device_sync(
            label="neuroscene", required_features=sorted(features), required_limits=limits
        )
    except (RuntimeError, wgpu.GPUError) as error:
        raise NoAdapterError(f"The adapter {adapter.info.get('device')} gave no device: {error}") from None
    info = adapter.info
    log.debug("adapter: %s; %s; %s", info.get("device"), info.get("description"), ", ".join(sorted(features)))
    return Device(
        handle=handle,
        adapter=info.get("device", "unknown"),
        kind=info.get("adapter_type", "unknown"),
        driver=info.get("description", ""),
        backend=info.get("backend_type", "unknown"),
        features=frozenset(features),
        limits=dict(handle.limits),
    )


def platform() -> str:
    """One line for CSV rows and captions: adapter, driver and Python."""
    d = device()
    return f"{d.adapter}; {d.driver}; Python {sys.version_info.major}.{sys.version_info.minor}"
