"""Settings that come from files: their rows in the panel, and the page that chooses a file to load or to save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from imgui_bundle import imgui

from engine.ui.draw_list import ICONS, Area
from engine.ui.theme import ROW, SMALL, TITLE
from engine.ui.widgets.files import FolderEntry, completed, entries
from engine.ui.widgets.numbers import titled
from engine.ui.widgets.setting import Widgets

FIELD = "chooser.path"
# Pixels of a line of the list, and of a row's cross.
LINE, CLOSE = 26.0, 28.0


class Chooser:
    """Shows one folder at a time: its folders, and its files with a listed extension.

    title        `Load a network`
    extensions   of the files that are listed
    take         function of the chosen path as text; returns an error's text, or None
    name         the file name to save under at first; None to load
    """

    def __init__(
        self, title: str, extensions: Sequence[str], take: Callable[[str], str | None], *, name: str | None = None
    ):
        self.title, self.extensions, self.take, self.name = title, tuple(extensions), take, name
        self.problem: str | None = None
        self.folder, self.entries = Path.cwd(), list[FolderEntry]()
        self._visit(self.folder)

    def _visit(self, folder: Path) -> None:
        try:
            self.entries = entries(folder, self.extensions)
            self.folder, self.problem = folder, None
        except OSError as error:
            self.problem = f"{folder}: {error.strerror}"
        self._fresh = True

    def draw(self, w: Widgets, height: float) -> bool:
        """Draws the page with Widgets; returns False when it should be closed."""
        if self._fresh:
            w.type_over(FIELD, f"{self.folder}/".replace("//", "/") + (self.name or ""), to_end=True)
            self._fresh = False
        x, y = w.take(54.0)
        w.text(x, y + 30.0, self.title, size=TITLE, bold=True)
        closed = w.button(
            "chooser.close", x + w.width - 28.0, y + 16.0, 28.0, "", icon="close", doc="back to the panel"
        )
        x, y = w.take(ROW + 2.0)
        if not w.is_typing and not imgui.is_mouse_down(0):
            w.type_over(FIELD, str(self.folder), to_end=True)
        finished = w.field(FIELD, Area(x, y, w.width, ROW), self._complete)
        kinds = ", ".join(self.extensions)
        note = f"{kinds}; Tab completes, Enter {'saves' if self.name is not None else 'loads'}"
        w.wrapped(self.problem or note, "warn" if self.problem else "muted")
        w.take(6.0)
        if imgui.is_key_pressed(imgui.Key.escape) or closed:
            w.stop_typing()
            return False
        if finished is not None and imgui.is_key_pressed(imgui.Key.enter):
            return self._enter(finished)
        return self._list(w, height)

    def _complete(self, text: str) -> str:
        longer = completed(text, self.extensions)
        if Path(longer).is_dir():
            self._visit(Path(longer).expanduser())
            # The list shows the typed folder; the field is left as it was typed.
            self._fresh = False
        return longer

    def _list(self, w: Widgets, height: float) -> bool:
        still = True
        with w.scrolled("chooser.list", max(height - 160.0, 80.0)):
            if self.folder.parent != self.folder and self._line(w, "..", "up", "", "up"):
                self._visit(self.folder.parent)
            for entry in self.entries:
                if self._line(w, entry.name, entry.name, entry.note, "folder" if entry.is_folder else "file"):
                    if entry.is_folder:
                        self._visit(self.folder / entry.name)
                    elif self.name is not None:
                        self.name, self._fresh = entry.name, True
                    else:
                        still = self._enter(str(self.folder / entry.name))
                    break
            if not self.entries:
                x, y = w.take(LINE)
                w.text(x + 8.0, y + 14.0, "nothing here that fits", "faint", SMALL)
        return still

    def _line(self, w: Widgets, name: str, identity: str, note: str, icon: str) -> bool:
        x, y = w.take(LINE)
        clicked, hovered, _ = w.press(f"chooser.{identity}", x, y, w.width, LINE)
        if hovered:
            w.box(x, y, w.width, LINE, "raised")
        w.text(x + 16.0, y + 13.0, ICONS[icon], "accent" if icon == "folder" else "muted", 11.0, align=0.5)
        room = w.measure(note, SMALL) + 16.0
        w.text(x + 32.0, y + 13.0, name, "text", width=w.width - 32.0 - room)
        w.text(x + w.width - 8.0, y + 13.0, note, "faint", SMALL, align=1.0)
        return clicked

    def _enter(self, text: str) -> bool:
        path = Path(text).expanduser()
        if path.is_dir():
            self._visit(path)
            return True
        # A path to load may end in a colon and activations, so it need not exist as it is.
        self.problem = self.take(str(path))
        self._fresh = self.problem is not None
        if self._fresh:
            self.folder = path.parent if path.parent.is_dir() else self.folder
            self.name = path.name if self.name is not None else None
        return self.problem is not None


def file_row(w: Widgets, viewer: Any, name: str, setting: Any, title: str, doc: str) -> Chooser | None:
    """Draws the row of a setting that comes from a file; returns the Chooser to open, or None.

    viewer   has scene, load, assign, query and notices
    """
    own = getattr(viewer.scene, name)
    shown = viewer.query(partial(viewer.scene.shown_data, name)) if own is None else own
    area = w.row(name, title, doc, 42.0 if shown is not None else ROW)
    x, y, width, _ = area
    if shown is None:
        w.text(x, area.middle, "none", "faint")
    else:
        who, size = setting.lines(shown)
        w.text(x, y + 13.0, who if own is not None else "the scene's own", "text", width=width)
        w.text(x, y + 31.0, size.replace(",", ", "), "muted", SMALL, width=width)
    _, y = w.take(ROW + 6.0)
    room = width - (CLOSE + 8.0) * (own is not None)
    each = (room - 8.0) / 2.0 if setting.saved_as else room
    noun, opened = setting.noun.split(" ", 1)[1], None
    if w.button(f"{name}.load", x, y + 1.0, each, "Load…", doc=f"{titled(setting.taken())}."):
        opened = Chooser(f"Load {setting.noun}", setting.endings, lambda path: viewer.load(name, path))
    if setting.saved_as:
        doc = f"the {noun} shown, as " + " or ".join(setting.saved_as)
        if w.button(f"{name}.save", x + each + 8.0, y + 1.0, each, "Save…", doc=doc, enabled=shown is not None):
            take = lambda path: viewer.notices.run(lambda: setting.save(shown, path), f"saved {path}")
            stem = noun.rsplit(" ", 1)[-1]
            opened = Chooser(f"Save the {noun}", setting.saved_as, take, name=f"{stem}.safetensors")
    if own is not None:
        doc = "back to what the scene shows without it"
        if w.button(f"{name}.none", x + room + 8.0, y + 1.0, CLOSE, "", icon="close", doc=doc):
            viewer.assign(name, None)
    return opened
