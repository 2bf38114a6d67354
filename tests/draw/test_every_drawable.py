"""What every public drawable keeps: its shaders compile and it is seen. A new one needs a row here."""

import inspect

import numpy as np
import pytest
from workshop import Staged

import engine
from engine.draw.drawable import Drawable
from engine.gpu.channel_map import ChannelMap
from engine.render.renderer import Renderer

FIELD, CURVE, SOLID = (engine.random_mlp([n, 4, 1], "tanh", seed=2) for n in (2, 1, 3))
SEEDS = np.array([(0.0, 0.0, 0.0), (1.0, 0.5, 0.2), (-1.0, 0.2, 0.4)])
GREY = np.full((4, 4), 200, np.uint8)
PLANE = engine.Plane(np.zeros(2), np.array([4.0, 0.0]), np.array([0.0, -4.0]))


def cloud():
    shape, look = (4, 2, 2), "features"
    (layout,), _ = engine.cloud_layout.lay_out([shape], [look])
    responses = ChannelMap(shape)
    responses.write(np.linspace(0.2, 1.0, 16, dtype=np.float32).reshape(shape))
    node = engine.NeuronCloud()
    node.show([engine.Block("block", shape, layout, look, responses.array)])
    return node


DRAWABLES = {
    "LevelSurfaces": lambda: engine.LevelSurfaces(SOLID),
    "Sparks": lambda: engine.Sparks(SOLID, SEEDS, width=8.0),
    "ClassicSurfaces": lambda: engine.ClassicSurfaces(SOLID),
    "ClassicSparks": lambda: engine.ClassicSparks(SOLID, SEEDS),
    "ClassicAxes": lambda: engine.ClassicAxes(),
    "FieldImage": lambda: engine.FieldImage(FIELD, map="viridis"),
    "HeightMap": lambda: engine.HeightMap(FIELD, plane=PLANE),
    "Plot": lambda: engine.Plot(CURVE),
    "Boundaries": lambda: engine.Boundaries(FIELD),
    "NeuronCloud": cloud,
    "Spots": lambda: engine.Spots(SEEDS),
    "Points": lambda: engine.Points(SEEDS),
    "Lines": lambda: engine.Lines(SEEDS[[[0, 1], [1, 2]]], width=8.0),
    "Axes": lambda: engine.Axes(),
    "ImagePlane": lambda: engine.ImagePlane(GREY, corner=(-1, 1, 0), right=(2, 0, 0), down=(0, -2, 0)),
    "FlatAxes": lambda: engine.FlatAxes(x=(0.0, 1.0, "x")),
    "Label": lambda: engine.Label("label"),
    "Labels": lambda: engine.Labels(["label"], [(0.0, 0.0, 0.0)]),
    "Callout": lambda: engine.Callout(("card",)),
    "Ranking": lambda: engine.Ranking([engine.Rank("name", 0.5)]),
    "Inset": lambda: engine.Inset("title", [("name", "value")]),
    "Key": lambda: engine.Key([engine.KeyRow("name", (1.0, 1.0, 1.0))]),
}


@pytest.fixture(scope="module")
def renderer():
    return Renderer()


def pixels(renderer, *nodes):
    return renderer.frame(Staged(nodes), engine.Clock(1.0), (96, 96), 1).pixels()


def test_every_public_drawable_has_a_row():
    public = {name: getattr(engine, name) for name in engine.PUBLIC}
    found = {name for name, value in public.items() if inspect.isclass(value) and issubclass(value, engine.Node)}
    assert set(DRAWABLES) == found - {"Node"}
    assert all(issubclass(getattr(engine, name), Drawable) for name in DRAWABLES if name != "Axes")


@pytest.mark.parametrize("name", DRAWABLES)
def test_an_editor_is_shown_what_a_drawable_takes(name):
    drawable = getattr(engine, name)
    assert list(inspect.signature(drawable).parameters) == list(inspect.signature(drawable.__init__).parameters)[1:]


@pytest.mark.parametrize("name", DRAWABLES)
def test_a_drawable_is_seen_where_it_is_and_not_where_it_is_hidden(renderer, name):
    node = DRAWABLES[name]()
    empty = pixels(renderer)
    assert (pixels(renderer, node) != empty).any()
    node.visible = False
    assert (pixels(renderer, node) == empty).all()
