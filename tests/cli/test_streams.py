"""Commands whose standard streams are closed, full or pipes that end, in folders and under names of every kind."""

import contextlib
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli import main

ROOT = Path(__file__).resolve().parents[2]
OWN = f"{shlex.quote(sys.executable)} -m engine"
PICTURE = f"{OWN} render plain.py --size 8x8 -o a.png"
CLOSED, FULL = "is standard output, which is closed", "No space left on device"

# (command, its status, whether a.png is there, a part of its one line on stderr or "" for none)
ENDINGS = [
    (f"{PICTURE} 2>&-", 0, True, ""),
    (f"{PICTURE} >&-", 0, True, ""),
    (f"{PICTURE} <&- >&- 2>&-", 0, True, ""),
    (f"{PICTURE} | true", 0, True, ""),
    (f"{PICTURE} >/dev/full", 2, True, FULL),
    (f"{PICTURE} --set seed=-1 2>&-", 2, False, ""),
    (f"{PICTURE} --set seed=-1 2> >(true)", 2, False, ""),
    (f"{OWN} render plain.py --size 8x8 -o - | true", 0, False, ""),
    (f"{OWN} render plain.py --size 8x8 -o - >&-", 2, False, CLOSED),
    (f"{OWN} render plain.py --size 8x8 -o - >/dev/full", 2, False, FULL),
    (f"{OWN} export boundaries -o - >&-", 2, False, CLOSED),
    (f"{OWN} list marching | head -1 >head", 0, False, ""),
    (f"{OWN} list marching >&-", 0, False, ""),
    (f"{OWN} list marching >/dev/full", 2, False, FULL),
    (f"{OWN} --help | true", 0, False, ""),
    (f"{OWN} figures plain.py -o . --cell 8 | true; test -e 01-one.png -a -e 02-two.png", 0, False, ""),
]

SCENE = """
import engine

class Plain(engine.Scene):
    @classmethod
    def figures(cls):
        return engine.Figure(1, "one", "a"), engine.Figure(2, "two", "b")
"""


def shell(line, folder, **environment):
    """How a line of bash ends, with the status of the first command of a pipe that fails."""
    (folder / "plain.py").write_text(SCENE)
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="bash closes the streams")
@pytest.mark.parametrize("line, status, made, says", ENDINGS, ids=[line[len(OWN) :] for line, *_ in ENDINGS])
def test_whatever_the_streams_are_the_picture_is_made_and_the_status_is_right(tmp_path, line, status, made, says):
    if "/dev/full" in line and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    done = shell(line, tmp_path)
    assert (done.returncode, (tmp_path / "a.png").exists()) == (status, made), done.stderr
    assert says in done.stderr and done.stderr.count("\n") == bool(says), done.stderr


def test_messages_do_not_reach_a_file_that_got_the_number_of_a_closed_stream(tmp_path):
    # Of large pictures the bands and the file are open while notes are said.
    line = f"{OWN} render plain.py --size 8x8 --verbose -o a.png"
    assert shell(f"{line} 2>log", tmp_path).returncode == 0
    right = (tmp_path / "a.png").read_bytes()
    assert shell(f"{line} 2>&- >&-", tmp_path).returncode == 0
    assert (tmp_path / "a.png").read_bytes() == right


def test_where_the_current_folder_was_deleted_absolute_paths_work_and_others_are_a_line(tmp_path):
    (tmp_path / "gone").mkdir()
    away = f"cd gone; rmdir ../gone; {OWN} render {tmp_path}/plain.py --size 8x8 -o"
    done = shell(f"{away} {tmp_path}/a.png", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path}/a.png\n", "")
    (tmp_path / "gone").mkdir()
    done = shell(f"{away} b.png", tmp_path)
    assert done.returncode == main.MISTAKE and done.stderr.count("\n") == 1 and "was deleted" in done.stderr


NAMES = {
    "251 bytes": "a" * 247 + ".png",
    "255 bytes": "a" * 251 + ".png",
    "255 bytes of two each": "é" * 125 + "x.png",
    "a line break": "a\nb.png",
    "a leading dash": "-a.png",
    "no UTF-8": os.fsdecode(b"a\xff.png"),
    "quotes and a star": "'\"*$(id).png",
}


@pytest.fixture
def plain(tmp_path):
    (tmp_path / "scenes").mkdir()
    path = tmp_path / "scenes" / "plain.py"
    path.write_text(SCENE)
    return path


@pytest.mark.parametrize("case", NAMES)
def test_a_picture_may_have_any_name_that_the_system_takes(ask, tmp_path, plain, case):
    folder = tmp_path / "made"
    folder.mkdir()
    path = folder / NAMES[case]
    for words in ((), ("--from", path)):
        answer = ask("render", plain, *words, "--size", "8x8", "-o", path)
        assert answer.status == 0 and answer.err == "" and list(folder.iterdir()) == [path], answer.err


def test_a_path_is_given_in_its_own_bytes_whatever_the_encoding(tmp_path):
    for name in (b"\xc3\xa9.png", b"a\xff.png"):
        words = [sys.executable, "-m", "engine", "render", "plain.py", "--size", "8x8", "-o", name]
        (tmp_path / "plain.py").write_text(SCENE)
        plain = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
        done = subprocess.run(words, cwd=tmp_path, env=plain, capture_output=True, check=False, timeout=300)
        assert (done.returncode, done.stdout, done.stderr) == (0, name + b"\n", b"")


def _fifo(path):
    os.mkfifo(path)


def _socket(path):
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as one:
        one.bind(str(path))


TARGETS = {
    "a folder": Path.mkdir,
    "a pipe": _fifo,
    "a socket": _socket,
    "a device": lambda path: path.symlink_to(os.devnull),
    "a link into nothing": lambda path: path.symlink_to(path.parent / "no" / "a.png"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such files")
@pytest.mark.parametrize("ending", [".png", ".tif", ".gif", ".svg", ".safetensors"])
@pytest.mark.parametrize("case", TARGETS)
def test_what_is_no_file_is_left_as_it_is_and_said_in_a_line(ask, tmp_path, plain, monkeypatch, case, ending):
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    path = Path(f"a{ending}")
    TARGETS[case](path)
    before = os.lstat(path)[:3]
    command = {".gif": "record", ".svg": "export", ".safetensors": "train"}.get(ending, "render")
    small = ["--size", "8x8"] if command in ("render", "record") else []
    answer = ask(command, "bottle" if command == "train" else plain, "-o", path.absolute(), *small)
    assert answer.status == main.MISTAKE and answer.is_one_line(), answer.err
    assert os.lstat(path)[:3] == before


@pytest.mark.parametrize("name", ["x" * 256 + ".png", "x" * 5000 + ".png", "a\0b.png", "x.png/", "/dev/stdout", "."])
def test_a_name_that_no_file_can_have_is_a_line_of_a_message(ask, plain, tmp_path, name):
    answer = ask("render", plain, "--size", "8x8", "-o", name if name.startswith("/") else f"{tmp_path}/{name}")
    assert answer.status == main.MISTAKE and answer.is_one_line() and len(answer.err) < 1000, answer.err
