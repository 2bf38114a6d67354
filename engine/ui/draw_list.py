"""What controls are drawn with: text that fits, boxes, bars, rings, icons and keys' caps."""

import math

from imgui_bundle import imgui

from engine.ui.theme import BODY, ROUND, SMALL, mixed, packed

ICONS = {
    "play": "\uf04b", "pause": "\uf04c", "undo": "\uf2ea", "redo": "\uf2f9", "reset": "\uf049", "down": "\uf078",
    "right": "\uf054", "left": "\uf053", "close": "\uf00d", "folder": "\uf07b", "file": "\uf15b", "up": "\uf077",
    "help": "\uf128", "minus": "\uf068", "plus": "\uf067", "stop": "\uf04d", "record": "\uf111", "camera": "\uf030",
    "dice": "\uf522", "bars": "\uf0c9", "step_back": "\uf048", "step_on": "\uf051", "eye": "\uf06e",
    "eye_off": "\uf070",
    "ArrowUp": "\uf062", "ArrowDown": "\uf063", "ArrowLeft": "\uf060", "ArrowRight": "\uf061",
}  # fmt: skip
KEY_NAMES = {" ": "space", "Escape": "esc", "Enter": "enter", "Delete": "del"}


def key_name(key):
    """A key as people call it, or its arrow."""
    return ICONS.get(key) or KEY_NAMES.get(key) or (key.upper() if len(key) == 1 else key)


class Ink:
    """Draws in the current window, `width` wide, in one theme's colours."""

    def __init__(self, fonts):
        self.fonts = fonts
        self.theme = self.pen = None
        self.width = 0.0
        self._widths = {}

    def begin(self, theme, width):
        """Starts drawing in a window."""
        self.theme, self.width = theme, width
        self.pen = imgui.get_window_draw_list()

    def colour(self, name, alpha=1.0):
        return packed(getattr(self.theme, name, name), alpha)

    def measure(self, text, size=BODY, bold=False):
        """Width of a line of text."""
        key = text, size, bold
        if key not in self._widths:
            if len(self._widths) > 4000:
                self._widths.clear()
            imgui.push_font(self.fonts.bold if bold else self.fonts.body, size)
            self._widths[key] = imgui.calc_text_size(text).x
            imgui.pop_font()
        return self._widths[key]

    def text(self, x, y, text, colour="ink", size=BODY, bold=False, align=0.0, width=None):
        """A line of text with its left end (align 0), middle (0.5) or right end (1) at x; y is its middle's height.

        width   more than so much is cut, with dots
        """
        if width is not None:
            text = self.fitted(text, width, size, bold)
        font = self.fonts.bold if bold else self.fonts.body
        x -= align * self.measure(text, size, bold)
        # Whole pixels: type between them is blurred.
        at = (round(x), round(y - size * 0.59))
        self.pen.add_text(font, size, at, self.colour(colour), text)

    def fitted(self, text, width, size=BODY, bold=False):
        """The text, or as much of its beginning as fits and three dots."""
        if self.measure(text, size, bold) <= width:
            return text
        while text and self.measure(text + "…", size, bold) > width:
            text = text[:-1]
        return text.rstrip() + "…"

    def lines(self, text, size=SMALL, width=None, most=None):
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

    def wrapped(self, text, colour="muted", size=SMALL, width=None, most=3):
        """Text over a few lines, moving down; words that are longer than a line are cut."""
        width = width or self.width
        for line in self.lines(text, size, width, most):
            x, y = self.at()
            self.text(x, y + size * 0.7, line, colour, size, width=width)
            self.skip(size * 1.4)

    def at(self):
        p = imgui.get_cursor_screen_pos()
        return p.x, p.y

    def skip(self, height):
        """Moves down."""
        imgui.dummy((self.width, height))

    def box(self, x, y, width, height, colour, round=ROUND):
        self.pen.add_rect_filled((x, y), (x + width, y + height), self.colour(colour), round)

    def keycap(self, x, y, key, size=SMALL, height=22.0):
        """A key's cap with its middle left at (x, y); returns its width."""
        width = max(self.measure(key_name(key), size) + 12.0, 22.0)
        self.box(x, y - height / 2, width, height, "raised", 4.0)
        self.pen.add_rect((x, y - height / 2), (x + width, y + height / 2), self.colour("faint", 0.5), 4.0)
        self.text(x + width / 2, y, key_name(key), "ink", size, align=0.5)
        return width

    def bar(self, x, y, width, height, part):
        """How much of something is done."""
        self.box(x, y, width, height, "raised", height / 2)
        if part > 0.0:
            done = max(width * min(part, 1.0), height)
            colour = mixed(self.theme.low, self.theme.accent, part)
            self.pen.add_rect_filled((x, y), (x + done, y + height), packed(colour), height / 2)

    def ring(self, x, y, radius, colour, thickness=1.5):
        self.pen.add_circle((x, y), radius, self.colour(colour), max(12, math.ceil(radius * 3)), thickness)
