"""The command line: what it prints where, how it ends, and what it says to mistakes."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.app.picture_state import read_state
from engine.cli import main
from engine.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]

SCENE = '''
"""A scene of nothing but its settings."""

import engine


class Plain(engine.Scene):
    """Shows the ground alone.

    The second line is not listed.
    """

    speed = engine.Number(0.25, bounds=(0, 2), unit="1/s", doc="how fast nothing moves")
    count = engine.Integer(3, bounds=(1, 12), doc="how many nothings", rebuild=True)
    shade = engine.Choice(["flat", "round"], doc="how nothing is lit")
    net = engine.Network(inputs=3, doc="the network that is not shown")
    loop = 1.0
'''


@pytest.fixture
def scene_file(tmp_path):
    path = tmp_path / "plain.py"
    path.write_text(SCENE)
    return path


def process(*words, **more):
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=600,
        **more,
    )


@pytest.mark.skipif(sys.platform == "darwin", reason="this system takes names of UTF-8 only")
def test_files_may_have_any_name_and_scenes_any_encoding(tmp_path):
    name = tmp_path / os.fsdecode(b"caf\xe9.py")
    name.write_text(SCENE)
    picture, again = name.with_suffix(".png"), tmp_path / os.fsdecode(b"\xff.png")
    small = "--size", "16x16", "-o"
    made = process("render", name, *small, picture)
    assert made.returncode == 0 and made.stdout == os.fsencode(picture) + b"\n"
    assert process("render", name, "--from", picture, *small, again).returncode == 0 and again.exists()
    assert "file" in read_state(picture) and read_state(picture)["file"].isprintable()


@pytest.mark.parametrize(
    ("source", "says"),
    [(b"x = '\xe9'\n", "UTF-8|utf-8"), (b"# coding: none\n", "unknown encoding"), (b"\xff\xfe\0", "null bytes"),
     (b"x = " + b"-" * 200_000 + b"1\n", "too deep"), (b"x = " + b"[]+" * 100_000 + b"[]\n", "too deep")],
    ids=["latin", "unknown", "binary", "signs", "sums"],
)  # fmt: skip
def test_a_scene_file_that_python_cannot_read_is_one_line(ask, tmp_path, source, says):
    (tmp_path / "a.py").write_bytes(source)
    answer = ask("render", tmp_path / "a.py")
    assert answer.status == main.MISTAKE and answer.is_one_line() and re.search(says, answer.err), answer.err


# Help and lists.


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(ask, command):
    answer = ask(command, "--help")
    assert answer.status == 0 and answer.err == ""
    assert f"  neuroscene {command}" in answer.out


def test_without_words_the_help_is_shown(ask):
    assert ask().out == ask("--help").out != ""


def test_the_version_is_the_package_s(ask):
    import engine

    assert ask("--version").out == f"neuroscene {engine.__version__}\n"


def test_the_list_names_every_scene_with_a_line_about_it(ask):
    from scenes import SCENES

    lines = ask("list").out.splitlines()
    assert [line.split()[0] for line in lines] == list(SCENES)
    assert all(len(line.split()) > 3 for line in lines)
    assert [row["name"] for row in json.loads(ask("list", "--json").out)] == list(SCENES)


def test_the_list_of_a_scene_tells_what_each_setting_takes(ask, scene_file):
    answer = ask("list", scene_file)
    assert "Shows the ground alone." in answer.out and "second line" not in answer.out
    for words in ("from 0 to 2 in 1/s", "default 0.25", "from 1 to 12", "one of flat, round", "how nothing is lit"):
        assert words in answer.out


def test_the_list_of_a_scene_as_json_holds_the_same(ask, scene_file):
    found = {row["name"]: row for row in json.loads(ask("list", scene_file, "--json").out)["settings"]}
    speed = found["speed"]
    assert (speed["kind"], speed["bounds"], speed["default"], speed["unit"]) == ("number", [0, 2], 0.25, "1/s")
    assert found["count"]["rebuild"] is True
    assert found["shade"]["choices"] == ["flat", "round"]
    assert found["net"]["default"] is None


# Mistakes.

MISTAKES = {
    "a scene that is near another": (["render", "marchin"], ["marchin", "marching"]),
    "a file that is not there": (["render", "nowhere.py"], ["nowhere.py"]),
    "a picture that is not there": (["render", "nowhere.png", "-o", "b.png"], ["nowhere.png"]),
    "a file that is neither": (["render", "notes.txt"], ["notes.txt", ".py", ".png"]),
    "an unknown command": (["rendr", "marching"], ["rendr", "render"]),
    "an unknown option": (["render", "marching", "--siz", "4x4"], ["--siz", "--size"]),
    "no scene": (["render"], ["SCENE"]),
    "a size that is none": (["render", "{scene}", "--size", "big"], ["big", "800x600"]),
    "a size of nothing": (["render", "{scene}", "--size", "0x600"], ["0x600", "32768"]),
    "a size too large": (["render", "{scene}", "--size", "99999x10"], ["99999x10", "32768"]),
    "a supersample between": (["render", "{scene}", "--supersample", "5"], ["5", "1, 4, 9, 16"]),
    "a time that is none": (["render", "{scene}", "--time", "soon"], ["soon"]),
    "a time without end": (["render", "{scene}", "--time", "inf"], ["inf"]),
    "a seed that is none": (["render", "{scene}", "--seed", "x"], ["x"]),
    "a negative seed": (["render", "{scene}", "--seed", "-3"], ["-3", "0"]),
    "a setting without a value": (["render", "{scene}", "--set", "speed"], ["speed", "name=value"]),
    "an unknown setting": (["render", "{scene}", "--set", "sped=1"], ["sped", "speed"]),
    "a setting outside its bounds": (["render", "{scene}", "--set", "speed=3"], ["speed=3", "from 0 to 2"]),
    "a setting of another kind": (["render", "{scene}", "--set", "count=many"], ["count=many", "whole number"]),
    "a choice that is none": (["render", "{scene}", "--set", "shade=rond"], ["rond", "round"]),
    "a network that is not there": (["render", "{scene}", "--net", "no.npz"], ["no.npz"]),
    "an output after =": (["render", "{scene}", "-o=a.png"], ["-o a.png", "--output=a.png"]),
    "an empty output": (["render", "{scene}", "-o", ""], ["-o"]),
    "an output in no folder": (["render", "{scene}", "-o", "{folder}/no/such/a.png", "--size", "8x8"], ["no"]),
    "an output of no format": (["render", "{scene}", "-o", "{folder}/a.docx", "--size", "8x8"], [".docx", ".png"]),
    "a film of no format": (["record", "{scene}", "-o", "{folder}/a.docx", "--size", "8x8"], [".docx", ".mp4"]),
    "a film to a pipe": (["record", "{scene}", "-o", "-"], ["-o -", ".mp4"]),
    "a film of no length": (["record", "{scene}", "--seconds", "0"], ["0"]),
    "a film of no frames": (["record", "{scene}", "--fps", "0"], ["0"]),
    "two lengths": (["record", "{scene}", "--loop", "--seconds", "2"], ["--loop", "--seconds"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_reported_in_one_line_and_ends_with_2(ask, scene_file, tmp_path, name):
    words, expected = MISTAKES[name]
    if "marching" in expected:
        from scenes import SCENES

        assert "marching" in SCENES
    answer = ask(*(word.format(scene=scene_file, folder=tmp_path) for word in words))
    assert answer.status == main.MISTAKE
    assert answer.out == ""
    assert answer.is_one_line(), answer.err
    assert all(word in answer.err for word in expected), answer.err
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "__pycache__") == ["plain.py"]


FAULTY = {
    "does not parse": ("import engine\n\nclass A(engine.Scene:\n    pass\n", 3, "Python cannot read"),
    "fails while it is read": ("import engine\n\nvalue = 1 / 0\n", 3, "ZeroDivisionError"),
    "imports what is not there": ("import engine\nimport no_such_module_here\n", 2, "no_such_module_here"),
    "ends the program": ("import sys\nsys.exit(0)\n", None, "ended the program"),
    "raises what is no exception": ("x = 1\nraise BaseException('enough')\n", 2, "BaseException: enough"),
    "stops its generator": (
        "import engine\n\nclass A(engine.Scene):\n    def build(self, stage):\n        raise GeneratorExit\n",
        5,
        "GeneratorExit",
    ),
    "fails to build": (
        "import engine\n\nclass A(engine.Scene):\n    def build(self, stage):\n        stage.add(missing)\n",
        5,
        "missing",
    ),
    "fails to update": (
        "import engine\n\nclass A(engine.Scene):\n    def update(self, clock):\n        return [][1]\n",
        5,
        "IndexError",
    ),
    "gives wrong weights": (
        "import engine\n\nclass A(engine.Scene):\n    def build(self, stage):\n        engine.Mlp([[1.0]])\n",
        5,
        "(out, in)",
    ),
    "has no scene": ("x = 1\n", None, "engine.Scene"),
    "has two scenes": (
        "import engine\n\nclass A(engine.Scene):\n    pass\n\nclass B(engine.Scene):\n    pass\n",
        None,
        "faulty.py:B",
    ),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_scene_file_s_fault_is_reported_with_its_file_and_line(ask, tmp_path, name):
    code, line, word = FAULTY[name]
    path = tmp_path / "faulty.py"
    path.write_text(code)
    answer = ask("render", path, "-o", tmp_path / "a.png", "--size", "16x16")
    assert answer.status == main.MISTAKE
    assert answer.is_one_line(), answer.err
    assert word in answer.err
    assert ("faulty.py" if line is None else f"faulty.py:{line}") in answer.err
    assert not (tmp_path / "a.png").exists()


def test_a_film_larger_than_the_memory_is_refused_with_what_fits_and_a_picture_is_not(
    ask, scene_file, tmp_path, monkeypatch
):
    from engine.render import limits

    monkeypatch.setattr(limits, "memory_bytes", lambda: 12 * 1000 * 1000)
    answer = ask("record", scene_file, "-o", "a.gif", "--size", "1001x1000")
    assert answer.status == main.MISTAKE and answer.is_one_line() and "1000x1000 fits" in answer.err
    assert ask("render", scene_file, "-o", tmp_path / "a.png", "--size", "1001x1000").status == main.OK


def test_a_stopped_picture_says_how_to_go_on_and_goes_on(ask, scene_file, tmp_path, monkeypatch):
    from PIL import Image

    from engine.output import resumable
    from engine.render import tiling

    # Bands of a few rows, kept from the first on.
    monkeypatch.setattr(tiling, "TILE_BYTES", 16 * 8 * 4 * 40 * 4)
    monkeypatch.setattr(tiling, "BAND_PIXELS", 1)
    monkeypatch.setattr(resumable, "MEMORY_SECONDS", 0.0)
    path = tmp_path / "a.tif"
    asked = ("render", scene_file, "-o", path, "--size", "40x40")
    append, left = resumable.ResumableFile.append, [4]

    def stopping(self, data, facts):
        append(self, data, facts)
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(resumable.ResumableFile, "append", stopping)
    answer = ask(*asked)
    assert answer.status == main.INTERRUPTED and answer.out == "" and answer.is_one_line()
    assert "a.tif.unfinished" in answer.err and "same command" in answer.err and "--restart" in answer.err
    assert not path.exists() and (tmp_path / "a.tif.unfinished").is_dir()
    answer = ask(*asked)
    assert answer.status == main.OK and "continues after" in answer.err and answer.out.strip() == str(path)
    gone_on = path.read_bytes()
    left[0] = 4
    assert ask(*asked).status == main.INTERRUPTED
    answer = ask(*asked, "--restart")
    assert answer.status == main.OK and answer.err == "" and path.read_bytes() == gone_on
    assert Image.open(path).size == (40, 40)


def test_developers_see_the_traceback_when_they_ask(scene_file):
    asked = process("--traceback", "render", scene_file, "--set", "speed=3")
    assert asked.returncode == 2 and b"Traceback" in asked.stderr
    unasked = process("render", scene_file, "--set", "speed=3")
    assert unasked.returncode == 2 and b"Traceback" not in unasked.stderr


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.one_of(st.text(), st.from_regex(r"(speed|count|shade|net|seed|theme)=.*", fullmatch=True)), max_size=3
    )
)
def test_no_text_given_as_a_setting_gives_a_traceback(ask, scene_file, texts):
    words = [word for text in texts for word in ("--set", text)]
    answer = ask("list", "--json") if not words else ask("render", scene_file, "-o", os.devnull + "/no/a.png", *words)
    assert answer.status in (0, main.MISTAKE)
    assert answer.status == 0 or answer.is_one_line()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(), max_size=4))
def test_no_words_at_all_give_a_traceback(ask, texts):
    answer = ask("render", *texts, "--size", "nothing")
    assert answer.status == main.MISTAKE or "--help" in texts or "-h" in texts
    assert answer.status == 0 or answer.is_one_line()


# Which scene is meant.


def test_a_class_is_chosen_by_its_name_after_a_colon(ask, tmp_path):
    path = tmp_path / "two.py"
    path.write_text('import engine\n\nclass A(engine.Scene):\n    "First."\n\nclass B(engine.Scene):\n    "Second."\n')
    assert "Second." in ask("list", f"{path}:B").out
    wrong = ask("list", f"{path}:C")
    assert wrong.status == main.MISTAKE and "A, B" in wrong.err


def test_a_class_that_others_build_on_is_not_what_is_shown(ask, tmp_path):
    path = tmp_path / "family.py"
    path.write_text('import engine\n\nclass Base(engine.Scene):\n    pass\n\nclass Shown(Base):\n    "The one."\n')
    assert "The one." in ask("list", path).out


def test_a_scene_file_may_import_its_neighbours_and_leaves_the_path_as_it_was(ask, tmp_path):
    (tmp_path / "neighbour_of_a_scene.py").write_text("WORDS = 'Next door.'\n")
    path = tmp_path / "mine.py"
    path.write_text(
        "import engine\nimport neighbour_of_a_scene as other\n\nclass A(engine.Scene):\n    __doc__ = other.WORDS\n"
    )
    before = list(sys.path)
    assert "Next door." in ask("list", path).out
    assert sys.path == before


# What those who work on it ask for. Each in a process of its own: log and shaders are asked for once a process.


def test_the_shaders_the_passes_and_the_log_can_be_asked_for(tmp_path):
    words = ["render", "random_networks", "-o", tmp_path / "a.png", "--size", "40x30", "--supersample", "1"]
    done = process(*words, "--dump-wgsl", tmp_path / "wgsl", "--profile", "--verbose")
    assert done.returncode == 0 and done.stdout.decode() == f"{tmp_path / 'a.png'}\n"
    err = done.stderr.decode()
    assert "neuroscene: DEBUG: " in err  # the log
    assert "ms" in err and "draw/field_image" in err  # the passes, or why there are none
    shaders = list((tmp_path / "wgsl").glob("*.wgsl"))
    assert any("fn main" in path.read_text() or "@compute" in path.read_text() for path in shaders)


def test_a_folder_for_shaders_that_cannot_be_made_is_a_line(ask, scene_file, tmp_path):
    (tmp_path / "file").write_text("")
    answer = ask("render", scene_file, "-o", tmp_path / "a.png", "--dump-wgsl", tmp_path / "file" / "wgsl")
    assert answer.status == main.MISTAKE and answer.is_one_line() and str(tmp_path / "file") in answer.err
    assert not (tmp_path / "a.png").exists()


# Pictures.


def test_the_path_that_was_written_is_all_of_stdout(ask, scene_file, tmp_path):
    answer = ask("render", scene_file, "-o", tmp_path / "a.png", "--size", "40x30")
    assert (answer.status, answer.out) == (0, f"{tmp_path / 'a.png'}\n")


def test_a_picture_has_the_size_that_was_asked_for(ask, scene_file, tmp_path):
    import imageio.v3

    ask("render", scene_file, "-o", tmp_path / "a.png", "--size", "41x30")
    assert imageio.v3.imread(tmp_path / "a.png").shape[:2] == (30, 41)


def test_the_same_command_twice_gives_the_same_bytes(ask, scene_file, tmp_path):
    for name in ("a.png", "b.png"):
        assert ask("render", scene_file, "-o", tmp_path / name, "--size", "40x30", "--time", "0.3").status == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_minus_sends_the_same_png_to_stdout(scene_file, tmp_path):
    to_pipe = process("render", scene_file, "-o", "-", "--size", "40x30")
    to_file = process("render", scene_file, "-o", tmp_path / "a.png", "--size", "40x30")
    assert (to_pipe.returncode, to_file.returncode) == (0, 0)
    assert to_pipe.stdout == (tmp_path / "a.png").read_bytes()


def test_a_picture_given_as_a_scene_is_made_again(ask, tmp_path):
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    words = ["--size", "48x36", "--set", "theme=paper", "--seed", "5", "--time", "1.25"]
    assert ask("render", "marching", "-o", first, *words).status == 0
    assert ask("render", first, "-o", second, "--size", "48x36").status == 0
    assert first.read_bytes() == second.read_bytes()


def test_a_picture_holds_its_network_so_that_the_file_is_not_needed_again(ask, tmp_path):
    import engine

    net = tmp_path / "net.npz"
    engine.save_network(engine.random_mlp([3, 5, 1], "sine(2)", seed=3), net)
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    assert ask("render", "marching", "--net", net, "-o", first, "--size", "40x30").status == 0
    net.unlink()
    assert ask("render", first, "-o", second).status == 0
    assert first.read_bytes() == second.read_bytes()


def test_a_picture_is_not_written_over_by_default(ask, tmp_path):
    answer = ask("render", tmp_path / "a.png")
    assert answer.status == main.MISTAKE and "-o" in answer.err


def test_a_loop_is_as_long_as_the_scene_says(ask, scene_file, tmp_path):
    import imageio.v3

    words = ["--loop", "--fps", "10", "--size", "16x16"]
    assert ask("record", scene_file, "-o", tmp_path / "a.gif", *words).status == 0
    assert len(imageio.v3.imread(tmp_path / "a.gif", index=None)) == 10  # loop = 1.0 s at 10 a second


def test_a_missing_adapter_is_reported_with_what_to_install(scene_file, tmp_path):
    # A loader without a list of drivers finds none: the same as a machine without one.
    hidden = {**os.environ, "VK_DRIVER_FILES": str(tmp_path), "VK_ICD_FILENAMES": str(tmp_path / "none.json")}
    for words in (["render", scene_file, "-o", tmp_path / "a.png"], ["doctor"]):
        answer = process(*words, env=hidden)
        assert answer.returncode == main.NO_ADAPTER
        assert b"mesa-vulkan-drivers" in answer.stdout + answer.stderr
        assert b"Traceback" not in answer.stderr
    assert not (tmp_path / "a.png").exists()


def test_ctrl_c_ends_with_a_line_and_130(ask, scene_file, monkeypatch):
    import engine.app.lookup

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine.app.lookup, "open_scene", interrupted)
    answer = ask("render", scene_file, "-o", "a.png")
    assert (answer.status, answer.out) == (main.INTERRUPTED, "") and answer.is_one_line()
    assert answer.err == "neuroscene: Stopped: nothing was written.\n"


def test_a_fault_of_ours_is_reported_in_one_line_and_ends_with_1(ask, scene_file, monkeypatch):
    import engine.app.lookup

    def broken(*_, **__):
        raise RuntimeError("a fault\nof two lines")

    monkeypatch.setattr(engine.app.lookup, "open_scene", broken)
    answer = ask("render", scene_file, "-o", "a.png")
    assert answer.status == main.FAULT and answer.is_one_line()
    assert "a fault of two lines" in answer.err and main.TRACEBACK in answer.err


def test_a_reader_that_has_enough_is_no_mistake(ask, monkeypatch):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    assert main.main(["list", "--json"]) == main.OK


def test_a_window_gets_a_moment_only_where_one_is_given(ask, tmp_path, monkeypatch):
    times = []
    monkeypatch.setattr("engine.app.show.show", lambda scene, **more: times.append(more["time"]))
    picture = tmp_path / "a.png"
    assert ask("render", "activations", "-o", picture, "--size", "16x12", "--supersample", "1").status == 0
    for words in (["activations"], ["activations", "--time", "1.5"], [picture], ["activations", "--from", picture]):
        assert ask("run", *words).status == 0
    # By itself it plays; a picture that is opened again stays at its own moment.
    moment = read_state(picture)["time"]
    assert times == [None, 1.5, moment, moment] and moment > 0
