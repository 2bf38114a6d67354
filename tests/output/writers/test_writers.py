"""Every format there is: whole or not at all, as many frames as were added, readable again, the same bytes twice."""

import os
import re
import resource
import subprocess
from contextlib import contextmanager
from importlib import import_module

import imageio_ffmpeg
import numpy as np
import pytest
from frames import flat, smooth
from PIL import Image

from engine.doctor import report
from engine.draw.colour import linear_light, srgb
from engine.errors import FileError, NeurosceneError, ShapeError
from engine.output.writers.formats import BANDS, WRITERS, ending, open_writer, writer_class
from engine.output.writers.frame_writer import FrameWriter

ONE = list(BANDS)
MANY = [key for key in WRITERS if key not in ONE]


def place(folder, key):
    return f"{folder}/out{key}" if key != "/" else f"{folder}/out/"


def write(path, frames, fps=10.0, text=None):
    with open_writer(path, frames[0].shape[1::-1], fps, text) as writer:
        for frame in frames:
            writer.add(encoded(frame, writer.encoding))


def encoded(frame, encoding):
    """A frame of eight bits as the pixels of an encoding."""
    if encoding.linear:
        return linear_light(frame / 255.0).astype(np.float32)
    return frame if encoding.depth == 8 else frame.astype(np.uint16) * 257


def read(path):
    """(frames (N, H, W, 3), fps) of anything that was written."""
    if path.endswith("/"):
        names = sorted(os.listdir(path))
        assert names == [f"frame_{k:04d}.png" for k in range(len(names))]
        return np.stack([np.asarray(Image.open(path + name)) for name in names]), None
    if path.endswith(".exr"):
        return exr(path)[None], None
    if path.endswith((".gif", *ONE)):
        image = Image.open(path)
        frames, lasting = [], []
        for k in range(getattr(image, "n_frames", 1)):
            image.seek(k)
            frames.append(np.asarray(image.convert("RGB")))
            lasting.append(image.info.get("duration", 0))
        return np.stack(frames), 1000.0 * len(frames) / sum(lasting) if sum(lasting) else None
    reader = imageio_ffmpeg.read_frames(path)
    about = next(reader)
    width, height = about["size"]
    return np.stack([np.frombuffer(f, np.uint8).reshape(height, width, 3) for f in reader]), about["fps"]


def exr(path):
    """(H, W, 3) uint8 of the light in an OpenEXR file, as another program reads it."""
    width, height = (int(n) for n in re.search(r", (\d+)x(\d+)", said_of(path)).groups())
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        path,
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gbrpf32le",
        "-",
    ]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    green, blue, red = np.frombuffer(data, "<f4").reshape(3, height, width)
    return np.round(255 * srgb(np.stack([red, green, blue], axis=-1))).astype(np.uint8)


def said_of(path):
    """What ffmpeg says of a file."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", path]
    return subprocess.run(command, capture_output=True, text=True).stderr


def content(path):
    if os.path.isdir(path):
        return {name: open(os.path.join(path, name), "rb").read() for name in sorted(os.listdir(path))}
    return open(path, "rb").read()


@contextmanager
def file_size_limit(count):
    """Lets no file of this process, or of one it starts, grow past `count` bytes: a full disk, on any machine."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("key", WRITERS)
def test_every_row_of_the_table_names_a_writer(key, tmp_path):
    module, _, name = WRITERS[key].partition(":")
    writer = open_writer(place(tmp_path, key), (8, 8), 10.0)
    assert type(writer) is getattr(import_module(module), name) and isinstance(writer, FrameWriter)
    writer.abort()


@pytest.mark.parametrize("key", MANY)
def test_as_many_frames_come_back_as_went_in_at_the_same_rate(key, tmp_path):
    path, frames = place(tmp_path, key), smooth(7)
    write(path, frames, fps=20.0)
    back, fps = read(path)
    assert back.shape == (7, 32, 48, 3)
    assert fps is None or fps == pytest.approx(20.0)


@pytest.mark.parametrize("key", MANY)
def test_a_still_scene_keeps_every_one_of_its_frames(key, tmp_path):
    # Encoders like to merge frames that are the same; the count, and with it the length, must not change.
    path, frames = place(tmp_path, key), smooth(1) * 5
    write(path, frames)
    assert len(read(path)[0]) == 5


