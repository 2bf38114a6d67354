"""The command `export`: what it prints where, and what it says to mistakes."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

FILE = '''
from drawn import Drawn
from engine.vector.page import Drawing, Words


class Mine(Drawn):
    """Says its settings on a page."""

    def drawing(self, clock, size_mm=None):
        width, height = size_mm or (100.0, 80.0)
        return Drawing(width, height or 70.0, [Words(f"{self.seed} {self.count} {clock.time:g}", 1, 9)])

    def remark(self):
        return "trust it" if self.count == 9 else None


class Broken(Drawn):
    """Fails."""

    def drawing(self, clock, size_mm=None):
        return 1 / 0
'''

FAILS = FILE.splitlines().index("        return 1 / 0") + 1


@pytest.fixture
def ask(ask, tmp_path, monkeypatch):
    """Runs a command in a folder with a scene file `mine.py`."""
    (tmp_path / "mine.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return ask


def said(path):
    root = ET.parse(path).getroot()
    return root.get("width"), root.get("height"), root.find("{http://www.w3.org/2000/svg}text").text


def test_help_has_examples(ask):
    status, out, err = ask("export", "--help")
    assert (status, err) == (0, "") and "  neuroscene export boundaries -o figure.svg" in out


def test_the_path_is_all_of_stdout_and_its_name_the_scene_s(ask):
    assert ask("export", "mine.py:Mine") == (0, "mine-Mine.svg\n", "")
    assert said("mine-Mine.svg") == ("100mm", "80mm", "0 5 0")


def test_options_reach_the_scene(ask):
    options = ["--seed", "4", "--set", "count=7", "--time", "1.5", "--size", "12cmx90mm"]
    assert ask("export", "mine.py:Mine", *options, "-o", "a.svg") == (0, "a.svg\n", "")
    assert said("a.svg") == ("120mm", "90mm", "4 7 1.5")


def test_a_dash_writes_svg_to_a_pipe_and_no_path(ask):
    status, out, err = ask("export", "mine.py:Mine", "-o", "-")
    assert (status, err) == (0, "") and out.startswith("<?xml") and out.endswith("</svg>\n")


def test_a_pdf_is_named_by_its_ending(ask):
    assert ask("export", "mine.py:Mine", "-o", "a.pdf")[0] == 0
    assert Path("a.pdf").read_bytes().startswith(b"%PDF-1.7")


def test_a_remark_is_said_on_stderr(ask):
    status, out, err = ask("export", "mine.py:Mine", "--set", "count=9", "-o", "a.svg")
    assert (status, out, err) == (0, "a.svg\n", "neuroscene: note: trust it.\n")


@pytest.mark.parametrize(
    "words, expected",
    [
        (["marching", "-o", "a.svg", "--set", "look=classic"], "vectors show look=studio"),
        (["mine.py:Mine", "-o", "a.png"], "It may end in .pdf, .svg"),
        (["mine.py:Mine", "-o", "none/a.svg"], "there is no folder"),
        (["mine.py:Mine", "--size", "800x600"], "mm, cm, in, pt"),
        (["mine.py:Mine", "--time", "soon"], "--time soon"),
        (["mine.py:Mine", "--set", "cuont=3"], "Near: count"),
        (["mine.py:Broken"], f"mine.py:{FAILS}: ZeroDivisionError"),
        (["nothing"], "There is no scene `nothing`"),
        (["a.png"], "a.png is a picture itself"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(ask, words, expected):
    status, out, err = ask("export", *words)
    assert (status, out) == (2, "") and expected in err and err.count("\n") == 1
    assert [name for name in os.listdir() if name not in ("mine.py", "__pycache__")] == []


def test_no_device_is_asked_for(ask, tmp_path):
    # With a loader that finds no driver a device cannot be had; stopping the import shows that none is wanted.
    code = (
        "import sys; sys.modules['rendercanvas'] = None; from engine.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", code, "export", "mine.py:Mine", "-o", "a.svg"]
    nowhere = {"VK_DRIVER_FILES": "none.json", "VK_ICD_FILENAMES": "none.json"}
    env = os.environ | nowhere | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "a.svg\n"), done.stderr


def test_a_picture_made_earlier_is_drawn_as_it_was(ask):
    size = ["--size", "24x18", "--supersample", "1"]
    assert ask("render", "mine.py:Mine", "-o", "a.png", "--seed", "6", "--time", "0.5", *size)[0] == 0
    assert ask("export", "mine.py:Mine", "--from", "a.png", "-o", "a.svg")[0] == 0
    assert said("a.svg")[2] == "6 5 0.5"


def test_the_scene_of_the_document_is_drawn_by_the_document_s_command(ask):
    text = (Path(__file__).resolve().parents[2] / "docs" / "export.md").read_text()
    Path("wave.py").write_text(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[-1])
    (line,) = re.findall(r"`neuroscene (export wave.py.*?)`", text)
    assert ask(*line.split()) == (0, "wave.svg\n", "")
    root = ET.parse("wave.svg").getroot()
    (path,) = root.iter("{http://www.w3.org/2000/svg}path")
    x, y = map(float, re.match(r"M([-\d.]+) ([-\d.]+)L", path.get("d")).groups())
    # Four places.
    assert (x, y) == (0.0, pytest.approx(45 + 30 * np.sin(2.0), abs=1e-4))
