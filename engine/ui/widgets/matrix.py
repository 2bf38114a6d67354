"""The network's weights as circles: red above zero, blue below, with areas that show their sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

from imgui_bundle import imgui

from engine.network.mlp import Mlp
from engine.ui.control.weight_history import Cell, WeightHistory, weight
from engine.ui.draw_list import Area
from engine.ui.theme import ROW, SMALL, Colours, mixed, packed
from engine.ui.widgets import numbers
from engine.ui.widgets.matrix_layout import DRAG, NOTCH, Page, classic_colour, nudged, pages, radius, visible
from engine.ui.widgets.setting import Widgets, moved

# Pixels of a cell without zoom: as large as fits, between these.
CELL = (13.0, 26.0)
ZOOM = (4.0, 32.0)
# From this size on, cells have room for a plus or a minus.
SIGNED = 15.0
SIGN_FITS = 5.0
# The matrix' greatest height; larger ones scroll.
HEIGHT = 248.0
# With more pages than this there are arrows instead of tabs.
TABS = 6
FIELD = "matrix.value"


class Matrix:
    """Draws a WeightHistory's network and changes it.

    show_problem   function that shows a line of text: the error in a typed weight
    classic        True for the original's colours
    hovered        (layer, row, column) of the weight under the pointer, or None; selected, of the one clicked last
    """

    def __init__(self, show_problem: Callable[[str], None]):
        self.show_problem = show_problem
        self.page = 0
        self.classic = False
        self.hovered: Cell | None = None
        self.selected: Cell | None = None
        self._zoom: float | None = None
        self._drag: dict[str, Any] | None = None
        self._stroke = 0
        self._pages: tuple[tuple | None, tuple[Page, ...]] = (None, ())

    def draw(self, w: Widgets, history: WeightHistory) -> Mlp | None:
        """Draws the tables with Widgets; returns the network if a weight was changed, else None."""
        net = history.net
        key = (net.shape, net.layers[-1].bias[0] != 0.0 if net.outputs == 1 else False)
        if self._pages[0] != key:
            self._pages = (key, pages(net))
            self.page, self.selected, self._zoom = min(self.page, len(self._pages[1]) - 1), None, None
        tables = self._pages[1]
        if len(tables) > 1:
            self._tabs(w, tables)
        table = tables[self.page]
        # All three are drawn even if the first one changed a weight: a missing row would make the panel jump.
        changes = self._table(w, history, table), self._foot(w, history, table), self._buttons(w, history)
        return next((net for net in changes if net is not None), None)

    # Private helpers.

    def _tabs(self, w, tables):
        x, y = w.take(ROW + 6.0)
        if len(tables) <= TABS:
            titles = [t.title for t in tables]
            chosen = w.segments("matrix.page", Area(x, y, w.width, ROW), titles[self.page], titles)
            if chosen is not None:
                self.page = titles.index(chosen)
        else:
            for icon, step, left in (("left", -1, x), ("right", 1, x + w.width - 28.0)):
                if w.button(f"matrix.{icon}", left, y + 1.0, 28.0, "", icon=icon, doc="another layer"):
                    self.page = (self.page + step) % len(tables)
            title = tables[self.page].title
            text = f"layer {title} of {len(tables)}" if title != "out" else "output layer"
            w.text(x + w.width / 2, y + ROW / 2, text, align=0.5)

    def _table(self, w, history, table):
        rows, columns = len(table.rows), len(table.columns)
        head = max(w.measure(table.rows[0], SMALL), w.measure(table.rows[-1], SMALL)) + 8.0
        fit = (w.width - head) / columns
        cell = self._zoom or min(max(min(fit, HEIGHT / rows), CELL[0]), CELL[1])
        # A few columns are spread over the width; the circles keep their size.
        wide = max(cell, min(fit, 3.2 * cell)) if self._zoom is None else cell
        top, view_w, view_h = 22.0, w.width - head, min(rows * cell, HEIGHT)
        x, y = w.take(top + view_h + (10.0 if columns * wide > view_w + 1 else 2.0))
        scroll_x, scroll_y = self._scrolled(w, x + head, y + top, view_w, view_h, columns * wide, rows * cell)
        seen_rows, seen_columns = visible(scroll_y, view_h, cell, rows), visible(scroll_x, view_w, wide, columns)
        self._titles(w, table, seen_rows, seen_columns, (x, y, head, top), (cell, wide), (scroll_x, scroll_y), view_h)
        w.pen.push_clip_rect((x + head, y + top), (x + w.width, y + top + view_h), True)
        left, up = x + head - scroll_x, y + top - scroll_y
        under = self._under(table, left, up, wide, cell)
        for row, column in product(seen_rows, seen_columns):
            place = table.cell(row, column)
            if place is not None:
                at = left + (column + 0.5) * wide, up + (row + 0.5) * cell
                value = weight(history.net, *place)
                self._circle(w, *at, cell, value, place in (under, self.selected), place == self.selected)
        w.pen.pop_clip_rect()
        w.places["matrix.table"] = (x + head, y + top, view_w, view_h)
        self.cell_size, self.origin = (wide, cell), (left, up)
        return self._handle(w, history, under)

    def _scrolled(self, w, x, y, width, height, whole_width, whole_height):
        """Draws an area with scroll bars; returns how far it is scrolled. The wheel edits weights instead."""
        across = whole_width > width + 1.0
        flags = imgui.WindowFlags_.no_scroll_with_mouse
        if across:
            flags |= imgui.WindowFlags_.horizontal_scrollbar
        imgui.set_next_window_content_size((whole_width if across else 0.0, whole_height))
        with moved(x, y):
            imgui.begin_child("matrix.scroll", (width + 11.0, height + (10.0 if across else 0.0)), 0, flags)
            offset = imgui.get_scroll_x(), imgui.get_scroll_y()
            imgui.set_cursor_pos(offset)
            imgui.invisible_button("matrix.cells", (max(width, 1.0), max(height, 1.0)))
            self._state = imgui.is_item_hovered(), imgui.is_item_active(), imgui.is_item_activated()
            if self._state[0]:
                # The wheel must not scroll the panel as well.
                imgui.set_item_key_owner(imgui.Key.mouse_wheel_y)
            imgui.end_child()
        return offset

    def _titles(self, w, table, rows, columns, place, cells, scrolls, view_h):
        (x, y, head, top), (cell, wide), (scroll_x, scroll_y) = place, cells, scrolls
        rare = max(1, round(14.0 / cell)) if cell < 14.0 else 1
        w.pen.push_clip_rect((x, y + top), (x + head, y + top + view_h), True)
        for row in rows:
            if row % rare == 0:
                w.text(x, y + top - scroll_y + (row + 0.5) * cell, table.rows[row], "muted", SMALL)
        w.pen.pop_clip_rect()
        w.pen.push_clip_rect((x + head, y), (x + w.width, y + top), True)
        longest = max(w.measure(table.columns[c], SMALL) for c in (0, len(table.columns) // 2, -2))
        often = max(1, -(-(longest + 3.0) // wide)) if len(table.columns) > 6 else 1
        for column in columns:
            last = column == len(table.columns) - 1
            if column % often == 0 or last:
                middle = x + head - scroll_x + (column + 0.5) * wide
                if last or often == 1 or len(table.columns) - 1 - column >= often:
                    w.text(middle, y + top / 2 - 1.0, table.columns[column], "muted", SMALL, align=0.5)
        w.pen.pop_clip_rect()

    def _circle(self, w, x, y, cell, value, is_lit, is_selected):
        t: Colours = w.theme
        most = cell * 0.43
        size = most * 0.92 if self.classic else radius(value, cell)
        if self.classic:
            colour = classic_colour(value)
        else:
            colour = mixed(t["zero"], t["plus" if value > 0 else "minus"], 0.35 + 0.65 * min(abs(value), 1.0))
        if is_lit:
            w.pen.add_circle_filled((x, y), most + 2.0, w.colour("hovered"), 24)
        elif not self.classic and cell >= SIGNED:
            w.pen.add_circle_filled((x, y), most, w.colour("raised"), 24)
        signed = cell >= SIGNED and value != 0.0
        if signed and size < SIGN_FITS:
            # A circle too small to hold its sign is replaced by the sign, in the circle's colour.
            self._sign(w, x, y, max(size, 2.0), value, packed(colour), 2.0)
        else:
            w.pen.add_circle_filled((x, y), size, packed(colour), 0)
            if signed:
                self._sign(w, x, y, min(size * 0.5, 4.0), value, packed("#ffffff", 0.9), 1.4)
        if abs(value) > 1.0:
            w.ring(x, y, most + 1.0, "text", 1.2)
        if is_selected:
            w.ring(x, y, most + 2.0, "accent", 1.6)

    def _sign(self, w, x, y, arm, value, colour, thickness):
        w.pen.add_line((x - arm, y), (x + arm, y), colour, thickness)
        if value > 0:
            w.pen.add_line((x, y - arm), (x, y + arm), colour, thickness)

    def _under(self, table, left, up, wide, cell):
        hovered, _, _ = self._state
        if not hovered:
            return None
        mouse = imgui.get_io().mouse_pos
        column, row = int((mouse.x - left) // wide), int((mouse.y - up) // cell)
        if 0 <= row < len(table.rows) and 0 <= column < len(table.columns):
            return table.cell(row, column)
        return None

    def _handle(self, w, history, under):
        io, (_, held, pressed) = imgui.get_io(), self._state
        if under != self.hovered and self._drag is None:
            self._stroke += 1
        self.hovered = under
        if under is not None and imgui.is_mouse_double_clicked(0):
            self._drag = None
            self._stroke += 1
            w.stop_typing()
            return history.edit(*under, 0.0)
        if pressed and under is not None:
            self._stroke += 1
            self._drag = {"cell": under, "value": weight(history.net, *under), "y": io.mouse_pos.y, "moved": False}
            self.selected = under
        if self._drag and not held:
            if not self._drag["moved"]:
                w.type_over(FIELD, numbers.exact(weight(history.net, *self._drag["cell"])))
            self._drag = None
            self._stroke += 1
        if self._drag:
            imgui.set_mouse_cursor(imgui.MouseCursor_.resize_ns)
            up = self._drag["y"] - io.mouse_pos.y
            if abs(up) > 3.0 or self._drag["moved"]:
                self._drag["moved"] = True
                fine = 0.1 if io.key_shift else 1.0
                value = nudged(self._drag["value"], up / DRAG * fine, io.key_ctrl)
                return history.edit(*self._drag["cell"], value, stroke=self._stroke)
        elif under is not None and io.mouse_wheel:
            value = nudged(weight(history.net, *under), NOTCH * io.mouse_wheel, io.key_ctrl)
            return history.edit(*under, value, stroke=self._stroke)
        return None

    def _foot(self, w, history, table):
        """The line under the table: the weight under the pointer, or the one being typed."""
        x, y = w.take(ROW)
        cell = self._drag["cell"] if self._drag else self.hovered or self.selected
        typed = None
        if w.is_typing_in(FIELD) and self.selected is not None:
            w.text(x, y + ROW / 2, self._place(table, self.selected), "muted", SMALL, width=w.width - 110.0)
            text = w.field(FIELD, Area(x + w.width - 100.0, y, 100.0, ROW))
            if text is not None:
                try:
                    value = float(text)
                except ValueError:
                    value = math.nan
                if abs(value) <= 3.4e38:
                    typed = history.edit(*self.selected, value)
                else:
                    self.show_problem(f"{text}: a weight takes a finite number.")
        elif cell is not None:
            value = weight(history.net, *cell)
            w.text(x, y + ROW / 2, self._place(table, cell), "muted", SMALL, width=w.width - 100.0)
            w.text(x + w.width, y + ROW / 2, numbers.exact(value).replace("-", "−"), "text", align=1.0)
        else:
            w.text(x, y + ROW / 2, "wheel or drag changes, double click zeroes", "faint", SMALL, width=w.width)
        return typed

    def _place(self, table, cell):
        layer = "" if table.title == "all" else f"layer {table.title}: " if table.title != "out" else ""
        return f"{layer}{table.name(cell)}"

    def _buttons(self, w, history):
        x, y = w.take(ROW + 8.0)
        made, left = None, x
        for name, wide, text, doc, can, run in (
            ("undo", 32.0, "", "undo the last change of a weight; ctrl+z", history.can_undo, history.undo),
            ("redo", 32.0, "", "do it again; ctrl+y", history.can_redo, history.redo),
            ("reset", 88.0, "Reset", "the weights as they were loaded or drawn", history.is_changed, history.reset),
        ):
            if w.button(f"matrix.{name}", left, y, wide, text, icon=name, doc=doc, enabled=can):
                made = run()
            left += 38.0
        if self._zoom is not None or max(len(t.rows) for t in self._pages[1]) * CELL[0] > HEIGHT:
            right = x + w.width
            for icon, factor, place in (("minus", 1 / 1.4, right - 66.0), ("plus", 1.4, right - 32.0)):
                if w.button(f"matrix.zoom.{icon}", place, y, 30.0, "", icon=icon, doc="larger or smaller cells"):
                    size = (self._zoom or self.cell_size[1]) * factor
                    self._zoom = min(max(size, ZOOM[0]), ZOOM[1])
        return made
