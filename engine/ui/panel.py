"""The panel: a scene's settings and actions as controls, group by group, and the controls that every view has."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from imgui_bundle import imgui

from engine.scene.data_settings import Network
from engine.scene.settings import GROUPS, Choice, Integer, Number, Switch, Text, applies, is_data, settings
from engine.scene.view_data import Action
from engine.ui.control.pointer import Hover
from engine.ui.control.transport import SPEEDS
from engine.ui.draw_list import FIXED, Area
from engine.ui.theme import MARGIN, SMALL, TITLE, WIDTH
from engine.ui.widgets import numbers
from engine.ui.widgets.chooser import Chooser, file_row
from engine.ui.widgets.diagram import DiagramView
from engine.ui.widgets.listing import ListingView
from engine.ui.widgets.matrix import Matrix
from engine.ui.widgets.numbers import Scale, lines_of, titled
from engine.ui.widgets.setting import Widgets
from engine.ui.widgets.unit_buttons import Press, UnitButtons

HEADINGS = {
    "shown": "What is shown",
    "how": "How it looks",
    "time": "Time",
    "camera": "Camera",
    "save": "Save",
}
# Seconds of the longest recording that the panel offers.
LONGEST = 600.0
# The slider of the playback speed.
SPEED = Scale(*SPEEDS, "x", log=True, default=1.0)
# At most so many passes are listed under the switch that times them.
PASSES = 8


class Panel:
    """Draws the panel of one view.

    viewer   has scene, transport, history, recording, painter, notices, and the methods assign, run, query, edited,
             load, reset_view, toggle_help, save_picture, record
    """

    def __init__(self, viewer: Any, widgets: Widgets, hover: Hover):
        self.viewer, self.w = viewer, widgets
        self.matrix = Matrix(viewer.notices.show_problem)
        press = Press(lambda units, shown: viewer.run(lambda: units.put(shown)))
        self.buttons, self.diagram = UnitButtons(press, hover), DiagramView(press, hover)
        self.listing = ListingView(viewer.run, hover)
        self.chooser: Chooser | None = None
        self.is_open = True
        self.closed_groups: set[str] = set()
        # What is said of the settings of a class of scenes: (class, {name: (title, hint)}); param takes long to say it.
        self._words: tuple[type | None, dict[str, tuple[str, str]]] = None, {}

    def draw(self, x: float, height: float) -> None:
        """Draws at x, over the whole height, in logical pixels."""
        w = self.w
        with w.window("panel", x, 0.0, WIDTH, height, FIXED):
            w.width = WIDTH - 2.0 * MARGIN
            w.pen.add_line((x + 0.5, 0.0), (x + 0.5, height), w.colour("line"), 1.0)
            foot = self._foot(x, height)
            imgui.set_cursor_screen_pos((x, 0.0))
            no_bar = imgui.WindowFlags_.no_scrollbar if self.chooser else 0
            imgui.begin_child("panel.body", (WIDTH, height - foot), 0, no_bar)
            imgui.indent(MARGIN)
            with w.inner():
                if self.chooser is None:
                    self._body()
                elif not self.chooser.draw(w, height - foot):
                    self.chooser = None
            imgui.unindent(MARGIN)
            imgui.end_child()

    # The parts.

    def _body(self) -> None:
        self._head()
        scene, query = self.viewer.scene, self.viewer.query
        known = settings(scene)
        actions = list(query(scene.actions, ()))
        for group in GROUPS:
            # A setting whose `when` raises an error is shown.
            mine = {n: s for n, s in known.items()
                    if s.group == group and (s.when is None or query(partial(applies, n, s, scene), True))}  # fmt: skip
            if self._is_open(group, HEADINGS[group]):
                self._group(group, mine, [a for a in actions if a.group == group])
                self.w.take(10.0)
            listing = query(scene.listing) if group == "shown" else None
            if listing is not None and self._is_open("listing", listing.title):
                self.listing.draw(self.w, listing)
                self.w.take(10.0)

    def _is_open(self, group: str, title: str) -> bool:
        """Draws a heading; returns True if its group is open."""
        if self.w.heading(f"group.{group}", title, group not in self.closed_groups):
            self.closed_groups ^= {group}
        return group not in self.closed_groups

    def _head(self) -> None:
        w, scene = self.w, self.viewer.scene
        x, y = w.take(48.0)
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", type(scene).__name__)
        w.text(x, y + 30.0, titled(name.lower()), "text", TITLE, bold=True, width=w.width - 70.0)
        if w.button("head.fold", x + w.width - 28.0, y + 16.0, 28.0, "", icon="right", doc="fold the panel; Tab"):
            self.is_open = False
        if w.button("head.help", x + w.width - 60.0, y + 16.0, 28.0, "", icon="help", doc="keys and mouse; h"):
            self.viewer.toggle_help()
        doc = (type(scene).__doc__ or "").strip().split("\n\n")[0]
        if doc:
            w.wrapped(doc, width=w.width - 4.0)
        w.take(12.0)

    def _group(self, group: str, mine: dict[str, Any], actions: list[Action]) -> None:
        """One group's controls: its settings in order, the scene's actions, and the controls every view has there."""
        seeded = next((a for a in actions if a.name == "randomize"), None) if "seed" in mine else None
        matrix_shown = False
        if group == "time":
            self._time()
        # The network and its weights come first, so that nothing above the matrix moves it while weights are edited.
        first = Network if self.viewer.history is not None else ()
        places = {name: is_data(setting) - 2 * isinstance(setting, first) for name, setting in mine.items()}
        for name, setting in sorted(mine.items(), key=lambda item: places[item[0]]):
            self._setting(name, setting, seeded if name == "seed" else None)
            if isinstance(setting, Network) and not matrix_shown:
                matrix_shown = self._matrix()
        if group == "shown":
            if not matrix_shown:
                # A scene without a setting for its network shows the matrix after all settings.
                self._matrix()
            self._units()
        run = self.viewer.run
        rest = [a for a in actions if a is not seeded]
        self._buttons([(titled(a.name), f"{titled(a.doc)}.", partial(run, a.run), a.key) for a in rest])
        if group == "camera":
            self._buttons([("Reset view", "view as it was at the start", self.viewer.reset_view, "r")])
        if group == "save":
            self._save()

    def _setting(self, name: str, setting: Any, randomize: Action | None) -> None:
        w = self.w
        value, (title, doc) = getattr(self.viewer.scene, name), self._said(name, setting)
        new: Any = None
        if isinstance(setting, Switch):
            new = w.switch(name, title, doc, value)
        elif isinstance(setting, Choice):
            new = w.choice(name, title, doc, value, setting.names_taken)
        elif is_data(setting):
            self.chooser = file_row(w, self.viewer, name, setting, title, doc) or self.chooser
        elif isinstance(setting, Integer | Number):
            new = self._number(name, setting, value, title, doc, randomize)
        elif isinstance(setting, Text):
            new = w.line(name, title, doc, value)
        else:
            raise TypeError(f"Panel._setting has no control for {type(setting).__name__}.")
        if new is not None:
            self.viewer.assign(name, new)

    def _said(self, name: str, setting: Any) -> tuple[str, str]:
        kind = type(self.viewer.scene)
        if self._words[0] is not kind:
            self._words = kind, {}
        if name not in self._words[1]:
            self._words[1][name] = titled(setting.title), lines_of(setting)
        return self._words[1][name]

    def _number(self, name: str, setting: Any, value: float, title: str, doc: str, randomize: Action | None) -> Any:
        w, (slid, taken) = self.w, numbers.scales_of(setting)
        if randomize is not None:
            x, y, width, height = area = w.row(name, title, doc)
            key = w.measure(randomize.key.upper(), SMALL) + 54.0 if randomize.key else 34.0
            new = w.stepper(name, area._replace(width=width - key - 6.0), value, taken)
            doc = f"{titled(randomize.doc)}."
            if w.button("act.randomize", x + width - key, y + 2.0, key, " ", icon="dice", doc=doc, key=randomize.key,
                        height=height - 4.0):  # fmt: skip
                self.viewer.run(randomize.run)
            return new
        # A typed value outside the slider's range is shown at the slider's end.
        return w.number(name, title, doc, value, taken) if slid is None else w.slider(name, title, doc, value, slid)

    def _matrix(self) -> bool:
        history = self.viewer.history
        if history is None:
            return False
        self.matrix.classic = getattr(self.viewer.scene, "look", None) == "classic"
        net = self.matrix.draw(self.w, history)
        if net is not None:
            self.viewer.edited(net)
        return True

    def _units(self) -> None:
        units, diagram = (self.viewer.query(part) for part in (self.viewer.scene.units, self.viewer.scene.diagram))
        if units is not None or diagram is not None:
            self.w.take(8.0)
        if units is not None:
            self.buttons.draw(self.w, units)
        if diagram is not None:
            self.diagram.draw(self.w, diagram, units)

    def _buttons(self, buttons: list[tuple[str, str, Callable[[], object], str | None]]) -> None:
        """Draws buttons, given as (text, doc, run, key), two in a row where they fit."""
        w = self.w
        half = (w.width - 8.0) / 2.0
        two = all(w.measure(text) + (40.0 if key else 20.0) <= half for text, _, _, key in buttons)
        wide, columns = (half, 2) if two else (w.width, 1)
        for i in range(0, len(buttons), columns):
            x, y = w.take(34.0)
            for j, (text, doc, run, key) in enumerate(buttons[i : i + columns]):
                if w.button(f"act.{text}", x + j * (half + 8.0), y + 3.0, wide, text, key=key, doc=doc):
                    run()

    def _time(self) -> None:
        w, transport, notices = self.w, self.viewer.transport, self.viewer.notices
        x, y = w.take(40.0)
        icon, doc = "pause" if transport.playing else "play", "play or pause; space"
        if w.button("time.play", x, y + 3.0, 34.0, "", icon=icon, doc=doc, on=transport.playing, height=30.0):
            self.viewer.transport.toggle()
        area = Area(x + 46.0, y, w.width - 112.0, 36.0)
        where = w.scrubber("time.scrub", area, transport.time, Scale(0.0, transport.span))
        if where is not None:
            transport.scrub(where)
        w.text(x + w.width, y + 18.0, f"{transport.time:.2f} s", "text", align=1.0)
        doc = "Seconds of the scene in a second of yours. Takes a number from 0.1 to 10."
        new = w.slider("time.speed", "Playback", doc, transport.speed, SPEED)
        if new is not None:
            try:
                transport.set_speed(float(new))
            except ValueError:
                notices.show_problem(f"{new}: playback takes a number from 0.1 to 10.")

    def _passes(self) -> None:
        """A switch that times the picture's passes on the GPU, and the times measured."""
        w, painter = self.w, self.viewer.painter
        is_on = painter.renderer.times is not None
        new = w.switch("passes", "Pass times", "What each pass takes on the GPU. Takes on or off.", is_on)
        if new is not None:
            painter.time_passes(new)
            self.viewer.request()
        if not is_on:
            return
        if painter.timing_lack is not None:
            w.wrapped(painter.timing_lack, "warn")
        for row in (painter.passes or ())[:PASSES]:
            x, y = w.take(18.0)
            name = row.label if row.count == 1 else f"{row.label} × {row.count}"
            w.text(x, y + 9.0, name, "muted", SMALL, width=w.width - 80.0)
            w.text(x + w.width, y + 9.0, f"{row.seconds * 1e3:.3f} ms", "text", SMALL, align=1.0)

    def _save(self) -> None:
        w, viewer, recording = self.w, self.viewer, self.viewer.recording
        doc = "the picture as PNG, with all that is needed to make it again"
        self._buttons([("Save picture", doc, viewer.save_picture, "F12")])
        w.take(4.0)
        doc, formats = "What the recording is saved as.", recording.FORMATS
        recording.format = w.choice("record.format", "Format", doc, recording.format, formats) or recording.format
        loop, doc = viewer.transport.loop, f"How long. Takes a number from 0.1 to {LONGEST:g} s."
        new = w.slider("record.seconds", "Length", doc, recording.seconds(loop), Scale(0.5, 20.0, "s", default=loop))
        if new is not None:
            recording.set_seconds(new, LONGEST, viewer.notices.show_problem)
        doc = "Of the recorded frames: as the picture is now, or a standard one."
        recording.size = w.choice("record.size", "Size", doc, recording.size, recording.SIZES) or recording.size
        x, y = w.take(40.0)
        if recording.is_running:
            done, count = recording.progress
            w.bar(x, y + 14.0, w.width - 138.0, 6.0, done / count if count else 0.0)
            w.text(x + w.width - 128.0, y + 17.0, f"{done}/{count}", "muted", SMALL)
            if w.button("record.cancel", x + w.width - 76.0, y + 3.0, 76.0, "Cancel", doc="nothing is left behind"):
                recording.cancel()
        else:
            doc = "from the start, in exact steps"
            if w.button("record.start", x, y + 3.0, w.width, "Record", icon="record", doc=doc):
                viewer.record()
        if viewer.live:
            # Only a live view has the switch that times passes.
            self._passes()

    def _foot(self, x: float, height: float) -> float:
        """Draws the last problem at the panel's bottom; returns its height."""
        problem = self.viewer.notices.problem
        if not problem:
            return 0.0
        w = self.w
        lines = max(1, min(4, -(-int(w.measure(problem, SMALL) * 1.1) // int(w.width - 30.0))))
        tall = 20.0 + lines * SMALL * 1.4
        top, left = height - tall, x + MARGIN
        w.box(x + 1.0, top, WIDTH - 1.0, tall, "raised", 0.0)
        w.box(x + 1.0, top, 3.0, tall, "warn", 0.0)
        imgui.set_cursor_screen_pos((left, top + 8.0))
        imgui.begin_group()
        w.wrapped(problem, "warn", SMALL, w.width - 26.0, most=4)
        imgui.end_group()
        if w.button("problem.close", left + w.width - 18.0, top + 6.0, 22.0, "", icon="close", height=22.0):
            self.viewer.notices.show_problem(None)
        return tall
