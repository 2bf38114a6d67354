"""The adapters of this machine, and which of them is used."""

import os
from typing import TypeAlias

import wgpu

from engine.errors import NoAdapterError, SettingError
from engine.gpu.native import instance

Adapter: TypeAlias = wgpu.GPUAdapter
# Environment variable, also set by --adapter; then those of wgpu's own tools and of wgpu for Python.
ADAPTER = "NEUROSCENE_ADAPTER"
VARIABLES = (ADAPTER, "WGPU_ADAPTER_NAME", "WGPUPY_WGPU_ADAPTER_NAME")
# `low` of wgpu's own variable prefers integrated graphics to a graphics card.
POWER = "WGPU_POWER_PREF"
ORDER = ("DiscreteGPU", "IntegratedGPU", "VirtualGPU", "Unknown", "CPU")

NO_ADAPTER = (
    "No Vulkan adapter was found, so nothing can be drawn. Install a driver: "
    "Debian or Ubuntu without a GPU: `apt-get install mesa-vulkan-drivers libvulkan1`; "
    "Fedora: `dnf install mesa-vulkan-drivers vulkan-loader`; Arch: `pacman -S vulkan-swrast vulkan-icd-loader`; "
    "with a GPU: its vendor's driver with Vulkan; "
    "macOS: `brew install molten-vk vulkan-loader`. Then run `neuroscene doctor`."
)


def adapters() -> list[Adapter]:
    """All adapters that can be used, the preferred one first. Raises NoAdapterError if there is none."""
    instance.prepare()
    kinds = {{"GL": "OpenGL", "DX12": "D3D12"}.get(name, name) for name in instance.backends()}
    with instance.no_display():
        found = [a for a in wgpu.gpu.enumerate_adapters_sync() if a.info.get("backend_type") in kinds]
    if not found:
        raise NoAdapterError(
            NO_ADAPTER if kinds == {"Vulkan"} else f"No adapter of {', '.join(sorted(kinds))} was found."
        )
    order = list(ORDER)
    if os.environ.get(POWER, "").lower().startswith("low"):
        order[:2] = order[1::-1]
    return sorted(found, key=lambda a: order.index(a.info["adapter_type"]) if a.info["adapter_type"] in order else 3)


def described(adapter: Adapter) -> str:
    """`name; driver`: what a name is looked for in."""
    return "; ".join(filter(None, (adapter.info.get(key, "").strip() for key in ("device", "description"))))


def asked_for() -> tuple[str, str]:
    """(variable, name) of the adapter that the environment asks for; empty texts if for none."""
    return next(((v, os.environ[v]) for v in VARIABLES if os.environ.get(v, "").strip()), ("", ""))


def chosen() -> Adapter:
    """The first adapter that has the name asked for in its description, or the first of all. SettingError if none."""
    found, (variable, name) = adapters(), asked_for()
    for adapter in found:
        if name.strip().lower() in described(adapter).lower():
            return adapter
    source = "--adapter " if variable == ADAPTER else f"{variable}="
    there = ", ".join(f"`{described(a)}`" for a in found)
    raise SettingError(f"{source}{name}: no adapter here is called so. There are: {there}. A part of a name will do.")
