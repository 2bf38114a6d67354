"""A scene shown live: connects scene, renderer, panel and canvas."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import proxy

import numpy as np

from engine.app.emptiness import emptiness
from engine.app.live.answers import key_of
from engine.app.live.frames import Frames
from engine.app.live.keys import keyboard
from engine.app.live.recovery import Recovery, made
from engine.app.live.reload import Reloader
from engine.app.live.worker import Worker
from engine.app.lookup import report_user_errors
from engine.app.saving import Saving
from engine.gpu.device import device
from engine.gpu.native.apart import turn
from engine.gpu.texture import Texture
from engine.network.mlp import Mlp
from engine.output.canvas import Canvas
from engine.output.offscreen import OffscreenCanvas
from engine.scene.hooks import check_view
from engine.scene.scene import Scene
from engine.scene.settings import assign, is_data, settings
from engine.scene.view_data import Action, Clock
from engine.ui.control.events import Events
from engine.ui.control.notices import Notices
from engine.ui.control.picking import Picking
from engine.ui.control.pointer import Pointer
from engine.ui.control.transport import Transport
from engine.ui.control.weight_history import WeightHistory
from engine.view.camera import Camera
from engine.view.orbit import Orbit
from engine.view.pan_zoom import PanZoom

CONTROLS = {"orbit": Orbit, "pan_zoom": PanZoom}
# Frames until the panel's layout is settled: sizes, then scroll bars, then positions.
SETTLE = 3


class Viewer(Frames):
    """Shows a scene on a canvas and lets a person work on it.

    scene         engine.scene.scene.Scene
    canvas        of rendercanvas: a window, a notebook's widget, one off the screen
    panel         False for the picture alone
    clock         the moment it begins at
    supersample   samples a pixel of `still` and of what is saved
    live          True: time passes by itself; False: only by `tick`; None: True except on canvases off the screen
    playing       whether time moves from the start
    folder        where pictures and recordings are saved; None for the current folder
    save          engine.app.make.save, or a function like it; None for a view that saves no pictures
    recording     engine.app.make.recording, or a function like it; None for a view that records nothing
    apart         True: a thread of its own does what takes long, and frames show what there is, for windows

    A scene whose file is saved is rebuilt (engine.app.live.reload). A viewer is held by its open canvas, and its parts
    know it without holding it: once the canvas is closed, the last reference to the viewer frees it and the scene.
    """

    def __init__(
        self, scene: Scene, canvas: Canvas, *, panel: bool = True, clock: Clock | None = None, supersample: int = 4,
        live: bool | None = None, playing: bool = False, folder: str | Path | None = None,
        save: Callable | None = None, recording: Callable | None = None, apart: bool = False,
    ):  # fmt: skip
        with report_user_errors(scene):
            check_view(scene)
        self.scene, self.canvas = scene, canvas
        self.supersample = supersample
        own = proxy(self)
        self.reloader = Reloader(own)
        self.live = not isinstance(canvas, OffscreenCanvas) if live is None else live
        self.notices = Notices()
        self.transport = Transport(scene.loop, time=clock.time if clock else 0.0, playing=playing)
        self.picking = Picking(own)
        self.controls, self._view = self._made_controls(), scene.view
        self.saving = Saving(own, Path(folder or "."), save, recording)
        self.recording = self.saving.recording
        self.keyboard = keyboard(own)
        self.pointer = Pointer()
        self.history: WeightHistory | None = None
        Frames.__init__(self)
        self._camera: Camera | None = scene.camera
        self._since = 0.0
        self.painter, self.overlay, self.format = made(self, panel, apart)
        self._recovery = Recovery(own)
        self._watch()
        self.events = Events(own)
        canvas.add_event_handler(self._on_close, "close")
        if not apart:
            self._follow()
        self.worker = Worker(own) if apart else None
        canvas.request_draw(self._on_draw)

    def _watch(self):
        self._watcher = self.scene.param.watch(self.changed, list(settings(self.scene)), onlychanged=True)

    def _leave(self):
        self.scene.param.unwatch(self._watcher)
        del self._watcher
        self.scene.drop_cache()

    def _made_controls(self):
        return CONTROLS[self.scene.view](self.scene.camera, home=self.scene.home, find=self.picking.find)

    # Time.

    def tick(self, seconds: float) -> None:
        """Advances the scene's time, the camera's motion, the pointer's rest and the messages by `seconds`."""
        self.reloader.tick(seconds)
        moved = self._work()
        moved = self.transport.tick(seconds) or moved
        if self.scene.view != self._view:
            # A setting changed the kind of view.
            self.controls, self._view = self._made_controls(), self.scene.view
            self._camera = None
        self.controls.reach = self.scene.reach
        if self.scene.camera is not self._camera:
            # A setting, or a restored state, moved it.
            self.controls.put(self.scene.camera)
            self._camera = self.scene.camera
            moved = True
        self.controls.step(seconds)
        if self.controls.camera is not self._camera:
            self.scene.camera = self._camera = self.controls.camera
            moved = True
        if moved:
            self.changed()
        else:
            self.painter.refinement.rested(seconds)
        self.keyboard.tick(seconds)
        self._since += seconds
        self.events.tick(seconds)
        self.notices.tick(seconds)
        # A thread of its own first draws what the pointer could be over.
        is_seen = self.worker is None or self.painter.picture is not None
        if is_seen and self.pointer.tick(seconds) and not self.controls.is_dragging:
            self.apart(self._read)

    def _read(self):
        place, reading = self.pointer.place, self.picking.read()
        if self.pointer.place == place:
            self.pointer.reading = reading
            self.request()

    def replace_scene(self, scene: Scene) -> None:
        """Shows another scene in the place of this one, at the same time."""
        self._leave()
        self.scene = scene
        self._watch()
        self.picking.unpin()
        self.controls, self._view, self._camera = self._made_controls(), scene.view, scene.camera
        self.answers.forget()
        if self.worker is None:
            self._follow()
        self.changed()

    def _work(self):
        """Lets the scene do its own work; True if its timeline has changed, or if it asked for a time (`go_to`)."""
        before = self.transport.timeline
        if self.worker is None:
            self._work_on()
            self._follow()
        elif "matrix" in self.answers:
            self._follow_net(self.answers.get("matrix"))
        asked = self.scene.asked_time()
        if asked is not None:
            time, play = asked
            self.transport.scrub(time)
            self.transport.playing = play or self.transport.playing
        after = self.transport.timeline
        counts = [None if timeline is None else timeline.count for timeline in (before, after)]
        return asked is not None or counts[0] != counts[1]

    # What the panel and scripts call.

    def assign(self, name: str, value: Any) -> bool:
        """Sets a setting; an error is shown, not raised. Returns False if it was not set."""
        return self.touch(lambda: self.notices.run(lambda: assign(self.scene, name, value))) is None

    def key_actions(self) -> list[Action]:
        """The Actions that keys run: the scene's, then those of its timeline."""
        return [*self.query(self.scene.actions, ()), *self.transport.actions()]

    def query(self, function: Callable[[], Any], default: Any = None) -> Any:
        """What a function of the scene returns; where it fails, the error is shown and `default` is returned.

        In a window's frames a hook has its last answer (engine.app.live.answers).
        """
        if self.worker is not None and not self.worker.is_here and self.answers.holds(function):
            return self.answers.get(key_of(function), default)
        try:
            return function()
        except Exception as error:
            if self.worker is None or turn.is_mine:  # else the scene may be half built
                self.painter.failed(error)
            return default

    def run(self, function: Callable[[], object]) -> None:
        """Calls a function of the scene; an error is shown, not raised."""

        def run():
            self.notices.run(function)
            self.changed()
            if self.worker is None:
                self._follow()

        self.apart(run)

    def load(self, name: str, path: str) -> str | None:
        """Loads a file into a setting; returns an error's text, or None, also where that is not known yet."""
        problems: list[str | None] = []

        def load():
            problems.append(self.notices.run(lambda: assign(self.scene, name, path), f"loaded {path}"))
            if self.worker is None:
                self._follow()

        self.apart(load)
        return problems[0] if problems else None

    def drop(self, path: str) -> str | None:
        """Loads a file dropped on the picture into the first setting that takes it; returns an error text, or None."""
        names = [n for n, s in settings(self.scene).items() if is_data(s) and str(path).lower().endswith(s.endings)]
        problem: str | None = f"{path}: nothing here takes such a file."
        for name in names:
            problem = self.load(name, path)
            if problem is None:
                return None
        self.notices.show_problem(problem)
        return problem

    def edited(self, net: Mlp) -> None:
        """Gives a network that was changed in the panel to the scene."""

        def edit():
            self.notices.run(lambda: self.scene.matrix_changed(net))
            self.answers.stale()

        self.answers.stale()
        self.touch(edit)
        self.changed()

    def undo(self) -> None:
        """Undoes the last change of a weight."""
        if self.history is not None and self.history.can_undo:
            self.edited(self.history.undo())

    def redo(self) -> None:
        """Redoes the change of a weight that was undone last."""
        if self.history is not None and self.history.can_redo:
            self.edited(self.history.redo())

    def reset_view(self) -> None:
        """Eases the camera back to where it began."""
        self.controls.home = self.scene.home
        self.controls.reset()
        self.request()

    def toggle_help(self) -> None:
        """Shows the help, or hides it."""
        if self.overlay is not None:
            self.overlay.help_shown = not self.overlay.help_shown
            self.request()

    def save_picture(self) -> Path | None:
        """Saves the picture with its state under an unused name; returns the path, or None if saving failed."""
        if self.worker is not None:
            self.worker.do(self.saving.picture)
            return None
        return self.saving.picture()

    def record(self) -> None:
        """Begins a recording with the choices made in the panel."""
        self.apart(lambda: self.notices.run(self.recording.start))

    def quit(self) -> None:
        """Closes the canvas."""
        self.canvas.close()

    def status(self) -> str:
        """The status line: adapter, size, milliseconds, samples, what is not certain, the scene's `remark`."""
        parts = [device().adapter.split(" (")[0], "{} × {}".format(*self.picture_size()), *self.painter.status()]
        report = self.painter.report
        nothing = report and emptiness(self.scene, report, brief=True)
        if self.painter.refinement.is_moving:
            remark = None
        else:
            remark = self.query(self.scene.remark) if self.worker is None else self.answers.get("remark")
        return "  ·  ".join([*parts, *filter(None, (nothing, remark))])

    # Drawing.

    def still(self) -> np.ndarray:
        """(H, W, 4) uint8: the canvas at full quality, panel included; row 0 on top. No time passes."""
        size = self.canvas.get_physical_size()
        texture = Texture(size, self.format)
        self.scene.camera = self._camera = self.controls.camera
        self._follow()
        self.painter.finish(self.scene, self.clock, self._size()[:2], self.supersample)
        self._follow()
        for _ in range(SETTLE if self.overlay else 1):
            self._present(texture.view, size, 0.0)
        pixels = texture.read()
        return pixels[:, :, [2, 1, 0, 3]] if self.format.startswith("bgra") else pixels

    def draw(self) -> None:
        """Draws one frame on the canvas; after the device was lost, on a new one."""
        self._recovery.draw(self._draw)

    def _draw(self):
        if self.worker is not None:
            self.worker.wake()
        else:
            self._follow()
            self.labour(patient=self.events.frame() and self.live)
        texture = self.canvas.get_wgpu_context().get_current_texture()
        since, self._since = self._since, 0.0
        self._present(texture.create_view(), texture.size[:2], since)

    def _present(self, view, size, step):
        width, height, ratio = self._size()
        with self._screen():
            self.painter.present(self.scene, view, self.format, (width, height), self.controls.camera)
        if self.overlay is not None:
            try:
                rests = self.worker is not None and self.controls.is_dragging
                self.overlay.draw(view, (size[0] / ratio, size[1] / ratio), ratio, step, rests=rests)
            except Exception as error:
                # An error in the panel must not stop the window.
                self.painter.failed(error)

    def _size(self):
        """(width, height, pixel ratio) of the picture, in physical pixels."""
        width, height = self.canvas.get_physical_size()
        ratio = self.canvas.get_pixel_ratio()
        taken = (self.overlay.width, self.overlay.below) if self.overlay else (0.0, 0.0)
        right, below = (math.ceil(n * ratio) for n in taken)
        return max(1, int(width) - right), max(1, int(height) - below), ratio

    def picture_size(self) -> tuple[int, int]:
        """(width, height) of the picture, physical pixels."""
        return self._size()[:2]

    def viewport(self) -> tuple[float, float, float, float]:
        """(x, y, width, height) of the picture on the canvas, in logical pixels."""
        width, height, ratio = self._size()
        return 0.0, 0.0, width / ratio, height / ratio

    # Changes.

    def request(self) -> None:
        """Asks for a frame."""
        self.canvas.request_draw()

    def changed(self, *events: Any) -> None:
        """Called when the picture shows something else now; `events` are of settings."""
        if events:
            self.answers.stale()
        self.painter.changed()
        self.pointer.stir()
        self.picking.is_stale = True
        self.request()

    def _follow(self):
        """Updates the timeline and the history of weights from the scene."""
        self.follow_time()
        self._follow_net(self.query(self.scene.matrix))

    def follow_time(self) -> None:
        """Takes the scene's present timeline and loop."""
        try:
            self.transport.follow(self.scene.timeline(), self.scene.loop)
        except Exception as error:
            self.painter.failed(error)

    def _follow_net(self, net):
        if net is None:
            self.history = None
        elif self.history is None:
            self.history = WeightHistory(net)
        else:
            self.history.follow(net)

    def _on_close(self, event):
        if self.worker is not None:
            self.worker.close()
        self.recording.cancel()
        self.reloader.stop()
        self._leave()
        if self.overlay is not None:
            self.overlay.surface.close()
            self.overlay = None
