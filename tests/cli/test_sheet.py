"""The commands `sheet` and `figures`: what they print where, and what they say to mistakes."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn import Drawn
from PIL import Image

from engine.app.lookup import open_scene
from engine.app.make import render
from engine.cli import main

FILE = '''
from drawn import Drawn


class Mine(Drawn):
    """The scene of the tests in a person's own file."""
'''
SMALL = ["--cell", "24x18", "--supersample", "1"]


@pytest.fixture
def ask(ask, tmp_path, monkeypatch):
    """Runs a command in a folder with a scene file `mine.py`."""
    (tmp_path / "mine.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return ask


def files():
    return sorted(name for name in os.listdir() if name not in ("mine.py", "__pycache__"))


@pytest.mark.parametrize("command", ["sheet", "figures"])
def test_both_have_help_with_examples(ask, command):
    status, out, err = ask(command, "--help")
    assert (status, err) == (0, "") and f"  neuroscene {command}" in out


def test_a_sheet_s_path_is_all_of_stdout_and_its_name_the_scene_s(ask):
    assert ask("sheet", "mine.py", "--vary", "seed=1,2", *SMALL) == (0, "mine-sheet.png\n", "")
    assert files() == ["mine-sheet.png"]


def test_the_first_vary_is_the_columns_and_the_second_the_rows(ask):
    ask("sheet", "mine.py", "--vary", "seed=1,2,3", "--vary", "spread=1,2", "--set", "count=9", "-o", "a.png", *SMALL)
    from engine.sheets.sheet import planned

    scene = open_scene("mine.py", count="9")[0]
    plan = planned(scene, columns="seed=1..3", rows="spread=1..2", cell=(24, 18), supersample=1)
    page = np.asarray(Image.open("a.png"))
    for number, (x, y) in enumerate(plan.layout.places):
        scene, clock = plan.moment(number)
        assert (scene.seed, scene.spread, scene.count) == (number % 3 + 1, number // 3 + 1.0, 9)
        picture = render(scene, (24, 18), time=clock.time, supersample=1)
        assert np.array_equal(page[y : y + 18, x : x + 24], picture[:, :, :3])


def test_a_cell_may_be_said_by_one_side_and_rows_by_wrap(ask):
    ask("sheet", "mine.py", "--vary", "seed=1..4", "--cell", "24", "-o", "a.png", "--supersample", "1")
    ask(
        "sheet", "mine.py", "--vary", "seed=1..4", "--cell", "24x24", "--wrap", "2", "-o", "b.png", "--supersample", "1"
    )
    row, wrapped = Image.open("a.png").size, Image.open("b.png").size
    assert row[0] > wrapped[0] > 48 and wrapped[1] > row[1] > 24


def test_a_sheet_goes_to_a_pipe(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    answer = subprocess.run(
        [sys.executable, "-m", "engine", "sheet", "mine.py", "--vary", "seed=1,2", "-o", "-", *SMALL],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        timeout=600,
    )
    assert Image.open(io.BytesIO(answer.stdout)).size[0] > 48


MISTAKES = {
    "nothing to vary": (["sheet", "mine.py"], ["--vary", "seed=1,2,3"]),
    "three sides": (["sheet", "mine.py", *["--vary", "seed=1,2"] * 3], ["3 times"]),
    "an unknown setting": (["sheet", "mine.py", "--vary", "sed=1,2"], ["sed", "seed"]),
    "a bad range": (["sheet", "mine.py", "--vary", "seed=1.."], ["--vary seed=1..", "1..10"]),
    "a value outside": (["sheet", "mine.py", "--vary", "seed=1,2", "--vary", "count=39..41"], ["count=41", "--vary"]),
    "too many cells": (["sheet", "mine.py", "--vary", "seed=1..9999", "--vary", "count=1,2"], ["10000"]),
    "wrap of two": (["sheet", "mine.py", "--vary", "seed=1,2", "--vary", "count=1,2", "--wrap", "2"], ["--wrap"]),
    "wrap of none": (["sheet", "mine.py", "--vary", "seed=1,2", "--wrap", "-3"], ["--wrap -3"]),
    "a cell that is none": (["sheet", "mine.py", "--vary", "seed=1,2", "--cell", "big"], ["big", "400x400"]),
    "a cell of nothing": (["sheet", "mine.py", "--vary", "seed=1,2", "--cell", "0x3"], ["0x3", "32768"]),
    "another format": (["sheet", "mine.py", "--vary", "seed=1,2", "-o", "a.mp4"], [".png"]),
    "no such folder": (["sheet", "mine.py", "--vary", "seed=1,2", "-o", "no/a.png"], ["no/a.png"]),
    "a network that is not there": (["sheet", "mine.py", "--vary", "net=no.npz"], ["no.npz"]),
    "an unknown figure": (["figures", "mine.py", "spraeds"], ["spraeds", "Near: spreads"]),
    "a number of no figure": (["figures", "mine.py", "9"], ["9", "1, 2, 3"]),
    "a scene without figures": (["figures", "{plain}"], ["figures()"]),
    "films of no kind": (["figures", "mine.py", "--films", "avi"], ["avi", "mp4"]),
    "figures to a pipe": (["figures", "mine.py", "-o", "-"], ["-o -"]),
    "figures to a file": (["figures", "mine.py", "-o", "mine.py"], ["mine.py", "file"]),
    "figures of no size": (["figures", "mine.py", "--cell", "0"], ["--cell 0"]),
    "figures of an unknown setting": (["figures", "mine.py", "--set", "cuont=3"], ["cuont", "count"]),
    "an unknown option": (["sheet", "mine.py", "--vray", "seed=1"], ["--vray", "--vary"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_reported_in_one_line_and_ends_with_2(ask, tmp_path, name):
    (tmp_path / "plain.py").write_text("import engine\n\n\nclass Plain(engine.Scene):\n    pass\n")
    words, expected = MISTAKES[name]
    status, out, err = ask(*(word.format(plain="plain.py") for word in words))
    assert (status, out) == (main.MISTAKE, "")
    assert err.startswith("neuroscene: ") and err.count("\n") == 1
    assert all(word in err for word in expected), err
    assert files() == ["plain.py"]


def test_a_fault_in_a_person_s_scene_is_reported_with_its_line(ask, tmp_path):
    (tmp_path / "bad.py").write_text(
        "import engine\n\n\nclass Bad(engine.Scene):\n    def build(self, stage):\n        stage.add(missing)\n\n"
        "    @classmethod\n    def figures(cls):\n        return (engine.Figure(1, 'a', 'is not drawn'),)\n"
    )
    for words in (["sheet", "bad.py", "--vary", "seed=1,2"], ["figures", "bad.py", "--cell", "8"]):
        status, out, err = ask(*words)
        assert (status, out) == (main.MISTAKE, "") and err.count("\n") == 1 and "bad.py:6" in err and "missing" in err


def test_figures_are_listed_by_number_name_and_doc(ask):
    status, out, err = ask("figures", "mine.py", "--list")
    assert (status, err, files()) == (0, "", [])
    assert out.splitlines() == [
        "1  one      a picture",
        "2  spreads  a sheet",
        "3  turning  a film",
        "3  steps    a wrapped sheet",
    ]
    assert ask("figures", "mine.py", "2", "--list")[1] == "2  spreads  a sheet\n"


def test_the_list_of_a_scene_mentions_its_figures(ask):
    out = ask("list", "mine.py")[1]
    assert "neuroscene figures mine.py" in out and "3  turning  a film" in out
    listed = json.loads(ask("list", "mine.py", "--json")[1])["figures"]
    assert listed[2] == {"number": 3, "name": "turning", "kind": "film", "doc": "a film"}
    with open("plain.py", "w") as stream:
        stream.write("import engine\n\n\nclass Plain(engine.Scene):\n    pass\n")
    assert "figures" not in ask("list", "plain.py")[1]


def test_figures_are_made_and_their_paths_are_all_of_stdout(ask):
    asked = ["--cell", "20", "--supersample", "1", "--seed", "5", "--set", "theme=paper"]
    status, out, err = ask("figures", "mine.py", "one", "3", "-o", "out", "--films", "gif", *asked)
    made = ["01-one.png", "03-turning.gif", "03-steps.png"]
    assert (status, err) == (0, "") and out.splitlines() == [os.path.join("out", name) for name in made]
    assert sorted(os.listdir("out")) == sorted(made)
    assert Image.open("out/01-one.png").getpixel((0, 0)) == (255, 255, 255)
    assert ask("figures", "mine.py", "1", *asked)[1] == os.path.join("mine-figures", "01-one.png") + "\n"


def test_the_figures_of_the_document_can_be_declared(ask, tmp_path):
    document = (Path(__file__).resolve().parents[2] / "docs" / "sheets.md").read_text()
    (method,) = [
        b for b in re.findall(r"^```python\n(.*?)^```", document, re.MULTILINE | re.DOTALL) if "def figures" in b
    ]
    (tmp_path / "own.py").write_text(f"import engine\n\n\nclass Own(engine.Scene):\n{method}")
    status, out, _ = ask("figures", "own.py", "--list")
    assert status == 0 and [line.split()[1] for line in out.splitlines()] == ["wide", "depths", "scales", "turn"]


def test_every_row_of_the_document_s_table_is_read_as_it_says():
    from engine.sheets.axis import axis

    document = (Path(__file__).resolve().parents[2] / "docs" / "sheets.md").read_text()
    rows = dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \|$", document, re.MULTILINE))
    numeric = [text for text in rows if re.match(r"\d", text)]
    assert len(numeric) == 5
    for text in numeric:
        found = [step.time for step in axis(Drawn, f"time={text}").steps]
        if ": " in rows[text]:
            listed = rows[text].split(": ")[1].split(";")[0]
            assert found == [float(number) for number in listed.split(", ")]
        counted = re.match(r"(\d+) values", rows[text])
        assert counted is None or len(found) == int(counted[1])
