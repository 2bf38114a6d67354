"""The adapter and device everything runs on: one a process, replaced when it is lost."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

import numpy as np
import wgpu

from engine.diagnostics import log
from engine.errors import DeviceLimitError, DeviceLostError, NeurosceneError, NoAdapterError, SettingError
from engine.gpu.native import adapters, faults, instance
from engine.gpu.native.apart import apart, give_way
from engine.kept import shelf, store

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

# The queue keeps a copy of what is written until it is submitted and done: of a large network all weights twice.
MOST_WAITING = 16 * 2**20

_device: "Device | None" = None
# A second device of a software driver, for what a window shows while the first computes; and who uses it now.
_display: "Device | None" = None
_thread = threading.local()
_renewing = threading.RLock()
_changes = 0


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
    _waiting: list[int] = field(default_factory=lambda: [0], repr=False, compare=False)

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
        """Ends an encoder and hands its commands to the queue. DeviceLostError for one of an earlier device."""
        if encoder._device is not self.handle:  # the library would end the process
            faults.said = True
            raise DeviceLostError(faults.LOST)
        commands = encoder.finish()
        self._waiting[0] = 0
        apart(lambda: self.queue.submit([commands]), "drawing", drops=True)

    def write(self, buffer: wgpu.GPUBuffer, start: int, raw: np.ndarray) -> None:
        """Writes bytes to a buffer from byte `start` on; waits for the GPU when more than MOST_WAITING are not sent."""
        self.queue.write_buffer(buffer, start, raw)
        self._sent(raw.nbytes)

    def write_texture(self, place: dict, raw: np.ndarray, layout: dict, size: tuple[int, int, int]) -> None:
        """Writes to a texture, as the queue's function of this name does, and waits as `write`."""
        self.queue.write_texture(place, raw, layout, size)
        self._sent(raw.nbytes)

    def _sent(self, count):
        self._waiting[0] += count
        if self._waiting[0] > MOST_WAITING:
            self._waiting[0] = 0
            self.queue.submit([])
            apart(self.handle._poll_wait)


def device() -> Device:
    """The device of this process, made at the first call, and again after it was lost.

    NEUROSCENE_PORTABLE=1 in the environment keeps it within PORTABLE_LIMITS, as the tests do.
    Raises NoAdapterError with install lines when there is no Vulkan adapter, SettingError for one that was asked for
    and is not there.
    """
    if _device is None or faults.suspected:
        with _renewing:
            _renew()
    assert _device is not None
    return _display if getattr(_thread, "displays", False) and _display is not None else _device


@contextmanager
def displaying() -> Iterator[None]:
    """In the block, this thread uses the device that pictures are shown by.

    On a graphics card it is the one device. A software driver computes, and compiles, in the queue that a window's
    frames would wait in: there it is a device of its own, and pictures go to it through memory.
    """
    global _display
    if not device().is_software:
        yield
        return
    if _display is None:
        give_way()  # of the threads until now; those of the new device answer a person
        _display = _new()
    before = getattr(_thread, "displays", False)
    _thread.displays = True
    try:
        with shelf("display"):
            yield
    finally:
        _thread.displays = before


def device_changes() -> int:
    """How often this process has replaced its device: what was made before the last time is gone."""
    return _changes


def has_device() -> bool:
    """Whether this process has made a device."""
    return _device is not None


def use_adapter(name: str) -> None:
    """Uses the adapter with this in its name from now on. Raises SettingError, with all names, where there is none."""
    if "\0" in name:
        raise SettingError("--adapter: no name has a null byte. `neuroscene doctor --list` lists the adapters.")
    before = os.environ.get(adapters.ADAPTER)
    os.environ[adapters.ADAPTER] = name
    try:
        wanted = adapters.described(adapters.chosen())
    except NeurosceneError:
        os.environ.pop(adapters.ADAPTER)
        os.environ.update({} if before is None else {adapters.ADAPTER: before})
        raise
    if _device is not None and adapters.described(_device.handle.adapter) != wanted:
        _drop()


def _drop():
    """Forgets the device and all that was compiled for it."""
    global _device, _display, _changes
    _device, _display, _changes = None, None, _changes + 1
    store.clear()


def _renew():
    """Makes the device where there is none, or one is lost; what was compiled for an earlier one is then forgotten."""
    global _device
    lost = [one.adapter for one in (_device, _display) if one is not None and _is_lost(one.handle)]
    if lost:
        if not faults.said:
            log.warning("neuroscene: the device %s was lost; a new one is used.", lost[0])
        _drop()
    _device = _device or _new()
    faults.forget()


def _is_lost(handle):
    try:
        handle.create_buffer(label="probe", size=16, usage=wgpu.BufferUsage.COPY_DST)
    except (NeurosceneError, RuntimeError, wgpu.GPUError):
        return True
    return False


def _new():
    faults.watch()
    adapter = adapters.chosen()
    features = {f for f in FEATURES if f in adapter.features}
    limits = dict(PORTABLE_LIMITS)
    if os.environ.get("NEUROSCENE_PORTABLE") != "1":
        limits |= {name: adapter.limits[name] for name in WIDE_LIMITS if name in adapter.limits}
    try:
        with instance.no_display():
            handle = adapter.request_device_sync(
                label="neuroscene", required_features=sorted(features), required_limits=limits
            )
    except (RuntimeError, wgpu.GPUError, DeviceLimitError, DeviceLostError) as error:
        raise NoAdapterError(f"The adapter {adapter.info.get('device')} gave no device: {error}") from None
    info = adapter.info
    log.debug("adapter: %s; %s; %s", info.get("device"), info.get("description"), ", ".join(sorted(features)))
    return Device(
        handle=handle,
        adapter=info.get("device", "unknown").strip(),
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
