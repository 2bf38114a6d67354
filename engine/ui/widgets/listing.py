"""A list of findings: each row has a title and a few words; a press on it goes there."""

from collections.abc import Callable
from contextlib import nullcontext

from imgui_bundle import imgui

from engine.scene.memo import Cache
from engine.scene.view_data import Listing, ListingRow
from engine.ui.control.pointer import Hover
from engine.ui.theme import BODY, ROUND, SMALL
from engine.ui.widgets.setting import Widgets

# The list's greatest height; longer ones scroll.
HEIGHT = 320.0
# Pixels around a row's words, and between lines.
PAD, LINE = 8.0, 17.0
# Lines of a row's text at most.
MOST = 5


class ListingView:
    """Draws a Listing.

    run     function that is given a function of the scene, calls it, and shows its error
    hover   engine.ui.control.pointer.Hover
    """

    def __init__(self, run: Callable[[Callable], None], hover: Hover):
        self.run, self.hover = run, hover
        self._cache = Cache()

    def draw(self, w: Widgets, listing: Listing) -> None:
        """Draws at the cursor, downwards."""
        if not listing.rows:
            w.wrapped(listing.empty, "faint")
            w.take(8.0)
            return
        rows = self._cache.get("lines", (listing.rows, w.width), lambda: self._lines(w, listing))
        heights = [2.0 * PAD + LINE * (1 + len(lines)) for lines in rows]
        whole = sum(heights)
        with w.scrolled("listing", HEIGHT) if whole > HEIGHT else nullcontext():
            x, y = w.take(whole)
            for number, (row, lines, height) in enumerate(zip(listing.rows, rows, heights, strict=True)):
                # Of hundreds of rows only the visible ones are drawn.
                if imgui.is_rect_visible((x, y), (x + w.width, y + height)):
                    self._row(w, number, row, lines, (x, y, w.width, height))
                y += height
        w.take(8.0)

    def _lines(self, w: Widgets, listing: Listing) -> list[list[str]]:
        """Each row's text, cut into lines."""
        return [w.lines(row.text, SMALL, w.width - 2.0 * PAD, MOST) if row.text else [] for row in listing.rows]

    def _row(self, w: Widgets, number: int, row: ListingRow, lines: list[str], area: tuple) -> None:
        x, y, width, height = area
        clicked, hovered, held = w.press(f"listing.{number}", x, y, width, height - 2.0)
        if hovered:
            if (hover := row.hover) is not None:
                self.hover.offer(("row", number, row.title, row.text), lambda: hover(True), lambda: hover(False))
            if row.run is not None:
                imgui.set_mouse_cursor(imgui.MouseCursor_.hand)
            w.box(x, y, width, height - 2.0, "raised" if held else "hovered", ROUND)
        elif number:
            w.pen.add_line((x + PAD, y - 1.0), (x + width - PAD, y - 1.0), w.colour("line"), 1.0)
        w.text(x + PAD, y + PAD + LINE / 2 - 1.0, row.title, "text", BODY, width=width - 2.0 * PAD)
        for k, line in enumerate(lines):
            w.text(x + PAD, y + PAD + LINE * (1.5 + k), line, "muted", SMALL, width=width - 2.0 * PAD)
        if clicked and row.run is not None:
            self.run(row.run)
