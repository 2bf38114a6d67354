"""Progress on stderr: a bar on a terminal, lines in a log, nothing where it is not wanted."""

import pytest

from engine.output import progress
from engine.output.progress import manner, progress_bar, remark, say


def work(name="a.png", steps=5, total=1, unit="", **more):
    with progress_bar(name, total, unit, **more) as move:
        for k in range(steps):
            move(k / steps if unit == "" else k, note="rays, about 40 s left")


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(progress, "BETWEEN_LINES", 0.0)


def test_a_log_gets_a_line_now_and_then(capsys, hasty):
    with manner(lines=True):
        work()
        work("a.gif", 3, 150, "frame")
    lines = capsys.readouterr().err.splitlines()
    assert lines[2] == "neuroscene: a.png: 40%, rays, about 40 s left"
    assert lines[7] == "neuroscene: a.gif: 2 of 150 frames, rays, about 40 s left" and len(lines) == 8


def test_lines_are_some_seconds_apart(capsys):
    with manner(lines=True):
        work(steps=1000)
    assert capsys.readouterr().err == "" and progress.BETWEEN_LINES == 10.0


@pytest.mark.parametrize("how", [{"lines": True, "quiet": True}, {}])
def test_programs_and_the_quiet_hear_nothing_but_what_is_said(capsys, hasty, how):
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
