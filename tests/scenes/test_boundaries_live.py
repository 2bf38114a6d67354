"""A person at the window of boundaries: every control does what it says."""

import numpy as np
import pytest
from hands import Hands

from engine.formats.tensors import history as files
from engine.network.history import Domain, History, flat
from engine.network.random import random_mlp
from engine.scene.view_data import Clock
from engine.training.image_data import bottle
from engine.ui.cards import STATUS
from scenes.boundaries import Boundaries

# Wide enough for all buttons of the strip.
SIZE = (1080, 620)


def life(runs=2, snapshots=9):
    nets = [
        [random_mlp((2, 4, 3, 2), "relu", seed=10 * r + k, scale=1.5) for k in range(snapshots)] for r in range(runs)
    ]
    weights = np.array([[flat(net) for net in run] for run in nets])
    losses = np.linspace(1, 0.1, runs * snapshots).reshape(runs, snapshots)
    return History(
        nets[0][0].shape, 10 * np.arange(snapshots), weights, losses, Domain.image(32, 32), target=bottle(32)
    )


@pytest.fixture
def hands():
    scene = Boundaries(history=life(), rate=10.0)
    return Hands(scene, SIZE, clock=Clock(scene.moment))


def click(hands, control, **more):
    hands.click(*hands.place(control, **more))


def shown(hands):
    return [[int(x) for x in layer.shown] for layer in hands.scene.units().layers]


def index(hands):
    return hands.scene.timeline().at(hands.viewer.transport.time)


def test_buttons_show_and_hide_neurons_layers_and_all(hands):
    click(hands, "units.0.1")
    assert shown(hands) == [[1, 0, 1, 1], [1, 1, 1]]
    click(hands, "units.1.hide")
    assert shown(hands) == [[1, 0, 1, 1], [0, 0, 0]]
    click(hands, "units.Hide all")
    assert hands.scene.neurons == "none"
    click(hands, "units.1.show")
    assert hands.scene.neurons == "2"
    click(hands, "units.Show all")
    assert hands.scene.neurons == "all"
    hands.double(*hands.place("units.1.2"))
    assert shown(hands) == [[0, 0, 0, 0], [0, 0, 1]]


def test_a_node_of_the_diagram_is_its_neurons_button(hands):
    click(hands, "diagram.1.3")
    assert shown(hands) == [[1, 1, 1, 0], [1, 1, 1]]
    hands.move(*hands.place("diagram.2.1"))
    hands.frame()
    assert hands.scene.units().hovered == (1, 1)


def test_keys_and_strip_go_through_the_training(hands):
    assert index(hands) == 8
    hands.key("ArrowLeft")
    assert index(hands) == 7
    hands.key("Home")
    assert index(hands) == 0
    hands.key("ArrowRight")
    assert index(hands) == 1
    hands.key("End")
    assert index(hands) == 8
    x, y = hands.place("timeline.track", 0.0)
    hands.drag((x + 4, y), hands.place("timeline.track", 0.55))
    assert 3 <= index(hands) <= 5
    before = index(hands)
    click(hands, "timeline.back")
    assert index(hands) == before - 1
    click(hands, "timeline.on")
    assert index(hands) == before
    hands.key(" ")
    hands.wait(0.3)
    assert index(hands) > before and hands.viewer.transport.playing
    hands.key("+")
    assert hands.viewer.transport.speed == 2.0
    hands.key("-")
    assert hands.viewer.transport.speed == 1.0


def test_the_curves_are_spaced_and_scaled_as_asked(hands):
    for name in ("step", "log", "snapshot"):
        click(hands, f"timeline.spacing.{name}")
        assert hands.scene.spacing == name
    click(hands, "timeline.log")
    assert not hands.scene.log_loss
    hands.scene.curves = "motion"
    hands.frame()
    assert len(hands.scene.timeline().curves) == 4
    hands.key("t")
    assert hands.viewer.overlay.below == STATUS


def test_a_click_in_the_picture_pins_what_it_tells(hands):
    hands.click(180, 160)
    picking = hands.viewer.picking
    before = picking.reading.rows
    assert picking.position is not None
    hands.move(60, 60)
    hands.key("Home")
    hands.wait(0.3)
    # Another moment, another reading of the same place.
    assert picking.place() == pytest.approx((180, 160), abs=1.0)
    assert picking.reading.rows != before
    hands.key("Escape")
    assert picking.position is None


def test_a_finding_is_listed_and_leads_to_its_moment():
    scene = Boundaries()
    hands = Hands(scene, SIZE, clock=Clock(scene.moment))
    row = next(r for r in scene.listing().rows if "cannot decide" in r.text)
    hands.viewer.run(row.run)
    hands.frame()
    assert sum(map(sum, shown(hands))) == 1
    assert hands.viewer.transport.time in scene.times[:-1]


def test_histories_are_loaded_saved_and_left(hands, tmp_path):
    path = tmp_path / "other.safetensors"
    files.save(life(runs=1, snapshots=3), path)
    assert hands.viewer.load("history", str(path)) is None
    hands.frame()
    assert hands.scene.timeline().count == 3
    assert hands.viewer.load("history", __file__)
    hands.viewer.notices.show_problem(None)
    click(hands, "history.none")
    assert hands.scene.history is None and hands.scene.record.runs == 4


def test_training_goes_on_while_one_works_and_rests_when_told():
    scene = Boundaries(image=bottle(24), hidden="4", steps=10**8, runs=1, batch=8)
    hands = Hands(scene, SIZE)
    hands.wait(0.3)
    first = scene.trainer.step
    assert first > 0 and index(hands) == scene.record.snapshots - 1
    hands.key("p")
    rested = scene.trainer.step
    hands.wait(0.2)
    assert scene.trainer.step == rested
    hands.key(".")
    assert scene.trainer.step == rested + 1
    hands.key("n")
    assert scene.trainer.step == 0
