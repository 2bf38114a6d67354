"""What is shown fills its picture, and its words can be read: at every size, on both themes, at every turn."""

import numpy as np
import pytest

import engine
from engine.draw.frame import Frame, touch
from engine.draw.words import text
from engine.draw.words.legend import _marked
from engine.render.renderer import Renderer, _drawables, _overlays
from engine.render.shot import shape, theme_of
from engine.view.camera import Camera
from scenes.boundaries import Boundaries
from scenes.marching import Marching
from scenes.random_networks import RandomNetworks

SIZES = [(400, 300), (640, 360), (400, 400), (300, 400), (1920, 1080), (2160, 2160), (3840, 2160)]
TURNS = [(azimuth, altitude) for azimuth in range(-170, 190, 40) for altitude in (-80, -30, 0, 12, 45, 89)]
RELIEF = {"show": "relief", "depth": 3, "width": 8, "colour": "viridis"}
SCENES = {
    "levels": lambda: Marching(),
    "a level": lambda: Marching(levels="single", level=0.5),
    "a box": lambda: Marching(region="box"),
    "a relief": lambda: RandomNetworks(**RELIEF),
    "a field": lambda: RandomNetworks(depth=3, width=8, colour="viridis"),
    "curves": lambda: RandomNetworks(show="curves", depth=3, width=8),
    "boundaries": lambda: Boundaries(),
    "all runs": lambda: Boundaries(together=True),
}
TURNED = ("levels", "a box", "a relief")


def placed(scene, size):
    """The Frame of a scene that is brought to its moment, with its words placed."""
    if isinstance(scene, Boundaries):  # it is laid out for the picture's shape
        shape(scene, size)
        scene.advance(engine.Clock(scene.moment))
    scale = min(size) / 720
    frame = Frame(scene.camera, size, (0, 0, *size), 1, theme_of(scene), scale)
    _overlays(_drawables(scene), scene, frame)
    return frame


def corners(scene):
    """(N, 3) the outermost points of what a scene in space shows."""
    if isinstance(scene, Marching):
        points = engine.Region(scene.region, scene.size).points(9)
        return points[np.linalg.norm(points, axis=1) > 0.99 * scene.size]
    return np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * scene._relief.half_size


def reach(scene, aspect):
    """(2,) how far what is shown reaches to the sides and up, 1 at the picture's edges."""
    camera, points = scene.camera, corners(scene)
    x, y, _, w = camera.projection(aspect) @ camera.view() @ np.column_stack([points, np.ones(len(points))]).T
    seen = np.stack([x / w, y / w], axis=1)
    return np.abs(seen).max(axis=0), np.ptp(seen, axis=0) / 2.0


@pytest.mark.parametrize("theme", ["dark", "paper"])
@pytest.mark.parametrize("name", SCENES)
def test_words_lie_in_the_picture_and_never_on_one_another(name, theme):
    scene = SCENES[name]()
    scene.theme = theme
    scene.advance(engine.Clock(scene.moment))
    for size in SIZES:  # outside, since a legend is kept for a size
        for azimuth, altitude in TURNS if name in TURNED else TURNS[:1]:
            if name in TURNED:
                scene.azimuth, scene.altitude = azimuth, altitude
            boxes = placed(scene, size).taken
            assert boxes
            for k, box in enumerate(boxes):
                assert 0 <= box[0] < box[2] <= size[0] and 0 <= box[1] < box[3] <= size[1], (azimuth, altitude, size)
                assert not any(touch(box, other) for other in boxes[:k]), (azimuth, altitude, size)


@pytest.mark.parametrize("name", TURNED)
def test_what_is_shown_fills_its_picture_and_never_leaves_it_when_the_camera_turns(name):
    scene = SCENES[name]()
    scene.advance(engine.Clock(0.0))
    for width, height in SIZES:
        # The larger part of the smaller side, from the camera that a view begins with.
        aspect = width / height
        _, filled = reach(scene, aspect)
        assert max(filled * (max(1.0, aspect), max(1.0, 1.0 / aspect))) > 0.7
    for azimuth, altitude in TURNS:
        scene.azimuth, scene.altitude = azimuth, altitude
        for width, height in SIZES:
            farthest, _ = reach(scene, width / height)
            assert farthest.max() < 1.0, (azimuth, altitude)


@pytest.mark.parametrize("name", ["levels", "a box", "a relief"])
def test_a_legend_leaves_what_is_shown_free(name):
    scene = SCENES[name]()
    scene.advance(engine.Clock(0.0))
    if isinstance(scene, Marching):
        filled = engine.Region(scene.region, scene.size).points(16)
    else:
        filled = engine.Region("box", 1.0).points(12) * scene._relief.half_size
    for size in SIZES:
        frame = placed(scene, size)
        left, top, right, bottom = frame.taken[0]
        seen = np.array([frame.project(point)[:2] for point in filled])
        # The last half of a line is empty where no number stands at the bar's very end.
        inside = (seen > (left, top)) & (seen < (right, bottom - text.type_size("small", frame.type_scale) / 2))
        assert not inside.all(axis=1).any(), size


def test_words_are_read_in_a_picture_400_high_as_in_one_of_2160():
    sizes = {}
    for height in (300, 400, 540, 720, 1080, 2160):
        frame = Frame(Camera(), (height * 16 // 9, height), (0, 0, 1, 1), 1, engine.THEMES["dark"], height / 720)
        sizes[height] = text.type_size("small", frame.type_scale)
        # As a part of the height never smaller than in a picture 720 high.
        assert sizes[height] / height >= 12.0 / 720
    assert sizes[400] >= 10.0 and sizes[720] == 12.0 and sizes[2160] == 36.0
    assert list(sizes.values()) == sorted(sizes.values())


@pytest.mark.parametrize("name", ["levels", "a level", "a relief", "a field"])
def test_a_legend_has_numbers_enough_to_read_a_scale(name):
    scene = SCENES[name]()
    scene.advance(engine.Clock(0.0))
    written = [float(words) for _, words, _ in _marked(scene.legend())]
    assert len(written) >= 3 and written == sorted(written, reverse=True) and len(set(written)) == len(written)


@pytest.mark.parametrize("map", ["viridis", "magma", "cividis"])
@pytest.mark.parametrize("level", [-1.5, 0.0, 2.0])
def test_on_paper_a_surface_has_the_hue_of_its_place_in_the_legend(map, level):
    scene = Marching(theme="paper", levels="single", level=level, map=map, sparks=False, axes=False, speed=0.0)
    pixels = Renderer().frame(scene, engine.Clock(0.0), (64, 64), 4).pixels()[..., :3] / 255.0
    low, high = scene.legend().low, scene.legend().high
    wanted = engine.srgb(engine.map_colours(map, "paper", [(level - low) / (high - low)]))[0]
    shown = pixels[(pixels.min(axis=2) < 0.93)]
    assert len(shown) > 60
    hue = lambda c: np.arctan2(np.sqrt(3) * (c[..., 1] - c[..., 2]), 2 * c[..., 0] - c[..., 1] - c[..., 2])
    chroma = lambda c: c.max(axis=-1) - c.min(axis=-1)
    apart = np.abs((hue(shown) - hue(wanted) + np.pi) % (2 * np.pi) - np.pi)
    # Of most of the surface: the hue within 20 degrees, and two fifths of the legend's chroma or more.
    assert np.percentile(np.degrees(apart), 75) < 20.0
    assert np.median(chroma(shown)) > 0.4 * chroma(wanted)
