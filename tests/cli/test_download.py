"""The command `download`: what it shows, what it asks, what it prints."""

import functools
import io
import os
import sys

import pytest
from loopback import DATA, Server, offered, serving, walled

import engine.cli.fetch
from engine.cli import main
from engine.formats.downloads import DOWNLOADS, place

SIZE = len(DATA)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server that has `small`, and a cache folder of the test's own."""
    walled(monkeypatch)
    monkeypatch.setenv("NEUROSCENE_CACHE", str(tmp_path / "cache"))
    # The command itself goes by https alone; the server has no certificate.
    monkeypatch.setattr(engine.cli.fetch, "download", functools.partial(engine.cli.fetch.download, schemes=("http",)))
    it = Server()
    with serving(it) as address:
        it.small = offered(monkeypatch, f"{address}/small.onnx")
        yield it


@pytest.fixture
def terminal(monkeypatch):
    """A person at a terminal who types this."""

    def typing(text):
        stdin = io.StringIO(text)
        stdin.isatty = lambda: True
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    return typing


def test_it_is_listed_and_has_help_with_examples(ask):
    assert "download" in ask("--help")[1]
    status, out, _ = ask("download", "--help")
    assert status == 0 and "neuroscene download squeezenet" in out and "NEUROSCENE_CACHE" in out


def test_in_a_script_the_path_alone_is_on_stdout(server, ask):
    status, out, err = ask("download", "small", "--yes")
    assert (status, out) == (0, f"{place('small')}\n")
    assert place("small").read_bytes() == DATA
    assert "the sha256 is right" in err


def test_address_size_hash_and_place_are_shown_before_anything_is_fetched(server, ask):
    status, out, err = ask("download", "small")
    assert server.asked == [] and status == main.MISTAKE and out == ""
    for fact in (server.small.url, f"{SIZE:,} bytes", server.small.sha256, server.small.source, str(place("small"))):
        assert fact in err


def test_without_a_terminal_it_wants_yes(server, ask):
    assert "no terminal to ask for a yes. Give --yes." in ask("download", "small")[2]


@pytest.mark.parametrize("answer", ["n\n", "\n", ""], ids=["no", "enter", "end of input"])
def test_without_a_yes_nothing_is_fetched(server, ask, terminal, answer):
    terminal(answer)
    status, out, _ = ask("download", "small")
    assert (status, out, server.asked) == (main.INTERRUPTED, "", [])
    assert not place("small").parent.exists()


def test_after_a_yes_it_is_fetched_under_a_bar(server, ask, terminal):
    terminal("y\n")
    status, out, err = ask("download", "small")
    assert (status, out) == (0, f"{place('small')}\n")
    assert "Download it? [y/N]" in err
    assert "small.onnx: 100%" in err and "656k/656k" in err  # 20,500 hashes of 32 bytes


