"""What this machine can do: its adapter, limits and programs, and every kernel against its float64 twin."""

import platform as machine
import subprocess
import textwrap
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import imageio_ffmpeg
import numpy as np

from engine.doctor import cloud, convnets, networks
from engine.doctor.compare import Comparison, compare
from engine.errors import FileError, NeurosceneError, NoAdapterError
from engine.formats.files import size_text
from engine.gpu.device import FEATURES, Device, device
from engine.output.window import has_display
from engine.output.writers.video import executable

WIDTH = 96  # columns
NAMES = 17  # columns of kernels' names
ALL_WELL, FOUND_SOMETHING, NO_ADAPTER = 0, 1, 3
PACKAGES = ("wgpu", "rendercanvas", "numpy", "imgui-bundle", "imageio", "imageio-ffmpeg")

LIMITS = (
    ("one buffer", "max-buffer-size"),
    ("one binding", "max-storage-buffer-binding-size"),
    ("uniform buffer", "max-uniform-buffer-binding-size"),
    ("workgroup memory", "max-compute-workgroup-storage-size"),
    ("workgroup", "max-compute-invocations-per-workgroup"),
    ("picture", "max-texture-dimension-2d"),
)

FIXES = {
    "window": "No screen was found, so no window opens; pictures and films need none. "
    "On a server: `xvfb-run neuroscene run ...`.",
    "ffmpeg": "MP4 and WebM need it: `pip install imageio-ffmpeg`. GIF and PNG folders do not.",
    "software": "This adapter computes on the processor: everything works, slowly. With a graphics card, install its "
    "vendor's Vulkan driver.",
}


# One for each file of engine/kernels.
CHECKS = {**networks.CHECKS, **convnets.CHECKS, **cloud.CHECKS}


def check() -> list[Comparison]:
    """Every kernel against its twin, on this machine's adapter.

    A kernel that does not run at all gives one comparison, not passed, that says why. Raises NoAdapterError.
    """
    device()
    rows: list[Comparison] = []
    for name, rows_of in CHECKS.items():
        kernel, twin = import_module(f"engine.kernels.{name}"), import_module(f"engine.reference.{name}")
        try:
            rows.extend(compare(name, *row) for row in rows_of(kernel, twin))
        except FileError:
            raise  # the folder for shaders: no fault of a kernel
        except NeurosceneError as error:
            rows.append(Comparison(name, f"does not run: {error}", np.inf, 0.0, False))
    return rows


def report(rows: list[Comparison] | None = None) -> str:
    """What `neuroscene doctor` prints: programs, adapter, limits, the table of checks, and what to install.

    rows   from `check()`; computed unless given
    """
    parts = ["Programs", *_table(_programs())]
    try:
        d = device()
    except NoAdapterError as error:
        return "\n".join([*parts, "", "Adapter", *_paragraph(str(error))])
    parts += ["", "Adapter", *_table(_adapter(d)), ""]
    rows = check() if rows is None else rows
    parts += ["Kernels against their float64 twins on this adapter", *checks_table(rows), ""]
    for fix, is_needed in (("software", d.is_software), ("window", not has_display()), ("ffmpeg", not _ffmpeg())):
        parts += _paragraph(FIXES[fix]) if is_needed else []
    failed = sum(not row.passed for row in rows)
    verdict = f"All {len(rows)} checks passed."
    if failed:
        verdict = (
            f"{failed} of {len(rows)} checks failed: pictures made on this adapter may be wrong. Update its driver; if "
            "that does not help, report this whole page."
        )
    return "\n".join([*parts, *_paragraph(verdict)])


def main() -> int:
    """Prints the report; gives the exit status: 0 all well, 1 a check failed, 3 no adapter."""
    try:
        rows = check()
    except NoAdapterError:
        print(report())
        return NO_ADAPTER
    print(report(rows))
    return ALL_WELL if all(row.passed for row in rows) else FOUND_SOMETHING


def checks_table(rows: list[Comparison]) -> list[str]:
    """Lines of an aligned table."""
    wide = WIDTH - NAMES - 2 - 24 - 8
    lines = [f"  {'kernel':{NAMES}}{'what':{wide}}{'worst error':>12}{'bound':>12}{'':>8}".rstrip()]
    for row in rows:
        verdict = "ok" if row.passed else "WRONG"
        what = textwrap.wrap(row.what, wide - 1)
        numbers = f"{row.error:12.1e}{row.bound:12.1e}" if np.isfinite(row.error) else f"{'-':>12}{'-':>12}"
        lines.append(f"  {row.kernel:{NAMES}}{what[0]:{wide}}{numbers}{verdict:>8}")
        lines += [f"  {'':{NAMES}}{more}" for more in what[1:]]
    return lines


def _programs() -> Iterator[tuple[str, str]]:
    import engine

    python = f"Python {machine.python_version()} on {machine.system()} {machine.machine()}"
    yield "neuroscene", f"{engine.__version__}, {python}"
    yield "packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    yield "ffmpeg", _ffmpeg() or "not found"
    yield "window", "yes" if has_display() else "no screen"


def _adapter(d: Device) -> Iterator[tuple[str, str]]:
    kind = {"CPU": "software, on the processor", "DiscreteGPU": "graphics card", "IntegratedGPU": "integrated graphics"}
    yield "name", f"{d.adapter} ({kind.get(d.kind, d.kind)})"
    yield "driver", f"{d.driver}, {d.backend}"
    yield "features", ", ".join(f for f in FEATURES if f in d.features) or "none of those we use"
    lacking = [f for f in FEATURES if f not in d.features]
    if lacking:
        yield "lacking", ", ".join(lacking) + " (nothing needs them)"
    yield "limits", ", ".join(f"{name} {_size(name, d.limits[key])}" for name, key in LIMITS if key in d.limits)


def _size(name: str, number: int) -> str:
    if name == "workgroup":
        return f"{number} invocations"
    if name == "picture":
        return f"{number} pixels a side"
    return size_text(number)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(missing)"


def _ffmpeg() -> str | None:
    """ffmpeg's version and path, or None."""
    try:
        return f"{imageio_ffmpeg.get_ffmpeg_version()}, {executable()}"
    except (NeurosceneError, RuntimeError, OSError, subprocess.SubprocessError):
        return None


def _table(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [line for name, text in pairs for line in _paragraph(text, f"  {name:12}", " " * 14)]


def _paragraph(text: str, first: str = "", rest: str = "") -> list[str]:
    """Lines of a text, with an indent for the first and for the rest."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )
