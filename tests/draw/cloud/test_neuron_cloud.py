"""A cloud of neurons in pictures: what is drawn, hidden, reused and picked."""

from dataclasses import replace

import numpy as np
import pytest

from engine.draw.catalogue import names
from engine.draw.cloud.cloud_layout import lay_out
from engine.draw.cloud.neuron_cloud import Block, NeuronCloud
from engine.draw.colour import RAMPS, palette, srgb
from engine.draw.drawable import Aim
from engine.draw.image_plane import ImagePlane
from engine.errors import SettingError, ShapeError
from engine.gpu.channel_map import ChannelMap
from engine.reference import block_statistics as statistics_twin
from engine.reference import select_neurons as select_twin
from engine.render.painter import Painter
from engine.render.renderer import Renderer
from engine.scene.scene import Scene
from engine.scene.view_data import Clock
from engine.view.camera import Camera

SHAPES, LOOKS = [(40, 6, 5), (12, 3, 4), (9, 1, 1), (9, 1, 1)], ["features", "features", "pooled", "classes"]
LAYOUTS, LENGTH = lay_out(SHAPES, LOOKS)
SIZE = (90, 60)
CAMERAS = {
    "front": Camera(eye=(10, 15, 190), fov=0.9, near=1, far=900),
    "side": Camera(eye=(150, 60, 20), fov=1.4, near=1, far=900),
    "back": Camera(eye=(-20, 30, -220), fov=0.6, near=1, far=900),
    "flat": Camera(eye=(120, 60, 160), fov=0.0, height=150, near=1, far=900),
}


class Seen(Scene):
    nodes = ()

    def build(self, stage):
        for node in self.nodes:
            stage.add(node)


def responses(seed=0):
    rng = np.random.default_rng(seed)
    blocks = [np.maximum(rng.normal(0.0, 2.0, shape), 0).astype(np.float32) for shape in SHAPES]
    blocks[-1] /= blocks[-1].sum()
    return blocks


def blocks_of(values):
    made = []
    for number, (value, shape, layout, look) in enumerate(zip(values, SHAPES, LAYOUTS, LOOKS, strict=True)):
        map_ = ChannelMap(shape)
        map_.write(value)
        made.append(Block(f"block {number}", shape, layout, look, map_.array))
    return made


def cloud(values=None, **more):
    made = NeuronCloud()
    made.show(blocks_of(responses() if values is None else values))
    for name, value in more.items():
        setattr(made, name, value)
    return made


def scene_of(*nodes, camera="front", theme="dark"):
    scene = Seen(camera=CAMERAS.get(camera, camera), theme=theme)
    scene.nodes = nodes
    return scene


def picture(*nodes, camera="front", size=SIZE, samples=4, theme="dark"):
    return Renderer().frame(scene_of(*nodes, camera=camera, theme=theme), Clock(0.0), size, samples).pixels()


def pixels(camera, count=60):
    """Pixels in and about which there are dots, and some others."""
    ahead = [p for p in chosen()["place"] if np.dot(p - camera.eye, camera.forward) > 1]
    found = np.array([camera.project(p, SIZE[0] / SIZE[1])[:2] for p in ahead])
    found = ((found * (1, -1) + 1) / 2 * SIZE).astype(int)
    found = found[((found >= 0) & (found < SIZE)).all(axis=1)]
    rng = np.random.default_rng(2)
    found = found[rng.integers(0, len(found), count)] + rng.integers(-1, 2, (count, 2))
    return [(int(x), int(y)) for x, y in (*found, *rng.integers(0, SIZE, (12, 2)))]


def chosen(over="block"):
    """What the twin sees of the responses."""
    return select_twin.select_neurons(responses(), LAYOUTS, LOOKS, over)


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("theme", ["dark", "paper"])
def test_a_picture_in_tiles_has_the_bytes_of_the_whole(camera, theme):
    scene = scene_of(cloud(), camera=camera, theme=theme)
    whole = Renderer().frame(scene, Clock(0.0), SIZE, 4).pixels()
    steps = Renderer().steps(scene, Clock(0.0), SIZE, 4, tile_bytes=2**17)
    cut = 0
    while True:
        try:
            next(steps)
            cut += 1
        except StopIteration as done:
            assert cut > 3 and (done.value.pixels() == whole).all()
            break
    assert (whole != picture(camera=camera, theme=theme)).any()


