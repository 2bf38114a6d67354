"""A person at an off-screen viewer: moves the pointer, clicks, types; a frame after each, as a window would draw."""

from engine.app.show import make_viewer
from engine.output.offscreen import make_canvas
from engine.render.refinement import Refinement

FRAME = 1.0 / 60.0


class Hands:
    """A viewer on an off-screen canvas and the events of whoever sits before it."""

    def __init__(self, scene, size=(560, 620), samples=(1,), **more):
        self.canvas = make_canvas(size)
        self.viewer = make_viewer(scene, self.canvas, **more)
        # One sample at rest: the tests look at what is drawn, seldom at how finely.
        self.viewer.painter.refinement = Refinement(samples)
        self.scene = scene
        # Two frames, for the panel to find its places.
        self.frame()
        self.frame()

    def frame(self, *events, seconds=FRAME):
        self.canvas.send(*events)
        self.viewer.tick(seconds)
        return self.canvas.draw()

    def wait(self, seconds):
        for _ in range(round(seconds / FRAME)):
            self.viewer.tick(FRAME)
        return self.frame()

    def _pointer(self, kind, x, y, button=0, buttons=(), modifiers=()):
        event = {"event_type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "modifiers": modifiers}
        return self.frame(event)

    def move(self, x, y, *, buttons=(), modifiers=()):
        return self._pointer("pointer_move", x, y, 0, buttons, modifiers)

    def press(self, x, y, *, button=1, modifiers=()):
        self.move(x, y, modifiers=modifiers)
        return self._pointer("pointer_down", x, y, button, (button,), modifiers)

    def release(self, x, y, *, button=1, modifiers=()):
        return self._pointer("pointer_up", x, y, button, (), modifiers)

    def click(self, x, y, **more):
        self.press(x, y, **more)
        self.release(x, y, **more)
        # One more: a field that a click opened takes the keyboard in the frame after it appeared.
        return self.frame()

    def drag(self, start, end, *, button=1, modifiers=(), steps=4):
        self.press(*start, button=button, modifiers=modifiers)
        for i in range(1, steps + 1):
            at = (a + (b - a) * i / steps for a, b in zip(start, end, strict=True))
            self.move(*at, buttons=(button,), modifiers=modifiers)
        return self.release(*end, button=button, modifiers=modifiers)

    def double(self, x, y):
        self.click(x, y)
        self.press(x, y)
        event = {"event_type": "double_click", "x": x, "y": y, "button": 1, "buttons": (), "modifiers": ()}
        self.release(x, y)
        return self.frame(event)

    def wheel(self, x, y, notches, *, modifiers=()):
        """Turns the wheel, up (towards the screen) for positive notches."""
        self.move(x, y, modifiers=modifiers)
        event = {
            "event_type": "wheel",
            "x": x,
            "y": y,
            "dx": 0.0,
            "dy": -100.0 * notches,
            "buttons": (),
            "modifiers": modifiers,
        }
        self.frame(event)
        return self.frame()

    def key(self, key, *modifiers):
        self.frame({"event_type": "key_down", "key": key, "modifiers": modifiers})
        return self.frame({"event_type": "key_up", "key": key, "modifiers": ()})

    def type(self, text):
        for letter in text:
            self.frame({"event_type": "char", "data": letter, "char_str": letter, "modifiers": ()})
        self.frame()

    def place(self, control, across=0.5, down=0.5):
        """(x, y) in a control of the panel, which is scrolled to if need be."""
        for _ in range(40):
            x, y, width, height = self.viewer.overlay.widgets.places[control]
            if y >= 0 and y + height <= self.canvas.get_logical_size()[1]:
                return x + width * across, y + height * down
            # The wheel belongs to the weights, so it is turned over the margin.
            self.wheel(self.canvas.get_logical_size()[0] - 314, 300, 1 if y < 0 else -1)
            self.wait(0.1)
        raise AssertionError(f"{control} cannot be scrolled to")

    def close(self):
        self.canvas.close()
