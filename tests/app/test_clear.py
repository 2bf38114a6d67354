"""Pictures without a background, of more bits, and of light: what they are, laid over white and over black."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile
from PIL import Image

import engine
from engine.draw.colour import linear_light, palette, srgb
from engine.draw.frame import THEMES, Sprite
from engine.errors import FileError
from engine.render import tiling
from engine.render.encoding import Encoding
from scenes.activations import Activations
from scenes.boundaries import Boundaries
from scenes.marching import Marching
from scenes.random_networks import RandomNetworks

SIZE = (60, 44)
COLOUR = (0.8, 0.2, 0.05)


class Marks(engine.SpaceScene):
    """A disc, lines over it, half of them half transparent, and an image, none of which looks at the theme."""

    words = engine.Switch(False)

    def build(self, stage):
        stage.add(engine.Points([(0, 0, 0), (2, 1, 0)], [(*COLOUR, 1.0), (*COLOUR, 0.5)], width=200.0))
        stage.add(engine.Lines([[(-3, -2, 1), (3, 2, 1)], [(-3, 2, 1), (3, -2, 1)]], (0.1, 0.3, 0.7, 0.6), width=40.0))
        if self.words:
            stage.add(engine.Label("words", colour=(0.1, 0.8, 0.2)))

    def update(self, clock):
        assert self.words in (True, False)


def light(theme, **settings):
    return engine.render(Marks(theme=theme, **settings), SIZE, depth=32)


def over(picture, behind):
    """Light over light."""
    return picture[..., :3] + (1.0 - picture[..., 3:]) * behind


def test_light_over_white_is_the_picture_on_paper():
    clear, paper = light("clear"), light("paper")
    assert clear.dtype == np.float32 and 0.0 == clear[..., 3].min() < clear[..., 3].max() == 1.0
    assert (paper[..., 3] == 1.0).all()
    # Halves, in which samples are blended, have eleven bits.
    assert np.abs(over(clear, 1.0) - paper[..., :3]).max() < 2e-3


def test_light_over_the_dark_background_is_the_picture_on_it():
    empty = engine.render(engine.Scene(), SIZE, depth=32)
    assert np.abs(over(light("clear"), empty[..., :3]) - light("dark")[..., :3]).max() < 2e-3


@pytest.mark.parametrize("depth", [8, 16])
def test_no_edge_has_a_fringe(depth):
    picture = engine.render(Marks(theme="clear"), SIZE, depth=depth)
    most = np.iinfo(picture.dtype).max
    colour, alpha = picture[..., :3] / most, picture[..., 3] / most
    exact = light("clear")
    # The colour is that of what is there, at edges as well, however little of the pixel it covers.
    straight = exact[..., :3] / np.maximum(exact[..., 3:], 1e-6)
    # A step, and half a step of dither to either side in eight bits.
    step = 1.5 / 255 if depth == 8 else 2 / 65535
    seen = exact[..., 3] > 0.1
    assert np.abs(colour - srgb(straight))[seen].max() <= step + 2e-3 * (depth == 8)
    assert np.abs(alpha - exact[..., 3]).max() <= 0.51 / most * 1.01 + 1e-6
    assert not colour[exact[..., 3] == 0.0].any()
    # Laid over white and over black in linear light.
    for behind in (0.0, 1.0):
        found = linear_light(colour) * alpha[..., None] + (1.0 - alpha[..., None]) * behind
        assert np.abs(srgb(found) - srgb(over(exact, behind))).max() < (0.015 if depth == 8 else 1e-3)


def test_an_opaque_edge_pixel_has_the_disc_s_own_colour():
    class Disc(Marks):
        def build(self, stage):
            stage.add(engine.Points([(0, 0, 0)], (*COLOUR, 1.0), width=300.0))

    exact = engine.render(Disc(theme="clear"), SIZE, depth=32)
    edge = (exact[..., 3] > 0.0) & (exact[..., 3] < 1.0)
    assert edge.sum() > 20
    assert np.allclose(exact[edge][:, :3] / exact[edge][:, 3:], COLOUR, rtol=2e-3)


@pytest.mark.parametrize("depth", [8, 16])
def test_words_without_a_background_keep_their_colour_at_their_edges(depth):
    picture = engine.render(Marks(theme="clear", words=True), (300, 200), depth=depth)
    plain = engine.render(Marks(theme="clear"), (300, 200), depth=depth)
    changed = (picture != plain).any(axis=-1)
    most = np.iinfo(picture.dtype).max
    faint = changed & (picture[..., 3] < 0.5 * most) & (plain[..., 3] == 0) & (picture[..., 3] > 0.2 * most)
    wanted = srgb((0.1, 0.8, 0.2))
    assert changed.any() and (not faint.any() or np.abs(picture[faint][:, :3] / most - wanted).max() < 0.03)


def test_words_over_nothing_and_over_something_are_composed_exactly():
    image = np.zeros((1, 1, 4), np.uint8)
    image[:] = (64, 32, 0, 128)  # half of (127.5, 63.75, 0)
    word = Sprite(image, 0, 0)
    under = np.array([[[0.0, 0.0, 0.0, 0.0], [0.2, 0.4, 0.6, 0.5]]], np.float32)
    found = Encoding(16, True).finished(under, [word, Sprite(image, 1, 0), Sprite(image, 9, -4)], (0, 0))
    a = 128 / 255
    assert np.allclose(found[0, 0] / 65535, (64 / 128, 32 / 128, 0, a), atol=2e-5)
    total = a + (1 - a) * 0.5
    mixed = (np.array((64, 32, 0)) / 255 + (1 - a) * 0.5 * np.array((0.2, 0.4, 0.6))) / total
    assert np.allclose(found[0, 1] / 65535, (*mixed, total), atol=2e-5)
    lit = Encoding(32, True, linear=True).finished(under, [word], (0, 0))
    assert np.allclose(lit[0, 0], (*(linear_light(np.array((0.5, 0.25, 0.0))) * a), a), atol=1e-6)


def test_words_are_set_off_alike_by_white_and_by_black():
    grey = float(np.dot(THEMES["clear"].foreground, (0.2126, 0.7152, 0.0722)))
    assert min(1.05 / (grey + 0.05), (grey + 0.05) / 0.05) > 4.5
    assert THEMES["clear"].faded(0.3) == pytest.approx(THEMES["clear"].foreground)


@pytest.mark.parametrize("name", ["responses", "probabilities"])
def test_dots_are_seen_on_white_and_on_black(name):
    light = palette(name, "clear") @ (0.2126, 0.7152, 0.0722) + 0.05
    assert min(1.05 / light.max(), light.min() / 0.05) > 3.0


def test_the_legend_has_the_colours_of_the_surfaces():
    assert THEMES["clear"].maps == "clear" and len({palette("viridis", t).tobytes() for t in ("clear", "dark")}) == 2


@pytest.mark.parametrize("kind", ["marching", "relief", "curves", "boundaries", "activations"])
def test_every_scene_is_transparent_where_nothing_is(kind):
    scene = {
        "marching": lambda: Marching(theme="clear", sparks=True),
        "relief": lambda: RandomNetworks(theme="clear", show="relief"),
        "curves": lambda: RandomNetworks(theme="clear", show="curves"),
        "boundaries": lambda: Boundaries(theme="clear", background="none"),
        "activations": lambda: Activations(theme="clear"),
    }[kind]()
    alpha = engine.render(scene, (96, 72), supersample=1)[..., 3]
    assert (alpha == 0).mean() > 0.2 and alpha.max() > 128


def test_a_window_shows_a_checkerboard_where_nothing_is():
    scene = Marks(theme="clear")
    picture = engine.renderer().frame(scene, engine.Clock(), SIZE).pixels()
    assert (picture[..., 3] == 255).all()
    corner = picture[:16, :16, :3].astype(int)
    assert np.ptp(corner) > 10 and corner.min() > 200
    assert np.abs(np.roll(corner, 8, axis=1) - corner).min() > 10


@pytest.mark.parametrize("theme", ["dark", "clear"])
def test_undecided_rays_are_hatched_and_opaque(theme):
    scene, drawing = Marching(theme=theme, depth=2, sparks=False, axes=False, legend_shown=False), engine.renderer()
    before = drawing.budget
    drawing.budget = engine.Budget(segments=1)
    try:
        picture = engine.render(scene, SIZE, supersample=1)
        lit = engine.render(scene, SIZE, supersample=1, depth=32)
    finally:
        drawing.budget = before
    stripes = {round(255 * v) for v in (0.45, 0.6)}
    grey = (
        (picture[..., 0] == picture[..., 1])
        & (picture[..., 1] == picture[..., 2])
        & np.isin(picture[..., 0], list(stripes))
    )
    assert grey.mean() > 0.2 and (picture[grey][:, 3] == 255).all() and (lit[grey][:, 3] == 1.0).all()
    assert np.allclose(srgb(lit[grey][:, :3]) * 255, picture[grey][:, :3], atol=1.0)


def test_sixteen_bits_are_the_light_after_the_tone_curve():
    deep, lit = engine.render(Marks(), SIZE, depth=16), light("dark")[..., :3]
    over = np.maximum(lit - 0.8, 0.0)
    curve = np.minimum(lit, 0.8) + 0.2 * over / (over + 0.2)
    assert deep.dtype == np.uint16 and np.abs(deep[..., :3] / 65535 - srgb(curve)).max() < 3e-5
    # Eight bits are that with half a step of dither to either side.
    assert np.abs(engine.render(Marks(), SIZE)[..., :3] - 255 * srgb(curve)).max() <= 1.01


def test_the_original_s_colours_are_decoded_to_light():
    scene = Marching(look="classic", sparks=False)
    plain, lit = engine.render(scene, SIZE), engine.render(scene, SIZE, depth=32)
    assert np.abs(255 * srgb(lit[..., :3]) - plain[..., :3]).max() <= 1.01


@pytest.fixture
def small_bands(monkeypatch):
    """Bands of five rows, of a few tiles each."""
    monkeypatch.setattr(tiling, "TILE_BYTES", 16 * 8 * 4 * 25 * 5)
    monkeypatch.setattr(tiling, "TILE_SIDE", 25)
    monkeypatch.setattr(tiling, "BAND_PIXELS", 1)


@pytest.mark.parametrize("encoding", [Encoding(8, True), Encoding(16), Encoding(32, True, linear=True)])
def test_bands_make_the_picture_to_the_pixel(encoding, request):
    scene = Marks(theme="clear" if encoding.alpha else "paper", words=True)
    whole = engine.render(scene, SIZE, depth=encoding.depth)
    request.getfixturevalue("small_bands")
    banded = engine.render(scene, SIZE, depth=encoding.depth)
    with ThreadPoolExecutor(2) as pool:
        spread = engine.render(scene, SIZE, depth=encoding.depth, executor=pool)
    assert np.array_equal(banded, spread)
    # Ends of lines may differ where tiles begin, by a sample.
    assert (whole != banded).any(axis=-1).mean() < 0.01


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.exr"])
def test_a_large_file_in_bands_is_the_small_one(name, tmp_path, request):
    scene = Marks(theme="clear")
    engine.save(scene, tmp_path / f"whole-{name}", SIZE, depth=16)
    request.getfixturevalue("small_bands")
    engine.save(scene, tmp_path / name, SIZE, depth=16)
    read = {
        "a.png": lambda p: np.asarray(Image.open(p)),
        "a.tif": tifffile.imread,
        "a.exr": lambda p: p.read_bytes()[-200:],
    }
    one, other = (read[name](tmp_path / n) for n in (f"whole-{name}", name))
    assert np.mean(np.asarray(one != other)) < 0.02 if name != "a.exr" else len(one) == len(other)


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_a_film_that_cannot_be_transparent_is_refused_before_anything_is_drawn(name, tmp_path):
    with pytest.raises(FileError, match=r"holds nothing transparent.*Take .png"):
        engine.record(Marks(theme="clear"), tmp_path / name, seconds=0.1)
    assert not list(tmp_path.iterdir())


def test_a_film_and_a_folder_keep_what_is_transparent(tmp_path):
    scene = Marks(theme="clear")
    engine.record(scene, f"{tmp_path}/f/", seconds=0.1, fps=10, size=SIZE)
    frame = np.asarray(Image.open(tmp_path / "f" / "frame_0000.png"))
    assert np.array_equal(frame, engine.render(scene, SIZE, time=0.0))
    engine.record(scene, f"{tmp_path}/a.apng", seconds=0.2, fps=10, size=SIZE)
    film = Image.open(tmp_path / "a.apng")
    assert np.array_equal(np.asarray(film.convert("RGBA"))[..., 3], frame[..., 3])


def test_a_stored_picture_without_background_is_opened_again(tmp_path):
    path = tmp_path / "a.png"
    engine.save(Marching(theme="clear", sparks=False), path, SIZE)
    scene, clock = engine.open_scene(str(path))
    assert scene.theme == "clear"
    assert np.array_equal(engine.render(scene, SIZE, time=clock.time), np.asarray(Image.open(path)))


def test_a_sheet_of_such_pictures_is_opaque():
    sheet = engine.sheet(Marks(theme="clear"), columns="seed=0,1", cell=(40, 30))
    assert (sheet[..., 3] == 255).all()
