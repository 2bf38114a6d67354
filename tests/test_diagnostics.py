"""The log and the dumped shaders: on request, complete, and in this process's children too."""

import os
import subprocess
import sys

import numpy as np
import pytest

from engine import diagnostics
from engine.doctor import checks, report
from engine.errors import FileError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import Module
from engine.gpu.kernel import Kernel

NUMBERS = (Binding("numbers", "write", "array<f32>"),)


def run(code, **environment):
    """stderr of a Python process."""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stderr


def compiled(factor):
    """Compiles a kernel no other test has, and runs it."""
    code = f"@compute @workgroup_size(1)\nfn main() {{ numbers[0] *= {factor}; }}\n"
    lines = (declare(NUMBERS) + code).count("\n")
    places = (
        *[("generated/bindings", k + 1) for k in range(lines - 2)],
        ("wgsl/test/a.wgsl", 1),
        ("wgsl/test/a.wgsl", 2),
    )
    array = Array.of(np.ones(1, "f4"))
    Kernel(Module("test/a.wgsl", declare(NUMBERS) + code, places), NUMBERS).run(1, numbers=array)
    return declare(NUMBERS) + code


def test_every_module_is_dumped_as_it_was_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv(diagnostics.WGSL_FOLDER, "")
    diagnostics.dump_wgsl(tmp_path / "wgsl")
    texts = [compiled(17.0), compiled(19.0)]
    found = sorted((tmp_path / "wgsl").iterdir())
    assert [path.name for path in found] == ["test-a.1.wgsl", "test-a.2.wgsl"]
    for path, text in zip(found, texts, strict=True):
        head, _, code = path.read_text().partition("@group")
        assert "@group" + code == text
        assert (
            "test/a.wgsl" in head and "1 lines of generated/bindings" in head and "2 lines of wgsl/test/a.wgsl" in head
        )


def test_the_folder_that_the_environment_names_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv(diagnostics.WGSL_FOLDER, str(tmp_path / "new" / "wgsl"))
    compiled(29.0)
    assert [path.name for path in (tmp_path / "new" / "wgsl").iterdir()] == ["test-a.1.wgsl"]


def test_no_dumped_module_is_written_over(tmp_path, monkeypatch):
    monkeypatch.setenv(diagnostics.WGSL_FOLDER, str(tmp_path))
    for factor in (31.0, 37.0):
        compiled(factor)
    (tmp_path / "test-a.1.wgsl").unlink()
    before = (tmp_path / "test-a.2.wgsl").read_text()
    compiled(41.0)
    assert (tmp_path / "test-a.2.wgsl").read_text() == before and "41.0" in (tmp_path / "test-a.1.wgsl").read_text()


def test_a_folder_in_the_environment_that_cannot_be_written_is_named_and_no_fault_of_a_kernel(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(diagnostics.WGSL_FOLDER, str(tmp_path / "file"))
    with pytest.raises(FileError, match=r"file, which --dump-wgsl or NEUROSCENE_DUMP_WGSL names"):
        compiled(43.0)
    monkeypatch.setattr(checks, "CHECKS", {"sparks": lambda *_: compiled(47.0)})
    with pytest.raises(FileError, match="NEUROSCENE_DUMP_WGSL"):
        report.check()


def test_a_folder_without_a_name_is_refused():
    with pytest.raises(FileError, match="No folder is named"):
        diagnostics.dump_wgsl("")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="no folder for the shaders"):
        diagnostics.dump_wgsl(tmp_path / "file" / "wgsl")


def test_the_log_is_silent_unless_asked_for():
    code = "from engine.diagnostics import log; log.debug('compiled %d', 7); log.info('more')"
    assert run(code, NEUROSCENE_LOG="") == ""
    assert run(code, NEUROSCENE_LOG="debug") == "neuroscene: DEBUG: compiled 7\nneuroscene: INFO: more\n"
    assert run(code, NEUROSCENE_LOG="info") == "neuroscene: INFO: more\n"
    assert run("from engine.diagnostics import show_log\nshow_log('info')\n" + code, NEUROSCENE_LOG="").count("\n") == 1


def test_the_log_tells_what_was_compiled(caplog):
    with caplog.at_level("DEBUG", "neuroscene"):
        compiled(23.0)
        compiled(23.0)
    told = [record.getMessage() for record in caplog.records]
    assert [line.rpartition(":")[0] for line in told] == [
        "test/a.wgsl: module, 3 lines",
        "test/a.wgsl: compute pipeline {}",
    ]
