"""Laws of the renderer: tiles, samples, depth, transparency, background."""

import math

import numpy as np
import pytest
from workshop import Staged

from engine.draw.axes import Axes
from engine.draw.lines import Lines
from engine.draw.node import Node
from engine.draw.points import Points
from engine.draw.surfaces.level_surfaces import LevelSurfaces, Region
from engine.errors import SettingError, ShapeError
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.gpu.texture import Texture
from engine.network.mlp import Mlp
from engine.render import tiling
from engine.render.present import draw_sprites
from engine.render.renderer import Renderer
from engine.scene.view_data import Clock
from engine.view.camera import Camera
from scenes.marching import Marching

# f = z: its level surfaces are planes that face a camera on the z axis.
PLANES = Mlp([[[0.0, 0.0, 1.0]]], None, ["identity"])


@pytest.fixture(scope="module")
def renderer():
    return Renderer()


def centre(renderer, nodes, size=(40, 40), supersample=1, **more):
    """The middle pixel as ints."""
    pixels = renderer.frame(Staged(nodes, **more), Clock(), size, supersample).pixels()
    return pixels[size[1] // 2, size[0] // 2, :3].astype(int)


def spot(z, colour):
    return Points([(0.0, 0.0, z)], (*colour, 1.0), width=300.0)


def test_a_picture_keeps_its_pixels_when_the_next_is_made(renderer):
    first = renderer.frame(Staged([]), Clock(), (16, 16), 1)
    second = renderer.frame(Staged([], theme="paper"), Clock(), (16, 16), 1)
    assert first.pixels()[0, 0, 0] < 60
    assert second.pixels()[0, 0, 0] == 255


def test_tiles_do_not_show(renderer, monkeypatch):
    # Surfaces, background and words to the bit; lines may round to another 1/256 of a pixel.
    scene, lined = Marching(seed=3, sparks=False, axes=False), Marching(seed=3)
    whole, whole_lined = (renderer.frame(s, Clock(0), (90, 70), 4).pixels() for s in (scene, lined))
    # Tiles of about a thousand pixels each: rows are cut, and columns too.
    monkeypatch.setattr(tiling, "TILE_BYTES", 16 * 8 * 4 * 85)
    assert len(list(tiling.TilePlan((90, 70), 2).tiles())) > 20
    assert np.array_equal(whole, renderer.frame(scene, Clock(0), (90, 70), 4).pixels())
    tiled = renderer.frame(lined, Clock(0), (90, 70), 4).pixels()
    assert (np.abs(tiled.astype(int) - whole_lined).max(axis=-1) > 1).mean() < 0.01


def test_a_node_fills_each_tile_once_before_it_is_drawn(renderer, monkeypatch):
    seen = []

    class Filled(Points):
        room = Array("u4", 4)

        def fill(self, frame, world):
            # The encoder is open: a kernel's commands can be recorded.
            frame.encoder.clear_buffer(self.room.buffer)
            seen.append(("fill", frame.tile))

        def draw(self, frame, render_pass, world):
            seen.append(("draw", frame.tile))

    node = Filled([(0.0, 0.0, 0.0)], (1.0, 1.0, 1.0, 1.0))
    monkeypatch.setattr(tiling, "TILE_BYTES", 16 * 8 * 4 * 85)
    renderer.frame(Staged([node]), Clock(), (60, 40), 4)
    tiles = list(tiling.TilePlan((60, 40), 2).tiles())
    assert len(tiles) > 5
    assert seen == [(what, tile) for tile in tiles for what in ("fill", "draw")]


def test_tiles_cover_every_pixel_once(monkeypatch):
    monkeypatch.setattr(tiling, "TILE_BYTES", 16 * 8 * 1000)
    seen = np.zeros((77, 301), int)
    for x, y, w, h in tiling.TilePlan((301, 77), 1).tiles():
        seen[y : y + h, x : x + w] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize("size", [(960, 600), (1920, 1080), (9000, 700), (301, 8193), (5, 7)])
@pytest.mark.parametrize("grid", [1, 2, 3])
def test_tiles_are_even_and_as_few_as_there_can_be(size, grid):
    cut = tiling.TilePlan(size, grid)
    most = tiling.TILE_BYTES // (16 * 8 * grid**2)
    across, down = (-(-n // side) for n, side in zip(size, cut.tile, strict=True))
    assert math.prod(cut.tile) <= most and max(cut.tile) <= tiling.TEXTURE_SIDE // grid
    assert across == -(-size[0] // min(tiling.TILE_SIDE, tiling.TEXTURE_SIDE // grid))
    assert down == -(-size[1] // min(most // cut.tile[0], tiling.TILE_SIDE, tiling.TEXTURE_SIDE // grid))
    # The last is less by no more than what whole groups of rays add to each of the others.
    last = [n - side * (count - 1) for n, side, count in zip(size, cut.tile, (across, down), strict=True)]
    assert all(side - n <= tiling.GROUP * count for n, side, count in zip(last, cut.tile, (across, down), strict=True))


def test_four_samples_are_the_mean_of_a_picture_twice_the_size(renderer):
    # The classic look is not encoded, so means of its bytes can be taken; sheets only: lines have widths in pixels.
    scene = Marching(seed=3, look="classic", sparks=False, axes=False)
    large = renderer.frame(scene, Clock(0), (80, 80), 1).pixels().astype(float)
    mean = large.reshape(40, 2, 40, 2, 4).mean(axis=(1, 3))
    # Rounding to bytes: half a step before the mean, half a step after.
    assert np.abs(renderer.frame(scene, Clock(0), (40, 40), 4).pixels() - mean).max() <= 1.0


@pytest.mark.parametrize("front", [0, 1])
def test_the_nearer_of_two_points_hides_the_other(renderer, front):
    red, green = spot(2.0 - front, (1, 0, 0)), spot(1.0 + front, (0, 1, 0))
    for nodes in ([red, green], [green, red]):
        pixel = centre(renderer, [Node(), *nodes])
        assert pixel.argmax() == (0 if front == 0 and red.items["place"][0, 2] > green.items["place"][0, 2] else 1) or (
            red.items["place"][0, 2] == green.items["place"][0, 2]
        )
    assert centre(renderer, [spot(2.0, (1, 0, 0)), spot(1.0, (0, 1, 0))]).argmax() == 0


def test_a_line_before_a_sheet_is_plain_and_behind_it_dimmed(renderer):
    line = lambda z: Lines([((-3, 0, z), (3, 0, z))], (1.0, 0.0, 0.0, 1.0), width=200.0)
    alone = centre(renderer, [line(1.0)])
    sheet = lambda: LevelSurfaces(PLANES, single=True, level=0.0, span=(-1, 1), opacity=0.5)
    before, behind = centre(renderer, [line(1.0), sheet()]), centre(renderer, [line(-1.0), sheet()])
    # The sheet behind the line shows only beside it.
    assert np.abs(before - alone).max() <= 1
    assert behind[0] < alone[0] - 20
    assert behind[1] > alone[1] + 20


def test_more_sheets_let_less_light_through(renderer):
    def through(spacing):
        sheets = lambda: LevelSurfaces(PLANES, spacing=spacing, level=0.5 * spacing, opacity=0.25)
        # On the black background values are not encoded, so that light adds up.
        with_spot = centre(renderer, [spot(-4.5, (0.2, 0, 0)), sheets()], drawn_theme="black")
        return (with_spot - centre(renderer, [sheets()], drawn_theme="black"))[0]

    # One sheet, 4 and 8 between the eye and the spot.
    assert through(8.0) > through(2.0) > through(1.0) > 0


def test_an_opaque_sheet_hides_what_is_behind(renderer):
    sheet = lambda: LevelSurfaces(PLANES, single=True, opacity=1.0)
    assert np.abs(centre(renderer, [spot(-2.0, (1, 0, 0)), sheet()]) - centre(renderer, [sheet()])).max() <= 1


def test_two_nodes_of_surfaces_are_merged_by_depth_whatever_their_order(renderer):
    near = lambda: LevelSurfaces(PLANES, single=True, level=1.0, span=(-2, 2), opacity=0.6)
    far = lambda: LevelSurfaces(PLANES, single=True, level=-1.0, span=(-2, 2), opacity=0.6)
    a, b = centre(renderer, [near(), far()]), centre(renderer, [far(), near()])
    assert np.abs(a - b).max() <= 1
    # Both levels of one node, 2 apart, are the same two sheets.
    both = centre(
        renderer, [LevelSurfaces(PLANES, level=1.0, spacing=2.0, span=(-2, 2), opacity=0.6, region=Region("ball", 2.0))]
    )
    two = centre(
        renderer,
        [
            LevelSurfaces(
                PLANES, single=True, level=z, spacing=2.0, span=(-2, 2), opacity=0.6, region=Region("ball", 2.0)
            )
            for z in (1.0, -1.0)
        ],
    )
    assert np.abs(both - two).max() <= 1


def test_a_moved_and_scaled_node_shows_its_surface_where_it_is_put(renderer):
    sheet = LevelSurfaces(PLANES, single=True, level=0.0)
    group = Node("group")
    group.transform = np.diag([2.0, 2.0, 2.0, 1.0])
    group.move(0.0, 0.0, 3.0)
    group.add(sheet)
    scene = Staged([group])
    hit = renderer.pick(scene, Clock(), (41, 41), 20, 20)
    assert hit.position == pytest.approx((0.0, 0.0, 3.0), abs=1e-5)
    assert hit.distance == pytest.approx(9.0, abs=1e-5)
    # Twice as large in the world: the value rises half as fast.
    assert hit.gradient == pytest.approx((0.0, 0.0, 0.5), abs=1e-6)


def test_a_hidden_node_and_its_children_are_not_drawn(renderer):
    group = Node("group")
    group.add(spot(1.0, (1, 0, 0)))
    group.visible = False
    assert np.array_equal(centre(renderer, [group]), centre(renderer, []))


def test_paper_stays_white_and_dark_is_never_black(renderer):
    white = renderer.frame(Staged([], theme="paper"), Clock(), (32, 32), 1).pixels()
    assert (white == 255).all()
    dark = renderer.frame(Staged([], theme="dark"), Clock(), (32, 32), 1).pixels()
    assert dark[..., :3].min() > 8
    assert (dark[..., 3] == 255).all()


def test_the_background_has_no_bands(renderer):
    # Dithered: along a row of equal colour neighbouring bytes differ here and there.
    row = renderer.frame(Staged([]), Clock(), (400, 64), 1).pixels()[32, :, 2].astype(int)
    runs = np.diff(np.flatnonzero(np.diff(row) != 0))
    assert runs.max() < 60


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
def test_lines_and_rays_agree_on_where_things_are(renderer, projection):
    camera = Camera(eye=(3.0, 4.0, 9.0), fov=0.0 if projection == "orthographic" else 0.7)
    point = np.array([1.0, -0.5, 0.3])
    scene = Staged([Points([point], (1, 0, 0, 1), width=12.0)], camera=camera)
    pixels = renderer.frame(scene, Clock(), (160, 120), 1).pixels().astype(int)
    ys, xs = np.nonzero(pixels[..., 0] - pixels[..., 2] > 60)
    x, y = xs.mean() + 0.5, ys.mean() + 0.5
    origin, direction = camera.ray(x / 160 * 2 - 1, 1 - y / 120 * 2, 160 / 120)
    gap = np.linalg.norm(np.cross(point - origin, direction))
    # Half a pixel's width at that distance.
    pixel = 2 * camera.half_sizes(160 / 120)[1] / 120
    assert gap < 0.5 * pixel * (1 if projection == "orthographic" else camera.distance)


@pytest.mark.parametrize("samples", [0, 2, 3, 5, 8, 25, "4"])
def test_other_numbers_of_samples_are_refused(renderer, samples):
    with pytest.raises(SettingError, match="1, 4, 9 or 16"):
        renderer.frame(Staged([]), Clock(), (8, 8), samples)


@pytest.mark.parametrize("size", [(0, 8), (8, -1), (40000, 8)])
def test_sizes_that_cannot_be_are_refused(renderer, size):
    with pytest.raises(SettingError, match="1 to 32768"):
        renderer.frame(Staged([]), Clock(), size)


def test_a_network_of_the_wrong_width_is_refused_by_name():
    with pytest.raises(ShapeError, match="2 inputs"):
        LevelSurfaces(Mlp([np.ones((1, 2))], None, ["identity"]))
    with pytest.raises(ShapeError, match="outputs 0 to 0"):
        LevelSurfaces(PLANES, output=1)


def test_what_is_undecided_is_shown_on_request_and_otherwise_left_out(renderer):
    # Steep sheets close together exhaust any budget at grazing angles.
    rng = np.random.default_rng(1)
    net = Mlp([rng.normal(size=(24, 3)) * 300, rng.normal(size=(1, 24)) * 30], None, ["sine(3)", "identity"])
    node = lambda debug: LevelSurfaces(net, spacing=0.01, debug=debug, surfaces=1)
    shown = renderer.frame(Staged([node("undecided")]), Clock(), (48, 48), 1)
    plain = renderer.frame(Staged([node("none")]), Clock(), (48, 48), 1)
    report = plain.report
    assert report == shown.report
    assert report.undecided + report.grazes > 20
    colours, greys = shown.pixels().astype(int)[..., :3], plain.pixels().astype(int)[..., :3]
    # Magenta has no green; orange no blue. Sheets and background have both.
    assert (colours[..., 1] == 0).sum() == report.undecided
    assert (colours[..., 2] == 0).sum() == report.grazes
    # A pixel without a decided sample shows grey stripes, as bright in red as in blue; no sheet and no background does.
    grey = (np.ptp(greys, axis=-1) == 0) & np.isin(greys[..., 0], np.round(np.array([0.45, 0.6]) * 255).astype(int))
    assert np.array_equal(grey, (colours[..., 1] == 0) | (colours[..., 2] == 0))


def test_axes_are_named_at_their_ends(renderer):
    with_names = renderer.frame(Staged([Axes(3.0)]), Clock(), (200, 200), 1).pixels()
    without = renderer.frame(Staged([Axes(3.0, names=("", "", ""))]), Clock(), (200, 200), 1).pixels()
    ys, xs = np.nonzero((with_names != without).any(axis=-1))
    # The y axis ends above the middle, the x axis to its right.
    assert ys.min() < 60 and xs.max() > 140


def test_words_laid_over_afterwards_are_the_words_of_the_picture(renderer):
    def finished(steps):
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return done.value

    scene, size = Staged([Axes(3.0)]), (120, 90)
    with_words = renderer.frame(scene, Clock(), size, 1).pixels()
    bare = finished(renderer.steps(scene, Clock(), size, 1, words=False))
    assert not np.array_equal(with_words, bare.pixels())
    encoder = device().encoder()
    draw_sprites(encoder, renderer.sprites(scene, size), bare.texture.view, (0, 0, *size))
    device().submit(encoder)
    assert np.array_equal(with_words, bare.texture.read())


def test_words_on_an_srgb_surface_look_as_on_a_plain_one(renderer):
    sprites = renderer.sprites(Staged([Axes(3.0)], theme="paper"), (60, 60))
    laid = {}
    for format in ("rgba8unorm", "rgba8unorm-srgb"):
        texture = Texture((60, 60), format)
        texture.write(np.full((60, 60, 4), 255, np.uint8))
        encoder = device().encoder()
        draw_sprites(encoder, sprites, texture.view, (0, 0, 60, 60), format)
        device().submit(encoder)
        laid[format] = texture.read().astype(int)
    plain, linear = laid.values()
    # Full ink is the same colour; half-covered edge pixels are blended in linear light and come out lighter.
    solid = plain.sum(axis=-1) == plain.sum(axis=-1).min()
    assert np.abs(plain - linear)[solid].max() <= 6
    assert (linear - plain).min() >= -2
