"""Render, save, record and show: one way in for scripts, the command line and notebooks."""

import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

import engine
from engine.app import picture_state
from engine.draw.points import Points
from engine.errors import FileError, SettingError
from engine.scene.scene import Scene
from engine.scene.settings import Number
from engine.scene.view_data import Clock

SIZE = (48, 32)


class Ring(Scene):
    """Spots that go round once in half a second."""

    radius = Number(3.0, bounds=(0.5, 5.0))
    loop = 0.5

    def build(self, stage):
        self.spots = stage.add(Points())

    def update(self, clock):
        turn = 2.0 * np.pi * (clock.time / self.loop + np.arange(3) / 7.0)
        places = self.radius * np.stack([np.cos(turn), np.sin(turn), 0.0 * turn], axis=1)
        self.spots.set(places, (0.2, 0.9, 0.4, 1.0), 40.0)


class Broken(Scene):
    """Goes wrong in its third frame."""

    loop = 1.0

    def update(self, clock):
        if clock.time > 0.15:
            raise ZeroDivisionError("in the scene")


def green(pixels):
    """Where the spots are: (x, y) of the mean green pixel, from the middle, y up; and how many."""
    rows, columns = np.nonzero((pixels[..., 1] > 120) & (pixels[..., 0] < 180))
    return columns.mean() - pixels.shape[1] / 2, pixels.shape[0] / 2 - rows.mean(), len(rows)


def test_a_picture_is_rows_from_the_top_opaque_and_shows_the_moment_asked_for():
    first = engine.render(Ring(), SIZE, time=0.0)
    assert first.shape == (32, 48, 4) and first.dtype == np.uint8 and (first[..., 3] == 255).all()
    # The three spots lead by 0, 1/7 and 2/7 of a turn: to the right and above at first, half a turn on to the left and
    # below.
    x, y, count = green(first)
    assert count > 5 and x > 1 and y > 1
    x, y, _ = green(engine.render(Ring(), SIZE, time=0.25))
    assert x < -1 and y < -1


def test_the_same_scene_and_moment_give_the_same_pixels_whatever_was_rendered_before():
    first = engine.render(Ring(), SIZE, time=0.1)
    engine.render(Ring(radius=1.0), (20, 20), time=0.3, supersample=1)
    assert np.array_equal(engine.render(Ring(), SIZE, time=0.1), first)


def test_a_saved_picture_has_the_pixels_and_reopens_as_it_was(tmp_path):
    scene = Ring(radius=2.0, seed=5)
    path = engine.save(scene, tmp_path / "a.png", SIZE, time=0.2, supersample=9)
    pixels = engine.render(scene, SIZE, time=0.2, supersample=9)
    assert np.array_equal(np.asarray(Image.open(path)), pixels[..., :3])
    again = Ring()
    clock = picture_state.restore_from(path, again)
    assert (again.radius, again.seed, clock.time) == (2.0, 5, 0.2)
    state = picture_state.read_state(path)
    assert np.array_equal(
        engine.render(again, tuple(state["size"]), time=clock.time, supersample=state["supersample"]), pixels
    )


def test_a_picture_goes_to_standard_output_whole(capfdbinary):
    assert engine.save(Ring(), "-", SIZE) == "-"
    sys.stdout.flush()
    image = Image.open(io.BytesIO(capfdbinary.readouterr().out))
    assert np.array_equal(np.asarray(image), engine.render(Ring(), SIZE)[..., :3])


@pytest.mark.parametrize("size", [200, (200,), (8, 6, 4), ("a", 6), None])
def test_a_size_that_is_no_pair_is_refused(size):
    with pytest.raises(SettingError, match="two numbers"):
        engine.render(Scene(), size)


@pytest.mark.parametrize("name", ["a.jpg", "a"])
def test_only_the_formats_of_a_picture_are_offered(name):
    with pytest.raises(FileError, match=r"may end in \.exr, \.png, \.tif, \.tiff\.$"):
        engine.save(Scene(), name)


