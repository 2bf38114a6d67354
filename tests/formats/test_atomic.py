"""Files that appear whole or not at all: hidden names nobody can foresee, on the disk before they are renamed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import FileError
from engine.formats import atomic
from engine.formats.atomic import AtomicTarget, replacing


def test_a_hidden_name_is_never_the_same_and_never_written_through_a_link(tmp_path, monkeypatch):
    target, victim = tmp_path / "a.png", tmp_path / "victim"
    assert len({AtomicTarget(target).path for _ in range(50)}) == 50
    victim.write_bytes(b"precious")
    monkeypatch.setattr(atomic.secrets, "token_hex", lambda n: "0" * 2 * n)
    AtomicTarget(target).path.symlink_to(victim)
    with pytest.raises(FileError, match="cannot be written"), replacing(target):
        raise AssertionError("opened")
    assert victim.read_bytes() == b"precious" and not target.exists()


def test_what_is_renamed_is_on_the_disk_and_so_is_its_name(tmp_path, monkeypatch):
    done, inode = [], lambda opened: os.fstat(opened).st_ino
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda opened: (done.append(inode(opened)), fsync(opened)))
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("renamed"), replace(*names)))
    with replacing(tmp_path / "a") as stream:
        stream.write(b"x")
    assert done == [os.stat(tmp_path / "a").st_ino, "renamed", os.stat(tmp_path).st_ino]


def test_a_disk_that_fails_when_it_is_waited_for_leaves_the_earlier_file(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"earlier")

    def full(opened):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="the disk is full"), replacing(tmp_path / "a") as stream:
        stream.write(b"x")
    assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"earlier"


KILLED = """
import os, signal, sys
from engine.formats.atomic import AtomicTarget
atomic = AtomicTarget(sys.argv[1], folder=sys.argv[2] == "folder")
if atomic.given.endswith("moved"):
    os.rename = lambda a, b, rename=os.rename: (rename(a, b), os.kill(os.getpid(), signal.SIGKILL))
if sys.argv[2] == "folder":
    atomic.create_folder()
    (atomic.path / "frame").write_bytes(b"new")
else:
    atomic.create().write(b"new")
atomic.commit() if atomic.given.endswith("moved") else os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(path, kind):
    """Leaves what a process leaves that is killed while it writes a file or a folder."""
    run = subprocess.run([sys.executable, "-c", KILLED, str(path), kind], check=False)
    assert run.returncode == -signal.SIGKILL


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_process_left_goes_with_the_next_and_what_is_in_use_stays(kind, tmp_path):
    target, other = tmp_path / "a", tmp_path / "b"
    killed(target, kind)
    killed(other, kind)
    assert len(os.listdir(tmp_path)) == 2
    with replacing(target) as stream:
        assert len(os.listdir(tmp_path)) == 2  # its own, and that of the other name
        with replacing(target) as second:
            second.write(b"second")
        stream.write(b"first")
    assert target.read_bytes() == b"first"
    with replacing(other):
        pass
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_a_folder_of_a_process_that_was_killed_between_two_names_is_put_back(tmp_path):
    target = tmp_path / "moved"
    target.mkdir()
    (target / "frame").write_bytes(b"earlier")
    killed(target, "folder")
    assert not target.exists()
    made = AtomicTarget(target, folder=True)
    made.create_folder()
    assert (target / "frame").read_bytes() == b"earlier"
    (made.path / "frame").write_bytes(b"new")
    made.commit()
    assert (target / "frame").read_bytes() == b"new" and os.listdir(tmp_path) == ["moved"]


def test_names_like_ours_that_are_others_stay(tmp_path):
    names = [".a.0123.part", ".a.0123456789abcdef.part.bak", "a.0123456789abcdef.part", ".ab.0123456789abcdef.part"]
    for name in names:
        (tmp_path / name).write_bytes(b"theirs")
    (tmp_path / ".a.0123456789abcdef.part").symlink_to(names[0])
    with replacing(tmp_path / "a"):
        pass
    assert sorted(os.listdir(tmp_path)) == sorted([*names, ".a.0123456789abcdef.part", "a"])


@pytest.mark.parametrize("letter", ["a", "é", "𝄞"])
def test_the_longest_name_that_a_disk_takes_is_written(letter, tmp_path):
    name = letter * (251 // len(letter.encode())) + ".png"
    with replacing(tmp_path / name) as stream:
        stream.write(b"x")
    assert os.listdir(tmp_path) == [name]
    with pytest.raises(FileError, match="too long"), replacing(Path(tmp_path, "a" * 256)):
        pass
