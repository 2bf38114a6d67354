"""A scene that is looked at live: joins scene, renderer, panel and a canvas."""

import math
import sys
import time
import traceback
from pathlib import Path

from engine.errors import NeurosceneError
from engine.gpu.device import device
from engine.gpu.texture import Texture
from engine.render.present import blit
from engine.render.renderer import Renderer
from engine.settings import assign, settings
from engine.ui.files import free
from engine.ui.history import History
from engine.ui.pointer import Pointer
from engine.ui.recording import Recording
from engine.ui.refinement import Quality, Refinement
from engine.ui.transport import Transport
from engine.view.orbit import Orbit
from engine.view.pan_zoom import PanZoom

CONTROLS = {"orbit": Orbit, "pan_zoom": PanZoom}
POINTER = ("pointer_down", "pointer_move", "pointer_up", "double_click", "wheel")
# Seconds of drawing after the last event, for what appears on hover.
AWAKE = 0.7
# A step longer than this is a pause of the machine's, not of the scene's.
LONGEST_STEP = 0.1
# Seconds a message stays.
MESSAGE = 6.0
# A held arrow repeats after so many seconds, and then every so many.
REPEAT = (0.35, 0.07)
# Layouts settle within as many frames: the first finds the sizes, the second the scroll bars, the third the places.
SETTLE = 3


