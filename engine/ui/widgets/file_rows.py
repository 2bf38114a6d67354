"""Rows of the panel for settings that come from files: what is shown, and buttons to load, save and leave it."""

from engine.ui.theme import GAP, LABEL, ROW, SMALL
from engine.ui.widgets.chooser import Chooser
from engine.ui.widgets.wording import titled

CLOSE = 28.0


def file_row(w, desk, name, setting, title, doc):
    """Draws the row of a Network, a Training or an Image; returns the Chooser to open, or None.

    desk   gives scene, load, assign, ask and notices
    """
    own = getattr(desk.scene, name)
    shown = desk.ask(lambda: desk.scene.shown_data(name)) if own is None else own
    x, y, width, height = w.row(name, title, doc, 42.0 if shown is not None else ROW)
    if shown is None:
        w.text(x, y + height / 2, "none", "faint")
    else:
        who, size = setting.lines(shown)
        w.text(x, y + 13.0, who if own is not None else "the scene's own", "ink", width=width)
        w.text(x, y + 31.0, size.replace(",", ", "), "muted", SMALL, width=width)
    w.skip(height)
    return _buttons(w, desk, name, setting, own, shown)


def _buttons(w, desk, name, setting, own, shown):
    x, y = w.at()
    x += LABEL + GAP
    room = w.width - LABEL - GAP - (CLOSE + 8.0) * (own is not None)
    each = (room - 8.0) / 2.0 if setting.saved_as else room
    noun, opened = setting.noun.split(" ", 1)[1], None
    if w.button(f"{name}.load", x, y + 1.0, each, "Load…", doc=f"{titled(setting.taken())}."):
        opened = Chooser(f"Load {setting.noun}", setting.endings, lambda path: desk.load(name, path))
    if setting.saved_as:
        doc = f"the {noun} shown, as " + " or ".join(setting.saved_as)
        if w.button(f"{name}.save", x + each + 8.0, y + 1.0, each, "Save…", doc=doc, enabled=shown is not None):
            take = lambda path: desk.notices.attempt(lambda: setting.save(shown, path), f"saved {path}")
            stem = noun.rsplit(" ", 1)[-1]
            opened = Chooser(f"Save the {noun}", setting.saved_as, take, name=f"{stem}.safetensors")
    if own is not None:
        doc = "back to what the scene shows without it"
        if w.button(f"{name}.none", x + room + 8.0, y + 1.0, CLOSE, "", icon="close", doc=doc):
            desk.assign(name, None)
    w.skip(ROW + 6.0)
    return opened