@pytest.mark.parametrize("key", WRITERS)
def test_what_comes_back_looks_like_what_went_in(key, tmp_path):
    path, frames = place(tmp_path, key), smooth(1 if key in ONE else 4, size=(64, 64))
    write(path, frames)
    back = read(path)[0].astype(float)
    wanted = np.stack(frames)[..., :3].astype(float)
    # PNG and TIFF are exact. 40 dB (a root mean square of 2.6 of 255) is where differences are not seen side by side;
    # GIF trades 256 colours for noise that the eye averages, so single pixels may be twice as far off, and video halves
    # chroma at the ball's edge.
    error = np.sqrt(np.mean((back - wanted) ** 2))
    assert error <= 0.0 if key in (*ONE, "/") else 5.0
    # A wrong matrix or range shifts whole areas: the mean colour of plain ground would move by several levels.
    ground = (slice(None), slice(0, 6), slice(0, 64))
    assert np.abs(back[ground].mean((0, 1, 2)) - wanted[ground].mean((0, 1, 2))).max() < 1.5


@pytest.mark.parametrize("key", WRITERS)
def test_the_same_frames_give_the_same_bytes_twice(key, tmp_path):
    frames = smooth(1 if key in ONE else 5)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(place(tmp_path / name, key), frames, text=lambda k: {"note": f"frame {k}"})
    assert content(place(tmp_path / "a", key)) == content(place(tmp_path / "b", key))


@pytest.mark.parametrize("key", WRITERS)
@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyboardInterrupt()])
def test_an_error_leaves_nothing_and_keeps_the_earlier_file(key, error, tmp_path):
    path = place(tmp_path, key)
    write(path, smooth(1))
    before, names = content(path), os.listdir(tmp_path)
    with pytest.raises(type(error)), open_writer(path, (48, 32), 10.0) as writer:
        writer.add(encoded(smooth(1)[0], writer.encoding))
        raise error
    assert content(path) == before
    assert os.listdir(tmp_path) == names


@pytest.mark.parametrize("key", WRITERS)
def test_an_earlier_file_is_replaced_only_when_the_new_one_is_whole(key, tmp_path):
    path = place(tmp_path, key)
    write(path, smooth(1))
    before = content(path)
    with open_writer(path, (48, 32), 10.0) as writer:
        writer.add(encoded(255 - smooth(1)[0], writer.encoding))
        assert content(path) == before
    assert content(path) != before
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.parametrize("key", WRITERS)
def test_a_disk_that_fills_up_ends_in_one_line_and_leaves_nothing(key, tmp_path):
    path = place(tmp_path, key)
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    with pytest.raises(FileError) as caught, file_size_limit(4096), open_writer(path, (300, 200), 10.0) as writer:
        for _ in range(1 if key in ONE else 8):
            writer.add(encoded(noise, writer.encoding))
    assert "cannot be written" in str(caught.value) and "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("key", WRITERS)
def test_a_recording_without_frames_leaves_nothing(key, tmp_path):
    with pytest.raises(FileError, match="no frame"), open_writer(place(tmp_path, key), (8, 8), 10.0):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("key", WRITERS)
@pytest.mark.parametrize("frame", [np.zeros((8, 9, 4), np.uint8), np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4))])
def test_a_frame_of_another_shape_or_type_is_refused(key, frame, tmp_path):
    writer = open_writer(place(tmp_path, key), (8, 8), 10.0)
    with pytest.raises(ShapeError, match="Frame 0 is"):
        writer.add(frame)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("key", [".mp4", ".webm"])
@pytest.mark.parametrize("size", [(47, 32), (48, 31), (33, 17), (1, 1)])
def test_odd_sizes_grow_by_a_copy_of_the_last_row_or_column(key, size, tmp_path):
    path, frames = place(tmp_path, key), smooth(3, size=size)
    write(path, frames)
    back = read(path)[0]
    width, height = size
    assert back.shape[1:3] == (height + height % 2, width + width % 2)
    # Chroma has half the pixels, so colours differ where they change from one pixel to the next.
    assert np.abs(back[:, :height, :width].astype(float) - np.stack(frames)[..., :3]).mean() < 5.0


@pytest.mark.parametrize("key", [".mp4", ".webm"])
def test_video_says_its_pixels_and_colours_as_browsers_need_them(key, tmp_path):
    path = place(tmp_path, key)
    write(path, smooth(3))
    line = next(line for line in said_of(path).splitlines() if "Video:" in line)
    assert {".mp4": "h264", ".webm": "vp9"}[key] in line
    # ffmpeg prints one word when matrix, primaries and transfer agree, `bt709/unknown/unknown` where two are missing.
    assert "yuv420p(tv, bt709, " in line or "yuv420p(tv, bt709)" in line


