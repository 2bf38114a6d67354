"""Drivers that are known to fail, by what their users have reported in public, and the way out."""

import re

from engine.gpu.device import Device

# (part of the adapter's name, first numbers of the versions of Mesa and LLVM, what happens and what to do)
KNOWN = (
    (
        "llvmpipe", "26", "22",
        "Mesa 26 with LLVM 22 crashes where its software driver compiles compute shaders (on GitHub: "
        "cataclysmbn/Cataclysm-BN 9470, gfx-rs/wgpu 9903, mmozeiko/build-mesa 20). Install Mesa 25, or take "
        "SwiftShader, of Debian's `chromium`: VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json in "
        "the environment.",
    ),
)  # fmt: skip


def known_faults(d: Device) -> list[str]:
    """What is known to fail with the driver of a Device, a text for each fault."""
    name = f"{d.adapter}; {d.driver}".lower()
    versions = {program: number for program, number in re.findall(r"(mesa|llvm) (\d+)", name)}
    return [
        text
        for part, mesa, llvm, text in KNOWN
        if part in name and (versions.get("mesa"), versions.get("llvm")) == (mesa, llvm)
    ]
