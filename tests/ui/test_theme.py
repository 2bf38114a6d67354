"""The two themes can be read."""

import pytest

from engine.ui.theme import THEMES, contrast, mixed, packed

THEME = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)


@THEME
@pytest.mark.parametrize(("name", "ratio"), [("text", 7.0), ("muted", 4.5), ("warn", 4.5)])
def test_words_stand_out_from_the_panel(theme, name, ratio):
    # WCAG 2.2, success criteria 1.4.6 and 1.4.3.
    assert contrast(theme[name], theme["panel"]) >= ratio


@THEME
@pytest.mark.parametrize("part", ["accent", "plus", "minus"])
def test_what_carries_a_meaning_stands_out_from_the_panel(theme, part):
    # WCAG 2.2, success criterion 1.4.11.
    assert contrast(theme[part], theme["panel"]) >= 3.0


@THEME
def test_words_on_the_accent_can_be_read(theme):
    # Large or bold controls' text: success criterion 1.4.3.
    assert contrast(theme["on_accent"], theme["accent"]) >= 3.0


def test_black_and_white_are_as_far_apart_as_can_be():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)


def test_packed_is_alpha_blue_green_red():
    assert packed("#112233") == 0xFF332211
    assert packed("#11223380") == 0x80332211
    assert packed("#112233", 0.5) == 0x80332211


def test_mixing_goes_from_one_to_the_other():
    assert mixed("#000000", "#ff8000", 0.0) == "#000000"
    assert mixed("#000000", "#ff8000", 1.0) == "#ff8000"
    assert mixed("#000000", "#ff8000", 0.5) == "#804000"


@pytest.mark.parametrize("theme", THEMES)
def test_the_status_line_can_be_read(theme):
    assert contrast(THEMES[theme]["muted"], THEMES[theme]["panel"]) > 4.5
