"""Rebuilds a shown scene when its file, or a module in its folder, is saved."""

from __future__ import annotations

import asyncio
import importlib
import sys
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from engine.app.lookup import report_user_errors, scene_in_file
from engine.errors import NeurosceneError
from engine.scene.hooks import check_hooks
from engine.scene.scene import Scene
from engine.scene.settings import assign, settings
from engine.scene.view_data import Clock

if TYPE_CHECKING:  # the viewer imports this module; here its name is needed for types alone
    from engine.app.viewer import Viewer

# Modules of these packages are never executed again: the running program holds their classes.
OURS = ("engine", "scenes")
# Seconds between two checks of a scene's files.
POLL = 0.25


class Reloader:
    """Polls the files of a viewer's scene, and gives the viewer a new scene when one was saved.

    viewer   has scene, clock, notices, canvas, request, replace_scene
    """

    def __init__(self, viewer: Viewer):
        self.viewer, self.files = viewer, SceneFiles(viewer.scene)
        self._unpolled, self._is_over = 0.0, False
        self._timer: asyncio.TimerHandle | None = None

    def tick(self, seconds: float) -> None:
        """Lets seconds pass; an error in a saved file is shown in a line, and the earlier scene stays."""
        self._unpolled += seconds
        if self._unpolled < POLL:
            return
        self._unpolled = 0.0
        if self.files.is_changed() and self.viewer.notices.run(self._reload) is None:
            self.viewer.notices.show_message("The scene's file was saved and is shown again.")

    def _reload(self) -> None:
        self.viewer.replace_scene(self.files.reloaded(self.viewer.scene, self.viewer.clock))

    def poll_later(self) -> None:
        """Polls the files while nothing is drawn, on canvases with an asyncio loop: windows and notebooks."""
        if self.files.path is None or self._timer is not None or self._is_over:
            return
        try:
            self._timer = asyncio.get_running_loop().call_later(POLL, self._poll)
        except RuntimeError:
            return  # On other canvases files are polled only while frames are drawn.

    def stop(self) -> None:
        """Polls no more."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _poll(self) -> None:
        self._timer = None
        if self.files.is_changed():
            self._unpolled = POLL
            self.viewer.request()
        else:
            self.poll_later()


class SceneFiles:
    """Watches the file that a scene's class is in, and the modules in its folder that have been imported.

    path   of the class's file; None for what is not watched: included scenes, classes from a notebook's cell or from
           the running script
    """

    def __init__(self, scene: Scene):
        kind = type(scene)
        top = kind.__module__.partition(".")[0]
        file = None if top in (*OURS, "__main__") else getattr(sys.modules.get(kind.__module__), "__file__", None)
        self.path = Path(file).resolve() if file else None
        self._name = kind.__name__
        self._failed = False
        self._seen = self._stamps()

    def is_changed(self) -> bool:
        """True if a file was saved, added or deleted since the last `reloaded`."""
        return self.path is not None and self._stamps() != self._seen

    def reloaded(self, scene: Scene, clock: Clock) -> Scene:
        """A new scene of the class as the file defines it now, at a moment, with the settings and camera of `scene`.

        A setting that had its default value takes the file's new default, as does one whose value the file no longer
        accepts. Raises SceneError, with file and line, if the file does not run or the scene does not build; the
        earlier modules are then restored.
        """
        assert self.path is not None
        before, seen = self._neighbours(), self._stamps()
        for file in self._seen:
            # Python uses a stale .pyc if the source file's size and modification second are unchanged.
            Path(cache_from_source(str(file))).unlink(missing_ok=True)
        importlib.invalidate_caches()
        for name in before:
            del sys.modules[name]
        self._failed = True
        try:
            new = remade(scene_in_file(str(self.path), self._name), scene, clock)
            self._failed = False
        except BaseException:
            sys.modules.update(before)
            raise
        finally:
            # The stamps from before the read count, so that a file saved during the read is read again.
            self._seen = {file: seen.get(file, stamp) for file, stamp in self._stamps().items()}
        return new

    def _neighbours(self) -> dict[str, ModuleType]:
        """{name: module} of the modules that were imported from the file's folder."""
        if self.path is None:
            return {}
        found, folder = {}, str(self.path.parent)
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            # First what is quick: there are thousands of modules, and a window asks several times a second.
            if file and str(file).startswith(folder) and name.partition(".")[0] not in (*OURS, "__main__"):
                parts = self.path.parent.joinpath(*name.split("."))
                if Path(file) in (parts.with_suffix(".py"), parts / "__init__.py") and Path(file) != self.path:
                    found[name] = module
        return found

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        """{file: (time of its last change in ns, its bytes)}; (0, 0) for a deleted one."""
        if self.path is None:
            return {}
        files = [self.path, *(Path(str(module.__file__)) for module in self._neighbours().values())]
        if self._failed:
            # A failed import leaves no module to watch: saving any file of the folder may repair it.
            files += [*self.path.parent.glob("*.py"), *self.path.parent.glob("*/__init__.py")]
        return {file: _stamp(file) for file in files}


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def remade(kind: type[Scene], scene: Scene, clock: Clock) -> Scene:
    """A new scene of a class at a moment, with the settings and camera of another.

    A setting that had its default value takes the class's default, as does one whose value the class does not accept.
    Raises SceneError if it does not build.
    """
    with report_user_errors(kind):
        new = kind()
        old_settings, new_settings = settings(scene), settings(kind)
        for name, setting in old_settings.items():
            value = getattr(scene, name)
            if name in new_settings and value is not setting.default and value != setting.default:
                try:
                    assign(new, name, value)
                except NeurosceneError:
                    continue  # The file now has other bounds or choices.
        if scene.camera != scene.home:
            new.camera = scene.camera
        new.advance(clock)
        # Errors must be raised here, while the earlier scene is still shown.
        check_hooks(new)
    return new
