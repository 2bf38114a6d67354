"""What is drawn over the picture: help, readings at the pointer or a pin, the status, handles of folded parts."""

from collections.abc import Sequence

from imgui_bundle import imgui

from engine.scene.view_data import Action, Reading
from engine.ui.theme import BODY, MARGIN, SMALL, TITLE
from engine.ui.widgets.setting import Widgets

MOUSE = (
    ("left drag", {"orbit": "turn", "pan_zoom": "pan"}),
    ("right drag, middle drag, shift + left drag", {"orbit": "pan", "pan_zoom": "pan"}),
    ("wheel", {"orbit": "zoom at the pointer", "pan_zoom": "zoom at the pointer"}),
    ("double click", {"orbit": "centre on the surface", "pan_zoom": "centre here"}),
)
KEYS = (
    (" ", "play or pause"),
    ("r", "reset the view"),
    ("Tab", "fold or open the panel"),
    ("F12", "save the picture"),
    ("h", "this help"),
    ("q", "quit"),
    ("Escape", "close what is open, or quit"),
)
UNDO = (("ctrl Z", "undo a weight's change"), ("ctrl Y", "do it again"))
PANEL = (
    ("a number, ctrl + click or double click a slider", "type a value"),
    ("shift + drag a slider", "ten times finer"),
    ("right click a slider", "back to its default"),
)
# Further rows of the help, for the parts that not every scene has.
WEIGHTS = (
    ("wheel over a weight", "change by 0.15, up to ±1"),
    ("drag a weight up or down", "change smoothly, shift finer"),
    ("ctrl with either", "beyond ±1"),
    ("double click a weight", "zero it"),
    ("click a weight", "type its value"),
)
UNITS = (
    ("click a unit, or a node of the diagram", "show or hide it"),
    ("shift + click or double click it", "it alone, then all again"),
    ("drag over units", "show or hide several"),
)
TIMELINE = (
    ("press or drag in the timeline", "go to a snapshot"),
    ("wheel over it", "one snapshot on or back"),
)


# Windows that take no events and have no background.
PASSIVE = (
    imgui.WindowFlags_.no_inputs | imgui.WindowFlags_.no_background | imgui.WindowFlags_.no_nav
    | imgui.WindowFlags_.no_focus_on_appearing
)  # fmt: skip
# Logical pixels below the picture in which the status line stands; in a window lower than this it is over the picture.
STATUS, LOW = 24.0, 240.0
Size = tuple[float, float]  # (width, height) of the picture, in logical pixels


def help_card(w: Widgets, size: Size, view: str, actions: Sequence[Action], parts: Sequence[tuple] = ()) -> None:
    """All keys and gestures, over a dimmed picture.

    view       how the mouse moves the scene's camera: orbit or pan_zoom
    actions    those with keys are listed
    parts      those of WEIGHTS, UNITS and TIMELINE that the scene has
    """
    width, height = size
    with w.window("help", 0.0, 0.0, width, height, PASSIVE):
        w.box(0.0, 0.0, width, height, "veil", 0.0)
        # If two actions have the same key, the first one runs, so only its text is listed.
        known = {a.key: a.doc for a in reversed(actions) if a.key and a.doc}
        undo = UNDO if WEIGHTS in parts else ()
        keys = [*KEYS[:-1], *undo, KEYS[-1], *((a.key, known.pop(a.key)) for a in actions if a.key in known)]
        mouse = [(gesture, words[view]) for gesture, words in MOUSE]
        panel = [*PANEL, *(row for part in parts for row in part)]
        two = width >= 640.0
        rows = max(len(keys), len(mouse) + len(panel) + 2) if two else len(keys) + len(mouse) + len(panel) + 4
        line = max(min(27.0, (height - 120.0) / (rows + (not two))), 15.0)
        font = min(BODY, line * 0.62)
        wide, tall = min(width - 24.0, 780.0 if two else 420.0), min(height - 16.0, 74.0 + (rows + 1) * line)
        x, y = (width - wide) / 2, (height - tall) / 2
        w.card(x, y, wide, tall)
        w.text(x + 26.0, y + 34.0, "Keys and mouse", "text", TITLE, bold=True)
        w.text(x + wide - 26.0, y + 34.0, "h or Esc closes", "faint", SMALL, align=1.0)
        column = (wide - 52.0) * (0.40 if two else 1.0)
        top = at = y + 66.0 + line / 2
        for key, words in keys:
            caps = key.split(" ") if len(key) > 1 else [key]
            cap = sum(
                w.keycap(x + 26.0 + i * 40.0, at, part, min(SMALL, font), min(22.0, line - 2.0))
                for i, part in enumerate(caps)
            )
            w.text(x + 26.0 + max(cap + 14.0, 92.0), at, words, "muted", font, width=column - 100.0)
            at += line
        right, at = (x + 26.0 + column + 20.0, top) if two else (x + 26.0, at + line * 0.5)
        room = x + wide - 26.0 - right
        for title, gestures in (("In the picture", mouse), ("In the panel", panel)):
            w.text(right, at, title, "text", font, bold=True)
            at += line
            for gesture, words in gestures:
                words = w.fitted(words, room * 0.5, font)
                w.text(right, at, gesture, "muted", font, width=room - w.measure(words, font) - 10.0)
                w.text(right + room, at, words, "text", font, align=1.0)
                at += line
            at += line * 0.4


