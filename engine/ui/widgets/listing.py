"""A list to read and to go by: each row a title and a few words; a press goes there."""

from imgui_bundle import imgui

from engine.ui.theme import BODY, ROUND, SMALL

# The list takes no more of the panel; the rest is scrolled to.
HEIGHT = 320.0
# Pixels around a row's words, and between lines.
PAD, LINE = 8.0, 17.0
# Lines of a row's text at most.
MOST = 5


class ListingView:
    """Draws a Listing.

    attempt   function of a function: calls what the scene gave, and says what was wrong
    hover     engine.ui.control.hover.Hover
    """

    def __init__(self, attempt, hover):
        self.attempt, self.hover = attempt, hover
        self._cut = {}  # (text, width) -> lines

    def draw(self, w, listing):
        """Draws at the cursor, downwards."""
        if not listing.rows:
            w.wrapped(listing.empty, "faint")
            w.skip(8.0)
            return
        rows = [self._lines(w, row.text) for row in listing.rows]
        heights = [2.0 * PAD + LINE * (1 + len(lines)) for lines in rows]
        whole = sum(heights)
        x, y = w.at()
        scrolled = whole > HEIGHT
        pen = w.pen
        if scrolled:
            imgui.begin_child("listing", (w.width + 12.0, HEIGHT))
            w.pen = imgui.get_window_draw_list()
            x, y = w.at()
        for number, (row, lines, height) in enumerate(zip(listing.rows, rows, heights, strict=True)):
            # Of hundreds only those in sight are drawn.
            if imgui.is_rect_visible((x, y), (x + w.width, y + height)):
                self._row(w, number, row, lines, (x, y, w.width, height))
            y += height
        w.skip(whole)
        if scrolled:
            imgui.end_child()
            w.pen = pen
        w.skip(8.0)

    def _lines(self, w, text):
        key = text, w.width
        if key not in self._cut:
            if len(self._cut) > 4000:
                self._cut.clear()
            self._cut[key] = w.lines(text, SMALL, w.width - 2.0 * PAD, MOST) if text else []
        return self._cut[key]

    def _row(self, w, number, row, lines, area):
        x, y, width, height = area
        clicked, hovered, held = w.press(f"listing.{number}", x, y, width, height - 2.0)
        if hovered:
            if row.hover is not None:
                self.hover.offer(
                    ("row", number, row.title, row.text), lambda: row.hover(True), lambda: row.hover(False)
                )
            if row.run is not None:
                imgui.set_mouse_cursor(imgui.MouseCursor_.hand)
            w.box(x, y, width, height - 2.0, "raised" if held else "hovered", ROUND)
        elif number:
            w.pen.add_line((x + PAD, y - 1.0), (x + width - PAD, y - 1.0), w.colour("line"), 1.0)
        w.text(x + PAD, y + PAD + LINE / 2 - 1.0, row.title, "ink", BODY, width=width - 2.0 * PAD)
        for k, line in enumerate(lines):
            w.text(x + PAD, y + PAD + LINE * (1.5 + k), line, "muted", SMALL, width=width - 2.0 * PAD)
        if clicked and row.run is not None:
            self.attempt(row.run)
