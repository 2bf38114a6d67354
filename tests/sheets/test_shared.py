"""What the cells of a sheet share: one range of colours and its legend, one key, beside them and once."""

import json

import numpy as np
import pytest
from PIL import Image

import engine
from engine.app import picture_state
from engine.app.make import render
from engine.cli.main import main
from engine.draw.words.key import KeyRow
from engine.draw.words.legend import Legend
from engine.errors import SettingError
from engine.network.mlp import Mlp
from engine.sheets.shared import shared_legend, shared_rows
from engine.sheets.sheet import _sharing, copied, planned, sheet
from scenes.boundaries import Boundaries
from scenes.marching import Marching
from scenes.random_networks import RandomNetworks

CELL = (120, 90)
SMALL = {"cell": CELL, "supersample": 1}


def cells(page, plan):
    width, height = plan.layout.cell
    return [page[y : y + height, x : x + width] for x, y in plan.layout.places]


def made(scene, **asked):
    """(plan with what is shared, pixels, pixels of the cells)."""
    plan = _sharing(planned(scene, **asked, **SMALL))
    page = sheet(scene, **asked, **SMALL, progress=False)
    assert page.shape[:2] == plan.layout.size[::-1]
    return plan, page, cells(page, plan)


def test_equal_values_have_equal_colours_in_every_cell_and_in_the_legend():
    scene = RandomNetworks(colour="viridis", contrast="data", legend_shown=True)
    nets = [
        Mlp([np.diag([scale, 1.0]), np.array([[1.0, 0.0]])], [np.zeros(2), np.zeros(1)], ["tanh", "identity"])
        for scale in (0.1, 0.3, 1.0)
    ]
    plan, _, found = made(scene, columns={"net": nets})
    low, high = plan.shared.span
    # The widest of the ranges: that of the last network.
    for net, cell in zip(nets, found, strict=True):
        assert low <= net(np.array([[-1.0, 0.0]]))[0, 0] and net(np.array([[1.0, 0.0]]))[0, 0] <= high
        x = np.linspace(-0.5, 0.5, CELL[0] + 1)[:-1] + 0.5 / CELL[0]
        at = np.stack([scene.x + scene.extent * x * max(1.0, CELL[0] / CELL[1]), np.zeros(CELL[0])], axis=1)
        place = (net(at)[:, 0] - low) / (high - low)
        wanted = 255 * engine.srgb(engine.map_colours("viridis", "image", np.clip(place, 0.0, 1.0)))
        shown = cell[CELL[1] // 2, :, :3].astype(float)
        assert np.abs(shown - wanted).max() < 12.0
    assert len({tuple(cell[CELL[1] // 2, 100, :3]) for cell in found}) == 3


@pytest.mark.parametrize(
    ("scene", "asked"),
    [
        (lambda: Marching(sparks=False, axes=False), {"columns": "depth=1,2"}),
        (lambda: RandomNetworks(colour="viridis", depth=2, width=6), {"columns": "activation=tanh,relu"}),
        (lambda: RandomNetworks(show="relief", colour="magma", depth=2, width=6), {"columns": "seed=1,2"}),
    ],
    ids=["levels", "fields", "reliefs"],
)
def test_the_legend_stands_once_beside_the_cells_and_in_none_of_them(scene, asked):
    plan, page, found = made(scene(), **asked)
    assert plan.shared.legend is not None
    own_plan, own_page, own = made(scene(), **asked, own=True)
    assert not own_plan.shared and own_page.shape[1] < page.shape[1]
    # Right of the cells something is written; nothing is without a legend.
    right = max(x for x, _ in plan.layout.places) + CELL[0]
    assert (page[:, right + 2 :, :3] != page[0, 0, :3]).any(axis=(0, 1)).any()
    for number, (cell, alone) in enumerate(zip(found, own, strict=True)):
        wanted, clock = plan.moment(number)
        bare = copied(wanted)
        bare.legend_shown = False
        assert np.array_equal(cell, render(bare, CELL, time=clock.time, supersample=1))
        wanted.shared = None
        assert np.array_equal(alone, render(wanted, CELL, time=clock.time, supersample=1))
        assert not np.array_equal(cell, alone)


def test_the_key_of_lines_stands_once_and_names_every_layer():
    scene = Boundaries(background="none", samples=False)
    plan, page, found = made(scene, columns="neurons=1,all")
    layers = len(scene.record.shape.sizes) - 2
    assert [row.words for row in plan.shared.rows] == [f"layer {k}" for k in range(1, layers + 1)]
    right = max(x for x, _ in plan.layout.places) + CELL[0]
    assert (page[:, right + 2 :, :3] != page[0, 0, :3]).any()
    _, _, own = made(scene, columns="neurons=1,all", own=True)
    wanted = plan.moment(1)[0]
    wanted.key_outside = False
    assert np.array_equal(own[1], render(wanted, CELL, supersample=1))
    # Without its key, and the same but for it: all that differs is a card at the bottom or beside the tile.
    differs = np.argwhere((own[1] != found[1]).any(axis=-1))
    assert len(differs) and np.ptp(differs[:, 0]) < CELL[1] / 2


NO_CARD = {"map": "viridis", "low": 0.0, "high": 1.0}


def test_legends_of_other_meanings_are_not_one():
    a = Legend("value", **NO_CARD, marks=(0.5,))
    assert shared_legend([(a, True), (Legend("value", "viridis", -2.0, 0.5, marks=(0.5,)), True)]) == Legend(
        "value", "viridis", -2.0, 1.0, marks=(0.5,)
    )
    assert shared_legend([(a, True), (Legend("value", **NO_CARD), True)]).marks == ()
    for other in (None, Legend("loss", **NO_CARD), Legend("value", "magma", 0.0, 1.0)):
        assert shared_legend([(a, True), (other, True)]) is None
    wider = Legend("value", "viridis", -1.0, 1.0)
    assert shared_legend([(a, True), (wider, False)]) is None and shared_legend([(wider, False)] * 2) == wider


def test_keys_that_say_two_things_of_the_same_words_are_not_one():
    one, two, other = KeyRow("layer 1", (1, 0, 0)), KeyRow("layer 2", (0, 1, 0)), KeyRow("layer 1", (0, 0, 1))
    black = KeyRow("black", kind="patch")
    assert (
        shared_rows([(two, black), (one, two, black)]) == (one, two, black) == shared_rows([(one, black), (one, two)])
    )
    assert shared_rows([(one,), (other, two)]) == () == shared_rows([(one,), ()])


@pytest.mark.parametrize(
    "asked",
    [
        {"columns": "span=auto,fixed"}, {"columns": "theme=dark,paper"}, {"columns": "colour=viridis,magma"},
        {"columns": "legend_shown=.."},
    ],
)  # fmt: skip
def test_cells_that_say_different_things_keep_their_own(asked):
    scene = RandomNetworks(colour="viridis", depth=1, width=4, low=-0.3, high=0.7)
    plan = planned(scene, **asked, **SMALL)
    assert _sharing(plan) == plan
    assert _sharing(planned(scene, columns="seed=1,2", **SMALL)).shared


@pytest.mark.parametrize("own", [False, True])
def test_a_stored_sheet_opens_to_the_same_bytes_with_or_without_one_legend(tmp_path, own):
    first, again = str(tmp_path / "a.png"), str(tmp_path / "b.png")
    asked = ["random_networks", "-o", first, "--vary", "seed=1,2", "--set", "colour=viridis", "--set", "depth=1"]
    assert main(["sheet", *asked, "--cell", "80x60", "--supersample", "1", *(["--own"] if own else [])]) == 0
    assert main(["sheet", first, "-o", again]) == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(first) as image:
        state = json.loads(image.text[picture_state.KEYWORD])
    assert state["sheet"]["own"] is own and "shared" not in state


@pytest.mark.parametrize("shared", [[], [1.0], [2.0, 1.0], [0.0, float("nan")], "ab", 3, {"low": 1}])
def test_a_stored_range_that_is_none_is_refused(shared):
    scene = Marching()
    with pytest.raises(SettingError, match="does not fit Marching"):
        scene.restore({**scene.state(), "shared": shared})