def reading(w: Widgets, size: Size, place: tuple[float, float], reading: Reading, name: str) -> None:
    """A small card beside a place: what the scene reports there. `name` is that of the card's imgui window."""
    with w.window(name, 0.0, 0.0, *size, PASSIVE):
        names, values = w.widest(n for n, _ in reading.rows), w.widest(v for _, v in reading.rows)
        wide = max(w.measure(reading.title, BODY, True), names + 14.0 + values) + 24.0
        tall = 30.0 + 18.0 * len(reading.rows) + 6.0 * bool(reading.rows)
        x, y = place[0] + 16.0, place[1] + 18.0
        # On the side of the pointer that has room; never under it.
        if x + wide > size[0] - 6.0:
            x = place[0] - wide - 12.0
        if y + tall > size[1] - 6.0:
            y = place[1] - tall - 12.0
        x, y = max(x, 6.0), max(y, 6.0)
        w.card(x, y, wide, tall)
        w.text(x + 12.0, y + 16.0, reading.title, "text", BODY, bold=True)
        for i, (row, value) in enumerate(reading.rows):
            at = y + 38.0 + 18.0 * i
            w.text(x + 12.0, at, row, "muted", SMALL)
            w.text(x + wide - 12.0, at, value.replace("-", "−"), "text", SMALL, align=1.0)


def pinned(w: Widgets, size: Size, place: tuple[float, float], of: Reading) -> None:
    """The card of a pinned place, and a mark at that place."""
    with w.window("pin", 0.0, 0.0, *size, PASSIVE):
        w.pen.add_circle(place, 5.5, w.colour("card"), 0, 3.5)
        w.pen.add_circle(place, 5.5, w.colour("text"), 0, 1.5)
    reading(w, size, place, of, "pinned")


def status(w: Widgets, top: float, width: float, text: str, message: str | None) -> None:
    """One line, STATUS high: the message, then the text."""
    with w.window("status", 0.0, top, width, STATUS, PASSIVE):
        w.box(0.0, top, width, STATUS, "panel", 0.0)
        x, y, room = MARGIN - 6.0, top + STATUS / 2, width - 2 * (MARGIN - 6.0)
        if message:
            message = w.fitted(message, room, SMALL)
            w.text(x, y, message, "text", SMALL)
            wide = w.measure(message, SMALL) + 16.0
            x, room = x + wide, room - wide
        if room > 60.0:
            w.text(x, y, w.fitted(text, room, SMALL), "muted", SMALL)


def unfold(w: Widgets, size: Size, below: bool = False) -> bool:
    """The handle of the folded panel, or with `below` of the folded timeline; returns True if it was pressed."""
    x, y = size[0] - 40.0, size[1] - 40.0 if below else 10.0
    name, icon, doc = ("unfold.timeline", "up", "the timeline; t") if below else ("unfold", "bars", "the panel; Tab")
    with w.window(name, x, y, 32.0, 30.0, imgui.WindowFlags_.no_background):
        pressed = w.button(name, x, y, 30.0, "", icon=icon, doc=f"open {doc}")
    return pressed
