"""State in pictures: everything comes back; whatever else a file holds ends in one line and runs nothing."""

import json
import struct
import sys
import tracemalloc
import zlib
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from engine.app.picture_state import KEYWORD, PART, read_state, restore_from, scene_name, stored, text
from engine.errors import FileError, NeurosceneError, SceneError, SettingError
from engine.formats.image import load
from engine.network.random import random_mlp
from engine.output.writers.formats import open_writer
from engine.scene.data_settings import Network
from engine.scene.scene import Scene
from engine.scene.settings import Choice, Integer, Number, Switch, Text
from engine.scene.view_data import Clock
from engine.view.camera import Camera


class Every(Scene):
    """A scene with a setting of every kind."""

    real = Number(0.5, bounds=(0, 1))
    whole = Integer(3, bounds=(0, 9))
    shown = Switch(True)
    look = Choice(["studio", "classic"])
    words = Text("")
    net = Network(None)


def every():
    camera = Camera(eye=(1.0, 2.0, 3.0), target=(0.5, 0.0, 0.0))
    net = random_mlp([3, 8, 1], "tanh", seed=5)
    return Every(
        real=0.1, whole=7, shown=False, look="classic", words='π "quoted" \\ {[', net=net, seed=11, camera=camera
    )


def picture(path, state):
    with open_writer(path, (8, 6), 1.0, lambda k: text(state)) as writer:
        writer.add(np.full((6, 8, 4), 200, np.uint8))
    return path


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks):
    """A PNG of one pixel with chunks of ours after its header."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    rest = chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + rest


def itxt(data, *, packed=True):
    body = KEYWORD.encode() + b"\0" + (b"\1" if packed else b"\0") + b"\0\0\0"
    return chunk(b"iTXt", body + (zlib.compress(data) if packed else data))


def refused(tmp_path, data, match):
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    with pytest.raises(FileError, match=match) as caught:
        read_state(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_everything_comes_back(tmp_path):
    scene = every()
    path = picture(tmp_path / "a.png", stored(scene, Clock(1.25), (800, 600), 9))
    other = Every()
    clock = restore_from(path, other)
    assert clock.time == 1.25
    assert other.state(clock) == scene.state(Clock(1.25))
    assert other.camera == scene.camera
    for mine, theirs in zip(scene.net.layers, other.net.layers, strict=True):
        assert np.array_equal(mine.weights, theirs.weights)
    assert read_state(path)["size"] == [800, 600] and read_state(path)["supersample"] == 9


def test_the_same_scene_gives_the_same_bytes(tmp_path):
    for name in "ab":
        picture(tmp_path / f"{name}.png", stored(every(), Clock(0.5), (80, 60), 4))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_picture_with_its_state_is_still_a_picture(tmp_path):
    path = picture(tmp_path / "a.png", stored(every(), Clock(), (80, 60), 4))
    assert np.array_equal(np.asarray(Image.open(path)), np.full((6, 8, 3), 200, np.uint8))


def test_a_large_network_is_left_out_and_that_is_said(tmp_path, capsys):
    scene = Every(net=random_mlp([3, 600, 600, 1], "relu", seed=1))  # 1.4 MB
    path = picture(tmp_path / "a.png", stored(scene, Clock(), (80, 60), 4))
    assert path.stat().st_size < 10_000
    other = Every()
    restore_from(path, other)
    assert other.net is None
    assert "too large" in capsys.readouterr().err


def test_a_scene_of_ours_is_found_by_its_place_in_the_list(tmp_path):
    state = {"scene": "scenes.marching:Marching"}
    assert scene_name(state, {"marching": "scenes.marching:Marching"}) == "marching"


def test_a_scene_from_a_persons_file_is_named_but_never_run(tmp_path, monkeypatch):
    # The file stands where the picture says, and would leave a mark if it ran.
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    module = ModuleType("neuroscene_file_1")
    module.__file__ = str(tmp_path / "mine.py")
    monkeypatch.setitem(sys.modules, "neuroscene_file_1", module)
    mine = type("Mine", (Every,), {"__module__": "neuroscene_file_1"})
    state = stored(mine(), Clock(), (80, 60), 4)
    assert state["file"] == "mine.py"
    path = picture(tmp_path / "a.png", state)
    with pytest.raises(SceneError, match=r"Mine in mine\.py.*--from .*a\.png"):
        scene_name(read_state(path), {"marching": "scenes.marching:Marching"}, path)
    assert restore_from(path, mine()).time == 0.0
    assert not (tmp_path / "ran").exists()


def test_no_folder_above_the_current_one_is_stored(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    module = ModuleType("neuroscene_file_2")
    module.__file__ = str(tmp_path / "private" / "mine.py")
    monkeypatch.setitem(sys.modules, "neuroscene_file_2", module)
    mine = type("Mine", (Every,), {"__module__": "neuroscene_file_2"})
    assert str(tmp_path) not in json.dumps(stored(mine(), Clock(), (80, 60), 4))


def test_a_stored_network_is_never_a_path(tmp_path):
    state = stored(every(), Clock(), (80, 60), 4)
    state["settings"]["net"] = "/etc/passwd"
    with pytest.raises(SettingError, match="not a stored network"):
        restore_from(picture(tmp_path / "a.png", state), Every())


def test_the_state_of_another_scene_is_refused(tmp_path):
    class Other(Scene):
        pass

    path = picture(tmp_path / "a.png", stored(every(), Clock(), (80, 60), 4))
    with pytest.raises(SettingError, match="made by the scene Every, not Other"):
        restore_from(path, Other())


def test_pictures_of_other_programs_are_distinguished(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "another")
    info.add_itxt("neuroscene2", "{}")
    Image.new("RGB", (4, 4)).save(tmp_path / "other.png", pnginfo=info)
    for name in ("plain.png", "other.png"):
        with pytest.raises(FileError, match="holds no scene"):
            read_state(tmp_path / name)


@pytest.mark.parametrize("packed", [True, False])
def test_state_is_read_wherever_and_however_it_is_stored(packed, tmp_path):
    data = text(stored(every(), Clock(2.0), (80, 60), 4))[KEYWORD].encode()
    path = tmp_path / "a.png"
    path.write_bytes(png(chunk(b"tEXt", b"Comment\0first"), itxt(data, packed=packed)))
    assert read_state(path)["time"] == 2.0
    head = b"neuroscene\0"
    path.write_bytes(png(chunk(b"zTXt", head + b"\0" + zlib.compress(data)) if packed else chunk(b"tEXt", head + data)))
    assert read_state(path)["time"] == 2.0


@pytest.mark.parametrize("length", [1, 2])
def test_a_long_state_opens_everywhere(length, tmp_path):
    state = {**STATE, "settings": {"a": {"history": ""}}}
    state["settings"]["a"]["history"] = "ab" * (length * PART // 2 - len(text(state)[KEYWORD]) // 2)
    for more in ("", "0", "0" * 9):
        state["settings"]["a"]["history"] += more
        path = picture(tmp_path / "a.png", state)
        with Image.open(path) as image:
            image.load()
            assert "".join(image.text[name] for name in text(state)) == "".join(text(state).values())
        assert read_state(path) == state


def test_a_long_state_of_before_opens_too(tmp_path):
    state = {**STATE, "settings": {"a": {"history": "ab" * PART}}}
    path = tmp_path / "a.png"
    path.write_bytes(png(itxt("".join(text(state).values()).encode())))
    assert read_state(path) == state
    assert load(path)[:].tolist() == [[0]]


def test_too_many_parts_are_refused(tmp_path):
    parts = [f"neuroscene {n}" if n > 1 else "neuroscene" for n in range(1, 11)]
    chunks = [chunk(b"zTXt", name.encode() + b"\0\0" + zlib.compress(b" " * PART)) for name in parts]
    refused(tmp_path, png(*chunks), "over 8 MiB")


def test_what_is_not_a_png_is_reported(tmp_path):
    refused(tmp_path, b"", "not a PNG")
    refused(tmp_path, b"GIF89a" + bytes(100), "not a PNG")
    with pytest.raises(FileError, match="There is no picture"):
        read_state(tmp_path / "none.png")
    with pytest.raises(FileError, match="is a folder"):
        read_state(tmp_path)
    with pytest.raises(FileError, match="cannot be read"):
        read_state("nul\0l.png")
    with pytest.raises(FileError, match="not a regular file"):
        read_state("/dev/zero")


def test_a_file_cut_off_anywhere_is_reported(tmp_path):
    whole = picture(tmp_path / "a.png", stored(every(), Clock(), (80, 60), 4)).read_bytes()
    end = whole.index(b"IDAT") - 4
    for length in range(0, end, 37):
        refused(tmp_path, whole[:length], "not a PNG|cut off")


def test_a_changed_byte_in_the_state_is_reported(tmp_path):
    whole = bytearray(picture(tmp_path / "a.png", stored(every(), Clock(), (80, 60), 4)).read_bytes())
    whole[whole.index(b"neuroscene\0\x01") + 40] ^= 1
    refused(tmp_path, bytes(whole), "checksum")


def test_no_memory_is_taken_on_a_headers_word(tmp_path):
    huge = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31 - 1) + b"iTXtneuroscene\0\1\0\0\0"
    bomb = itxt(bytes(64 << 20))  # 64 MiB of zeros in 64 kB
    long = chunk(b"tEXt", b"neuroscene\0" + b" " * (9 << 20))
    tracemalloc.start()
    refused(tmp_path, huge, "cut off")
    tracemalloc.reset_peak()
    path = tmp_path / "bomb.png"
    path.write_bytes(png(bomb))
    del bomb
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    with pytest.raises(FileError, match="over 8 MiB"):
        read_state(path)
    # The limit is 8 MiB; growing a buffer takes as much again.
    assert tracemalloc.get_traced_memory()[1] - before < 20 << 20
    tracemalloc.stop()
    refused(tmp_path, png(long), "over 8 MiB")


STATE = {"version": 1, "scene": "a:A", "settings": {}, "camera": {}, "time": 0.0}


@pytest.mark.parametrize(
    "data, match",
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b'{"time": NaN}', "JSON"),
        (b"\xff\xfe", "unpacked"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 100_000, "nested"),
        (b"[]", "version"),
        (b'{"version": 99}', "newer"),
        (b'{"version": "1"}', "version"),
        (b'{"version": 1}', "scene"),
        (json.dumps({**STATE, "scene": 3}).encode(), "scene"),
        (json.dumps({**STATE, "scene": "a:A\nneuroscene: all is well"}).encode(), "scene"),
        (json.dumps({**STATE, "settings": []}).encode(), "settings"),
        (json.dumps({**STATE, "settings": {"net": {"path": "x"}}}).encode(), "settings"),
        (json.dumps({**STATE, "camera": None}).encode(), "camera"),
        (json.dumps({**STATE, "time": "now"}).encode(), "time"),
        (json.dumps({**STATE, "size": [1 << 40, 1]}).encode(), "size"),
        (json.dumps({**STATE, "size": [True, 1]}).encode(), "size"),
        (json.dumps({**STATE, "supersample": 10**9}).encode(), "samples"),
        (json.dumps({**STATE, "file": "x" * 1000}).encode(), "file"),
        (json.dumps({**STATE, "left_out": ["x" * 1000]}).encode(), "leaves out"),
        (b'{"version": 1, "time": 1' + b"0" * 5000 + b"}", "JSON"),
    ],
)
def test_state_that_is_not_as_we_write_it_is_refused_in_a_line(data, match, tmp_path):
    refused(tmp_path, png(itxt(data)), match)


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 3))
@settings(deadline=None, max_examples=150)
def test_no_bytes_whatever_raise_anything_but_our_errors(tmp_path_factory, extra, at, how):
    whole = png(itxt(json.dumps(STATE).encode()))
    at = min(at, len(whole))
    data = [whole[:at] + extra, whole[:at] + extra + whole[at:], extra, whole[:at] + extra + whole[at + len(extra) :]][
        how
    ]
    path = tmp_path_factory.getbasetemp() / "any.png"
    path.write_bytes(data)
    try:
        read_state(path)
    except FileError:
        pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["real", "whole", "shown", "look", "words", "net", "seed", "x"]), JSON, max_size=4),
    st.dictionaries(st.sampled_from(["eye", "target", "up", "fov", "near", "x"]), JSON, max_size=3),
    JSON,
)
@settings(deadline=None, max_examples=150)
def test_no_state_whatever_raises_anything_but_our_errors(tmp_path_factory, values, camera, time):
    state = {**STATE, "scene": "a:Every", "settings": values, "camera": camera, "time": time}
    path = tmp_path_factory.getbasetemp() / "state.png"
    path.write_bytes(png(itxt(json.dumps(state).encode())))
    try:
        restore_from(path, Every())
    except NeurosceneError:
        pass
