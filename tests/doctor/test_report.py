"""The doctor: that it passes what is right, finds what is wrong, and says what to do."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from tree import ROOT

from engine.doctor import checks, networks, report
from engine.doctor.compare import compare
from engine.errors import NoAdapterError, ShaderError
from engine.gpu.native.adapters import NO_ADAPTER
from engine.kernels import sparks
from engine.reference import sparks as sparks_twin


@pytest.fixture(scope="module")
def rows():
    return report.check()


def test_every_kernel_agrees_with_its_twin_on_this_adapter(rows):
    assert [row for row in rows if not row.passed] == []


@pytest.mark.parametrize("kernel", [p.stem for p in (ROOT / "engine" / "kernels").glob("[!_]*.py")])
def test_every_kernel_has_a_twin_a_check_and_a_test(kernel):
    for place in (f"engine/reference/{kernel}.py", f"tests/kernels/test_{kernel}.py"):
        assert (ROOT / place).is_file(), f"engine/kernels/{kernel}.py needs {place}"
    assert kernel in report.CHECKS, f"engine/kernels/{kernel}.py needs a row in CHECKS of a file of engine/doctor"


def test_every_check_is_of_a_kernel_and_compares_something(rows):
    assert set(report.CHECKS) == {row.kernel for row in rows}


def test_a_kernel_that_is_off_is_found(monkeypatch):
    exact = sparks_twin.trace
    # A thousandth of a world unit in one vertex of 640.
    shift = np.zeros((64, 10, 3))
    shift[5, 7, 1] = 1e-3
    monkeypatch.setattr(sparks_twin, "trace", lambda *a, **k: (exact(*a, **k)[0] + shift, exact(*a, **k)[1]))
    position, value = (compare("sparks", *row) for row in networks.check_sparks(sparks, sparks_twin))
    assert not position.passed and value.passed
    assert abs(position.error - 1e-3) < 1e-5


def test_a_value_that_is_not_a_number_is_wrong():
    assert not compare("x", "y", [0.0, np.nan], 1.0).passed
    assert compare("x", "y", [0.0, 1.0], 1.0).passed


def test_a_kernel_that_does_not_run_is_a_row_with_the_reason(monkeypatch):
    def broken(kernel, twin):
        raise ShaderError("wgsl/kernels/x.wgsl:3:1 no such function")
        yield

    monkeypatch.setitem(checks.CHECKS, "sparks", broken)
    (row,) = report.check(["sparks"])
    assert not row.passed and "x.wgsl:3:1" in row.what
    monkeypatch.setattr(report, "check", lambda names: [row])
    said = []
    assert report.report(said.append) == report.FOUND_SOMETHING
    assert "WRONG" in "\n".join(said) and f"{len(report.CHECKS)} of {len(report.CHECKS)} checks failed" in "\n".join(
        said
    )


def test_two_processes_find_what_one_finds():
    names = ["pool", "dense", "move", "resize"]
    both = [row for rows in checks.abreast(names, report.check) for row in rows]
    assert sorted(both, key=lambda row: names.index(row.kernel)) == report.check(names)


def test_a_driver_that_ends_the_second_process_is_a_row_and_all_other_checks_are_made(monkeypatch):
    asked = threading.Event()

    class Ended:
        """A process that ends when it is asked for a check."""

        def __init__(self, *_, **__):
            self.stdin = self.stdout = self

        def write(self, text):
            asked.set()
            raise BrokenPipeError

        wait, kill, communicate = lambda self: -11, lambda self: None, lambda self: None

    monkeypatch.setattr(checks.subprocess, "Popen", Ended)
    well = lambda names: asked.wait(60) and [compare(names[0], "well", 0.0, 1.0)]
    rows = [row for rows in checks.abreast(["a", "b", "c"], well) for row in rows]
    assert sorted(row.kernel for row in rows) == ["a", "b", "c"]
    assert [row.what for row in rows if not row.passed] == ["does not run: its process ended with status -11"]


def answered(rows, monkeypatch):
    """The lines of a report of rows."""
    said = []
    monkeypatch.setattr(report, "check", lambda names: [row for row in rows if row.kernel in names])
    assert report.report(said.append) == report.ALL_WELL
    return said


def test_the_report_names_the_adapter_and_fits_a_terminal(rows, monkeypatch):
    said = answered(rows, monkeypatch)
    text = "\n".join(said)
    assert report.device().adapter in text
    assert f"All {len(rows)} checks passed." in text
    # A path may be longer than a line.
    assert all(len(line) <= 100 or "/" in line for line in said)


def test_a_check_is_said_before_the_next_is_made(rows, monkeypatch):
    said, lengths = [], []
    found = lambda names: [row for row in rows if row.kernel in names]
    monkeypatch.setattr(report, "check", lambda names: lengths.append(len(said)) or found(names))
    report.report(said.append)
    assert len(lengths) == len(report.CHECKS) and all(a < b for a, b in zip(lengths, lengths[1:], strict=False))


@pytest.mark.parametrize(
    "driver, warned", [("Mesa 26.0.6 (LLVM 22.1.6)", True), ("Mesa 25.2.8 (LLVM 22.1.0)", False), ("", False)]
)
def test_a_driver_that_is_known_to_fail_is_warned_of_before_the_checks(driver, warned, rows, monkeypatch):
    such = replace(report.device(), adapter="llvmpipe", driver=driver)
    monkeypatch.setattr(report, "device", lambda: such)
    text = " ".join(" ".join(answered(rows, monkeypatch)).split())
    assert ("Warning: Mesa 26" in text) == warned
    assert not warned or text.index("VK_DRIVER_FILES") < text.index("worst error")


def test_without_an_adapter_it_says_what_to_install_and_ends_with_3(monkeypatch, capsys):
    def none():
        raise NoAdapterError(NO_ADAPTER)

    monkeypatch.setattr(report, "device", none)
    assert report.main() == report.NO_ADAPTER
    assert "apt-get install mesa-vulkan-drivers" in " ".join(capsys.readouterr().out.split())


def test_what_is_missing_is_named_with_what_to_do(rows, monkeypatch):
    monkeypatch.setattr(report, "has_display", lambda: False)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/none")
    text = " ".join(" ".join(answered(rows, monkeypatch)).split())
    assert "xvfb-run" in text and text.count("Unset IMAGEIO_FFMPEG_EXE") == 2
