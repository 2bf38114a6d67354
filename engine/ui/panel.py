"""The panel: a scene's settings and actions as controls, group by group, and what every live view has besides."""

import re

from imgui_bundle import imgui

from engine.scene.data_settings import Network
from engine.scene.settings import GROUPS, Choice, Integer, Number, Switch, Text, is_data, settings
from engine.ui.control.transport import SPEEDS
from engine.ui.theme import MARGIN, SMALL, TITLE, WIDTH
from engine.ui.widgets import numbers
from engine.ui.widgets.diagram import DiagramView
from engine.ui.widgets.file_rows import file_row
from engine.ui.widgets.listing import ListingView
from engine.ui.widgets.matrix import Matrix
from engine.ui.widgets.unit_buttons import Press, UnitButtons
from engine.ui.widgets.wording import lines_of, titled

HEADINGS = {
    "shown": "What is shown",
    "how": "How it looks",
    "time": "Time",
    "camera": "Camera",
    "save": "Save",
}
# Whole numbers with more values than this are typed and stepped, not slid.
MANY = 1000
# Seconds a recording may be asked for.
LONGEST = 600.0


def slider_range(setting):
    """(low, high) a slider goes over, or None: its soft bounds, or its bounds."""
    for low, high in (getattr(setting, "softbounds", None) or (None, None), setting.bounds or (None, None)):
        if low is not None and high is not None:
            return low, high
    return None


def _is_meant(ask, setting, scene):
    """True for a setting that has a meaning now; one that cannot tell is shown."""
    return setting.when is None or bool(ask(lambda: setting.when(scene), True))


