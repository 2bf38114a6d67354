"""What lies over the picture for a moment: help, the reading at the pointer, the status, the folded panel's handle."""

from imgui_bundle import imgui

from engine.ui.theme import BODY, MARGIN, ROUND, SMALL, TITLE

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
# What more there is to do, by the part a scene has.
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


def pane(name, x, y, width, height):
    """Begins a window without ground or frame that takes no events."""
    imgui.set_next_window_pos((x, y))
    imgui.set_next_window_size((max(width, 1.0), max(height, 1.0)))
    flags = (
        imgui.WindowFlags_.no_decoration | imgui.WindowFlags_.no_inputs | imgui.WindowFlags_.no_background
        | imgui.WindowFlags_.no_saved_settings | imgui.WindowFlags_.no_nav | imgui.WindowFlags_.no_focus_on_appearing
    )  # fmt: skip
    imgui.begin(name, None, flags)


def card(w, x, y, width, height):
    w.box(x, y, width, height, "card", ROUND + 2.0)
    w.pen.add_rect((x, y), (x + width, y + height), w.colour("line"), ROUND + 2.0)


def help_card(w, theme, viewport, view, actions, parts=()):
    """All keys and gestures, over a dimmed picture.

    viewport   (x, y, width, height) of the picture
    view       the scene's: orbit or pan_zoom
    actions    Actions; those with keys are listed
    parts      which of WEIGHTS, UNITS and TIMELINE there are
    """
    left, top, width, height = viewport
    pane("help", left, top, width, height)
    w.begin(theme, width)
    w.box(left, top, width, height, "veil", 0.0)
    # Where two have one key, the first answers to it.
    known = {a.key: a.doc for a in reversed(actions) if a.key and a.doc}
    keys = [
        *KEYS[:-1],
        *(UNDO if WEIGHTS in parts else ()),
        KEYS[-1],
        *((a.key, known.pop(a.key)) for a in actions if a.key in known),
    ]
    mouse = [(gesture, told[view]) for gesture, told in MOUSE]
    panel = [*PANEL, *(row for part in parts for row in part)]
    two = width >= 640.0
    line = min(
        27.0,
        (height - 120.0)
        / (max(len(keys), len(mouse) + len(panel) + 2) if two else len(keys) + len(mouse) + len(panel) + 5),
    )
    line = max(line, 15.0)
    size = min(BODY, line * 0.62)
    rows = max(len(keys), len(mouse) + len(panel) + 2) if two else len(keys) + len(mouse) + len(panel) + 4
    wide, tall = min(width - 24.0, 780.0 if two else 420.0), min(height - 16.0, 74.0 + (rows + 1) * line)
    x, y = left + (width - wide) / 2, top + (height - tall) / 2
    card(w, x, y, wide, tall)
    w.text(x + 26.0, y + 34.0, "Keys and mouse", "ink", TITLE, bold=True)
    w.text(x + wide - 26.0, y + 34.0, "h or Esc closes", "faint", SMALL, align=1.0)
    column = (wide - 52.0) * (0.40 if two else 1.0)
    at = y + 66.0 + line / 2
    for key, told in keys:
        cap = sum(
            w.keycap(x + 26.0 + i * 40.0, at, part, min(SMALL, size), min(22.0, line - 2.0))
            for i, part in enumerate(key.split(" ") if len(key) > 1 else [key])
        )
        w.text(x + 26.0 + max(cap + 14.0, 92.0), at, told, "muted", size, width=column - 100.0)
        at += line
    right = x + 26.0 + column + 20.0 if two else x + 26.0
    at = y + 66.0 + line / 2 if two else at + line * 0.5
    room = x + wide - 26.0 - right
    for title, rows in (("In the picture", mouse), ("In the panel", panel)):
        w.text(right, at, title, "ink", size, bold=True)
        at += line
        for gesture, told in rows:
            told = w.fitted(told, room * 0.5, size)
            w.text(right, at, gesture, "muted", size, width=room - w.measure(told, size) - 10.0)
            w.text(right + room, at, told, "ink", size, align=1.0)
            at += line
        at += line * 0.4
    imgui.end()


