"""The panel's own controls, drawn by us: label, slider, number field, switch, segments, choice, button, heading."""

from imgui_bundle import imgui

from engine.ui.draw_list import ICONS, Ink, key_name
from engine.ui.theme import BODY, GAP, LABEL, ROUND, ROW, SMALL, VALUE, mixed, packed
from engine.ui.widgets import numbers


class Widgets(Ink):
    """Draws controls downwards in the current window, `width` wide, in one theme's colours.

    Each control returns its new value, or None while it is left alone; text that was typed comes back as str.
    """

    def __init__(self, fonts):
        super().__init__(fonts)
        self._typing = None  # (identity, text): the value being typed
        self._focus = self._to_end = False
        self._unseen = 0
        self.problem = None
        self._held = {}  # identity -> what a drag began with
        self.places = {}  # identity -> (x, y, width, height) of the last frame, for whoever looks for a control

    def begin_frame(self):
        """Forgets where the controls of the last frame were, and a field that was not drawn in it any more."""
        self.places.clear()
        self._unseen += 1
        if self._typing and self._unseen > 2:
            self._typing = None

    # Places.

    def press(self, identity, x, y, width, height, buttons=0):
        """An area that can be pressed; returns (clicked, hovered, held)."""
        here = imgui.get_cursor_screen_pos()
        imgui.set_cursor_screen_pos((x, y))
        clicked = imgui.invisible_button(identity, (max(width, 1.0), max(height, 1.0)), buttons)
        state = clicked, imgui.is_item_hovered(), imgui.is_item_active()
        self.places[identity] = (x, y, width, height)
        imgui.set_cursor_screen_pos(here)
        return state

    def hint(self, text):
        """A line of explanation once the pointer rests on the last area."""
        flags = imgui.HoveredFlags_.delay_normal | imgui.HoveredFlags_.no_shared_delay
        if text and imgui.is_item_hovered(flags):
            imgui.push_style_var(imgui.StyleVar_.window_padding, (10.0, 8.0))
            imgui.push_font(self.fonts.body, SMALL)
            if imgui.begin_tooltip():
                imgui.push_text_wrap_pos(250.0)
                imgui.text_unformatted(text)
                imgui.pop_text_wrap_pos()
                imgui.end_tooltip()
            imgui.pop_font()
            imgui.pop_style_var()

    def row(self, identity, title, doc, height=ROW):
        """A label on the left, explained on hover; returns (x, y, width, height) of what is left for the control."""
        x, y = self.at()
        _, hovered, _ = self.press(f"{identity}.label", x, y, LABEL, height)
        self.hint(doc)
        self.text(x, y + height / 2, title, "ink" if hovered else "muted", width=LABEL)
        return x + LABEL + GAP, y, self.width - LABEL - GAP, height

    # Controls.

    def heading(self, identity, title, is_open):
        """A section's title that folds it; returns True if it was pressed."""
        x, y = self.at()
        self.pen.add_line((x, y), (x + self.width, y), self.colour("line"), 1.0)
        clicked, hovered, _ = self.press(identity, x, y + 4.0, self.width, 32.0)
        self.text(x, y + 21.0, title, "ink", BODY, bold=True)
        icon = ICONS["down" if is_open else "right"]
        self.text(x + self.width - 2.0, y + 21.0, icon, "ink" if hovered else "faint", 10.0, align=1.0)
        self.skip(40.0 if is_open else 42.0)
        return clicked

    def slider(self, identity, title, doc, value, low, high, *, unit="", log=False, whole=False, default=None):
        """A slider with its value beside it; ctrl-click, double click or a click on the number types one."""
        text = numbers.shown(value, high - low, unit, whole)
        if self.measure(text) > VALUE - 6.0:
            # A long unit stands by the name, so that the number is never cut.
            text = numbers.shown(value, high - low, "", whole)
            room = LABEL - self.measure(title) - 5.0
            x, y = self.at()
            self.text(x + LABEL - room, y + ROW / 2 + 0.5, unit, "faint", SMALL, width=max(room, 0.0))
        x, y, width, height = self.row(identity, title, doc)
        changed = self._track(identity, x, y, width - VALUE - 8.0, height, value, low, high, log, whole)
        doubled = self.places and imgui.is_item_hovered() and imgui.is_mouse_double_clicked(0)
        begun = imgui.is_item_clicked(0) and imgui.get_io().key_ctrl
        if imgui.is_item_clicked(1) and default is not None:
            changed = default
        typed = self._value(identity, x + width - VALUE, y, VALUE, height, text, value, begun or doubled, whole)
        self.skip(height)
        return changed if typed is None else typed

    def _track(self, identity, x, y, width, height, value, low, high, log, whole):
        _, hovered, held = self.press(identity, x, y, width, height)
        changed = None
        inset = 6.0
        at = numbers.part(value, low, high, log)
        if held and not imgui.get_io().key_ctrl:
            io = imgui.get_io()
            if imgui.is_item_activated():
                self._held[identity] = at
            if io.key_shift:
                # A tenth of the pointer's way, from where the knob is.
                self._held[identity] += io.mouse_delta.x / (width - 2 * inset) / 10.0
            elif io.mouse_delta.x or imgui.is_item_activated():
                self._held[identity] = (io.mouse_pos.x - x - inset) / (width - 2 * inset)
            wanted = numbers.at_part(min(max(self._held[identity], 0.0), 1.0), low, high, log, whole)
            changed = wanted if wanted != value else None
            at = numbers.part(wanted, low, high, log)
        middle, left, right = round(y + height / 2), x + inset, x + width - inset
        knob = left + at * (right - left)
        self.box(left, middle - 2.0, right - left, 4.0, "hovered" if hovered or held else "raised", 2.0)
        if knob - left > 1.0:
            # From the map's blue to its green, as far as the value goes.
            end = packed(mixed(self.theme.low, self.theme.accent, at))
            start = self.colour("low")
            self.pen.add_circle_filled((left + 1.5, middle), 2.0, start)
            self.pen.add_rect_filled_multi_color((left + 1, middle - 2), (knob, middle + 2), start, end, end, start)
        size = 7.0 if held else 6.0 + 0.5 * hovered
        self.pen.add_circle_filled((knob, middle), size + 2.0, self.colour("panel"), 24)
        self.pen.add_circle_filled((knob, middle), size, packed(mixed(self.theme.low, self.theme.accent, at)), 24)
        return changed

    def scrubber(self, identity, x, y, width, height, value, low, high):
        """A slider alone, without label and number."""
        return self._track(identity, x, y, width, height, value, low, high, False, False)

    def _value(self, identity, x, y, width, height, text, value, begin, whole=False, align=1.0):
        """A number that a click makes a field; returns the text typed, or None."""
        name = f"{identity}.value"
        if begin:
            self.type_number(name, numbers.exact(value, whole))
        if self._typing and self._typing[0] == name:
            return self._field(name, x, y, width, height)
        clicked, hovered, _ = self.press(name, x, y + 3.0, width, height - 6.0)
        if hovered:
            imgui.set_mouse_cursor(imgui.MouseCursor_.text_input)
            self.box(x, y + 3.0, width, height - 6.0, "raised")
        at = x + width - 6.0 if align == 1.0 else x + width * align
        self.text(at, y + height / 2, text, "ink", align=align, width=width - 6.0)
        if clicked:
            self.type_number(name, numbers.exact(value, whole))
        return None

    def _field(self, name, x, y, width, height, complete=None):
        """The field being typed into; returns its text when it is finished, else None.

        complete   None or a function of the text for the Tab key, giving a longer text
        """
        self._unseen = 0
        here = imgui.get_cursor_screen_pos()
        imgui.set_cursor_screen_pos((x, y + (height - 26.0) / 2))
        imgui.set_next_item_width(width)
        if self._focus:
            imgui.set_keyboard_focus_here()
        flags = imgui.InputTextFlags_.enter_returns_true
        if complete is None:
            more = (flags | imgui.InputTextFlags_.auto_select_all,)
        else:
            events = imgui.InputTextFlags_.callback_completion | imgui.InputTextFlags_.callback_always
            more = (flags | events, lambda data: self._help(data, complete))
        imgui.push_font(self.fonts.body, BODY)
        entered, text = imgui.input_text(f"##{name}.field", self._typing[1], *more)
        imgui.pop_font()
        self.places[name] = (x, y, width, height)
        self.pen.add_rect(
            (x, y + (height - 26.0) / 2), (x + width, y + (height + 26.0) / 2), self.colour("accent"), ROUND
        )
        self._typing = (name, text)
        ended = not self._focus and imgui.is_item_deactivated()
        left = imgui.is_key_pressed(imgui.Key.escape)
        self._focus = False
        imgui.set_cursor_screen_pos(here)
        if entered or ended:
            self._typing = None
            return None if left and not entered else text
        return None

    def _help(self, data, complete):
        if data.event_flag == imgui.InputTextFlags_.callback_completion:
            longer = complete(data.buf)
            if longer != data.buf:
                data.delete_chars(0, data.buf_text_len)
                data.insert_chars(0, longer)
        elif self._to_end:
            # A field that is given the keyboard selects all; a path is more often continued than replaced.
            self._to_end = False
            data.cursor_pos = data.buf_text_len
            data.clear_selection()
        return 0

    def number(self, identity, title, doc, value, *, unit="", whole=False, low=None, high=None, default=None):
        """A number without two ends: a field between a minus and a plus."""
        x, y, width, height = self.row(identity, title, doc)
        changed = self.stepper(identity, x, y, width, height, value, unit, whole, low, high)
        self.skip(height)
        return changed

    def stepper(self, identity, x, y, width, height, value, unit="", whole=False, low=None, high=None):
        self.box(x, y + 2.0, width, height - 4.0, "raised")
        step = 1 if whole else numbers.step(value)
        changed = None
        for sign, icon, place in ((-1, "minus", x), (1, "plus", x + width - 26.0)):
            clicked, hovered, _ = self.press(f"{identity}.{icon}", place, y + 2.0, 26.0, height - 4.0)
            self.text(place + 13.0, y + height / 2, ICONS[icon], "ink" if hovered else "muted", 9.0, align=0.5)
            if clicked:
                changed = value + sign * step
                changed = changed if low is None else max(changed, low)
                changed = changed if high is None else min(changed, high)
        text = numbers.shown(value, None, unit, whole)
        typed = self._value(identity, x + 26.0, y, width - 52.0, height, text, value, False, whole, 0.5)
        return changed if typed is None else typed

    def switch(self, identity, title, doc, value):
        """On or off; the whole row can be pressed."""
        x, y = self.at()
        clicked, hovered, _ = self.press(identity, x, y, self.width, ROW)
        self.hint(doc)
        self.text(x, y + ROW / 2, title, "ink" if hovered else "muted", width=self.width - 50.0)
        left, top = x + self.width - 34.0, round(y + ROW / 2) - 9.0
        self.box(left, top, 34.0, 18.0, "accent" if value else ("hovered" if hovered else "raised"), 9.0)
        knob = left + (25.0 if value else 9.0)
        self.pen.add_circle_filled((knob, top + 9.0), 6.0, self.colour("on_accent" if value else "muted"), 24)
        self.skip(ROW)
        return (not value) if clicked else None

    def choice(self, identity, title, doc, value, names):
        """One of a few names: segments where they fit, else a list that opens."""
        x, y, width, height = self.row(identity, title, doc)
        fits = len(names) <= 4 and all(self.measure(n, SMALL) + 12.0 <= width / len(names) for n in names)
        draw = self.segments if fits else self._list
        changed = draw(identity, x, y, width, height, value, names)
        self.skip(height)
        return changed

    def segments(self, identity, x, y, width, height, value, names):
        """Names side by side, one of them on."""
        self.box(x, y + 2.0, width, height - 4.0, "raised")
        each, changed = width / len(names), None
        for i, name in enumerate(names):
            left = x + i * each
            clicked, hovered, _ = self.press(f"{identity}.{name}", left, y + 2.0, each, height - 4.0)
            if name == value:
                self.box(left + 2.0, y + 4.0, each - 4.0, height - 8.0, "accent", ROUND - 1.0)
            elif hovered:
                self.box(left + 2.0, y + 4.0, each - 4.0, height - 8.0, "hovered", ROUND - 1.0)
            ink = "on_accent" if name == value else ("ink" if hovered else "muted")
            self.text(left + each / 2, y + height / 2, name, ink, SMALL, align=0.5, width=each - 4.0)
            if clicked and name != value:
                changed = name
        return changed

    def _list(self, identity, x, y, width, height, value, names):
        clicked, hovered, _ = self.press(identity, x, y + 2.0, width, height - 4.0)
        self.box(x, y + 2.0, width, height - 4.0, "hovered" if hovered else "raised")
        self.text(x + 10.0, y + height / 2, str(value), "ink", width=width - 34.0)
        self.text(x + width - 10.0, y + height / 2, ICONS["down"], "muted", 9.0, align=1.0)
        if clicked:
            imgui.open_popup(f"{identity}.list")
        changed, pen = None, self.pen
        rows = min(len(names), 9)
        tall = rows * 26.0 + 10.0
        # Upwards where there is no room below.
        below = y + height + tall <= imgui.get_io().display_size.y - 4.0
        imgui.set_next_window_pos((x, y + height if below else max(y - tall, 4.0)))
        imgui.set_next_window_size((width, tall))
        imgui.push_style_var(imgui.StyleVar_.window_padding, (5.0, 5.0))
        if imgui.begin_popup(f"{identity}.list"):
            self.pen = imgui.get_window_draw_list()
            for name in names:
                left, top = self.at()
                chosen, over, _ = self.press(f"{identity}.{name}", left, top, width - 10.0, 26.0)
                if over or name == value:
                    self.box(left, top, width - 10.0, 26.0, "hovered" if over else "raised", ROUND - 1.0)
                self.text(left + 8.0, top + 13.0, name, "accent" if name == value else "ink", width=width - 26.0)
                imgui.dummy((10.0, 26.0))
                if chosen:
                    changed = name if name != value else None
                    imgui.close_current_popup()
            if imgui.is_key_pressed(imgui.Key.escape):
                imgui.close_current_popup()
            imgui.end_popup()
        imgui.pop_style_var()
        self.pen = pen
        return changed

    def line(self, identity, title, doc, value):
        """A line of text."""
        x, y, width, height = self.row(identity, title, doc)
        name = f"{identity}.value"
        changed = None
        if self._typing and self._typing[0] == name:
            changed = self._field(name, x, y, width, height)
        else:
            clicked, hovered, _ = self.press(name, x, y + 2.0, width, height - 4.0)
            self.box(x, y + 2.0, width, height - 4.0, "hovered" if hovered else "raised")
            self.text(x + 8.0, y + height / 2, value, "ink", width=width - 16.0)
            if hovered:
                imgui.set_mouse_cursor(imgui.MouseCursor_.text_input)
            if clicked:
                self.type_number(name, value)
        self.skip(height)
        return changed

    def button(self, identity, x, y, width, text, *, key=None, icon=None, doc="", on=False, enabled=True, height=28.0):
        """A button with its key shown; returns True if pressed."""
        clicked, hovered, held = self.press(identity, x, y, width, height)
        self.hint(doc)
        hovered, clicked = hovered and enabled, clicked and enabled
        ground = "accent" if on else ("hovered" if hovered and not held else "raised")
        self.box(x, y, width, height, ground)
        ink = "on_accent" if on else ("ink" if enabled else "faint")
        middle = y + height / 2
        cap = self.measure(key_name(key), SMALL - 1) + 10.0 if key else 0.0
        if text:
            left = x + 10.0
            if icon:
                shade = ink if on else ("muted" if enabled else "faint")
                self.text(left, middle, ICONS[icon], "plus" if icon == "record" else shade, 11.0)
                left += 19.0
            room = x + width - 8.0 - (cap + 4.0 if cap else 0.0) - left
            if key or icon:
                self.text(left, middle, text, ink, width=room)
            else:
                self.text(x + width / 2, middle, text, ink, align=0.5, width=width - 12.0)
        elif icon:
            self.text(x + width / 2, middle, ICONS[icon], ink, 11.0, align=0.5)
        if key and text:
            place = x + width - cap - 6.0
            self.pen.add_rect((place, middle - 8), (place + cap, middle + 8), self.colour("faint"), 3.0)
            self.text(place + cap / 2, middle, key_name(key), "muted", SMALL - 1, align=0.5)
        return clicked

    def type_into(self, name, text):
        """Opens a field with a text; the next frame gives it the keyboard, its cursor at the end."""
        self.type_number(name, text)
        self._to_end = True

    def type_number(self, name, text):
        """Opens a field with all of its text selected, to be replaced by what is typed."""
        self._typing, self._focus, self._unseen = (name, text), True, 0

    def is_typing_in(self, name):
        return self._typing is not None and self._typing[0] == name

    def complain(self, text):
        """Tells a person of a mistake; whoever draws the panel takes it from `problem`."""
        self.problem = text

    def stop_typing(self):
        """Closes whatever field is open; what was typed is dropped."""
        self._typing = None

    @property
    def is_typing(self):
        return self._typing is not None

    def field(self, identity, x, y, width, height=ROW, complete=None):
        """A field opened by `type_into`; returns its text when it is finished, else None."""
        if not (self._typing and self._typing[0] == identity):
            return None
        return self._field(identity, x, y, width, height, complete)
