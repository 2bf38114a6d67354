"""The doctor: that it passes what is right, finds what is wrong, and says what to do."""

import numpy as np
import pytest
from tree import ROOT

from engine.doctor import networks, report
from engine.doctor.compare import compare
from engine.errors import NoAdapterError, ShaderError
from engine.gpu.device import NO_ADAPTER
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

    monkeypatch.setattr(report, "CHECKS", {"sparks": broken})
    (row,) = report.check()
    assert not row.passed and "x.wgsl:3:1" in row.what
    assert "WRONG" in report.report([row]) and "1 of 1 checks failed" in report.report([row])
    monkeypatch.setattr(report, "check", lambda: [row])
    assert report.main() == report.FOUND_SOMETHING


def test_the_report_names_the_adapter_and_fits_a_terminal(rows, capsys, monkeypatch):
    monkeypatch.setattr(report, "check", lambda: rows)
    assert report.main() == report.ALL_WELL
    text = capsys.readouterr().out
    assert report.device().adapter in text
    assert f"All {len(rows)} checks passed." in text
    # A path may be longer than a line.
    assert all(len(line) <= 100 or "/" in line for line in text.splitlines())


def test_without_an_adapter_it_says_what_to_install_and_ends_with_3(monkeypatch, capsys):
    def none():
        raise NoAdapterError(NO_ADAPTER)

    monkeypatch.setattr(report, "device", none)
    assert report.main() == report.NO_ADAPTER
    assert "apt-get install mesa-vulkan-drivers" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("lacking, advice", [("has_display", "xvfb-run"), ("_ffmpeg", "pip install imageio-ffmpeg")])
def test_what_is_missing_is_named_with_what_to_do(lacking, advice, rows, monkeypatch):
    monkeypatch.setattr(report, lacking, lambda: None)
    assert advice in report.report(rows)