class Panel:
    """Draws the panel of one desk.

    desk    what the panel works on: scene, transport, moments, history, recording, notices, and the verbs assign,
            act, attempt, edited, load, reset_view, toggle_help, save_picture, record
    hover   engine.ui.control.hover.Hover
    """

    def __init__(self, desk, widgets, hover):
        self.desk, self.w = desk, widgets
        self.matrix = Matrix()
        press = Press(lambda units, shown: desk.attempt(lambda: units.put(shown)))
        self.buttons, self.diagram = UnitButtons(press, hover), DiagramView(press, hover)
        self.listing = ListingView(desk.attempt, hover)
        self.chooser = None
        self.is_open = True
        self.closed_groups = set()

    def draw(self, x, height, theme):
        """Draws at x, over the whole height, in logical pixels."""
        imgui.set_next_window_pos((x, 0.0))
        imgui.set_next_window_size((WIDTH, height))
        flags = (
            imgui.WindowFlags_.no_decoration | imgui.WindowFlags_.no_move | imgui.WindowFlags_.no_saved_settings
            | imgui.WindowFlags_.no_nav | imgui.WindowFlags_.no_bring_to_front_on_focus
        )  # fmt: skip
        imgui.begin("panel", None, flags)
        self.w.begin(theme, WIDTH - 2.0 * MARGIN)
        self.w.pen.add_line((x + 0.5, 0.0), (x + 0.5, height), self.w.colour("line"), 1.0)
        foot = self._foot(x, height)
        imgui.set_cursor_screen_pos((x, 0.0))
        no_bar = imgui.WindowFlags_.no_scrollbar if self.chooser else 0
        imgui.begin_child("panel.body", (WIDTH, height - foot), 0, no_bar)
        imgui.indent(MARGIN)
        pen, self.w.pen = self.w.pen, imgui.get_window_draw_list()
        if self.chooser is not None:
            if not self.chooser.draw(self.w, height - foot):
                self.chooser = None
        else:
            self._body()
        self.w.pen = pen
        imgui.unindent(MARGIN)
        imgui.end_child()
        imgui.end()
        if self.w.problem:
            self.desk.notices.wrong(self.w.problem)
            self.w.problem = None

    # The parts.

    def _body(self):
        self._head()
        scene = self.desk.scene
        known = settings(scene)
        ask, actions = self.desk.ask, list(self.desk.ask(scene.actions, ()))
        for group in GROUPS:
            mine = {n: s for n, s in known.items() if s.group == group and _is_meant(ask, s, scene)}
            verbs = [a for a in actions if a.group == group]
            if self.w.heading(f"group.{group}", HEADINGS[group], group not in self.closed_groups):
                self.closed_groups ^= {group}
            if group not in self.closed_groups:
                self._group(group, mine, verbs)
                self.w.skip(10.0)
            if group == "shown":
                self._listing()

    def _head(self):
        w, scene = self.w, self.desk.scene
        x, y = w.at()
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", type(scene).__name__)
        w.text(x, y + 30.0, titled(name.lower()), "ink", TITLE, bold=True, width=w.width - 70.0)
        if w.button("head.fold", x + w.width - 28.0, y + 16.0, 28.0, "", icon="right", doc="fold the panel; Tab"):
            self.is_open = False
        if w.button("head.help", x + w.width - 60.0, y + 16.0, 28.0, "", icon="help", doc="keys and mouse; h"):
            self.desk.toggle_help()
        w.skip(48.0)
        doc = (type(scene).__doc__ or "").strip().split("\n\n")[0].split("\n")
        if doc and doc[0]:
            w.wrapped(" ".join(line.strip() for line in doc), width=w.width - 4.0)
        w.skip(12.0)

    def _group(self, group, mine, verbs):
        """One group's controls: settings in their order, the scene's actions, and what comes by itself."""
        seeded = next((a for a in verbs if a.name == "randomize"), None) if "seed" in mine else None
        matrix_shown = False
        if group == "time":
            self._time()
        # The network and its weights come first: nothing above the matrix may appear or go while it is worked on.
        first = Network if self.desk.history is not None else ()
        places = {name: is_data(setting) - 2 * isinstance(setting, first) for name, setting in mine.items()}
        for name, setting in sorted(mine.items(), key=lambda item: places[item[0]]):
            self._setting(name, setting, seeded if name == "seed" else None)
            if isinstance(setting, Network) and not matrix_shown:
                matrix_shown = self._matrix()
        if group == "shown" and not matrix_shown:
            # A scene without a setting for it: after everything else.
            self._matrix()
        if group == "shown":
            self._units()
        self._verbs([a for a in verbs if a is not seeded])
        if group == "camera":
            self._buttons([("Reset view", "view as it was at the start", self.desk.reset_view, "r")])
        if group == "save":
            self._save()

    def _setting(self, name, setting, randomize=None):
        w, scene = self.w, self.desk.scene
        value, title, doc = getattr(scene, name), titled(setting.title), lines_of(setting)
        if isinstance(setting, Switch):
            new = w.switch(name, title, doc, value)
        elif isinstance(setting, Choice):
            new = w.choice(name, title, doc, value, setting.names_taken)
        elif is_data(setting):
            self.chooser = file_row(w, self.desk, name, setting, title, doc) or self.chooser
            return
        elif isinstance(setting, Integer):
            new = self._whole(name, setting, value, title, doc, randomize)
        elif isinstance(setting, Number):
            span = slider_range(setting)
            if span:
                # A typed value outside the slider's soft range is still shown at its end.
                log, unit = numbers.is_wide(*span), setting.unit
                new = w.slider(name, title, doc, value, *span, unit=unit, log=log, default=setting.default)
            else:
                low, high = setting.bounds or (None, None)
                new = w.number(name, title, doc, value, unit=setting.unit, low=low, high=high)
        elif isinstance(setting, Text):
            new = w.line(name, title, doc, value)
        else:
            return
        if new is not None:
            self.desk.assign(name, new)

    def _whole(self, name, setting, value, title, doc, randomize):
        w, span = self.w, slider_range(setting)
        low, high = setting.bounds or (None, None)
        if randomize is not None:
            x, y, width, height = w.row(name, title, doc)
            key = w.measure(randomize.key.upper(), SMALL) + 54.0 if randomize.key else 34.0
            new = w.stepper(name, x, y, width - key - 6.0, height, value, setting.unit, True, low, high)
            text = {"icon": "dice", "doc": f"{titled(randomize.doc)}.", "key": randomize.key}
            if w.button("act.randomize", x + width - key, y + 2.0, key, " ", **text, height=height - 4.0):
                self.desk.act(randomize)
            w.skip(height)
            return new
        if span and span[1] - span[0] <= MANY and name != "seed":
            return w.slider(name, title, doc, value, *span, unit=setting.unit, whole=True, default=setting.default)
        return w.number(name, title, doc, value, unit=setting.unit, whole=True, low=low, high=high)

    def _matrix(self):
        history = self.desk.history
        if history is None:
            return False
        self.matrix.classic = getattr(self.desk.scene, "look", None) == "classic"
        net = self.matrix.draw(self.w, history)
        if net is not None:
            self.desk.edited(net)
        return True

    def _units(self):
        units, diagram = (self.desk.ask(told) for told in (self.desk.scene.units, self.desk.scene.diagram))
        if units is not None or diagram is not None:
            self.w.skip(8.0)
        if units is not None:
            self.buttons.draw(self.w, units)
        if diagram is not None:
            self.diagram.draw(self.w, diagram, units)

    def _listing(self):
        """The scene's listing under a heading of its own."""
        listing = self.desk.ask(self.desk.scene.listing)
        if listing is None:
            return
        if self.w.heading("group.listing", listing.title, "listing" not in self.closed_groups):
            self.closed_groups ^= {"listing"}
        if "listing" not in self.closed_groups:
            self.listing.draw(self.w, listing)
            self.w.skip(10.0)

    def _verbs(self, verbs):
        self._buttons([(titled(a.name), f"{titled(a.doc)}.", lambda a=a: self.desk.act(a), a.key) for a in verbs])

    def _buttons(self, buttons):
        """Buttons as (text, doc, run, key), two beside each other where they fit."""
        w = self.w
        half = (w.width - 8.0) / 2.0
        for text, _, _, key in buttons:
            needs = w.measure(text) + (40.0 if key else 20.0)
            if needs > half:
                break
        else:
            for i in range(0, len(buttons), 2):
                x, y = w.at()
                for j, (text, doc, run, key) in enumerate(buttons[i : i + 2]):
                    if w.button(f"act.{text}", x + j * (half + 8.0), y + 3.0, half, text, key=key, doc=doc):
                        run()
                w.skip(34.0)
            return
        for text, doc, run, key in buttons:
            x, y = w.at()
            if w.button(f"act.{text}", x, y + 3.0, w.width, text, key=key, doc=doc):
                run()
            w.skip(34.0)

    def _time(self):
        w, transport = self.w, self.desk.transport
        x, y = w.at()
        icon = "pause" if transport.playing else "play"
        if w.button(
            "time.play", x, y + 3.0, 34.0, "", icon=icon, doc="play or pause; space", on=transport.playing, height=30.0
        ):
            self.desk.moments.toggle()
        span = transport.span
        where = w.scrubber("time.scrub", x + 46.0, y, w.width - 46.0 - 66.0, 36.0, transport.time, 0.0, span)
        if where is not None:
            transport.scrub(where)
        w.text(x + w.width, y + 18.0, f"{transport.time:.2f} s", "ink", align=1.0)
        w.skip(40.0)
        doc = "Seconds of the scene in a second of yours. Takes a number from 0.1 to 10."
        new = w.slider("time.speed", "Playback", doc, transport.speed, *SPEEDS, unit="x", log=True, default=1.0)
        if new is not None:
            try:
                transport.set_speed(float(new))
            except ValueError:
                self.desk.notices.wrong(f"{new}: playback takes a number from 0.1 to 10.")

    def _save(self):
        self._buttons(
            [
                (
                    "Save picture",
                    "the picture as PNG, with all that is needed to make it again",
                    self.desk.save_picture,
                    "F12",
                )
            ]
        )
        recording = self.desk.recording
        if recording is None:
            return
        w = self.w
        w.skip(4.0)
        new = w.choice(
            "record.format", "Format", "What the recording is saved as.", recording.format, list(recording.FORMATS)
        )
        if new is not None:
            recording.format = new
        seconds, doc = (
            recording.seconds(self.desk.transport.loop),
            f"How long. Takes a number from 0.1 to {LONGEST:g} s.",
        )
        new = w.slider("record.seconds", "Length", doc, seconds, 0.5, 20.0, unit="s", default=self.desk.transport.loop)
        if new is not None:
            recording.set_seconds(new, LONGEST, self.desk.notices.wrong)
        new = w.choice(
            "record.size",
            "Size",
            "Of the recorded frames: as the picture is now, or a standard one.",
            recording.size,
            recording.SIZES,
        )
        if new is not None:
            recording.size = new
        x, y = w.at()
        if recording.is_running:
            w.bar(x, y + 14.0, w.width - 138.0, 6.0, recording.part)
            w.text(x + w.width - 128.0, y + 17.0, f"{recording.done}/{recording.total}", "muted", SMALL)
            if w.button("record.cancel", x + w.width - 76.0, y + 3.0, 76.0, "Cancel", doc="nothing is left behind"):
                recording.cancel()
        elif w.button(
            "record.start", x, y + 3.0, w.width, "Record", icon="record", doc="from the start, in exact steps"
        ):
            self.desk.record()
        w.skip(40.0)

    def _foot(self, x, height):
        """The last problem, pinned to the bottom; returns how high it is."""
        problem = self.desk.notices.problem
        if not problem:
            return 0.0
        w = self.w
        lines = max(1, min(4, -(-int(w.measure(problem, SMALL) * 1.1) // int(w.width - 30.0))))
        tall = 20.0 + lines * SMALL * 1.4
        w.box(x + 1.0, height - tall, WIDTH - 1.0, tall, "raised", 0.0)
        w.box(x + 1.0, height - tall, 3.0, tall, "warn", 0.0)
        imgui.set_cursor_screen_pos((x + MARGIN, height - tall + 8.0))
        imgui.begin_group()
        w.wrapped(problem, "warn", SMALL, w.width - 26.0, most=4)
        imgui.end_group()
        if w.button(
            "problem.close", x + MARGIN + w.width - 18.0, height - tall + 6.0, 22.0, "", icon="close", height=22.0
        ):
            self.desk.notices.wrong(None)
        return tall
