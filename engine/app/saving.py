"""What a viewer saves: its picture, and recordings, made a frame at a time while it is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import proxy

from engine.app.jobs import renderer
from engine.errors import SettingError
from engine.ui.control.recording import Recording
from engine.ui.widgets.files import free, stem

if TYPE_CHECKING:  # the viewer imports this module; here its name is needed for types alone
    from engine.app.viewer import Viewer


class Saving:
    """Saves the pictures and recordings of a viewer, under names that are not in use.

    viewer      has scene, transport, painter, notices, supersample, picture_size, changed
    folder      where files are saved
    save        engine.app.make.save, or None; recording likewise engine.app.make.recording, or None
    recording   (the attribute) the engine.ui.control.recording.Recording that the panel's section shows
    """

    def __init__(self, viewer: Viewer, folder: Path, save: Callable | None, recording: Callable | None):
        self.viewer, self.folder, self._save, self._record = viewer, folder, save, recording
        self.recording = Recording(partial(Saving._recorder, proxy(self)))

    def picture(self) -> Path | None:
        """Saves the picture with its state; returns the path, or None if saving failed."""
        viewer, save, notices = self.viewer, self._save, self.viewer.notices
        if save is None:
            notices.show_problem("This view saves no pictures: it was made without `save`.")
            return None
        path = self._free(".png")
        what = {"time": viewer.transport.time, "supersample": viewer.supersample}
        before = renderer().report
        problem = viewer.notices.run(lambda: save(viewer.scene, path, viewer.picture_size(), **what), f"saved {path}")
        report = renderer().report - before
        if problem is None and report.undecided:
            viewer.notices.show_message(f"saved {path}. {report}")
        return None if problem else path

    def _free(self, ending: str) -> Path:
        return free(self.folder, stem(type(self.viewer.scene)), ending)

    def _recorder(self, ending: str, seconds: float | None, size: tuple[int, int] | None):
        viewer = self.viewer
        if self._record is None:
            raise SettingError("This view records nothing: it was made without `recording`.")
        path = f"{self._free(ending.rstrip('/'))}{'/' * (ending == '/')}"
        what = {"seconds": seconds, "size": size or viewer.picture_size(), "supersample": viewer.supersample}
        return self._record(viewer.scene, path, renderer=viewer.painter.renderer, **what)

    def step(self) -> None:
        """Records one more frame; an error is shown, not raised."""
        notices = self.viewer.notices
        before, paths = notices.problem, []
        notices.run(lambda: paths.append(self.recording.step()))
        # An earlier problem stays visible.
        notices.problem = notices.problem or before
        if paths and paths[0] is not None:
            notices.show_message(f"saved {paths[0]}")
        if not self.recording.is_running:
            # The recording has left the scene at another moment: the one shown is drawn again.
            self.viewer.changed()