def readout(w, theme, viewport, pointer, reading):
    """A small card beside the pointer: what the scene says of the place under it."""
    _told(w, theme, viewport, pointer, reading, "readout")


def _told(w, theme, viewport, pointer, reading, name):
    left, top, width, height = viewport
    pane(name, left, top, width, height)
    w.begin(theme, width)
    names = max((w.measure(n, SMALL) for n, _ in reading.rows), default=0.0)
    values = max((w.measure(v, SMALL) for _, v in reading.rows), default=0.0)
    wide = max(w.measure(reading.title, BODY, True), names + 14.0 + values) + 24.0
    tall = 30.0 + 18.0 * len(reading.rows) + (6.0 if reading.rows else 0.0)
    x, y = pointer[0] + 16.0, pointer[1] + 18.0
    # Beside the pointer on the side that has room; never under it.
    if x + wide > left + width - 6.0:
        x = pointer[0] - wide - 12.0
    if y + tall > top + height - 6.0:
        y = pointer[1] - tall - 12.0
    x, y = max(x, left + 6.0), max(y, top + 6.0)
    card(w, x, y, wide, tall)
    w.text(x + 12.0, y + 16.0, reading.title, "ink", BODY, bold=True)
    for i, (name, value) in enumerate(reading.rows):
        at = y + 38.0 + 18.0 * i
        w.text(x + 12.0, at, name, "muted", SMALL)
        w.text(x + wide - 12.0, at, value.replace("-", "−"), "ink", SMALL, align=1.0)
    imgui.end()


def pinned(w, theme, viewport, place, reading):
    """The card of a pinned place, and a mark where that is."""
    left, top, width, height = viewport
    pane("pin", left, top, width, height)
    w.begin(theme, width)
    x, y = place
    w.pen.add_circle((x, y), 5.5, w.colour("card"), 0, 3.5)
    w.pen.add_circle((x, y), 5.5, w.colour("ink"), 0, 1.5)
    imgui.end()
    _told(w, theme, viewport, place, reading, "pinned")


def status(w, theme, viewport, text, message):
    """One quiet line at the picture's bottom left; the message before the facts."""
    left, top, width, height = viewport
    pane("status", left, top + height - 34.0, width, 34.0)
    w.begin(theme, width)
    y = top + height - 18.0
    x = left + MARGIN - 6.0
    room = width - 2 * (MARGIN - 6.0)
    if message:
        message = w.fitted(message, room - 16.0, SMALL)
        wide = w.measure(message, SMALL) + 16.0
        w.box(x - 2.0, y - 11.0, wide, 22.0, "card", 4.0)
        w.text(x + 6.0, y, message, "ink", SMALL)
        x, room = x + wide + 8.0, room - wide - 8.0
    if room > 60.0:
        text = w.fitted(text, room, SMALL)
        # A soft ground in the picture's own colour keeps it readable where the subject reaches down here.
        w.box(x - 6.0, y - 10.0, w.measure(text, SMALL) + 12.0, 20.0, "veil", 4.0)
        w.text(x, y, text, "muted", SMALL)
    imgui.end()


def unfold(w, theme, viewport, below=False):
    """A folded part's handle: the panel's, or with `below` the timeline's; returns True if it was pressed."""
    left, top, width, height = viewport
    x, y = left + width - 40.0, top + (height - 40.0 if below else 10.0)
    name, icon, doc = ("unfold.timeline", "up", "the timeline; t") if below else ("unfold", "bars", "the panel; Tab")
    imgui.set_next_window_pos((x, y))
    imgui.set_next_window_size((32.0, 30.0))
    flags = imgui.WindowFlags_.no_decoration | imgui.WindowFlags_.no_background | imgui.WindowFlags_.no_saved_settings
    imgui.begin(name, None, flags)
    w.begin(theme, 32.0)
    pressed = w.button(name, x, y, 30.0, "", icon=icon, doc=f"open {doc}")
    imgui.end()
    return pressed
