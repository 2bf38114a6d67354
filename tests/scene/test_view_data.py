"""What a scene gives a live view besides its settings."""

import numpy as np
import pytest

from engine.errors import ShapeError
from engine.scene.scene import Scene
from engine.scene.view_data import TimeCurve, Timeline, UnitLayer, Units


def test_a_snapshot_is_shown_from_its_time_until_the_next_s():
    timeline = Timeline([0, 10, 100], [0.0, 1.0, 4.0])
    times = [-1.0, 0.0, 0.999, 1.0, 3.999, 4.0, 99.0]
    assert [timeline.at(t) for t in times] == [0, 0, 0, 1, 1, 2, 2]


def test_every_snapshot_is_found_at_its_own_time():
    times = np.cumsum(np.random.default_rng(1).uniform(1e-6, 1.0, 431))
    timeline = Timeline(np.arange(431), times)
    assert [timeline.at(t) for t in timeline.times] == list(range(431))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"steps": [], "times": []}, "one or more"),
        ({"steps": [0, 5, 5], "times": [0, 1, 2]}, "rising"),
        ({"steps": [0, 5], "times": [0]}, "2 steps needs as many rising times"),
        ({"steps": [0, 5], "times": [1, 0]}, "rising times"),
        ({"steps": [0, 5], "times": [0, np.inf]}, "rising times"),
        ({"steps": [0, 5], "times": [0, 1], "curves": (TimeCurve("seed 3", [1.0], "#ffffff"),)}, "seed 3"),
        ({"steps": [0, 5], "times": [0, 1], "spacing": "even"}, "snapshot, step, log"),
    ],
)
def test_a_timeline_whose_parts_do_not_fit_is_refused_in_a_line(given, says):
    with pytest.raises(ShapeError, match=says):
        Timeline(**given)


def test_a_layer_s_texts_are_as_many_as_its_units():
    with pytest.raises(ShapeError, match="Layer 1 has 2 units, but 3 `docs`"):
        UnitLayer("Layer 1", "#ffffff", (True, False), docs=("a", "b", "c"))


def test_units_that_pass_a_value_on_are_not_listed():
    layer = UnitLayer("a", "#ffffff", [True] * 4, passes=[True, False, False, True])
    assert layer.listed == (1, 2) and UnitLayer("a", "#ffffff", [True] * 3).listed == (0, 1, 2)


def test_what_is_shown_is_a_tuple_a_layer():
    layers = [UnitLayer("a", "#ffffff", [True, False]), UnitLayer("b", "#ffffff", [False])]
    assert Units(tuple(layers), put=None).shown == ((True, False), (False,))


def test_a_scene_has_none_of_them_unless_it_says_so():
    scene = Scene()
    assert scene.timeline() is scene.units() is scene.diagram() is scene.listing() is None
