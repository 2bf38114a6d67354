"""What can be downloaded, and where it lies."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import FileError, SettingError
from engine.formats.downloads import DOWNLOADS, cache_folder, cached, find, place


@pytest.mark.parametrize("name", DOWNLOADS)
def test_a_download_says_all_that_is_checked(name):
    known = DOWNLOADS[name]
    assert known.url.startswith("https://") and known.size > 0
    assert re.fullmatch(r"[0-9a-f]{64}", known.sha256)
    assert known.about and known.source
    assert re.fullmatch(r"[\w.-]+", known.file)


def test_no_two_downloads_share_a_file():
    assert len({known.file for known in DOWNLOADS.values()}) == len(DOWNLOADS)


def test_a_name_that_is_not_known_lists_those_that_are():
    with pytest.raises(SettingError, match=r"no download `squeeznet`.*Near: squeezenet"):
        find("squeeznet")


# The rules: the XDG Base Directory Specification; Apple's and Microsoft's for what can be had again.


@pytest.mark.parametrize(
    "environment, system, expected",
    [
        ({}, "linux", "HOME/.cache/neuroscene"),
        ({"XDG_CACHE_HOME": "/var/x"}, "linux", "/var/x/neuroscene"),
        ({"XDG_CACHE_HOME": "relative"}, "linux", "HOME/.cache/neuroscene"),
        ({"XDG_CACHE_HOME": ""}, "freebsd14", "HOME/.cache/neuroscene"),
        ({"XDG_CACHE_HOME": "/var/x"}, "darwin", "HOME/Library/Caches/neuroscene"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/neuroscene/Cache"),
        ({}, "win32", "HOME/AppData/Local/neuroscene/Cache"),
        ({"NEUROSCENE_CACHE": "/mine", "XDG_CACHE_HOME": "/var/x"}, "linux", "/mine"),
        ({"NEUROSCENE_CACHE": "/mine", "LOCALAPPDATA": "/local"}, "win32", "/mine"),
        ({"NEUROSCENE_CACHE": "~/mine"}, "darwin", "HOME/mine"),
        ({"NEUROSCENE_CACHE": ""}, "darwin", "HOME/Library/Caches/neuroscene"),
    ],
)
def test_the_cache_folder_is_where_the_system_wants_it(environment, system, expected, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert cache_folder(environment, system) == Path(expected.replace("HOME", str(tmp_path))).absolute()


def test_a_folder_named_from_here_stays_the_same_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cache_folder({"NEUROSCENE_CACHE": "here"}, "linux") == tmp_path / "here"


def test_without_a_home_one_is_asked_to_name_a_folder(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(FileError, match="set NEUROSCENE_CACHE"):
        cache_folder({}, "linux")


def test_the_environment_of_the_process_is_the_one_that_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROSCENE_CACHE", str(tmp_path))
    assert place("squeezenet") == tmp_path / "squeezenet1.0-12.onnx"


def test_it_is_there_when_its_size_is_right_and_checked_when_its_bytes_are(tmp_path, monkeypatch):
    known = replace(DOWNLOADS["squeezenet"], size=5, sha256=hashlib.sha256(b"right").hexdigest())
    monkeypatch.setitem(DOWNLOADS, "small", known)
    path = place("small", tmp_path)
    found = []
    for content in (None, b"righ", b"wrong", b"right"):
        if content is not None:
            path.write_bytes(content)
        found.append((cached("small", folder=tmp_path), cached("small", folder=tmp_path, check=True)))
    assert found == [(None, None), (None, None), (path, None), (path, path)]


def test_a_folder_in_its_place_is_no_download(tmp_path):
    place("squeezenet", tmp_path).mkdir()
    assert cached("squeezenet", folder=tmp_path) is None
