"""How the panel looks: two themes of colours, three sizes of one typeface, and the measures of the layout."""

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import imgui_bundle
import numpy as np
from imgui_bundle import imgui

from engine.draw.colour import linear

# The panel's measures, in logical pixels.
WIDTH = 320.0
MARGIN = 18.0
ROW = 30.0
LABEL = 104.0
VALUE = 60.0
GAP = 10.0
ROUND = 5.0

# The three sizes of type.
SMALL, BODY, TITLE = 12.0, 14.0, 20.0

# Purpose -> `#rrggbb` or `#rrggbbaa` in the themes dark and paper.
COLOURS = {
    "panel": ("#171b26", "#f6f7f9"),
    "raised": ("#232938", "#e7eaf0"),  # buttons and fields
    "hovered": ("#2e3649", "#dbe0e9"),
    "line": ("#262d3d", "#dfe3ea"),
    "text": ("#e3e8f2", "#222938"),
    "muted": ("#93a0b8", "#5c687d"),  # labels
    "faint": ("#586379", "#a9b2c2"),  # hints, tracks
    "low": ("#33638d", "#31688e"),  # a slider's fill, from here ...
    "accent": ("#3dbc93", "#1f9e89"),  # ... to here; and what is switched on
    "on_accent": ("#0d1a17", "#ffffff"),
    "warn": ("#f2a65a", "#b4540a"),
    "card": ("#1a1f2cf2", "#fffffff2"),  # cards over the picture
    "veil": ("#0b0d1399", "#ffffffa6"),
    "plus": ("#f0685a", "#c9352b"),  # weights
    "minus": ("#5b8def", "#2c62c9"),
    "zero": ("#4a5468", "#b9c1cf"),
}
Colours = dict[str, str]
THEMES: dict[str, Colours] = {
    theme: {name: pair[column] for name, pair in COLOURS.items()} for column, theme in enumerate(("dark", "paper"))
}

# The style of what imgui itself draws: text fields, scroll bars, tooltips.
STYLE: dict[str, Any] = {
    "window_padding": (0.0, 0.0),
    "frame_padding": (8.0, 5.0),
    "item_spacing": (GAP, 0.0),
    **dict.fromkeys(("window_rounding", "child_rounding"), 0.0),
    **dict.fromkeys(("popup_rounding", "frame_rounding", "grab_rounding"), ROUND),
    **dict.fromkeys(("window_border_size", "frame_border_size", "child_border_size"), 0.0),
    "popup_border_size": 1.0,
    "scrollbar_size": 9.0,
    "scrollbar_rounding": 5.0,
    "hover_stationary_delay": 0.15,
    "hover_delay_normal": 0.35,
}
# imgui's name of a colour -> (ours, opacity).
STYLE_COLOURS = {
    "window_bg": ("panel", 1.0),
    "child_bg": ("panel", 0.0),
    "popup_bg": ("card", 1.0),
    "border": ("line", 1.0),
    "text": ("text", 1.0),
    "text_disabled": ("faint", 1.0),
    "text_selected_bg": ("accent", 0.4),
    "frame_bg": ("raised", 1.0),
    "frame_bg_hovered": ("hovered", 1.0),
    "frame_bg_active": ("raised", 1.0),
    "scrollbar_bg": ("panel", 0.0),
    "scrollbar_grab": ("raised", 1.0),
    "scrollbar_grab_hovered": ("hovered", 1.0),
    "scrollbar_grab_active": ("faint", 1.0),
    "input_text_cursor": ("accent", 1.0),
    "nav_cursor": ("accent", 1.0),
}


@cache
def packed(colour: str, alpha: float = 1.0) -> int:
    """imgui's 32-bit number for a colour: from the highest byte alpha, blue, green, red."""
    r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    a = int(colour[7:9], 16) if len(colour) == 9 else 255
    return round(a * alpha) << 24 | b << 16 | g << 8 | r


@lru_cache(4096)
def mixed(low: str, high: str, part: float) -> str:
    """The colour at `part`, 0 to 1, of the way from low to high, channel by channel."""
    part = min(max(part, 0.0), 1.0)
    channels = ((int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in channels)


def load_fonts() -> tuple[Any, Any]:
    """(regular, bold) Roboto for the current imgui context, whose digits all have one width, with icons merged in.

    The files come with imgui-bundle; sizes are given where the fonts are used.
    """
    folder = Path(imgui_bundle.__file__).parent / "assets" / "fonts"
    atlas = imgui.get_io().fonts

    def load(file: str) -> Any:
        letters = imgui.ImFontConfig()
        # Letters are placed at thirds of a pixel; at halves, small text looks uneven.
        letters.oversample_h = 3
        font = atlas.add_font_from_file_ttf(str(folder / "Roboto" / file), BODY, letters)
        icons = imgui.ImFontConfig()
        icons.merge_mode = True
        # The icons' baseline lies a pixel higher than Roboto's.
        icons.glyph_offset = imgui.ImVec2(0.0, 1.0)
        atlas.add_font_from_file_ttf(str(folder / "Font_Awesome_6_Free-Solid-900.otf"), BODY * 0.86, icons)
        return font

    return load("Roboto-Regular.ttf"), load("Roboto-Bold.ttf")


def set_theme(theme: Colours) -> None:
    """Sets the style of the current imgui context."""
    style = imgui.get_style()
    for name, value in STYLE.items():
        setattr(style, name, value)
    for name, (colour, alpha) in STYLE_COLOURS.items():
        style.set_color_(getattr(imgui.Col_, name), imgui.color_convert_u32_to_float4(packed(theme[colour][:7], alpha)))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two opaque colours by WCAG 2, 1 to 21."""
    low, high = sorted(float(np.dot((0.2126, 0.7152, 0.0722), linear(colour))) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)
