"""The shapes that controls are drawn with: text that fits, boxes, bars, rings, icons and keys' caps."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from imgui_bundle import imgui

from engine.ui.theme import BODY, ROUND, SMALL, Colours, mixed, packed

ICONS = {
    "play": "\uf04b", "pause": "\uf04c", "undo": "\uf2ea", "redo": "\uf2f9", "reset": "\uf049", "down": "\uf078",
    "right": "\uf054", "left": "\uf053", "close": "\uf00d", "folder": "\uf07b", "file": "\uf15b", "up": "\uf077",
    "help": "\uf128", "minus": "\uf068", "plus": "\uf067", "stop": "\uf04d", "record": "\uf111", "camera": "\uf030",
    "dice": "\uf522", "bars": "\uf0c9", "step_back": "\uf048", "step_on": "\uf051", "eye": "\uf06e",
    "eye_off": "\uf070",
    "ArrowUp": "\uf062", "ArrowDown": "\uf063", "ArrowLeft": "\uf060", "ArrowRight": "\uf061",
}  # fmt: skip
KEY_NAMES = {" ": "space", "Escape": "esc", "Enter": "enter", "Delete": "del"}
# imgui's flags for all our windows: no frame, and nothing stored between two runs.
PLAIN = imgui.WindowFlags_.no_decoration | imgui.WindowFlags_.no_saved_settings
# Flags for a window that stays in its place, below others.
FIXED = imgui.WindowFlags_.no_move | imgui.WindowFlags_.no_nav | imgui.WindowFlags_.no_bring_to_front_on_focus
# Texts whose width or lines are cached.
CACHED = 4000


def key_name(key: str) -> str:
    """The name of a key for people, or an arrow."""
    return ICONS.get(key) or KEY_NAMES.get(key) or (key.upper() if len(key) == 1 else key)


class Area(NamedTuple):
    """A rectangle in logical pixels, y downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """y of its middle."""
        return self.y + self.height / 2

    def inset(self, down: float) -> "Area":
        """The area, made less high by `down` at the top and at the bottom."""
        return self._replace(y=self.y + down, height=self.height - 2.0 * down)


