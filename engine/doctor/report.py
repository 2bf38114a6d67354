"""What this machine can do: its adapter, limits and programs, and every kernel against its float64 twin."""

import os
import platform as machine
import textwrap
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from engine.doctor import drivers
from engine.doctor.checks import CHECKS, abreast, check, in_turn
from engine.doctor.compare import Comparison
from engine.errors import NeurosceneError, NoAdapterError
from engine.formats.files import size_text
from engine.gpu.device import FEATURES, Device, device
from engine.gpu.native import adapters
from engine.output.window import has_display
from engine.output.writers.ffmpeg import ffmpeg
from engine.output.writers.video import CODECS

WIDTH = 96  # columns
NAMES = 17  # columns of kernels' names
WIDE = WIDTH - NAMES - 2 - 24 - 8
TITLES = f"  {'kernel':{NAMES}}{'what':{WIDE}}{'worst error':>12}{'bound':>12}"
KINDS = {"CPU": "software, on the processor", "DiscreteGPU": "graphics card", "IntegratedGPU": "integrated graphics"}
ENCODERS = list(dict.fromkeys(codec.encoder for codec in CODECS.values()))
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
    "software": "This adapter computes on the processor: everything works, slowly. With a graphics card, install its "
    "vendor's Vulkan driver.",
}


def report(say: Callable[[str], object], made: Callable = in_turn) -> int:
    """Says line by line, as it finds them, programs, adapter, limits, checks, and what to install.

    made      how checks are made: `in_turn` or `abreast`
    returns   the exit status: 0 all well, 1 a check failed, 3 no adapter. Raises SettingError for an adapter that was
              asked for and is not there.
    """

    def lines(texts: Iterable[str]) -> None:
        for text in texts:
            say(text)

    lines(["Programs", *_table(_programs())])
    try:
        d = device()
    except NoAdapterError as error:
        lines(["", "Adapter", *_paragraph(str(error))])
        return NO_ADAPTER
    lines(["", "Adapter", *_table(_adapter(d))])
    for fault in drivers.known_faults(d):
        lines(["", *_paragraph(f"Warning: {fault}")])
    lines(["", "Kernels against their float64 twins on this adapter", TITLES])
    found: list[Comparison] = []
    for rows in made(list(CHECKS), check):
        lines(line for row in rows for line in row_lines(row))
        found += rows
    say("")
    video = [str(lack) for lack in map(_lack, ENCODERS) if lack is not None]
    for fix, is_needed in (("software", d.is_software), ("window", not has_display())):
        lines(_paragraph(FIXES[fix]) if is_needed else [])
    lines(line for text in dict.fromkeys(video) for line in _paragraph(text))
    failed = sum(not row.passed for row in found)
    verdict = f"All {len(found)} checks passed."
    if failed:
        verdict = (
            f"{failed} of {len(found)} checks failed: pictures made on this adapter may be wrong. Update its driver; "
            "if that does not help, report this whole page."
        )
    lines(_paragraph(verdict))
    return FOUND_SOMETHING if failed else ALL_WELL


def main() -> int:
    """Prints the report as it is found; gives its exit status."""
    # Where one core is all there is, a second process only costs its start.
    return report(lambda line: print(line, flush=True), abreast if (os.cpu_count() or 1) > 1 else in_turn)


def listing() -> list[str]:
    """Lines that name the adapters of this machine, the one in use marked. Raises NoAdapterError."""
    used = adapters.described(adapters.chosen())
    rows = [(adapters.described(a), KINDS.get(a.info["adapter_type"], "other"), a.info) for a in adapters.adapters()]
    wide = max(len(name) for name, _, _ in rows)
    return [
        f"{'*' if name == used else ' '} {name:{wide}}  {kind}, {info.get('backend_type')}" for name, kind, info in rows
    ]


def row_lines(row: Comparison) -> list[str]:
    """Lines of the table, under TITLES, for one comparison."""
    verdict = "ok" if row.passed else "WRONG"
    what = textwrap.wrap(row.what, WIDE - 1)
    numbers = f"{row.error:12.1e}{row.bound:12.1e}" if np.isfinite(row.error) else f"{'-':>12}{'-':>12}"
    first = f"  {row.kernel:{NAMES}}{what[0]:{WIDE}}{numbers}{verdict:>8}"
    return [first, *(f"  {'':{NAMES}}{more}" for more in what[1:])]


def _programs() -> Iterator[tuple[str, str]]:
    import engine

    python = f"Python {machine.python_version()} on {machine.system()} {machine.machine()}"
    yield "neuroscene", f"{engine.__version__}, {python}"
    yield "packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    yield "ffmpeg", _ffmpeg()
    yield "window", "yes" if has_display() else "no screen"


def _adapter(d: Device) -> Iterator[tuple[str, str]]:
    yield "name", f"{d.adapter} ({KINDS.get(d.kind, d.kind)})"
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


def _ffmpeg() -> str:
    """ffmpeg's version and path, or what is wrong with it."""
    try:
        found = ffmpeg()
    except NeurosceneError as error:
        return str(error)
    return f"{found.version}, {found.path}"


def _lack(encoder: str) -> NeurosceneError | None:
    """Why no film can be written with an encoder; None where it can."""
    try:
        ffmpeg(encoder)
    except NeurosceneError as error:
        return error
    return None


def _table(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [line for name, text in pairs for line in _paragraph(text, f"  {name:12}", " " * 14)]


def _paragraph(text: str, first: str = "", rest: str = "") -> list[str]:
    """Lines of a text, with an indent for the first and for the rest."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )
