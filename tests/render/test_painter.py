"""Live pictures of networks that take long to be certain: drafts first, the certain picture in steps."""

from importlib import import_module

import pytest

import engine
from engine.draw.surfaces.level_surfaces import LevelSurfaces
from engine.network.random import random_mlp
from engine.render.painter import Painter
from engine.render.renderer import Renderer
from engine.view.camera import Camera

SIZE = (96, 64)


class Space(engine.Scene):
    """Level surfaces of a network that is searched in passes, or of a tiny one."""

    home = Camera(eye=(4.0, 5.0, 9.0))
    tiny = engine.Switch(False)

    def build(self, stage):
        self.node = stage.add(LevelSurfaces(random_mlp([3, 8, 1], seed=1)))

    def update(self, clock):
        self.node.show(random_mlp([3, 8, 1] if self.tiny else [3, 12, 12, 1], seed=1))
        self.node.spacing = 0.5


@pytest.fixture
def painter():
    said = []
    yield Painter(Renderer(), said.append, live=True)
    assert said == []


def drawn(painter, scene, most=2000):
    """The pictures shown one after the other until nothing is left, as (Quality, Report), and all status lines."""
    shown, lines = [], []
    for _ in range(most):
        painter.refinement.rested(1.0)
        painter.draw(scene, engine.Clock(), SIZE)
        lines.append(" ".join(painter.status()))
        if painter.picture is not None and (not shown or shown[-1][0] is not painter.picture):
            shown.append((painter.picture, painter.quality))
        if painter.is_done:
            return [(quality, picture.report) for picture, quality in shown], lines
    raise AssertionError("it never ends")


def test_a_slow_network_is_drafted_then_certain(painter):
    shown, lines = drawn(painter, Space())
    kinds = [quality.draft for quality, _ in shown]
    # The very first picture is a draft already, and the last ones are certain.
    assert kinds == sorted(kinds, reverse=True) and kinds[0] and not kinds[-1]
    assert all(report.certified == 0.0 if quality.draft else report.certified > 0.999 for quality, report in shown)
    assert shown[-1][0].samples == 9 and shown[-1][0].scale == 1.0
    assert "draft" in lines[0] or lines[0] == ""
    assert "draft" not in lines[-1] and "certifying" not in lines[-1] and "%" not in lines[-1]
    assert any("certifying" in line and "%" in line for line in lines) and any("4 samples " in line for line in lines)


def test_frames_that_are_drawn_again_at_rest_do_not_begin_it_anew(painter):
    scene = Space()
    while not painter._steps or painter._drawing.draft:
        painter.refinement.rested(1.0)
        painter.draw(scene, engine.Clock(), SIZE)
    begun, shares = painter._steps, []
    while painter._steps is begun:
        # As a window does for the pointer and the panel; and the scene is looked at under the pointer.
        shares.append(painter._progress.share if painter._progress else 0.0)
        painter.renderer.pick(scene, engine.Clock(), SIZE, 40.0, 30.0)
        painter.draw(scene, engine.Clock(), SIZE)
    assert shares == sorted(shares) and not painter.quality.draft and painter.picture.report.undecided == 0


def test_a_tiny_network_is_never_drafted(painter):
    scene = Space(tiny=True)
    shown, lines = drawn(painter, scene)
    assert not any(quality.draft for quality, _ in shown) and not any("draft" in line for line in lines)
    # A change to a network that takes longer is known before its first picture is drawn.
    scene.tiny = False
    painter.changed()
    assert any(quality.draft for quality, _ in drawn(painter, scene)[0][:2])


def test_the_certain_picture_is_the_renderers(painter):
    scene = Space()
    drawn(painter, scene)
    alone = Renderer().frame(scene, engine.Clock(), SIZE, 9).pixels()
    assert (painter.picture.pixels() == alone).all()


def test_a_draft_begun_while_things_move_is_finished_and_a_certain_picture_is_not(painter, monkeypatch):
    monkeypatch.setitem(Painter.draw.__globals__, "SLICE", -1.0)
    scene, before = Space(), None
    for _ in range(100):
        painter.changed()
        painter.draw(scene, engine.Clock(), SIZE)
        if painter.picture is not None:
            break
    assert painter.quality.draft
    while not painter._steps or painter._drawing.draft:
        painter.refinement.rested(1.0)
        painter.draw(scene, engine.Clock(), SIZE)
    before = painter._steps
    painter.changed()
    painter.draw(scene, engine.Clock(), SIZE)
    assert painter._steps is not before


def test_another_picture_in_between_does_no_harm(painter, monkeypatch):
    """As F12 and a notebook's cell draw one: nodes then hold what that one needed."""
    monkeypatch.setattr(import_module("engine.render.painter"), "SLICE", 0.0)
    scene = Space()
    while painter._drawing.samples < 9 or painter._progress is None:
        painter.refinement.rested(1.0)
        painter.draw(scene, engine.Clock(), SIZE)
    assert painter.is_drawing
    Renderer().frame(scene, engine.Clock(), SIZE, 4)
    drawn(painter, scene)
    assert (painter.picture.pixels() == Renderer().frame(scene, engine.Clock(), SIZE, 9).pixels()).all()