@pytest.mark.parametrize("name", ["a.gif", "a.jpg", "a", "folder/"])
def test_a_picture_is_a_png(name, tmp_path):
    with pytest.raises(FileError):
        engine.save(Ring(), f"{tmp_path}/{name}", SIZE)
    assert os.listdir(tmp_path) == []


def test_a_picture_that_cannot_be_written_is_not_drawn(tmp_path):
    with pytest.raises(FileError, match="no folder"):
        engine.save(Broken(), tmp_path / "none" / "a.png", SIZE, time=1.0)


def test_a_loop_is_recorded_once_round_and_has_no_seam(tmp_path):
    # 0.5 s at 16 frames a second: 8 frames, an eighth of a turn apart, the last an eighth before the first.
    engine.record(Ring(), f"{tmp_path}/out/", fps=16, size=SIZE)
    names = sorted(os.listdir(tmp_path / "out"))
    assert len(names) == 8
    frames = [np.asarray(Image.open(tmp_path / "out" / name)).astype(int) for name in names]
    for k, frame in enumerate(frames):
        assert np.array_equal(frame, engine.render(Ring(), SIZE, time=k / 16)[..., :3])
    steps = [np.abs(frames[(k + 1) % 8] - frames[k]).mean() for k in range(8)]
    # Each step moves the spots as far; the last, back to the first frame, is one of them. Pixels round differently.
    assert min(steps) > 0 and steps[-1] < 1.5 * np.mean(steps[:-1])


def test_a_frame_of_a_folder_reopens_at_its_own_moment(tmp_path):
    engine.record(Ring(radius=2.5), f"{tmp_path}/out/", seconds=0.3, fps=10, size=SIZE, start=1.0)
    again = Ring()
    clock = picture_state.restore_from(tmp_path / "out" / "frame_0002.png", again)
    assert (again.radius, clock.time) == (2.5, 1.2)


@pytest.mark.parametrize("name", ["a.gif", "a.mp4", "a.webm", "a.png"])
def test_two_runs_give_the_same_bytes(name, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        if name == "a.png":
            engine.save(Ring(), tmp_path / folder / name, SIZE, time=0.1)
        else:
            engine.record(Ring(), tmp_path / folder / name, seconds=0.4, fps=10, size=SIZE)
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_each_format_has_its_own_rate_unless_given(tmp_path):
    engine.record(Ring(), tmp_path / "a.gif", seconds=0.2, size=SIZE)
    assert Image.open(tmp_path / "a.gif").n_frames == 5  # 25 a second: four hundredths each, exactly
    engine.record(Ring(), tmp_path / "a.mp4", seconds=0.2, size=SIZE)
    assert imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "a.mp4")) == (6, 0.2)


@pytest.mark.parametrize("name", ["a.gif", "a.mp4", "out/"])
def test_a_scene_that_fails_midway_raises_its_own_error_and_leaves_nothing(name, tmp_path):
    with pytest.raises(ZeroDivisionError, match="in the scene"):
        engine.record(Broken(), f"{tmp_path}/{name}", fps=10, size=SIZE)
    assert os.listdir(tmp_path) == []


def test_numbers_that_cannot_be_are_reported_before_a_file_is_begun(tmp_path):
    with pytest.raises(SettingError, match="seconds"):
        engine.record(Ring(), tmp_path / "a.gif", seconds=-1, size=SIZE)
    with pytest.raises(FileError, match=r"\.gif, \.mov, \.mp4"):
        engine.record(Ring(), tmp_path / "a.avi", size=SIZE)
    with pytest.raises(FileError, match="one picture, not 5"):
        engine.record(Broken(), tmp_path / "a.png", seconds=0.5, fps=10, size=SIZE)
    assert os.listdir(tmp_path) == []


