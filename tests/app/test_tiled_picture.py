"""Pictures larger than memory: the same pixels, in bands; stopped and gone on with; nothing half-written."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import engine
from engine.app import picture_state, tiled_picture
from engine.draw.points import Points
from engine.errors import FileError
from engine.output import resumable
from engine.render import tiling
from engine.scene.scene import Scene
from engine.scene.settings import Number
from engine.scene.view_data import Clock
from scenes.marching import Marching

SIZE = (90, 70)
MARCHING = {"sparks": False, "axes": False, "seed": 3}


class Spots(Scene):
    """Three spots; goes wrong, or is stopped, when a certain tile is begun."""

    radius = Number(2.0, bounds=(0.5, 5.0))
    at = None
    fault: type[BaseException] = ZeroDivisionError

    def build(self, stage):
        scene = self

        class Watched(Points):
            def fill(self, frame, world):
                if scene.at is not None and frame.tile[1] >= scene.at:
                    raise scene.fault("in the scene")

        self.spots = stage.add(Watched())

    def update(self, clock):
        places = [(self.radius, 0.0, 0.0), (0.0, self.radius, 0.0), (-1.0, -1.0, 0.0)]
        self.spots.set(places, (0.2, 0.9, 0.4, 1.0), 60.0)


@pytest.fixture
def small_bands(monkeypatch):
    """Bands of five rows, of a few tiles each."""
    monkeypatch.setattr(tiling, "TILE_BYTES", 16 * 8 * 4 * 45 * 5)
    monkeypatch.setattr(tiling, "TILE_SIDE", 45)
    monkeypatch.setattr(tiling, "BAND_PIXELS", 1)


@pytest.fixture
def stored_at_once(monkeypatch):
    monkeypatch.setattr(resumable, "MEMORY_SECONDS", 0.0)


def pixels_of(path):
    return np.asarray(Image.open(path))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_bands_hold_the_pixels_of_the_picture_in_memory(name, small_bands, tmp_path):
    scene = Marching(**MARCHING)
    path = engine.save(scene, tmp_path / name, SIZE, time=0.4)
    assert len(tiled_picture.TiledPicture(scene, Clock(0.4), SIZE, 4, {}).bands) == 14
    assert np.array_equal(pixels_of(path), engine.render(scene, SIZE, time=0.4)[..., :3])
    assert os.listdir(tmp_path) == [name]


def test_the_same_surfaces_come_out_in_bands_and_in_one_piece(tmp_path, monkeypatch):
    # Surfaces, ground and words to the bit. (Lines may round to another 1/256 of a pixel where a tile begins; the tiles
    # of a picture depend on its size and samples alone, so that a picture is always the same.)
    scene = Marching(**MARCHING)
    whole = engine.render(scene, SIZE)[..., :3]
    monkeypatch.setattr(tiling, "TILE_BYTES", 16 * 8 * 4 * 30)
    monkeypatch.setattr(tiling, "BAND_PIXELS", 1)
    assert np.array_equal(pixels_of(engine.save(scene, tmp_path / "a.png", SIZE)), whole)


@pytest.mark.parametrize("supersample", [1, 9])
def test_a_part_of_the_stream_has_the_bytes_it_has_in_the_whole(supersample, small_bands):
    from engine.render.renderer import Renderer

    renderer, scene = Renderer(), Marching(seed=3)
    whole = renderer.frame(scene, Clock(), SIZE, supersample).pixels()
    left, top, width, height = within = (31, 12, 41, 33)
    seen = np.zeros((height, width, 4), np.uint8)
    for x, y, w, h, pixels in renderer.tiles(scene, Clock(), SIZE, supersample, within=within):
        assert pixels.shape == (h, w, 4) and not seen[y - top : y - top + h, x - left : x - left + w].any()
        seen[y - top : y - top + h, x - left : x - left + w] = pixels
    # Lines too: both are cut alike.
    assert np.array_equal(seen, whole[top : top + height, left : left + width])


@pytest.mark.parametrize("size", [(32768, 32768), (5000, 3000), (1, 32768), (32768, 1), (129, 31000)])
@pytest.mark.parametrize("grid", [1, 2, 3, 4])
@pytest.mark.parametrize("lists", [0, 1, 4])
def test_bands_are_whole_rows_of_tiles_and_stay_small(size, grid, lists):
    plan = tiling.TilePlan(size, grid, lists)
    bands = list(plan.bands())
    assert [b[1] for b in bands] == list(np.cumsum([0, *[b[3] for b in bands[:-1]]]))
    assert sum(b[3] for b in bands) == size[1] and {b[2] for b in bands} == {size[0]}
    tops = {t[1] for t in plan.tiles()}
    assert {b[1] for b in bands} <= tops
    # A few of them are held at a time, three bytes a pixel: far below the 2 GB that a print may take.
    assert max(b[2] * b[3] for b in bands) <= 2**22


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("fault", [ZeroDivisionError, KeyboardInterrupt, FileError])
def test_a_stopped_picture_goes_on_and_has_the_bytes_of_one_that_was_not(
    name, fault, small_bands, stored_at_once, tmp_path, capsys
):
    whole = engine.save(Spots(), tmp_path / f"whole-{name}", SIZE)
    scene = Spots()
    scene.at, scene.fault = 40, fault
    with pytest.raises(fault) as caught:
        engine.save(scene, tmp_path / name, SIZE)
    said = str(caught.value) + capsys.readouterr().err
    assert f"{tmp_path / name}.unfinished" in said and "same command" in said and "restart" in said
    # Bands of five rows: eight above the fortieth, but for those still on their way to the processor.
    assert not (tmp_path / name).exists()
    drawn = []
    scene = Spots()
    scene.build = lambda stage: Spots.build(scene, stage) or seen(scene.spots, drawn)
    engine.save(scene, tmp_path / name, SIZE)
    assert 20 < min(drawn) <= 40
    assert "continues after" in capsys.readouterr().err
    assert (tmp_path / name).read_bytes() == Path(whole).read_bytes()
    assert sorted(os.listdir(tmp_path)) == sorted([name, f"whole-{name}"])


def seen(node, rows):
    node.fill = lambda frame, world: rows.append(frame.tile[1])


def stopped(path, at=40, **settings):
    """Leaves a picture unfinished; returns its folder."""
    scene = Spots(**settings)
    scene.at = at
    with pytest.raises(ZeroDivisionError):
        engine.save(scene, path, SIZE)
    return path.with_name(path.name + ".unfinished")


def test_a_quick_picture_leaves_nothing_when_it_is_stopped(small_bands, tmp_path):
    assert not stopped(tmp_path / "a.png").exists()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("other", [{"radius": 3.0}, {"size": (90, 71)}, {"time": 1.0}, {"supersample": 1}])
def test_bands_of_another_picture_are_never_mixed_in(other, small_bands, stored_at_once, tmp_path, capsys):
    settings = {k: v for k, v in other.items() if k == "radius"}
    asked = {"size": SIZE, **{k: v for k, v in other.items() if k not in settings}}
    wanted = Path(engine.save(Spots(**settings), tmp_path / "wanted.png", **asked)).read_bytes()
    path = tmp_path / "a.png"
    assert stopped(path).is_dir()
    capsys.readouterr()
    engine.save(Spots(**settings), path, **asked)
    assert "another picture; this one starts anew" in capsys.readouterr().err
    assert path.read_bytes() == wanted and stopped.__name__ + ".unfinished" not in os.listdir(tmp_path)


def test_restart_begins_again(small_bands, stored_at_once, tmp_path, capsys):
    path = tmp_path / "a.png"
    stopped(path)
    capsys.readouterr()
    engine.save(Spots(), path, SIZE, restart=True)
    assert capsys.readouterr().err == ""
    assert np.array_equal(pixels_of(path), engine.render(Spots(), SIZE)[..., :3])
    assert os.listdir(tmp_path) == ["a.png"]


DAMAGES = {
    "a changed byte": lambda f: change(f / "band-00003", 200),
    "a byte of the facts": lambda f: change(f / "band-00000", 80),
    "cut off": lambda f: cut(f / "band-00002", 300),
    "more than was written": lambda f: (f / "band-00001").open("ab").write(b"more"),
    "an empty band": lambda f: cut(f / "band-00000", 0),
    "a line cut off": lambda f: cut(f / "band-00004", 70),
    "another number": lambda f: rewrite(f, lambda text: text.replace(b"adler", b"adles"), seal=False),
    "no numbers": lambda f: rewrite(f, lambda text: text.replace(b'"raw": ', b'"raw": "long", "x": ')),
    "a number past all": lambda f: rewrite(f, lambda text: text.replace(b'"raw": ', b'"raw": 9999999999999999999')),
    "a number below 0": lambda f: rewrite(f, lambda text: text.replace(b'"raw": ', b'"raw": -')),
    "no object": lambda f: rewrite(f, lambda text: b"[1]\n"),
    "no JSON": lambda f: rewrite(f, lambda text: b"\0" * 5000),
    "a band that is missing": lambda f: (f / "band-00002").unlink(),
    "one in another's place": lambda f: (f / "band-00000").write_bytes((f / "band-00003").read_bytes()),
    "no key": lambda f: (f / "asked").unlink(),
}


def change(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def cut(path, count):
    path.write_bytes(path.read_bytes()[:count])


def rewrite(folder, how, seal=True):
    """Changes the second band, with a right checksum or without."""
    band = folder / "band-00001"
    checksum, _, content = band.read_bytes().partition(b" ")
    band.write_bytes(resumable._sealed(1, how(content)) if seal else checksum + b" " + how(content))


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_was_damaged_meanwhile_is_drawn_again(damage, small_bands, stored_at_once, tmp_path):
    path = tmp_path / "a.png"
    DAMAGES[damage](stopped(path))
    engine.save(Spots(), path, SIZE)
    assert np.array_equal(pixels_of(path), engine.render(Spots(), SIZE)[..., :3])
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_a_picture_stopped_at_the_very_end_is_not_drawn_again(name, small_bands, stored_at_once, tmp_path, monkeypatch):
    def refuse(old, new):
        raise PermissionError(13, "no")

    whole = Path(engine.save(Spots(), tmp_path / f"whole-{name}", SIZE)).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(resumable.os, "replace", refuse)
        with pytest.raises(FileError, match=r"may not be written to.*14 of 14 bands.*same command"):
            engine.save(Spots(), tmp_path / name, SIZE)
    scene = Spots()
    scene.at = 0
    engine.save(scene, tmp_path / name, SIZE)
    assert (tmp_path / name).read_bytes() == whole


def test_a_folder_with_other_things_in_it_is_left_alone(small_bands, stored_at_once, tmp_path):
    folder = tmp_path / "a.png.unfinished"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    with pytest.raises(FileError, match=r"letter\.txt, which is not ours"):
        engine.save(Spots(), tmp_path / "a.png", SIZE)
    assert os.listdir(folder) == ["letter.txt"]
    (folder / "letter.txt").unlink()
    os.symlink("/dev/zero", folder / "band-00000")
    with pytest.raises(FileError, match="band-00000, which is not ours"):
        engine.save(Spots(), tmp_path / "a.png", SIZE)


def test_two_of_one_command_at_once_do_not_mix(small_bands, stored_at_once, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    folder = stopped(tmp_path / "a.png")
    with open(folder / "asked", "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(FileError, match="another process"):
            engine.save(Spots(), tmp_path / "a.png", SIZE)
    engine.save(Spots(), tmp_path / "a.png", SIZE)


def test_the_second_of_two_commands_says_at_once_that_the_first_is_at_work(tmp_path):
    asked = {"asked": "", "head": b""}
    first = resumable.ResumableFile(tmp_path / "a.png", "key", **asked)
    for key in ("key", "another"):
        with pytest.raises(FileError, match="another process just now"):
            resumable.ResumableFile(tmp_path / "a.png", key, **asked)
    resumable.ResumableFile(tmp_path / "b.png", "key", **asked).stop()
    first.append(b"x", {})
    first.finish(b"", [])
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_name_as_long_as_a_disk_takes_is_resumed_too(tmp_path, stored_at_once):
    name, asked = "a" * 251 + ".png", {"asked": "", "head": b"("}
    file = resumable.ResumableFile(tmp_path / name, "key", **asked)
    file.append(b"1", {})
    file.stop()
    assert os.listdir(tmp_path) == [os.path.basename(file.folder_given)]
    file = resumable.ResumableFile(tmp_path / name, "key", **asked)
    assert file.found == [{}]
    file.finish(b")", [])
    assert os.listdir(tmp_path) == [name] and (tmp_path / name).read_bytes() == b"(1)"


def test_a_disk_without_room_is_reported_before_anything_is_drawn(small_bands, tmp_path, monkeypatch):
    monkeypatch.setattr(tiled_picture, "free_bytes", lambda path: 1000)
    scene = Spots()
    scene.at, scene.fault = 0, AssertionError
    with pytest.raises(FileError, match=r"may take 0\.00 GB, and its disk has 0\.00 GB free"):
        engine.save(scene, tmp_path / "a.png", SIZE)
    assert os.listdir(tmp_path) == []


def test_a_print_reopens_as_it_was(small_bands, tmp_path):
    path = engine.save(Spots(radius=3.0), tmp_path / "a.png", SIZE, time=0.5)
    again = Spots()
    assert picture_state.restore_from(path, again).time == 0.5 and again.radius == 3.0
    assert "Software" in Image.open(path).text


def test_a_large_picture_goes_to_a_pipe_as_a_stream(small_bands, tmp_path, capfdbinary):
    engine.save(Spots(), "-", SIZE)
    sys.stdout.flush()
    out = capfdbinary.readouterr().out
    assert out == Path(engine.save(Spots(), tmp_path / "a.png", SIZE)).read_bytes()


def test_a_bar_shows_how_far_it_is(small_bands, tmp_path, capsys):
    engine.save(Spots(), tmp_path / "a.png", SIZE, progress=True)
    said = capsys.readouterr()
    assert said.out == "" and "a.png" in said.err and "28/28" in said.err


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import test_tiled_picture
from test_tiled_picture import *
tiling.TILE_BYTES, tiling.TILE_SIDE, tiling.BAND_PIXELS = 16 * 8 * 4 * 45 * 5, 45, 1
resumable.MEMORY_SECONDS = 0.0
scene = Spots()
scene.at = int(sys.argv[3])
scene.fault = lambda text: os.kill(os.getpid(), signal.SIGKILL)
engine.save(scene, sys.argv[2], SIZE)
"""


def test_a_killed_process_s_picture_goes_on(tmp_path):
    def run(name, at):
        command = [
            sys.executable,
            "-c",
            KILLED,
            os.path.dirname(__file__),
            str(tmp_path / name),
            str(at),
        ]
        return subprocess.run(command, timeout=600, check=False, capture_output=True, text=True)

    assert run("a.png", 40).returncode == -signal.SIGKILL
    assert os.listdir(tmp_path) == ["a.png.unfinished"]
    again, whole = run("a.png", 1000), run("b.png", 1000)
    assert "continues after" in again.stderr and whole.stderr == ""
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.png", "b.png"]