@pytest.mark.parametrize("ranges", [True, False], ids=["goes on", "starts again"])
def test_the_bar_begins_with_what_is_there_and_ends_with_all(server, ask, terminal, ranges):
    part = engine.cli.fetch.part_of("small")
    part.parent.mkdir()
    part.write_bytes(DATA[: SIZE // 2])
    server.ranges = ranges
    terminal("yes\n")
    status, _, err = ask("download", "small")
    bars = [line for line in err.replace("\r", "\n").splitlines() if line.startswith("small.onnx:")]
    assert status == 0 and "50%" in bars[0] and "100%" in bars[-1] and "656k/656k" in bars[-1]


def test_ctrl_c_before_anything_came_leaves_nothing_and_says_so(server, ask, monkeypatch):
    def interrupted(name, *, progress):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine.cli.fetch, "download", interrupted)
    status, out, err = ask("download", "small", "--yes")
    assert (status, out) == (main.INTERRUPTED, "") and f"stopped after 0 of {SIZE:,} bytes" in err


def test_what_is_there_is_not_fetched_again(server, ask):
    ask("download", "small", "--yes")
    status, out, err = ask("download", "small")
    assert (status, out) == (0, f"{place('small')}\n") and "is there" in err
    assert len(server.asked) == 1


def test_what_another_file_stands_in_the_place_of_is_said(server, ask):
    place("small").parent.mkdir()
    place("small").write_bytes(b"mine")
    status, _, err = ask("download", "small", "--yes")
    assert status == 0 and "which it replaces" in err
    assert place("small").read_bytes() == DATA


def test_ctrl_c_says_how_much_is_there_and_the_same_command_continues(server, ask, monkeypatch):
    fetch = engine.cli.fetch.download

    def interrupted(name, *, progress):
        def stop(done, total):
            if done > SIZE // 2:
                raise KeyboardInterrupt

        return fetch(name, progress=stop)

    monkeypatch.setattr(engine.cli.fetch, "download", interrupted)
    status, out, err = ask("download", "small", "--yes")
    kept = engine.cli.fetch.part_size("small")
    assert (status, out) == (main.INTERRUPTED, "") and kept > SIZE // 2
    assert f"stopped after {kept:,} of {SIZE:,} bytes" in err
    monkeypatch.setattr(engine.cli.fetch, "download", fetch)
    assert f"{kept:,} bytes of it are" in ask("download", "small", "--list")[1]
    status, _, err = ask("download", "small", "--yes")
    assert status == 0 and f"{kept:,} bytes of it are there from before" in err
    assert server.asked[-1][1] == f"bytes={kept}-"


def test_a_refusal_is_one_line_and_status_two(server, ask):
    server.status = 404
    status, out, err = ask("download", "small", "--yes")
    assert (status, out) == (main.MISTAKE, "")
    assert err.splitlines()[-1].startswith("neuroscene: ") and "By hand: fetch" in err.splitlines()[-1]


def test_wrong_bytes_leave_nothing_behind(server, ask):
    server.data = bytes(SIZE)
    status, out, err = ask("download", "small", "--yes")
    assert (status, out) == (main.MISTAKE, "") and "has not the sha256" in err
    assert os.listdir(place("small").parent) == []


# --check and --list touch no network.


def test_check_distinguishes_missing_right_and_wrong(server, ask):
    status, out, err = ask("download", "small", "--check")
    assert (status, out) == (main.MISTAKE, "") and "is not there" in err
    place("small").parent.mkdir()
    place("small").write_bytes(DATA)
    assert ask("download", "small", "--check")[:2] == (0, f"{place('small')}\n")
    place("small").write_bytes(bytes(SIZE))
    status, out, err = ask("download", "small", "--check", "--yes")
    assert (status, out) == (main.MISTAKE, "") and "is not what it should be" in err
    assert server.asked == []


def test_list_names_all_with_their_facts_and_what_is_there(server, ask):
    status, out, _ = ask("download", "--list")
    assert status == 0
    for name, known in DOWNLOADS.items():
        assert f"{name}: {known.about}" in out and known.url in out and known.sha256 in out
    assert out.count("not yet") == len(DOWNLOADS)
    place("small").parent.mkdir()
    place("small").write_bytes(bytes(SIZE))
    assert f"there   {place('small')}\n" in ask("download", "small", "--list")[1]
    assert "not what it should be" in ask("download", "small", "--list", "--check")[1]
    assert server.asked == []


def test_a_wrong_name_lists_the_near_ones(ask):
    status, _, err = ask("download", "squeeznet")
    assert status == main.MISTAKE and "Near: squeezenet" in err


def test_without_a_name_it_says_what_there_is(ask):
    status, _, err = ask("download")
    assert status == main.MISTAKE and "squeezenet" in err


def test_the_command_gives_no_leave_for_http(server, ask, monkeypatch):
    monkeypatch.setattr(engine.cli.fetch, "download", engine.cli.fetch.download.func)
    status, _, err = ask("download", "small", "--yes")
    assert status == main.MISTAKE and "is not https" in err and server.asked == []
