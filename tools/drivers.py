"""The matrix of drivers: doctor and small pictures on every Vulkan driver of this machine, one after the other.

    python tools/drivers.py [ICD.json ...]

Takes the drivers that the Vulkan loader finds, SwiftShader where a Chromium is installed, and those that are named.
Prints a line for each: how long doctor took, what it says, and how far its pictures are from those of the first driver.
Ends with status 1 if doctor finds a fault anywhere, or if pictures differ by more than rounding.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d")
SWIFTSHADER = ("/usr/lib/chromium", "/usr/lib/chromium-browser", "/usr/lib64/chromium-browser", "/opt/google/chrome")
SCENES = ("marching", "random_networks", "boundaries", "activations")
# Of 255, in the mean: rounding moves the edges of surfaces by a part of a pixel.
FAR = 0.5


def drivers(named: list[str]) -> list[Path]:
    """The files that describe the drivers, without those that need hardware that is not there."""
    found = [*(path for folder in FOLDERS for path in sorted(Path(folder).glob("*.json")))]
    found += [path for folder in SWIFTSHADER if (path := Path(folder) / "vk_swiftshader_icd.json").is_file()]
    return list(dict.fromkeys([*found, *map(Path, named)]))


def run(driver: Path, *words: str) -> subprocess.CompletedProcess:
    """A command of neuroscene with one driver alone; older loaders know the second name."""
    only = {name: str(driver) for name in ("VK_DRIVER_FILES", "VK_ICD_FILENAMES")}
    command = [sys.executable, "-m", "engine", *words]
    return subprocess.run(command, cwd=ROOT, env=os.environ | only, capture_output=True, text=True, check=False)


def pictures(driver: Path, folder: Path) -> list[np.ndarray] | str:
    """The pictures of SCENES, or what went wrong."""
    made = []
    for scene in SCENES:
        path = folder / f"{scene}.png"
        done = run(driver, "render", scene, "--size", "96x72", "--supersample", "4", "-o", str(path))
        if done.returncode:
            return f"{scene}: status {done.returncode}: {done.stderr.strip()[-200:]}"
        made.append(np.asarray(Image.open(path), float))
    return made


def main() -> int:
    first, failed = None, False
    for driver in drivers(sys.argv[1:]):
        listed = run(driver, "doctor", "--list")
        if listed.returncode:
            continue  # no hardware for it
        name, begun = listed.stdout.splitlines()[0][2:].strip(), time.perf_counter()
        doctor = run(driver, "doctor")
        last = (doctor.stdout.strip().splitlines() or ["nothing"])[-1]
        said = f"{name}: doctor: {last} ({time.perf_counter() - begun:.0f} s)"
        with tempfile.TemporaryDirectory() as folder:
            made = pictures(driver, Path(folder))
        if isinstance(made, str):
            said, far = f"{said}; {made}", True
        else:
            first = first or made
            apart = max(float(abs(a - b).mean()) for a, b in zip(made, first, strict=True))
            said, far = f"{said}; pictures differ from the first driver's by {apart:.3f} of 255", apart > FAR
        failed = failed or far or doctor.returncode != 0
        print(said, flush=True)
    return 1 if failed or first is None else 0


if __name__ == "__main__":
    sys.exit(main())
