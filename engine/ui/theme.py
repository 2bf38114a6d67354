"""How the panel looks: two themes of colours, three sizes of one typeface, and the measures of the layout."""

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

# The panel's measures, in pixels at scale 1.
WIDTH = 320.0
MARGIN = 18.0
ROW = 30.0
LABEL = 104.0
VALUE = 60.0
GAP = 10.0
ROUND = 5.0

# The three sizes of type.
SMALL, BODY, TITLE = 12.0, 14.0, 20.0


@dataclass(frozen=True)
class Theme:
    """Colours as `#rrggbb` or `#rrggbbaa`, named by what they are for."""

    name: str
    panel: str
    raised: str  # what can be pressed or typed into
    hovered: str
    line: str
    ink: str
    muted: str  # labels
    faint: str  # hints, tracks
    low: str  # a slider's fill, from here ...
    accent: str  # ... to here; whatever is on
    on_accent: str
    warn: str
    card: str  # what lies over the picture
    veil: str
    plus: str  # weights
    minus: str
    zero: str


THEMES = {
    "dark": Theme(
        name="dark",
        panel="#171b26",
        raised="#232938",
        hovered="#2e3649",
        line="#262d3d",
        ink="#e3e8f2",
        muted="#93a0b8",
        faint="#586379",
        low="#33638d",
        accent="#3dbc93",
        on_accent="#0d1a17",
        warn="#f2a65a",
        card="#1a1f2cf2",
        veil="#0b0d1399",
        plus="#f0685a",
        minus="#5b8def",
        zero="#4a5468",
    ),
    "paper": Theme(
        name="paper",
        panel="#f6f7f9",
        raised="#e7eaf0",
        hovered="#dbe0e9",
        line="#dfe3ea",
        ink="#222938",
        muted="#5c687d",
        faint="#a9b2c2",
        low="#31688e",
        accent="#1f9e89",
        on_accent="#ffffff",
        warn="#b4540a",
        card="#fffffff2",
        veil="#ffffffa6",
        plus="#c9352b",
        minus="#2c62c9",
        zero="#b9c1cf",
    ),
}


@cache
def packed(colour, alpha=1.0):
    """A colour as the 32-bit number imgui draws with: alpha, blue, green, red."""
    r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    a = int(colour[7:9], 16) if len(colour) == 9 else 255
    return round(a * alpha) << 24 | b << 16 | g << 8 | r


def mixed(low, high, part):
    """The colour a part of the way from one to another, channel by channel."""
    part = min(max(part, 0.0), 1.0)
    channels = ((int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in channels)


@dataclass
class Fonts:
    """Roboto, whose digits all have one width, with icons merged in; sizes are given where they are used."""

    body: object
    bold: object


def load_fonts():
    """Fonts for the current imgui context, from the files that come with imgui-bundle."""
    import imgui_bundle
    from imgui_bundle import imgui

    folder = Path(imgui_bundle.__file__).parent / "assets" / "fonts"
    atlas = imgui.get_io().fonts
    loaded = []
    for file in ("Roboto-Regular.ttf", "Roboto-Bold.ttf"):
        letters = imgui.ImFontConfig()
        # Letters stand at thirds of a pixel; at halves their distances look uneven in small type.
        letters.oversample_h = 3
        font = atlas.add_font_from_file_ttf(str(folder / "Roboto" / file), BODY, letters)
        icons = imgui.ImFontConfig()
        icons.merge_mode = True
        # The icons' own baseline lies higher than Roboto's; a pixel at this size.
        icons.glyph_offset = imgui.ImVec2(0.0, 1.0)
        atlas.add_font_from_file_ttf(str(folder / "Font_Awesome_6_Free-Solid-900.otf"), BODY * 0.86, icons)
        loaded.append(font)
    return Fonts(*loaded)


def dress(theme):
    """Sets imgui's own style for what is not drawn by us: text fields, scroll bars, tooltips."""
    from imgui_bundle import imgui

    style = imgui.get_style()
    style.window_padding = (0.0, 0.0)
    style.frame_padding = (8.0, 5.0)
    style.item_spacing = (GAP, 0.0)
    style.window_rounding = style.child_rounding = 0.0
    style.popup_rounding = style.frame_rounding = style.grab_rounding = ROUND
    style.window_border_size = style.frame_border_size = style.child_border_size = 0.0
    style.popup_border_size = 1.0
    style.scrollbar_size = 9.0
    style.scrollbar_rounding = 5.0
    style.hover_stationary_delay = 0.15
    style.hover_delay_normal = 0.35
    colours = {
        "window_bg": theme.panel,
        "child_bg": theme.panel + "00",
        "popup_bg": theme.card[:7],
        "border": theme.line,
        "text": theme.ink,
        "text_disabled": theme.faint,
        "text_selected_bg": theme.accent + "66",
        "frame_bg": theme.raised,
        "frame_bg_hovered": theme.hovered,
        "frame_bg_active": theme.raised,
        "scrollbar_bg": theme.panel + "00",
        "scrollbar_grab": theme.raised,
        "scrollbar_grab_hovered": theme.hovered,
        "scrollbar_grab_active": theme.faint,
        "input_text_cursor": theme.accent,
        "nav_cursor": theme.accent,
    }
    for name, colour in colours.items():
        which = getattr(imgui.Col_, name)
        number = packed(colour)
        style.set_color_(which, imgui.ImVec4(*((number >> s & 255) / 255.0 for s in (0, 8, 16, 24))))


def contrast(one, other):
    """WCAG 2's ratio of two opaque colours' luminances, 1 to 21."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
        r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


NAMES = tuple(f.name for f in fields(Theme))
