"""Progress on stderr: a bar on a terminal, lines in a log, nothing where it is not wanted."""

import threading

import pytest

from engine.output import progress
from engine.output.progress import _Log, manner, progress_bar, remark, say


def work(name="a.png", steps=5, total=1, unit="", **more):
    with progress_bar(name, total, unit, **more) as move:
        for k in range(steps):
            move(k / steps if unit == "" else k, note="rays, about 40 s left")


def test_a_log_gets_lines(capsys):
    share, frames = _Log("a.png", 1, ""), _Log("a.gif", 150, "frame")
    share.tell()
    share.move(0.4, note="rays, about 40 s left")
    # A step that takes long is said as well.
    for _ in range(2):
        share.tell()
    frames.move(2)
    frames.tell()
    assert capsys.readouterr().err.splitlines() == [
        "neuroscene: a.png: 0%", *["neuroscene: a.png: 40%, rays, about 40 s left"] * 2,
        "neuroscene: a.gif: 2 of 150 frames",
    ]  # fmt: skip


def test_lines_come_by_themselves_and_end_with_the_work(capsys, monkeypatch):
    monkeypatch.setattr(progress, "BETWEEN_LINES", 1e-3)
    said, before = threading.Event(), threading.active_count()
    monkeypatch.setattr(_Log, "tell", lambda self: said.set())
    with manner(lines=True), progress_bar("a.png", 1, ""):
        assert said.wait(60.0)
    assert threading.active_count() == before


@pytest.mark.parametrize("how", [{"lines": True, "quiet": True}, {}])
def test_programs_and_the_quiet_hear_nothing_but_what_is_said(capsys, monkeypatch, how):
    monkeypatch.setattr(progress, "BETWEEN_LINES", 0.0)
    with manner(**how):
        work()
        say("an error")
        work(progress=how.get("quiet"))
    assert capsys.readouterr().err == "neuroscene: an error\n"


def test_remarks_are_left_out_where_it_is_quiet(capsys):
    with manner(quiet=True):
        remark("a note")
    remark("another")
    assert capsys.readouterr().err == "neuroscene: another\n"


def test_a_bar_shows_the_share_and_the_note(capsys, monkeypatch):
    monkeypatch.setattr(progress, "BETWEEN_NOTES", -1.0)
    work(progress=True)
    assert " 80%|" in (err := capsys.readouterr().err) and "rays, about 40 s left" in err