class Viewer:
    """Shows a scene on a canvas and lets a person work on it.

    scene         engine.scene.Scene
    canvas        of rendercanvas: a window, a notebook's widget, one off the screen
    panel         False for the picture alone
    clock         the moment it begins at
    supersample   samples a pixel of `still` and of what is saved
    live          True if time passes by itself; None for all canvases but those off the screen, whose time
                  passes by `tick` alone
    playing       whether time moves from the start
    folder        where pictures and recordings are saved; the current folder unless told
    """

    def __init__(
        self,
        scene,
        canvas,
        *,
        panel=True,
        clock=None,
        supersample=4,
        live=None,
        playing=False,
        folder=None,
        renderer=None,
    ):
        self.scene, self.canvas = scene, canvas
        self.renderer = renderer or Renderer()
        self.supersample = supersample
        self.folder = Path(folder or ".")
        self.transport = Transport(scene.loop, time=clock.time if clock else 0.0, playing=playing)
        self.controls = CONTROLS[scene.view](scene.camera, home=scene.home, find=self._find)
        self.refinement = Refinement()
        self.recording = Recording(self._recorder)
        self.history = None
        self.pointer = Pointer()
        self.reading = self.message = self.problem = None
        self.picture = None
        self._camera = scene.camera
        self._took = None
        self._steps = self._drawing = self._shown = self._for_size = None
        self._spent = 0.0
        self._message_left = self._awake = 0.0
        self._held = None
        self._since = 0.0
        self._last_error = None
        self.live = not _is_offscreen(canvas) if live is None else live
        self._wall = time.perf_counter()
        self.desk = None
        if panel:
            # imgui is large; it is loaded when there is something for it to show.
            from engine.ui.desk import Desk

            self.desk = Desk(self, device().handle, canvas)
            self._format = self.desk.surface.format
        else:
            context = canvas.get_wgpu_context()
            if context.get_configuration() is None:
                context.configure(device=device().handle, format=context.get_preferred_format(device().handle.adapter))
            self._format = context.get_configuration()["format"]
        self._watcher = scene.param.watch(self._changed, list(settings(scene)), onlychanged=True)
        canvas.add_event_handler(
            self._stir, *POINTER, "key_down", "key_up", "char", "resize", "pointer_leave", order=-100
        )
        canvas.add_event_handler(self._on_pointer, *POINTER)
        canvas.add_event_handler(self._on_leave, "pointer_leave")
        canvas.add_event_handler(self._on_key, "key_down")
        canvas.add_event_handler(self._on_key_up, "key_up", order=-98)
        canvas.add_event_handler(self._on_close, "close")
        self._follow_network()
        canvas.request_draw(self._on_draw)

    # Time.

    def tick(self, seconds):
        """Lets seconds pass for the scene's time, the camera's way, the pointer's rest and the messages."""
        self._follow_loop()
        moved = self.transport.tick(seconds)
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
            self._changed()
        else:
            self.refinement.rested(seconds)
        self._repeat(seconds)
        self._since += seconds
        self._awake = max(0.0, self._awake - seconds)
        if self.message is not None:
            self._message_left -= seconds
            if self._message_left <= 0.0:
                self.message = None
        if self.pointer.tick(seconds) and not self.controls.is_dragging:
            self.reading = self._read()

    @property
    def clock(self):
        return self.transport.clock()

    @property
    def needs_frame(self):
        """True while there is something left to draw."""
        return bool(
            self.transport.playing
            or self.controls.is_moving
            or self.recording.is_running
            or self._steps is not None
            or not self.refinement.is_done
            or self.message is not None
            or self._held is not None
            or self._awake > 0.0
            or self.pointer.is_waiting
            or (self.desk is not None and self.desk.has_keys)
        )

    # Verbs, for the panel and for scripts.

    def assign(self, name, value):
        """Sets a setting; a mistake is said, not raised. Returns True if it was taken."""
        return self.attempt(lambda: assign(self.scene, name, value)) is None

    def act(self, action):
        """Runs one of the scene's Actions."""
        self.attempt(action.run)
        self._changed()
        self._follow_network()

    def load(self, name, path):
        """Loads a network into a setting; returns what was wrong, or None."""
        problem = self.attempt(lambda: assign(self.scene, name, path), f"loaded {path}")
        self._follow_network()
        return problem

    def edited(self, net):
        """Hands a network changed in the panel to the scene."""
        self.attempt(lambda: self.scene.matrix_changed(net))
        self._changed()

    def undo(self):
        """Takes the last change of a weight back."""
        if self.history is not None and self.history.can_undo:
            self.edited(self.history.undo())

    def redo(self):
        """Does it again."""
        if self.history is not None and self.history.can_redo:
            self.edited(self.history.redo())

    def attempt(self, work, done=None):
        """Does something that a person asked for; returns what was wrong with it, or None, and says either."""
        try:
            work()
        except NeurosceneError as error:
            self.say(str(error), is_problem=True)
            return str(error)
        except Exception as error:
            # A scene's own mistake: its author needs the place, the window lives on.
            traceback.print_exc()
            self.say(f"{type(error).__name__}: {error}", is_problem=True)
            return self.problem
        self.problem = None
        if done:
            self.say(done)
        return None

    def say(self, text, *, is_problem=False):
        """Shows a message for a while, or a problem until it is closed or something else goes well."""
        if is_problem:
            self.problem = text
        else:
            self.message, self._message_left = text, MESSAGE
        self._request()

    def reset_view(self):
        """Eases the camera back to where it began."""
        self.controls.home = self.scene.home
        self.controls.reset()
        self._request()

    def toggle_help(self):
        if self.desk is not None:
            self.desk.help_shown = not self.desk.help_shown
            self._request()

    def save_picture(self):
        """Saves the picture, with its state, under a free name; returns the path, or None."""
        from engine import app

        path = free(self.folder, self._stem(), ".png")
        size, samples = self._size()[:2], self.supersample
        done = f"saved {path}"
        problem = self.attempt(
            lambda: app.save(self.scene, path, size, time=self.transport.time, supersample=samples), done
        )
        return None if problem else path

    def record(self):
        """Begins a recording as the panel says."""
        self.attempt(self.recording.start)

    def quit(self):
        """Closes the canvas."""
        self.canvas.close()

    def status(self):
        """The status line: adapter, size, milliseconds, undecided pixels."""
        width, height, _ = self._size()
        parts = [device().adapter.split(" (")[0], f"{width} × {height}"]
        if self.picture is not None:
            if self.live and self._took is not None:
                parts.append(f"{self._took * 1e3:.0f} ms")
            parts.append(self._quality())
            undecided = self.picture.report.undecided
            if undecided:
                parts.append(f"{undecided} undecided")
        return "  ·  ".join(p for p in parts if p)

    # Drawing.

    def still(self):
        """(H, W, 4) uint8: the canvas as it is now at its best, panel included; row 0 on top. No time passes."""
        width, height = self.canvas.get_physical_size()
        texture = Texture((width, height), self._format)
        self.scene.camera = self._camera = self.controls.camera
        self._draw_picture(Quality(1.0, self.supersample), raising=True)
        for _ in range(SETTLE if self.desk else 1):
            self._present(texture.view, (width, height), 0.0)
        # What is shown next has a quality of its own.
        self.refinement.moved()
        pixels = texture.read()
        return pixels[:, :, [2, 1, 0, 3]] if self._format.startswith("bgra") else pixels

    def draw(self):
        """Draws one frame on the canvas."""
        self._follow_network()
        self._refine()
        if self.recording.is_running:
            self._record_step()
        texture = self.canvas.get_wgpu_context().get_current_texture()
        since, self._since = self._since, 0.0
        self._present(texture.create_view(), texture.size[:2], since)

    def _on_draw(self):
        if self.live:
            now = time.perf_counter()
            seconds, self._wall = min(now - self._wall, LONGEST_STEP), now
            self.tick(seconds)
        self.draw()
        if self.live and self.needs_frame:
            self._request()

    def _present(self, view, size, step):
        width, height, ratio = self._size()
        encoder = device().encoder()
        ground = _ground(self.scene)
        if self.picture is not None:
            blit(encoder, self.picture.texture, view, self._format, (0, 0, width, height), clear=ground)
        else:
            attachment = {"view": view, "load_op": "clear", "store_op": "store", "clear_value": (*ground, 1.0)}
            encoder.begin_render_pass(color_attachments=[attachment]).end()
        device().submit(encoder)
        if self.desk is not None:
            try:
                self.desk.draw(view, (size[0] / ratio, size[1] / ratio), ratio, step)
            except Exception as error:
                # A scene's `actions`, `when` or `legend` may fail too.
                self._failed(error)

    def _size(self):
        """(width, height, pixel ratio) of the picture, in physical pixels."""
        width, height = self.canvas.get_physical_size()
        ratio = self.canvas.get_pixel_ratio()
        panel = math.ceil(self.desk.width * ratio) if self.desk else 0
        return max(1, int(width) - panel), max(1, int(height)), ratio

    def _refine(self):
        size = self._size()[:2]
        if self._for_size not in (None, size):
            self._changed()
        if self._steps is not None:
            self._step_picture()
            return
        quality = self.refinement.next()
        if quality is None:
            return
        if self.live and not self.refinement.is_moving:
            self._begin_picture(quality)
            self._step_picture()
        else:
            self._draw_picture(quality)

    def _draw_picture(self, quality, *, raising=False):
        self._begin_picture(quality)
        while self._steps is not None:
            self._step_picture(raising=raising)

    def _begin_picture(self, quality):
        width, height, _ = self._size()
        self._for_size = (width, height)
        size = max(1, round(width * quality.scale)), max(1, round(height * quality.scale))
        self._steps, self._drawing = self.renderer.steps(self.scene, self.clock, size, quality.samples), quality
        self._spent = 0.0

    def _step_picture(self, *, raising=False):
        """One tile more of the picture begun. A fine one takes long; between its tiles a person is listened to."""
        begun = time.perf_counter()
        finished, picture = True, None
        try:
            finished, picture = _advanced(self._steps)
        except Exception as error:
            if raising:
                self._steps = None
                raise
            self._failed(error)
        self._spent += time.perf_counter() - begun
        if not finished:
            return
        self._steps = None
        if picture is not None:
            self.picture, self._shown, self._last_error = picture, self._drawing, None
        if self.live:
            self._took = self._spent
        self.refinement.drew(self._drawing, self._spent if self.live else None)

    def _failed(self, error):
        text = str(error) if isinstance(error, NeurosceneError) else f"{type(error).__name__}: {error}"
        if text != self._last_error:
            # Once, not sixty times a second.
            self._last_error = text
            if not isinstance(error, NeurosceneError):
                traceback.print_exception(error, file=sys.stderr)
            self.say(text, is_problem=True)

    def _quality(self):
        quality = self._shown
        if quality is None:
            return ""
        if quality.scale < 1.0:
            return f"1/{round(1 / quality.scale)} size"
        return f"{quality.samples} sample{'s' * (quality.samples > 1)}"

    # What happens.

    def _request(self):
        self.canvas.request_draw()

    def _changed(self, *_):
        """The picture is of something else now."""
        self.refinement.moved()
        self._steps = None
        self.pointer.stir()
        self.reading = None
        self._request()

    def _follow_loop(self):
        loop, before = self.scene.loop, self.transport.loop
        if loop != before:
            if loop and before:
                # The same part of the loop, so that the picture does not jump.
                self.transport.time *= loop / before
            self.transport.loop = loop
            self.transport.scrub(self.transport.time, moved=0.0)

    def _follow_network(self):
        net = self.scene.matrix()
        if net is None:
            self.history = None
        elif self.history is None:
            self.history = History(net)
        else:
            self.history.follow(net)

    def _viewport(self):
        width, height, ratio = self._size()
        return 0.0, 0.0, width / ratio, height / ratio

    def _is_over(self, event):
        x, y, width, height = self._viewport()
        return x <= event["x"] < x + width and y <= event["y"] < y + height

    def _stir(self, event):
        self._awake = AWAKE
        if event["event_type"] == "pointer_move" and not self._is_over(event):
            self._leave()
        self._request()

    def _on_pointer(self, event):
        kind = event["event_type"]
        if not self.controls.is_dragging and not self._is_over(event):
            return
        if self.desk is not None and self.desk.help_shown:
            if kind == "pointer_down":
                self.desk.help_shown = False
            return
        if kind == "pointer_move" and self.pointer.move(event["x"], event["y"]):
            self.reading = None
        if self.controls.event(event, self._viewport()):
            self.reading = None
            self.pointer.stir()

    def _on_leave(self, event):
        self._leave()

    def _leave(self):
        self.pointer.leave()
        self.reading = None

    def _on_key(self, event):
        if self.desk is not None and self.desk.has_keys:
            return
        key, modifiers = event["key"], set(event.get("modifiers", ()))
        low = key.lower() if len(key) == 1 else key
        if modifiers & {"Control", "Meta"}:
            if low == "z":
                (self.redo if "Shift" in modifiers else self.undo)()
            elif low == "y":
                self.redo()
            return
        if "Alt" in modifiers:
            return
        # A window says `/` where shift makes it a question mark.
        asks = key == "?" or (key == "/" and "Shift" in modifiers)
        own = {
            " ": self.transport.toggle, "r": self.reset_view, "h": self.toggle_help, "Tab": self._fold,
            "F12": self.save_picture, "q": self.quit, "Escape": self._escape,
        }  # fmt: skip
        if asks or low in own:
            (self.toggle_help if asks else own[low])()
            return
        for action in self.scene.actions():
            if action.key is not None and action.key.lower() == low.lower():
                self.act(action)
                if key.startswith("Arrow"):
                    self._held = [key, REPEAT[0]]
                return

    def _on_key_up(self, event):
        if self._held and event["key"] == self._held[0]:
            self._held = None

    def _repeat(self, seconds):
        if self._held is None:
            return
        self._held[1] -= seconds
        if self._held[1] <= 0.0:
            self._held[1] = REPEAT[1]
            for action in self.scene.actions():
                if action.key == self._held[0]:
                    self.act(action)

    def _fold(self):
        if self.desk is not None:
            self.desk.panel.is_open = not self.desk.panel.is_open

    def _escape(self):
        if self.desk is None or not self.desk.escape():
            self.quit()

    def _on_close(self, event):
        self.recording.cancel()
        self.scene.param.unwatch(self._watcher)
        if self.desk is not None:
            self.desk.surface.close()

    # Under the pointer.

    def _pick(self, px, py):
        size = self._size()[:2]
        return self.renderer.pick(self.scene, self.clock, size, px, py)

    def _find(self, x, y):
        width, height, _ = self._size()
        try:
            hit = self._pick((x + 1.0) / 2.0 * width - 0.5, (1.0 - y) / 2.0 * height - 0.5)
        except NeurosceneError:
            return None
        return None if hit is None else hit.position

    def _read(self):
        ratio = self.canvas.get_pixel_ratio()
        try:
            hit = self._pick(self.pointer.place[0] * ratio - 0.5, self.pointer.place[1] * ratio - 0.5)
            return None if hit is None else self.scene.read(hit)
        except Exception as error:
            self._failed(error)
            return None

    # Saving.

    def _stem(self):
        return type(self.scene).__name__.lower()

    def _recorder(self, ending, seconds, size):
        from engine import app

        path = free(self.folder, self._stem(), ending if ending != "/" else "")
        size = size or self._size()[:2]
        return app.recording(
            self.scene,
            f"{path}{'/' * (ending == '/')}",
            renderer=self.renderer,
            seconds=seconds,
            size=size,
            supersample=4,
        )

    def _record_step(self):
        def work():
            path = self.recording.step()
            if path is not None:
                self.say(f"saved {path}")
                # The scene stands at the recording's last moment; it goes back to this one.
                self._changed()

        problem = self.problem
        self.attempt(work)
        self.problem = self.problem or problem


def _advanced(steps):
    """(True, Picture) when that was the last tile, else (False, None)."""
    try:
        next(steps)
        return False, None
    except StopIteration as done:
        # Reading the counts waits for the picture: what is measured is all of its work.
        _ = done.value.report
        return True, done.value


def _ground(scene):
    from engine.draw.frame import THEMES

    return THEMES[getattr(scene, "ground", None) or scene.theme].ground


def _is_offscreen(canvas):
    from rendercanvas.offscreen import OffscreenRenderCanvas

    return isinstance(canvas, OffscreenRenderCanvas)
