"""GIF: exact lengths, few colours kept exactly, many shown without bands."""

import numpy as np
import pytest
from frames import flat, smooth
from PIL import Image

from engine.errors import FileError
from engine.output.writers import gif, palette
from engine.output.writers.gif import TOGETHER, GifWriter, delay


def write(path, frames, fps=10.0):
    with GifWriter(path, frames[0].shape[1::-1], fps) as writer:
        for frame in frames:
            writer.add(frame)
    image = Image.open(path)
    back, lasting = [], []
    for k in range(image.n_frames):
        image.seek(k)
        back.append(np.asarray(image.convert("RGB")))
        lasting.append(image.info["duration"])
    return np.stack(back), lasting, image


@pytest.mark.parametrize("fps", [1, 10, 12, 15, 24, 25, 29.97, 30, 50])
def test_delays_never_run_more_than_half_a_hundredth_from_the_clock(fps):
    starts = np.cumsum([0] + [delay(k, fps) for k in range(500)])
    assert np.abs(starts - 100.0 * np.arange(501) / fps).max() <= 0.5
    assert min(delay(k, fps) for k in range(500)) >= 2  # browsers take less for a tenth of a second


def test_fifteen_frames_a_second_last_a_second(tmp_path):
    _, lasting, image = write(tmp_path / "a.gif", flat(15), fps=15)
    assert sum(lasting) == 1000
    assert set(lasting) == {60, 70}
    assert image.info["loop"] == 0  # for ever


def test_no_frame_is_transparent_to_a_reader(tmp_path):
    image = write(tmp_path / "a.gif", smooth(4))[2]
    modes = []
    for k in range(4):
        image.seek(k)
        modes.append(image.mode)
    assert set(modes) <= {"P", "RGB"}  # RGBA would be a film one can look through


def test_a_few_plain_colours_come_back_exactly(tmp_path):
    frames = flat(6, colours=255)
    back, _, _ = write(tmp_path / "a.gif", frames)
    assert np.array_equal(back, np.stack(frames))


def test_colours_that_first_appear_late_come_back_as_well_as_the_first(tmp_path):
    blue = [np.ascontiguousarray(f[..., :3]) for f in smooth(TOGETHER + 3)]
    red = [np.ascontiguousarray(f[..., ::-1]) for f in blue]
    frames = blue + red + flat(2, size=(48, 32))
    back, _, _ = write(tmp_path / "a.gif", frames)
    assert len(back) == len(frames)
    error = np.sqrt(((back.astype(float) - np.stack(frames)) ** 2).mean((1, 2, 3)))
    assert error.max() < 6.0  # with a palette of blues alone the reds are over 30 off


def test_what_moved_away_leaves_no_trace(tmp_path):
    # Only what changed is drawn again: a picture that comes back after another must come back whole.
    here, there = (np.ascontiguousarray(f[..., :3]) for f in smooth(2))
    back, _, _ = write(tmp_path / "a.gif", [here, there] * (TOGETHER + 1))
    assert np.abs(back[0].astype(float) - here).mean() < 3.0
    for k in range(2, len(back), 2):
        assert np.abs(back[k].astype(float) - here).mean() < 3.0


def test_a_change_that_dithering_hides_is_drawn_later_and_is_never_more_than_that(tmp_path):
    first = np.ascontiguousarray(smooth(1, size=(64, 48))[0][..., :3]).clip(0, 230)
    frames = [first + np.uint8(k) for k in range(2 * TOGETHER)]
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 255
    changed = gif._changes(frames, None, gif.UNSEEN)[1]
    assert [bool(each.any()) for each in changed[:9]] == [True, False, False, False, True, False, False, False, True]
    back, _, _ = write(tmp_path / "a.gif", frames)
    still, _, _ = write(tmp_path / "b.gif", frames[:1])
    off = np.abs(still[0].astype(int) - frames[0]).max()
    assert np.abs(back.astype(int) - np.stack(frames)).max() <= off + gif.UNSEEN + 4


def test_smooth_shading_has_no_bands(tmp_path):
    # A slope over 128 x 256 pixels with fewer levels than 256 colours could give each: what dithering is for. Averaged
    # over 8 x 8 pixels, as the eye does it at reading distance, the error must stay under one level of 255.
    y, x = np.mgrid[0:128, 0:256]
    slope = np.stack([20 + x * 0.31, 60 + x * 0.47 + y * 0.2, 110 + y * 0.83], axis=-1)
    frame = np.floor(slope + np.random.default_rng(2).random(slope.shape)).astype(np.uint8)
    back, _, _ = write(tmp_path / "a.gif", [frame])
    blurred = (back[0].astype(float) - slope).reshape(16, 8, 32, 8, 3).mean((1, 3))
    assert np.sqrt((blurred**2).mean()) < 1.0


def test_what_does_not_move_does_not_shimmer(tmp_path):
    frames = smooth(6, size=(64, 48))
    back, _, _ = write(tmp_path / "a.gif", frames)
    still = (np.ptp(np.stack(frames)[..., :3], axis=0) == 0).all(-1)
    assert still.mean() > 0.15
    assert np.ptp(back, axis=0)[still].max() == 0


def test_noise_of_every_colour_is_written_too(tmp_path):
    # More different colours than are searched one by one.
    noise = np.random.default_rng(3).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    assert len(np.unique(palette._codes(noise, 7))) > palette.MOST_CELLS
    back, _, _ = write(tmp_path / "a.gif", [noise])
    # 255 entries share the cube's 255^3: a cell of 40 a side, from whose middle the mean distance is 20 a channel.
    assert np.abs(back[0].astype(float) - noise).mean() < 25.0


@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255)])
def test_a_plain_black_or_white_ground_stays_so_among_thousands_of_colours(ground, tmp_path):
    frame = np.full((120, 120, 3), ground, np.uint8)
    frame[20:90, 20:90] = np.random.default_rng(5).integers(0, 256, (70, 70, 3))
    back, _, _ = write(tmp_path / "a.gif", [frame])
    assert (back[0, :20] == ground).all() and (back[0, 90:] == ground).all()


def test_a_mixture_shows_the_colour_between_its_entries():
    entries = np.array([[0, 0, 0], [100, 0, 0], [255, 255, 255]], np.uint8)
    first, second, share = palette.mixtures(np.array([[30, 0, 0], [100, 0, 0]], np.float32), entries)
    assert (first[0], second[0]) == (0, 1) and share[0] == pytest.approx(0.3 * 256, abs=1)
    assert first[1] == 1 and share[1] == 0


def test_too_fast_for_browsers_is_refused(tmp_path):
    with pytest.raises(FileError, match="at most 50"):
        GifWriter(tmp_path / "a.gif", (8, 8), 60)
