"""Colour maps by name and as lists of colours."""

import numpy as np
import pytest

from engine.draw.catalogue import is_diverging, named, names
from engine.draw.colour import BEHIND, colours, linear, palette
from engine.errors import SettingError
from engine.scene.settings import assign
from scenes.marching import Marching
from scenes.random_networks import RandomNetworks


def test_a_list_of_colours_runs_through_all_of_them_and_is_not_trimmed():
    for theme in ("dark", "paper", "image"):
        found = colours("#000, #f80,white", theme, [0.0, 0.5, 1.0])
        assert np.allclose(found, [linear("#000000"), linear("#ff8800"), linear("#ffffff")], atol=0.02)
    # Half way between two colours lies their mean as screens encode it.
    assert np.allclose(palette("#000000,#808080", "dark")[-1], linear("#808080"))


def test_the_end_of_a_map_that_a_background_hides_is_left_out_whichever_end_it_is():
    darkest = lambda name: palette(name, "dark").sum(axis=1)
    assert np.allclose(palette("viridis_r", "dark"), palette("viridis", "dark")[::-1], atol=1e-6)
    assert darkest("magma").min() > 4 * palette("magma", "image").sum(axis=1).min()


@pytest.mark.parametrize("theme", ["dark", "paper"])
def test_a_transparent_colour_shows_the_background_and_gives_its_neighbours_no_black(theme):
    found = palette("#ff0000,transparent", theme)
    assert np.allclose(found[-1], linear(BEHIND[theme]))
    # On white the way there stays as red as it was: only white is added.
    assert (np.diff(found[:, 0]) >= -1e-9).all() or theme == "dark"


def test_only_our_map_with_a_middle_belongs_to_zero():
    assert [name for name in [*names(), "#f00,#fff,#00f"] if is_diverging(name)] == ["diverging"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("viridi", "Near: viridis.*pip install cmap"),
        ("#000,#ggg", "`#ggg` is no colour"),
        ("#000", "has 2 to 64"),
        ("#000,", "`` is no colour"),
        (",".join(["#000"] * 65), "this one has 65"),
        ("x" * 1_000_000, "no colour map"),
        ("../../etc/passwd", "no colour map"),
        ("rgb(1,2,3)", "is no colour"),
        ("", "no colour map"),
        ("#000,\n\x00,#fff", "is no colour"),
    ],
)
def test_what_is_no_map_is_refused_in_a_short_line(text, said):
    for scene, setting in ((Marching(), "map"), (RandomNetworks(), "colour")):
        with pytest.raises(SettingError, match=said) as caught:
            assign(scene, setting, text)
        assert len(str(caught.value)) < 600 and str(caught.value).startswith(f"{setting}=")


def test_a_scene_takes_a_list_of_colours_and_its_legend_and_its_state_follow():
    scene = RandomNetworks(colour="#001,#f80,#fff")
    scene.advance(_Clock())
    assert scene.legend().map == "#001,#f80,#fff"
    other = RandomNetworks()
    other.restore(scene.state(_Clock()))
    assert other.colour == scene.colour
    marching = Marching(map="navy,white,crimson", surfaces=True)
    marching.advance(_Clock())
    assert marching.legend().map == marching._sheets.map == "navy,white,crimson"


class _Clock:
    time = step = 0.0


def test_names_are_kept_only_so_many():
    for k in range(200):
        named(f"#{k:03x},#fff")
    assert named.cache_info().currsize <= 64
