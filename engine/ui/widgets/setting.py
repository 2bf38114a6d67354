"""The panel's own controls, drawn by us: label, slider, number field, switch, segments, choice, button, heading."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from imgui_bundle import imgui

from engine.ui.draw_list import ICONS, Area, DrawList, key_name
from engine.ui.theme import BODY, GAP, LABEL, ROUND, ROW, SMALL, VALUE, mixed, packed
from engine.ui.widgets import numbers
from engine.ui.widgets.numbers import Scale

# Pixels of a text field from top to bottom, and of a row of an open list.
FIELD, LINE = 26.0, 26.0
# Hints appear after a while, each after its own.
RESTED = imgui.HoveredFlags_.delay_normal | imgui.HoveredFlags_.no_shared_delay
# Rows of an open list that are seen at once.
SEEN = 9


class Widgets(DrawList):
    """Draws controls one below the other in the current window, `width` wide, in one theme's colours.

    Each control returns its new value, or None if nothing changed it; typed text is returned as str.

    places   {identity: (x, y, width, height)} of the last frame's controls, for scripts and tests that press them
    """

    def __init__(self, fonts: tuple[Any, Any]):
        super().__init__(fonts)
        self.places: dict[str, Area | tuple[float, float, float, float]] = {}
        self._typing: tuple[str, str] | None = None  # (identity, text): the value being typed
        self._focus = self._to_end = False
        self._unseen = 0
        self._drags: dict[str, float] = {}  # {identity: the slider's place, 0 to 1, that a drag has reached}

    def begin_frame(self) -> None:
        """Clears `places`, and closes a field that the last frame did not draw."""
        self.places.clear()
        self._unseen += 1
        if self._unseen > 2:
            self._typing = None

    # Places.

    def press(
        self, identity: str, x: float, y: float, width: float, height: float, doc: str = ""
    ) -> tuple[bool, bool, bool]:
        """An area that can be pressed, with the hint `doc`; returns (clicked, hovered, held)."""
        with moved(x, y):
            clicked = imgui.invisible_button(identity, (max(width, 1.0), max(height, 1.0)))
            state = clicked, imgui.is_item_hovered(), imgui.is_item_active()
        self.places[identity] = Area(x, y, width, height)
        self.hint(doc)
        return state

    def hint(self, text: str) -> None:
        """Shows a text when the pointer rests on the last area."""
        if text and imgui.is_item_hovered(RESTED):
            imgui.push_style_var(imgui.StyleVar_.window_padding, (10.0, 8.0))
            imgui.push_font(self.fonts[False], SMALL)
            if imgui.begin_tooltip():
                imgui.push_text_wrap_pos(250.0)
                imgui.text_unformatted(text)
                imgui.pop_text_wrap_pos()
                imgui.end_tooltip()
            imgui.pop_font()
            imgui.pop_style_var()

    def row(self, identity: str, title: str, doc: str, height: float = ROW) -> Area:
        """Draws a label with the hint `doc` on the left; returns the Area that is left for the control."""
        x, y = self.take(height)
        _, hovered, _ = self.press(f"{identity}.label", x, y, LABEL, height, doc)
        self.text(x, y + height / 2, title, "text" if hovered else "muted", width=LABEL)
        return Area(x + LABEL + GAP, y, self.width - LABEL - GAP, height)

    # Controls.

    def heading(self, identity: str, title: str, is_open: bool) -> bool:
        """A section's title, which opens and folds it; returns True if it was pressed."""
        x, y = self.take(40.0 if is_open else 42.0)
        self.pen.add_line((x, y), (x + self.width, y), self.colour("line"), 1.0)
        clicked, hovered, _ = self.press(identity, x, y + 4.0, self.width, 32.0)
        self.text(x, y + 21.0, title, "text", BODY, bold=True)
        icon = ICONS["down" if is_open else "right"]
        self.text(x + self.width - 2.0, y + 21.0, icon, "text" if hovered else "faint", 10.0, align=1.0)
        return clicked

    def slider(self, identity: str, title: str, doc: str, value: float, scale: Scale) -> float | str | None:
        """A slider and its value; a ctrl-click, a double click or a click on the number opens a field for typing."""
        text, area = scale.shown(value), self.row(identity, title, doc)
        if self.measure(text) > VALUE - 6.0:
            # A long unit is written after the title, so that the number is never cut.
            text = scale.shown(value, unit=False)
            room = LABEL - self.measure(title) - 5.0
            self.text(area.x - GAP - room, area.middle + 0.5, scale.unit, "faint", SMALL, width=max(room, 0.0))
        changed = self.scrubber(identity, area._replace(width=area.width - VALUE - 8.0), value, scale)
        if imgui.is_item_clicked(1) and scale.default is not None:
            changed = scale.default
        doubled = imgui.is_item_hovered() and imgui.is_mouse_double_clicked(0)
        name, exact = f"{identity}.value", numbers.exact(value, scale.whole)
        if doubled or (imgui.is_item_clicked(0) and imgui.get_io().key_ctrl):
            self.type_over(name, exact)
        typed = self._number(name, area._replace(x=area.x + area.width - VALUE, width=VALUE), text, exact, 1.0)
        return changed if typed is None else typed

    def scrubber(self, identity: str, area: Area, value: float, scale: Scale) -> float | None:
        """A slider alone, without label and number."""
        _, hovered, held = self.press(identity, *area)
        changed, io = None, imgui.get_io()
        left, right = area.x + 6.0, area.x + area.width - 6.0
        at = scale.part(value)
        if held and not io.key_ctrl:
            if imgui.is_item_activated():
                self._drags[identity] = at
            if io.key_shift:
                # With shift the knob moves by a tenth of the pointer's path.
                self._drags[identity] += io.mouse_delta.x / (right - left) / 10.0
            elif io.mouse_delta.x or imgui.is_item_activated():
                self._drags[identity] = (io.mouse_pos.x - left) / (right - left)
            wanted = scale.at_part(min(max(self._drags[identity], 0.0), 1.0))
            changed = wanted if wanted != value else None
            at = scale.part(wanted)
        middle, knob = round(area.middle), left + at * (right - left)
        # The fill goes from blue towards green, as far as the value is.
        reached = mixed(self.theme["low"], self.theme["accent"], at)
        self.box(left, middle - 2.0, right - left, 4.0, "hovered" if hovered or held else "raised", 2.0)
        if knob - left > 1.0:
            start, end = self.colour("low"), packed(reached)
            self.pen.add_circle_filled((left + 1.5, middle), 2.0, start)
            self.pen.add_rect_filled_multi_color((left + 1, middle - 2), (knob, middle + 2), start, end, end, start)
        size = 7.0 if held else 6.0 + 0.5 * hovered
        self.pen.add_circle_filled((knob, middle), size + 2.0, self.colour("panel"), 24)
        self.pen.add_circle_filled((knob, middle), size, packed(reached), 24)
        return changed

    def number(self, identity: str, title: str, doc: str, value: float, scale: Scale) -> float | str | None:
        """A number without a slider: a field between a minus and a plus."""
        return self.stepper(identity, self.row(identity, title, doc), value, scale)

    def stepper(self, identity: str, area: Area, value: float, scale: Scale) -> float | str | None:
        """`number` without its label."""
        (x, y, width, height), changed = area.inset(2.0), None
        self.box(x, y, width, height, "raised")
        for sign, icon, place in ((-1, "minus", x), (1, "plus", x + width - 26.0)):
            if self.sign(f"{identity}.{icon}", place, y, 26.0, height, icon):
                changed = scale.stepped(value, sign)
        field = area._replace(x=x + 26.0, width=width - 52.0)
        text, exact = numbers.shown(value, None, scale.unit, scale.whole), numbers.exact(value, scale.whole)
        typed = self._number(f"{identity}.value", field, text, exact, 0.5)
        return changed if typed is None else typed

    def sign(self, identity: str, x: float, y: float, width: float, height: float, icon: str, doc: str = "") -> bool:
        """A small icon alone; returns True if it was pressed."""
        clicked, hovered, _ = self.press(identity, x, y, width, height, doc)
        self.text(x + width / 2, y + height / 2, ICONS[icon], "text" if hovered else "muted", 9.0, align=0.5)
        return clicked

    def switch(self, identity: str, title: str, doc: str, value: bool) -> bool | None:
        """A switch, on or off; the whole row can be pressed."""
        x, y = self.take(ROW)
        clicked, hovered, _ = self.press(identity, x, y, self.width, ROW, doc)
        self.text(x, y + ROW / 2, title, "text" if hovered else "muted", width=self.width - 50.0)
        left, top = x + self.width - 34.0, round(y + ROW / 2) - 9.0
        self.box(left, top, 34.0, 18.0, "accent" if value else ("hovered" if hovered else "raised"), 9.0)
        knob = left + (25.0 if value else 9.0)
        self.pen.add_circle_filled((knob, top + 9.0), 6.0, self.colour("on_accent" if value else "muted"), 24)
        return (not value) if clicked else None

    def choice(self, identity: str, title: str, doc: str, value: str, names: Sequence[str]) -> str | None:
        """A choice of one name: side by side where they fit, else in a list that opens."""
        area = self.row(identity, title, doc)
        fits = len(names) <= 4 and self.widest(names) + 12.0 <= area.width / len(names)
        return (self.segments if fits else self._list)(identity, area, value, names)

    def segments(self, identity: str, area: Area, value: str, names: Sequence[str]) -> str | None:
        """A choice of one name, side by side."""
        x, y, width, height = area.inset(2.0)
        self.box(x, y, width, height, "raised")
        each, changed = width / len(names), None
        for i, name in enumerate(names):
            left = x + i * each
            clicked, hovered, _ = self.press(f"{identity}.{name}", left, y, each, height)
            if hovered or name == value:
                fill = "accent" if name == value else "hovered"
                self.box(left + 2.0, y + 2.0, each - 4.0, height - 4.0, fill, ROUND - 1.0)
            colour = "on_accent" if name == value else ("text" if hovered else "muted")
            self.text(left + each / 2, area.middle, name, colour, SMALL, align=0.5, width=each - 4.0)
            if clicked and name != value:
                changed = name
        return changed

    def _list(self, identity: str, area: Area, value: str, names: Sequence[str]) -> str | None:
        x, y, width, height = area
        clicked, hovered, _ = self.press(identity, *area.inset(2.0))
        self.box(*area.inset(2.0), "hovered" if hovered else "raised")
        self.text(x + 10.0, area.middle, str(value), "text", width=width - 34.0)
        self.text(x + width - 10.0, area.middle, ICONS["down"], "muted", 9.0, align=1.0)
        if clicked:
            imgui.open_popup(f"{identity}.list")
        changed, wide = None, width - 10.0
        tall = min(len(names), SEEN) * LINE + 10.0
        # The list opens upwards if there is no room below.
        below = y + height + tall <= imgui.get_io().display_size.y - 4.0
        imgui.set_next_window_pos((x, y + height if below else max(y - tall, 4.0)))
        imgui.set_next_window_size((width, tall))
        imgui.push_style_var(imgui.StyleVar_.window_padding, (5.0, 5.0))
        if imgui.begin_popup(f"{identity}.list"):
            with self.inner():
                for name in names:
                    left, top = self.take(LINE)
                    chosen, over, _ = self.press(f"{identity}.{name}", left, top, wide, LINE)
                    if over or name == value:
                        self.box(left, top, wide, LINE, "hovered" if over else "raised", ROUND - 1.0)
                    self.text(left + 8.0, top + 13.0, name, "accent" if name == value else "text", width=width - 26.0)
                    if chosen:
                        changed = name if name != value else None
                        imgui.close_current_popup()
            if imgui.is_key_pressed(imgui.Key.escape):
                imgui.close_current_popup()
            imgui.end_popup()
        imgui.pop_style_var()
        return changed

    def line(self, identity: str, title: str, doc: str, value: str) -> str | None:
        """A field with a line of text."""
        name, area = f"{identity}.value", self.row(identity, title, doc)
        if self.is_typing_in(name):
            return self.field(name, area)
        hovered = self._editable(name, area.inset(2.0), value)
        self.box(*area.inset(2.0), "hovered" if hovered else "raised")
        self.text(area.x + 8.0, area.middle, value, width=area.width - 16.0)
        return None

    def button(
        self, identity: str, x: float, y: float, width: float, text: str, *, key: str | None = None,
        icon: str | None = None, doc: str = "", on: bool = False, enabled: bool = True, height: float = 28.0,
    ) -> bool:  # fmt: skip
        """A button, with its key if it has one; returns True if it was pressed."""
        clicked, hovered, held = self.press(identity, x, y, width, height, doc)
        fill = "accent" if on else ("hovered" if hovered and enabled and not held else "raised")
        self.box(x, y, width, height, fill)
        colour = "on_accent" if on else ("text" if enabled else "faint")
        middle = y + height / 2
        if not text:
            self.text(x + width / 2, middle, ICONS[icon or ""], colour, 11.0, align=0.5)
        elif not (key or icon):
            self.text(x + width / 2, middle, text, colour, align=0.5, width=width - 12.0)
        else:
            left, cap = x + 10.0, 0.0
            if icon:
                shade = "muted" if enabled and not on else colour
                self.text(left, middle, ICONS[icon], "plus" if icon == "record" else shade, 11.0)
                left += 19.0
            if key:
                cap = self.measure(key_name(key), SMALL - 1) + 10.0
                place = x + width - cap - 6.0
                self.pen.add_rect((place, middle - 8), (place + cap, middle + 8), self.colour("faint"), 3.0)
                self.text(place + cap / 2, middle, key_name(key), "muted", SMALL - 1, align=0.5)
                cap += 4.0
            self.text(left, middle, text, colour, width=x + width - 8.0 - cap - left)
        return clicked and enabled

    # Typing.

    def _number(self, name: str, area: Area, text: str, exact: str, align: float) -> str | None:
        """A number that becomes a text field when clicked; returns the text typed, or None."""
        if self.is_typing_in(name):
            return self.field(name, area)
        if self._editable(name, area.inset(3.0), exact):
            self.box(*area.inset(3.0), "raised")
        at = area.x + (area.width - 6.0 if align == 1.0 else area.width * align)
        self.text(at, area.middle, text, align=align, width=area.width - 6.0)
        return None

    def _editable(self, name: str, area: Area, exact: str) -> bool:
        """An area that becomes a text field when clicked; returns True while the pointer is over it."""
        clicked, hovered, _ = self.press(name, *area)
        if hovered:
            imgui.set_mouse_cursor(imgui.MouseCursor_.text_input)
        if clicked:
            self.type_over(name, exact)
        return hovered

    def field(self, name: str, area: Area, complete: Callable[[str], str] | None = None) -> str | None:
        """Draws the field that `type_over` opened; returns its text when typing is finished, else None.

        complete   function for the Tab key that returns the text completed, or None
        """
        if self._typing is None or self._typing[0] != name:
            return None
        self._unseen = 0
        flags, callback = int(imgui.InputTextFlags_.enter_returns_true), None
        if complete is None:
            flags |= imgui.InputTextFlags_.auto_select_all
        else:
            flags |= imgui.InputTextFlags_.callback_completion | imgui.InputTextFlags_.callback_always
            callback = lambda data: self._complete(data, complete)
        x, top, width = area.x, area.middle - FIELD / 2, area.width
        with moved(x, top):
            imgui.set_next_item_width(width)
            if self._focus:
                imgui.set_keyboard_focus_here()
            imgui.push_font(self.fonts[False], BODY)
            entered, text = imgui.input_text(f"##{name}.field", self._typing[1], flags, callback)
            imgui.pop_font()
            self.places[name] = area
            self.pen.add_rect((x, top), (x + width, top + FIELD), self.colour("accent"), ROUND)
            ended = not self._focus and imgui.is_item_deactivated()
        self._focus = False
        self._typing = None if entered or ended else (name, text)
        return text if entered or (ended and not imgui.is_key_pressed(imgui.Key.escape)) else None

    def _complete(self, data: Any, complete: Callable[[str], str]) -> int:
        if data.event_flag == imgui.InputTextFlags_.callback_completion:
            longer = complete(data.buf)
            if longer != data.buf:
                data.delete_chars(0, data.buf_text_len)
                data.insert_chars(0, longer)
        elif self._to_end:
            # imgui selects all text in a field that gets the keyboard, but a path is usually continued.
            self._to_end = False
            data.cursor_pos = data.buf_text_len
            data.clear_selection()
        return 0

    def type_over(self, name: str, text: str, to_end: bool = False) -> None:
        """Opens a field, which gets the keyboard in the next frame; its text is selected, unless `to_end`."""
        self._typing, self._focus, self._unseen = (name, text), True, 0
        self._to_end = self._to_end or to_end

    def is_typing_in(self, name: str) -> bool:
        return self._typing is not None and self._typing[0] == name

    def stop_typing(self) -> None:
        """Closes the open field; the typed text is dropped."""
        self._typing = None

    @property
    def is_typing(self) -> bool:
        return self._typing is not None


@contextmanager
def moved(x: float, y: float) -> Iterator[None]:
    """Inside the block, controls are placed at (x, y); after it the cursor is where it was before."""
    here = imgui.get_cursor_screen_pos()
    imgui.set_cursor_screen_pos((x, y))
    yield
    imgui.set_cursor_screen_pos(here)