def test_two_pictures_drawn_alternately_tile_by_tile_are_those_drawn_alone():
    scene, renderer, sizes = scene_of(cloud()), Renderer(), (SIZE, (75, 62))
    alone = [renderer.frame(scene, Clock(0.0), size, 4).pixels() for size in sizes]
    drawing = [renderer.steps(scene, Clock(0.0), size, 4, tile_bytes=2**17) for size in sizes]
    found = [None, None]
    while None in found:
        for k, steps in enumerate(drawing):
            try:
                next(steps)
            except StopIteration as done:
                found[k] = found[k] or done.value
    for picture_now, before in zip(found, alone, strict=True):
        assert (picture_now.pixels() == before).all()


@pytest.mark.parametrize("camera", CAMERAS)
def test_every_seen_neuron_lights_the_pixel_where_it_is_said_to_be(camera):
    made, seen = cloud(), chosen()
    before = picture(camera=camera, samples=1).astype(int)
    after = picture(made, camera=camera, samples=1).astype(int)
    lit, found, inside = abs(after - before).max(axis=2) > 0, 0, 0
    for number, block, place, opacity in zip(
        *(seen[name] for name in ("number", "block", "place", "opacity")), strict=True
    ):
        part = made._part(int(number))
        assert part[0] == block and np.allclose(made.place(block, *part[1]), place, atol=1e-9)
        x, y, _ = CAMERAS[camera].project(place, SIZE[0] / SIZE[1])
        x, y = (x + 1) / 2 * SIZE[0], (1 - y) / 2 * SIZE[1]
        if 0 <= x < SIZE[0] and 0 <= y < SIZE[1] and opacity > 0.5:
            inside += 1
            found += lit[int(y), int(x)]
    assert found == inside > 20


def test_the_count_is_the_twins_and_goes_by_what_is_shown():
    made, seen = cloud(), chosen()
    assert made.count == len(seen["number"])
    made.opacity = [1.0, 0.0, 1.0, 1.0]
    assert made.count == (seen["block"] != 1).sum()
    made.opacity = 0.0
    assert made.count == 0


@pytest.mark.parametrize("over", ["block", "channel", "shared"])
def test_statistics_are_the_twins(over):
    for found, exact in zip(
        cloud(over=over).statistics(), statistics_twin.block_statistics(responses(), over), strict=True
    ):
        # 1e-5 of responses up to 8.
        assert np.allclose(found, exact, atol=1e-5)


def test_a_hidden_block_is_as_if_it_were_not_there_and_comes_back():
    made = cloud(opacity=[1.0, 0.0, 0.0, 1.0])
    hidden = picture(made)
    alone = NeuronCloud()
    blocks = blocks_of(responses())
    alone.show([blocks[0], blocks[3]])
    # Depth is jittered by numbers in the cloud, so the first block alone is compared.
    made.opacity = [1.0, 0.0, 0.0, 0.0]
    alone.opacity = [1.0, 0.0]
    assert (picture(made) == picture(alone)).all()
    made.opacity = 1.0
    assert (picture(made) == picture(cloud())).all() and (picture(made) != hidden).any()


def test_a_hidden_block_costs_no_dots():
    made = cloud(opacity=[1.0, 0.0, 1.0, 1.0])
    picture(made)
    assert sum(n for _, n in made._ranges()) == made._starts[-1] == (chosen()["block"] != 1).sum()


def test_other_opacities_sizes_and_moments_select_nothing_anew(monkeypatch):
    made = cloud()
    picture(made)

    def refused(*_, **__):
        raise AssertionError("selected anew")

    monkeypatch.setattr(made._selection, "record_count", refused)
    monkeypatch.setattr(made._statistics, "record", refused)
    made.opacity, made.appeared, made.size = [0.5, 0.0, 1.0, 1.0], [1.0, 1.0, 0.3, 0.0], 2.0
    made.threshold, made.highlight = 0.2, (0, 3)
    picture(made)
    made.changed()
    with pytest.raises(AssertionError):
        picture(made)


def test_other_responses_are_seen_after_changed():
    made, values = cloud(), responses(seed=5)
    picture(made)
    for block, value in zip(made.blocks, values, strict=True):
        ChannelMap(block.shape, block.array).write(value)
    made.changed()
    assert (picture(made) == picture(cloud(values))).all()


def test_other_responses_of_the_same_shapes_keep_what_was_made():
    made = cloud()
    picture(made)
    before = made._selection, made._statistics
    made.show(blocks_of(responses(seed=5)))
    assert (picture(made) == picture(cloud(responses(seed=5)))).all()
    assert before == (made._selection, made._statistics)


def test_responses_that_lie_in_a_part_of_an_array_are_drawn_alike():
    plain, joined = blocks_of(responses()), []
    for block, value in zip(plain, responses(), strict=True):
        whole = ChannelMap((block.shape[0] + 8, *block.shape[1:]))
        part = whole.part(4, block.shape[0])
        whole.write(np.full(whole.shape, 99.0))
        part.write(value)
        joined.append(replace(block, array=whole.array, first=part.first))
    made = NeuronCloud()
    made.show(joined)
    assert (picture(made) == picture(cloud())).all()


