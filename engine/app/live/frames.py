"""When a viewer draws a frame, what each does, and in which of two threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any
from weakref import proxy

from engine.app.live.answers import Answers
from engine.app.live.worker import PATIENCE, Worker
from engine.gpu.device import displaying
from engine.gpu.native.apart import turn

if TYPE_CHECKING:  # the viewer, which this is a part of, imports them
    from engine.app.live.reload import Reloader
    from engine.app.saving import Saving
    from engine.output.canvas import Canvas
    from engine.render.painter import Painter
    from engine.scene.scene import Scene
    from engine.scene.view_data import Clock
    from engine.ui.control.events import Events
    from engine.ui.control.keyboard import Keyboard
    from engine.ui.control.notices import Notices
    from engine.ui.control.pointer import Pointer
    from engine.ui.control.recording import Recording
    from engine.ui.control.transport import Transport
    from engine.ui.overlay import Overlay
    from engine.view.pan_zoom import PanZoom

# Seconds; if a frame comes later than this (the machine slept), the scene's time stands still for it.
LONGEST_STEP = 0.5
# Seconds; the step of the first frame after nothing was drawn for a while.
FIRST_STEP = 1.0 / 60.0
# Seconds a frame gives to a scene's own work, such as training.
WORK = 0.03


class Frames:
    """The part of a Viewer that draws its frames.

    A view without a `worker` does all of it within a frame. A window has one: a thread that advances the scene, draws
    and records, and that gives the scene away to the window for each frame while it waits for the driver. A frame that
    gets the scene lets time pass and applies what a person did; one that does not, since the thread computes, shows
    what there is, and what is changed in it is put off until the next that does.
    """

    scene: Scene
    canvas: Canvas
    live: bool
    painter: Painter
    overlay: Overlay | None
    controls: PanZoom
    transport: Transport
    notices: Notices
    keyboard: Keyboard
    pointer: Pointer
    events: Events
    recording: Recording
    saving: Saving
    reloader: Reloader
    tick: Callable[[float], None]
    draw: Callable[[], None]
    request: Callable[[], None]
    picture_size: Callable[[], tuple[int, int]]

    @property
    def clock(self) -> Clock:
        """The scene's moment."""
        return self.transport.clock()

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self.answers = Answers(proxy(self))  # type: ignore[arg-type]  # the viewer, which this is a part of
        self._is_working = False
        # What was put off, and the seconds that have not passed yet.
        self._later: list[Callable[[], object]] = []
        self._owed = 0.0
        self._wall: float | None = None  # When the last frame began; None after a rest.

    @property
    def needs_frame(self) -> bool:
        """True while another frame has to be drawn."""
        return bool(
            (self.worker is None and self._goes_on)
            or self.controls.is_moving
            or self._later
            or self.notices.message is not None
            or self.keyboard.is_held
            or self.events.is_awake
            or self.pointer.is_waiting
            or (self.overlay is not None and self.overlay.has_keys)
        )

    @property
    def _goes_on(self) -> bool:
        """True while there is work, after which another frame shows what has changed."""
        return bool(self.transport.playing or self.recording.is_running or not self.painter.is_done or self._is_working)

    def apart(self, job: Callable[[], object]) -> None:
        """Does what may take long: at once, or in the window's other thread."""
        if self.worker is None:
            job()
        else:
            self.worker.do(job)

    def touch(self, change: Callable[[], Any]) -> Any:
        """Changes the scene: now, or, in a frame that did not get its turn, before the next that does; then None."""
        if self.worker is None or turn.is_mine:
            return change()
        self._later.append(change)
        self.request()
        return None

    def _work_on(self):
        try:
            self._is_working = bool(self.scene.work(WORK))
        except Exception as error:
            self._is_working = False
            self.painter.failed(error)

    def labour(self, *, patient: bool = False) -> bool:
        """Does what may take long, for a while: training, a step of the picture, a frame of a recording.

        patient   True: draws only after a change
        returns   whether there is more to do
        """
        painter = self.painter
        picture = painter.picture
        if self.worker is not None:
            self._work_on()
            if self._is_working:
                self.answers.follow()
            self.answers.renew()
        painter.draw(self.scene, self.clock, self.picture_size(), patient=patient, whole=self.recording.is_running)
        if self.worker is not None:
            if painter.picture is not picture:
                self.answers.stale()
            self.answers.renew()
        if self.recording.is_running and not patient:
            self.saving.step()
        return self._goes_on

    def _on_draw(self):
        if self.canvas.get_closed():
            return  # a frame that was asked for before
        if self.worker is None:
            self._frame()
            return
        with turn.briefly(PATIENCE) as mine:
            while mine and self._later:
                self._later.pop(0)()
            self._frame(ticks=mine)

    def _frame(self, ticks=True):
        if self.live:
            now = time.perf_counter()
            self._owed += FIRST_STEP if self._wall is None else now - self._wall
            self._wall = now
            if ticks:
                seconds, self._owed = min(self._owed, LONGEST_STEP), 0.0
                try:
                    self.tick(seconds)
                except Exception as error:
                    # An error in one of the scene's hooks must stop neither the window nor the watch on its file.
                    self.painter.failed(error)
        self.draw()
        if self.live:
            if self.needs_frame:
                self.request()
            else:
                if self.painter.is_done:  # else a finer picture waits for seconds of rest
                    self._wall = None
                self.reloader.poll_later()

    def _screen(self) -> AbstractContextManager[None]:
        """The block in which what the window shows is made on its own device."""
        return nullcontext() if self.worker is None else displaying()