class DrawList:
    """Draws in the current window, `width` wide, in one theme's colours.

    fonts   (regular, bold)
    theme   one of engine.ui.theme.THEMES
    pen     imgui's draw list of the window, or of the child or popup that is open in it
    """

    theme: Colours
    pen: imgui.ImDrawList

    def __init__(self, fonts: tuple[Any, Any]):
        self.fonts = fonts
        self.width = 0.0
        self._widths: dict[tuple, float] = {}

    @contextmanager
    def window(self, name: str, x: float, y: float, width: float, height: float, flags: int = 0) -> Iterator[None]:
        """A plain window at a place, to draw in."""
        imgui.set_next_window_pos((x, y))
        imgui.set_next_window_size((max(width, 1.0), max(height, 1.0)))
        imgui.begin(name, None, PLAIN | flags)
        self.width, self.pen = width, imgui.get_window_draw_list()
        yield
        imgui.end()

    @contextmanager
    def inner(self) -> Iterator[None]:
        """Draws in what has just been opened in the window: a child, a popup or a tooltip."""
        pen, self.pen = self.pen, imgui.get_window_draw_list()
        yield
        self.pen = pen

    @contextmanager
    def scrolled(self, name: str, height: float) -> Iterator[None]:
        """A part of the window of this height, with a scroll bar if its contents are higher."""
        imgui.begin_child(name, (self.width + 12.0, height))
        with self.inner():
            yield
        imgui.end_child()

    def colour(self, name: str, alpha: float = 1.0) -> int:
        """imgui's number for a colour of the theme, or for one written `#rrggbb`."""
        return packed(self.theme.get(name, name), alpha)

    def measure(self, text: str, size: float = BODY, bold: bool = False) -> float:
        """Width of a line of text."""
        key = text, size, bold
        if key not in self._widths:
            if len(self._widths) > CACHED:
                self._widths.clear()
            imgui.push_font(self.fonts[bold], size)
            self._widths[key] = imgui.calc_text_size(text).x
            imgui.pop_font()
        return self._widths[key]

    def widest(self, texts: Any, size: float = SMALL) -> float:
        """Width of the longest of several lines; 0 where there are none."""
        return max((self.measure(text, size) for text in texts), default=0.0)

    def text(
        self, x: float, y: float, text: str, colour: str = "text", size: float = BODY, bold: bool = False,
        align: float = 0.0, width: float | None = None,
    ) -> None:  # fmt: skip
        """A line of text with its left end (align 0), middle (0.5) or right end (1) at x; its middle's height is y.

        width   text longer than this is cut, and ends in dots
        """
        if width is not None:
            text = self.fitted(text, width, size, bold)
        x -= align * self.measure(text, size, bold)
        # Rounded to whole pixels, since text between pixels is blurred.
        self.pen.add_text(self.fonts[bold], size, (round(x), round(y - size * 0.59)), self.colour(colour), text)

    def fitted(self, text: str, width: float, size: float = BODY, bold: bool = False) -> str:
        """The text, or as much of its beginning as fits, with three dots."""
        if self.measure(text, size, bold) <= width:
            return text
        while text and self.measure(text + "…", size, bold) > width:
            text = text[:-1]
        return text.rstrip() + "…"

    def lines(self, text: str, size: float = SMALL, width: float | None = None, most: int | None = None) -> list[str]:
        """The text cut into lines that fit a width; the last of `most` lines holds all the rest."""
        lines, line = [], ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and self.measure(longer, size) > (width or self.width):
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
        if most is not None and len(lines) > most:
            lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
        return lines

    def wrapped(
        self, text: str, colour: str = "muted", size: float = SMALL, width: float | None = None, most: int = 3
    ) -> None:
        """Text on at most `most` lines, at the cursor; words longer than a line are cut."""
        width = width or self.width
        for line in self.lines(text, size, width, most):
            x, y = self.take(size * 1.4)
            self.text(x, y + size * 0.7, line, colour, size, width=width)

    def take(self, height: float) -> tuple[float, float]:
        """(x, y) of a free area of this height, as wide as the window; moves the cursor below it."""
        p = imgui.get_cursor_screen_pos()
        imgui.dummy((self.width, height))
        return p.x, p.y

    def box(self, x: float, y: float, width: float, height: float, colour: str, round: float = ROUND) -> None:
        self.pen.add_rect_filled((x, y), (x + width, y + height), self.colour(colour), round)

    def card(self, x: float, y: float, width: float, height: float) -> None:
        """A box with an edge, for cards over the picture."""
        self.box(x, y, width, height, "card", ROUND + 2.0)
        self.pen.add_rect((x, y), (x + width, y + height), self.colour("line"), ROUND + 2.0)

    def keycap(self, x: float, y: float, key: str, size: float = SMALL, height: float = 22.0) -> float:
        """A key's cap, the middle of its left side at (x, y); returns its width."""
        width = max(self.measure(key_name(key), size) + 12.0, 22.0)
        self.box(x, y - height / 2, width, height, "raised", 4.0)
        self.pen.add_rect((x, y - height / 2), (x + width, y + height / 2), self.colour("faint", 0.5), 4.0)
        self.text(x + width / 2, y, key_name(key), "text", size, align=0.5)
        return width

    def bar(self, x: float, y: float, width: float, height: float, part: float) -> None:
        """A progress bar, filled up to `part`, 0 to 1."""
        self.box(x, y, width, height, "raised", height / 2)
        if part > 0.0:
            done = max(width * min(part, 1.0), height)
            self.box(x, y, done, height, mixed(self.theme["low"], self.theme["accent"], part), height / 2)

    def ring(self, x: float, y: float, radius: float, colour: str, thickness: float = 1.5) -> None:
        self.pen.add_circle((x, y), radius, self.colour(colour), max(12, math.ceil(radius * 3)), thickness)