def test_what_is_solid_hides_dots_behind_it():
    wall = dict(corner=(-300, 300, LENGTH / 2 + 5), right=(600, 0, 0), down=(0, -600, 0))
    grey = np.full((1, 1), 60, np.uint8)
    assert (picture(cloud(), ImagePlane(grey, **wall)) == picture(ImagePlane(grey, **wall))).all()
    behind = wall | {"corner": (-300, 300, -LENGTH)}
    assert (picture(cloud(), ImagePlane(grey, **behind)) != picture(ImagePlane(grey, **behind))).any()


def test_a_cloud_that_is_moved_and_turned_looks_as_from_the_other_side():
    turned = cloud()
    turned.transform = np.diag([-2.0, 2.0, -2.0, 1.0])
    eye = np.array(CAMERAS["front"].eye)
    there = replace(CAMERAS["front"], eye=tuple(eye * (-2, 2, -2)), near=2, far=1800)
    # Another rounding of the same places: in some samples an edge falls otherwise.
    assert abs(picture(turned, camera=there).astype(int) - picture(cloud())).max() <= 6


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_pick_is_the_neuron_whose_dot_is_in_front_and_says_all_of_it(camera):
    made, values, seen = cloud(size=6.0), responses(), CAMERAS[camera]
    hits = 0
    for x, y in pixels(seen):
        aim = Aim.at(seen, SIZE, x, y)
        hit = made.pick(aim, np.eye(4))
        if hit is None:
            continue
        hits += 1
        block, *place = hit.part
        assert hit.node is made and hit.value == values[block][tuple(place)]
        assert np.allclose(hit.position, made.place(*hit.part), atol=1e-4)
        # Where the ray is as deep as the neuron: no farther from it than its dot is wide.
        at = np.asarray(aim.origin) + hit.distance * np.asarray(aim.direction)
        assert np.dot(at - hit.position, seen.forward) == pytest.approx(0, abs=1e-3)
        assert np.linalg.norm(at - hit.position) < 0.3452 * 6.0 * 10 + 2
    assert hits > 8


@pytest.mark.parametrize("camera", CAMERAS)
def test_picks_are_those_of_every_dot_tried(camera):
    made, seen, view = cloud(size=3.0), chosen(), CAMERAS[camera]
    radius = seen["size"] * 3.0 * 250 / 300 * np.tan(np.pi / 8)
    aspect = SIZE[0] / SIZE[1]
    depth = (seen["place"] - view.eye) @ view.forward
    scale = SIZE[1] / 2 / view.half_sizes(aspect)[1] / (1.0 if view.is_orthographic else depth)
    at = np.array([view.project(p, aspect)[:2] if d > 0 else (9, 9) for p, d in zip(seen["place"], depth, strict=True)])
    at = (at * (1, -1) + 1) / 2 * SIZE
    found = 0
    for x, y in pixels(view):
        away = np.hypot(*(at - (x + 0.5, y + 0.5)).T) - np.maximum(radius * scale, 0.5)
        if abs(away).min() < 1e-3:
            continue  # Rounding decides.
        under = np.flatnonzero((away < 0) & (depth > view.near))
        hit = made.pick(Aim.at(view, SIZE, x, y), np.eye(4))
        if not len(under):
            assert hit is None
            continue
        nearest = under[depth[under].argmin()]
        assert hit.part == (seen["block"][nearest], *made._part(int(seen["number"][nearest]))[1])
        found += 1
    assert found > 8


def test_the_renderer_gives_the_nearest_hit_of_all_nodes():
    made = cloud(size=6.0)
    scene, renderer = scene_of(made), Renderer()
    hits = [renderer.pick(scene, Clock(0.0), SIZE, x, 30) for x in range(90)]
    parts = {hit.part for hit in hits if hit is not None}
    assert len(parts) > 3 and all(len(part) == 4 for part in parts)


def test_what_is_solid_and_nearer_is_picked_instead():
    made, renderer = cloud(size=6.0), Renderer()
    wall = dict(corner=(-900, 900, LENGTH / 2 + 5), right=(1800, 0, 0), down=(0, -1800, 0))
    near, far = (ImagePlane(np.full((1, 1), 60, np.uint8), **wall) for _ in range(2))
    far.move(0, 0, -2 * LENGTH)
    alone = [renderer.pick(scene_of(cloud(size=6.0)), Clock(0.0), SIZE, x, 30) for x in range(0, 90, 5)]
    behind = [renderer.pick(scene_of(made, far), Clock(0.0), SIZE, x, 30) for x in range(0, 90, 5)]
    assert {hit.node for hit in behind} == {made, far}
    assert [hit.part for hit in behind if hit.node is made] == [hit.part for hit in alone if hit is not None]
    assert {renderer.pick(scene_of(made, near), Clock(0.0), SIZE, x, 30).node for x in range(0, 90, 5)} == {near}


