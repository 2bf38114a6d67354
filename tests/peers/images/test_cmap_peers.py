"""Colour maps of the cmap catalogue, beside what that package itself gives."""

import numpy as np
import pytest

from engine.draw.catalogue import is_diverging, named
from engine.draw.colour import palette, srgb
from engine.errors import SettingError

pytestmark = pytest.mark.peers
cmap = pytest.importorskip("cmap")


@pytest.mark.parametrize("name", ["twilight", "vik", "cmocean:thermal", "jet", "fire", "Blues_r"])
def test_a_map_of_the_catalogue_has_its_colours(name):
    there = cmap.Colormap(name).lut(64)[:, :3]
    assert np.abs(srgb(palette(name, "image")) - there).max() < 0.02


def test_every_map_of_the_catalogue_is_opaque_finite_and_as_long_as_all():
    for name in cmap.Catalog().unique_keys():
        for theme in ("dark", "paper", "image"):
            found = palette(name, theme)
            assert found.shape == (64, 3) and np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1


def test_cyclic_maps_meet_at_their_ends_on_every_background():
    for name in ("twilight", "romaO", "colorcet:cet_c1"):
        assert named(name).kind == "cyclic"
        for theme in ("dark", "paper"):
            found = srgb(palette(name, theme))
            assert np.abs(found[0] - found[-1]).max() < 0.03


def test_qualitative_maps_are_bands_without_colours_between():
    found = {tuple(np.round(255 * srgb(c)).astype(int)) for c in palette("tab10", "dark")}
    assert found == {tuple(np.round(255 * c[:3]).astype(int)) for c in cmap.Colormap("tab10").lut(10)}


def test_diverging_maps_of_the_catalogue_belong_to_zero():
    assert is_diverging("RdBu") and is_diverging("vik_r") and not is_diverging("thermal")


def test_a_misspelt_name_names_the_near_ones():
    with pytest.raises(SettingError, match=r"Near: .*twilight"):
        named("twiligth")