def test_an_mp4_can_play_before_it_is_loaded(tmp_path):
    write(f"{tmp_path}/out.mp4", smooth(3))
    data = content(f"{tmp_path}/out.mp4")
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_a_png_keeps_its_text(tmp_path):
    write(f"{tmp_path}/out.png", smooth(1), text=lambda k: {"neuroscene": "x" * 5000, "Title": "ball"})
    image = Image.open(f"{tmp_path}/out.png")
    assert image.text["neuroscene"] == "x" * 5000 and image.text["Title"] == "ball"
    assert b"x" * 100 not in content(f"{tmp_path}/out.png")  # it is stored compressed


def test_a_png_takes_one_picture(tmp_path):
    with pytest.raises(FileError, match="one picture"):
        write(f"{tmp_path}/out.png", smooth(2))
    assert os.listdir(tmp_path) == []


def test_a_folder_with_other_files_in_it_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(FileError, match="other files"):
        write(f"{tmp_path}/out/", smooth(2))
    Image.fromarray(smooth(1)[0]).save(tmp_path / "frame_0000.png")  # looks like ours, but another program made it
    with pytest.raises(FileError, match="other files"):
        write(f"{tmp_path}/", smooth(2))
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"


def test_a_folder_of_ours_is_replaced_without_leftovers(tmp_path):
    write(f"{tmp_path}/out/", smooth(5))
    write(f"{tmp_path}/out", smooth(2))  # it is there and a folder: the slash may be left out
    assert sorted(os.listdir(tmp_path / "out")) == ["frame_0000.png", "frame_0001.png"]
    assert os.listdir(tmp_path) == ["out"]


def test_without_ffmpeg_it_says_what_to_install(tmp_path, monkeypatch):
    def missing():
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", missing)
    with pytest.raises(FileError, match="pip install imageio-ffmpeg"):
        open_writer(f"{tmp_path}/out.mp4", (8, 8), 10.0)
    assert os.listdir(tmp_path) == []


def script(tmp_path, text, mode=0o755):
    path = tmp_path / "bin" / "ffmpeg"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return str(path)


WRONG = {
    "missing": (lambda at: str(at / "none"), "there is no such file"),
    "folder": (str, "not an executable file"),
    "not executable": (lambda at: script(at, "#!/bin/sh\n", 0o644), "not an executable file"),
    "no program": (lambda at: script(at, "text"), "cannot be run"),
    "failing": (lambda at: script(at, "#!/bin/sh\nexit 3\n"), "status 3"),
    "bare": (lambda at: script(at, "#!/bin/sh\necho ffmpeg version 4.2 x\n"), "4.2, .*built without libx264"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_ffmpeg_that_does_not_work_is_named_by_films_and_by_doctor(name, tmp_path, monkeypatch):
    make, said = WRONG[name]
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", make(tmp_path))
    with pytest.raises(FileError, match=said) as caught:
        open_writer(f"{tmp_path}/out.mp4", (8, 8), 10.0)
    assert "ffmpeg" in str(caught.value) and "folder" not in str(caught.value).replace(str(tmp_path), "")
    assert not list(tmp_path.glob("*out*"))
    assert str(report._lack("libx264")) == str(caught.value)


def test_endings_are_read_without_regard_to_case_and_unknown_ones_name_the_known():
    assert ending("a.GIF") == ".gif" and ending("b/") == "/"
    for wrong in ("a.avi", "a", "a."):
        with pytest.raises(FileError, match=", ".join(key for key in WRITERS if key != "/")) as caught:
            ending(wrong)
        assert wrong in str(caught.value)


@pytest.mark.parametrize("key", WRITERS)
def test_places_that_cannot_be_written_are_reported_before_anything_is_drawn(key, tmp_path):
    (tmp_path / "file").write_text("here")
    (tmp_path / f"folder{key}").mkdir()
    wrong = [f"{tmp_path}/none/out{key}", f"{tmp_path}/file/out{key}", f"{tmp_path}/nul\0l{key}", "/dev/null/x" + key]
    if key != "/":
        wrong.append(f"{tmp_path}/folder{key}")
    else:
        wrong.append(f"{tmp_path}/file/")
    for path in wrong:
        with pytest.raises(FileError) as caught:
            writer_class(path)(path, (8, 8), 10.0)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "file").read_text() == "here"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_reported(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o555)
    with pytest.raises(FileError, match="may not be written"):
        open_writer(f"{tmp_path}/locked/out.gif", (8, 8), 10.0)


def test_a_link_keeps_pointing_where_it_did(tmp_path):
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real" / "a.gif", tmp_path / "link.gif")
    write(f"{tmp_path}/link.gif", flat())
    assert (tmp_path / "link.gif").is_symlink()
    assert len(read(f"{tmp_path}/real/a.gif")[0]) == 4


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_is_refused(fps, tmp_path):
    with pytest.raises(NeurosceneError, match="frames a second"):
        open_writer(f"{tmp_path}/out.mp4", (8, 8), fps)