def test_what_is_hidden_is_not_picked():
    made = cloud(size=6.0, opacity=0.0)
    aims = [Aim.at(CAMERAS["front"], SIZE, x, 30) for x in range(0, 90, 3)]
    assert all(made.pick(aim, np.eye(4)) is None for aim in aims)
    made.opacity, made.appeared = 1.0, 0.0
    assert all(made.pick(aim, np.eye(4)) is None for aim in aims)
    made.appeared = [0.0, 1.0, 0.0, 0.0]
    assert {hit.part[0] for aim in aims if (hit := made.pick(aim, np.eye(4)))} <= {1}


def test_a_lit_channel_stays_and_all_others_dim():
    made = cloud(threshold=0.0)
    before = picture(camera="front").astype(int)
    bright = abs(picture(made) - before).sum()
    made.highlight = (0, 7)
    dim = abs(picture(made) - before).sum()
    assert 0 < dim < 0.5 * bright
    made.highlight = (0, 40)
    with pytest.raises(SettingError, match="channel 40"):
        picture(made)


def test_fainter_neurons_are_seen_with_a_lower_threshold():
    made = cloud()
    usual = made.count
    made.threshold = 0.001
    fainter = made.count
    assert fainter == len(select_twin.select_neurons(responses(), LAYOUTS, LOOKS, faint=0.001)["number"]) > usual


def test_more_opacity_shows_what_is_fainter():
    made = cloud(opacity=8.0)
    assert made.count == len(select_twin.select_neurons(responses(), LAYOUTS, LOOKS, faint=0.01 / 8)["number"])


def test_a_palette_of_ones_own_is_shown():
    green = np.tile([0.0, 1.0, 0.0], (64, 1))
    found = picture(cloud(palette=(green, green), size=4.0)).astype(int)
    shown = abs(found - picture()).max(axis=2) > 60
    assert shown.any() and (found[shown][:, 1] > found[shown][:, [0, 2]].max(axis=1)).all()


def test_an_empty_cloud_draws_nothing():
    assert (picture(NeuronCloud()) == picture()).all()
    assert NeuronCloud().count == 0 and NeuronCloud().statistics() == []
    assert NeuronCloud().pick(Aim.at(CAMERAS["front"], SIZE, 3, 3), np.eye(4)) is None


@pytest.mark.parametrize(
    "change, error, words",
    [
        ({"over": "layer"}, SettingError, "layer"),
        ({"opacity": [1.0, 1.0]}, ShapeError, "4 blocks"),
        ({"appeared": np.ones((4, 2))}, ShapeError, "appeared"),
    ],
)
def test_what_cannot_be_shown_is_refused(change, error, words):
    with pytest.raises(error, match=words):
        picture(cloud(**change))


def test_blocks_that_do_not_fit_their_arrays_are_refused():
    block = blocks_of(responses())[0]
    with pytest.raises(ShapeError, match="first"):
        NeuronCloud().show([replace(block, first=1)])
    with pytest.raises(SettingError, match="classes"):
        NeuronCloud().show([replace(block, look="class")])


def test_the_ramps_are_palettes_and_read_on_their_background():
    for name in RAMPS:
        assert name not in names()
        for theme in ("dark", "paper"):
            light = palette(name, theme) @ (0.2126, 0.7152, 0.0722)
            contrast = (light + 0.05) / 0.057 if theme == "dark" else 1.05 / (light + 0.05)
            assert contrast.min() > 4.5
    # The original's first and last step, #ffffff and #ff8800.
    ends = np.round(255 * srgb(palette("original responses", "dark")[[0, -1]]))
    assert np.array_equal(ends, [(255, 255, 255), (255, 136, 0)])


def test_a_live_view_draws_a_moving_cloud_at_no_less_than_half_its_size():
    scene, painter = scene_of(cloud()), Painter(Renderer(), lambda text: None, live=True)
    # It takes too long at any size.
    painter.refinement.aim, scales = 0.0, []
    for _ in range(4):
        painter.changed()
        painter.draw(scene, Clock(0.0), SIZE)
        scales.append(painter.quality.scale)
    # Nothing is built before the first picture, and nothing known before the second.
    assert scales[2:] == [0.5] * 2