def test_progress_is_shown_on_stderr_when_asked_and_not_to_a_file(tmp_path, capfd):
    engine.record(Ring(), tmp_path / "a.gif", seconds=0.3, fps=10, size=SIZE)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    engine.record(Ring(), tmp_path / "a.gif", seconds=0.3, fps=10, size=SIZE, progress=True)
    out, err = capfd.readouterr()
    assert out == "" and "a.gif" in err and "3/3" in err


def test_the_picture_with_its_panel_is_as_large_as_asked_for():
    pytest.importorskip("imgui_bundle")
    pixels = engine.render(Ring(), (640, 400), ui=True)
    assert pixels.shape == (400, 640, 4)
    # The panel stands at the right and the picture has the rest; alone it fills everything.
    alone = engine.render(Ring(), (640, 400))
    assert (pixels[:, 330:] != alone[:, 330:]).any(-1).mean() > 0.1


def test_ctrl_c_while_recording_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(b"earlier")
    code = (
        "import os, signal, sys, time, threading\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import engine\n"
        "from test_make import Ring\n"
        # A process started in the background of a shell inherits that SIGINT is ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Slow(Ring):\n"
        "    def update(self, clock):\n"
        "        super().update(clock)\n"
        "        if clock.time > 0.2:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "try:\n"
        "    engine.record(Slow(), sys.argv[2], seconds=2, fps=10, size=(48, 32))\n"
        "except KeyboardInterrupt as stop:\n"
        "    print(stop)\n"
    )
    here = os.path.dirname(__file__)
    done = subprocess.run([sys.executable, "-c", code, here, str(path)], capture_output=True, text=True, timeout=600)
    assert "of 20 frames" in done.stdout and "earlier file is as it was" in done.stdout, done.stderr
    assert path.read_bytes() == b"earlier" and os.listdir(tmp_path) == ["a.gif"]


def test_every_frame_gets_its_time_and_the_time_since_the_last(tmp_path):
    seen = []

    class Watch(Ring):
        def update(self, clock):
            super().update(clock)
            seen.append(clock)

    engine.record(Watch(), tmp_path / "a.gif", seconds=0.3, fps=10, size=SIZE, start=2.0)
    assert seen == [Clock(2.0, 0.0), Clock(2.0 + 0.1, 0.1), Clock(2.0 + 2 * 0.1, 0.1)]


def test_a_bar_changes_no_pixel_and_says_nothing_on_stdout(capsys):
    plain = engine.render(Ring(), SIZE, supersample=9)
    assert np.array_equal(plain, engine.render(Ring(), SIZE, supersample=9, progress=True))
    assert capsys.readouterr().out == ""


def test_threads_that_draw_at_once_get_the_pictures_they_would_get_alone(tmp_path):
    scenes = [Ring(radius=radius) for radius in (1.0, 2.0, 3.0, 4.0)]
    alone = [engine.render(Ring(radius=scene.radius), SIZE) for scene in scenes]

    def made(number):
        engine.save(scenes[number], tmp_path / f"{number}.png", SIZE)
        engine.record(scenes[number], f"{tmp_path}/{number}.gif", size=SIZE, fps=10)
        return engine.render(scenes[number], SIZE)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(made, range(4)))
    for number, picture in enumerate(alone):
        assert np.array_equal(found[number], picture)
        assert np.array_equal(np.asarray(Image.open(tmp_path / f"{number}.png")), picture[..., :3])


def test_a_closed_standard_output_is_reported(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(FileError, match="standard output, which is closed"):
        engine.save(Ring(), "-", SIZE)


# A file system takes names of 255 bytes.
@pytest.mark.parametrize("name", ["a" * 251 + ".png", "ü" * 125 + ".png"])
def test_the_longest_name_of_a_file_can_be_written(name, tmp_path):
    engine.save(Ring(), tmp_path / name, SIZE)
    assert [path.name for path in tmp_path.iterdir()] == [name]
