"""The kernel `select_neurons` against its float64 twin, and the laws of how visible a neuron is."""

from dataclasses import replace

import numpy as np
import pytest

from engine.doctor.cloud import LOOKS, SHAPES, responses
from engine.draw.cloud.cloud_layout import lay_out
from engine.errors import SettingError
from engine.kernels.select_neurons import select_neurons
from engine.reference import select_neurons as twin
from tools.hostile import resident

LAYOUTS = lay_out(SHAPES, LOOKS)[0]


def look_of(neurons):
    """(N, 3) float32: opacity, size and tone of NEURON items."""
    return neurons["look"].view(np.float16)[:, :3].astype(np.float32)


def both(over="block", **more):
    found = select_neurons(responses(), LAYOUTS, LOOKS, over, **more)
    exact = twin.select_neurons(responses(), LAYOUTS, LOOKS, over, faint=0.0)
    where = {n: k for k, n in enumerate(exact["number"].tolist())}
    return found, {name: values[[where[n] for n in found["number"].tolist()]] for name, values in exact.items()}, exact


@pytest.mark.parametrize("over", ["block", "channel", "shared"])
@pytest.mark.parametrize("faint", [0.001, 0.01, 0.5])
def test_what_is_seen_is_the_twins_choice_away_from_the_threshold(over, faint):
    found, _, exact = both(over, faint=faint)
    # Statistics are known to 1e-5, opacity goes by their fifth power.
    clear = abs(exact["opacity"] - faint) > 1e-4 * faint
    seen = np.isin(exact["number"], found["number"])
    assert (seen == (exact["opacity"] > faint))[clear].all() and 0 < seen.sum() < len(seen)


@pytest.mark.parametrize("over", ["block", "channel", "shared"])
def test_each_stands_and_looks_as_the_twin_has_it(over):
    found, exact, _ = both(over)
    # Places are some hundred units from the origin in float32; looks are halves, of 3 and less.
    assert abs(found["place"][:, :3] - exact["place"]).max() < 1e-4
    assert (found["place"][:, 3] == exact["value"]).all() and (found["block"] == exact["block"]).all()
    looks = np.stack([exact[name] for name in ("opacity", "size", "tone")], axis=1)
    assert abs(look_of(found) - looks).max() < 2.0**-9


def test_the_list_is_in_the_order_of_memory_whatever_ran_first():
    numbers = both()[0]["number"]
    # Lanes of one vec4f are four channels of one place, and neighbours in the list.
    assert (np.diff(numbers.astype(int)) > 0).all()


def test_a_block_that_is_left_out_shows_none_and_changes_no_other():
    every, some = both()[0], select_neurons(responses(), LAYOUTS, LOOKS, which=[True, False, True, True])
    assert (some == every[every["block"] != 1]).all() and (every["block"] == 1).any()


def test_opacity_is_the_originals():
    # Of equal responses but one the statistics are known in closed form: mean m / n, deviation m sqrt(n - 1) / n.
    values = np.zeros((1, 8, 8), np.float32)
    values[0, 3, 4] = 7.0
    (neuron,) = select_neurons([values], lay_out([values.shape])[0], ["features"])
    u, e = 64 / 63**0.5, 63 / 63**0.5
    assert u > 4  # Full opacity from there on.
    assert np.allclose(look_of(neuron[None])[0], [1.0, 1.5 * min(max(e / 4, 1), 2), min(e / 8, 1)], atol=1e-3)
    assert neuron["place"][3] == 7.0


def test_neurons_that_are_all_alike_are_not_seen_but_classes_always_are():
    alike = np.full((8, 3, 3), 5.0, np.float32)
    assert len(select_neurons([alike], lay_out([alike.shape])[0], ["features"])) == 0
    equal = np.full((8, 1, 1), 0.125, np.float32)
    assert len(select_neurons([equal], lay_out([equal.shape], ["classes"])[0], ["classes"])) == 8


def test_twice_the_responses_look_the_same():
    one = select_neurons(responses(), LAYOUTS, LOOKS)
    two = select_neurons([b * 2 for b in responses()[:3]] + responses()[3:], LAYOUTS, LOOKS)
    # Factors of two are exact in floating point.
    assert (one["look"] == two["look"]).all() and (one["number"] == two["number"]).all()


def test_responses_that_are_no_numbers_are_not_seen():
    values = np.full((4, 3, 3), np.nan, np.float32)
    assert len(select_neurons([values], lay_out([values.shape])[0], ["features"])) == 0


def test_a_look_there_is_not_is_refused():
    with pytest.raises(SettingError, match="classes"):
        select_neurons(responses()[:1], LAYOUTS[:1], ["clases"])


@pytest.mark.parametrize(("tokens", "grid"), [((4, 2), (0, 0)), ((4, 2), (2, 2)), ((0, 0), (2, 2))])
def test_tokens_and_grids_stand_where_the_twin_has_them(tokens, grid):
    values = np.random.default_rng(3).exponential(size=(6, 14, 1)).astype(np.float32) ** 2
    layouts = [replace(lay_out([(6, 3, 4)])[0][0], tokens=tokens, grid=grid)]
    found = select_neurons([values], layouts, ["features"], faint=0.001)
    exact = twin.select_neurons([values], layouts, ["features"], faint=0.0)
    where = {n: k for k, n in enumerate(exact["number"].tolist())}
    wanted = exact["place"][[where[n] for n in found["number"].tolist()]]
    # Places are some tens of units from the origin, in float32.
    assert len(found) > 5 and abs(found["place"][:, :3] - wanted).max() < 1e-4
    assert (wanted[:, 1] > layouts[0].origin[1]).any() == (grid == (0, 0))


def test_selecting_again_adds_no_memory():
    """A software driver kept a quarter of a megabyte at each dispatch of longer code."""

    def select(times):
        for _ in range(times):
            select_neurons(responses(), LAYOUTS, LOOKS)
        return resident()

    before = select(4)
    assert select(24) - before < 8
