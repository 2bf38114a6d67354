"""A page of the panel for choosing a file to load, or a name to save under."""

from pathlib import Path

from imgui_bundle import imgui

from engine.ui.draw_list import ICONS
from engine.ui.theme import ROW, SMALL, TITLE
from engine.ui.widgets.files import completed, entries

FIELD = "chooser.path"


class Chooser:
    """Shows one folder at a time: its folders, and its files of the formats that fit.

    title        `Load a network`
    extensions   what is listed
    take         function of the chosen path as text; what it raises is its caller's to show
    folder       where to begin
    name         what to save under, or None to load
    """

    def __init__(self, title, extensions, take, folder=None, name=None):
        self.title, self.extensions, self.take, self.name = title, tuple(extensions), take, name
        self.problem = None
        self._visited(Path(folder or Path.cwd()))

    @property
    def saves(self):
        return self.name is not None

    def _visited(self, folder):
        try:
            self.entries = entries(folder, self.extensions)
            self.folder, self.problem = folder, None
        except OSError as error:
            self.problem = f"{folder}: {error.strerror}"
            self.folder, self.entries = getattr(self, "folder", folder), getattr(self, "entries", [])
        self._fresh = True

    def draw(self, w, height):
        """Draws the page with Widgets; returns False when it is to be closed."""
        if self._fresh:
            start = self.folder / self.name if self.saves else f"{self.folder}/".replace("//", "/")
            w.type_into(FIELD, str(start))
            self._fresh = False
        x, y = w.at()
        w.text(x, y + 30.0, self.title, size=TITLE, bold=True)
        closed = w.button(
            "chooser.close", x + w.width - 28.0, y + 16.0, 28.0, "", icon="close", doc="back to the panel"
        )
        w.skip(54.0)
        x, y = w.at()
        if not w.is_typing and not imgui.is_mouse_down(0):
            w.type_into(FIELD, str(self.folder))
        finished = w.field(FIELD, x, y, w.width, complete=self._complete)
        w.skip(ROW + 2.0)
        kinds = ", ".join(self.extensions)
        note = f"{kinds}; Tab completes, Enter {'saves' if self.saves else 'loads'}"
        w.wrapped(self.problem or note, "warn" if self.problem else "muted")
        w.skip(6.0)
        if imgui.is_key_pressed(imgui.Key.escape) or closed:
            w.stop_typing()
            return False
        if finished is not None and imgui.is_key_pressed(imgui.Key.enter):
            return self._enter(finished)
        return self._list(w, height)

    def _complete(self, text):
        longer = completed(text, self.extensions)
        if Path(longer).is_dir():
            self._visited(Path(longer).expanduser())
            # The list follows, the field keeps what is typed.
            self._fresh = False
        return longer

    def _list(self, w, height):
        x, y = w.at()
        imgui.begin_child("chooser.list", (w.width + 12.0, max(height - 160.0, 80.0)))
        pen, w.pen = w.pen, imgui.get_window_draw_list()
        still = True
        if self.folder.parent != self.folder and self._line(w, "..", "up", "", "up"):
            self._visited(self.folder.parent)
        for entry in self.entries:
            if self._line(w, entry.name, entry.name, entry.note, "folder" if entry.is_folder else "file"):
                if entry.is_folder:
                    self._visited(self.folder / entry.name)
                elif self.saves:
                    self.name, self._fresh = entry.name, True
                else:
                    still = self._enter(str(self.folder / entry.name))
                break
        if not self.entries:
            x, y = w.at()
            w.text(x + 8.0, y + 14.0, "nothing here that fits", "faint", SMALL)
        w.pen = pen
        imgui.end_child()
        return still

    def _line(self, w, name, identity, note, icon):
        x, y = w.at()
        clicked, hovered, _ = w.press(f"chooser.{identity}", x, y, w.width, 26.0)
        if hovered:
            w.box(x, y, w.width, 26.0, "raised")
        w.text(x + 16.0, y + 13.0, ICONS[icon], "accent" if icon == "folder" else "muted", 11.0, align=0.5)
        room = w.measure(note, SMALL) + 16.0
        w.text(x + 32.0, y + 13.0, name, "ink", width=w.width - 32.0 - room)
        w.text(x + w.width - 8.0, y + 13.0, note, "faint", SMALL, align=1.0)
        w.skip(26.0)
        return clicked

    def _enter(self, text):
        path = Path(text).expanduser()
        if path.is_dir():
            self._visited(path)
            return True
        # Loading may be told activations after a colon, so the path itself need not exist.
        self.problem = self.take(str(path))
        self._fresh = self.problem is not None
        if self._fresh:
            self.folder = path.parent if path.parent.is_dir() else self.folder
            self.name = path.name if self.saves else None
        return self.problem is not None
