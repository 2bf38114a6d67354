"""What a scene is: settings, build, update, actions; and the clock it is told the time by."""

import numpy as np
import param

from engine.draw.node import Node
from engine.errors import SettingError
from engine.scene import display
from engine.scene.data_settings import Network
from engine.scene.settings import Choice, Integer, assign, is_data, settings
from engine.scene.view_data import Clock
from engine.view.camera import Camera


class Scene(param.Parameterized):
    """A picture that answers to settings and time.

    A subclass declares settings (engine.Number, Integer, Switch, Choice, Text, Network), adds nodes in
    `build` and moves them in `update`. It sees no window, device or widget.

    loop     seconds after which the animation repeats, or None
    camera   where it is looked at from; controls and stored images replace it
    view     "orbit" or "pan_zoom": how the mouse moves the camera; it may change with a setting
    moment   seconds: the time a picture is for where none is told
    plays    True where time passes from 0 on as soon as it is looked at live
    reach    (least, largest) size of what is looked at that can be zoomed to, world units; None for the view's own
    """

    theme = Choice(
        ["dark", "paper"],
        group="how",
        rebuild=True,
        doc="colours of the ground and the words: for a screen or for print",
    )
    seed = Integer(0, bounds=(0, 2**31 - 1), group="shown", rebuild=True, doc="of everything random in the scene")

    loop: float | None = None
    moment: float = 0.0
    plays = False
    view = "orbit"
    reach: tuple | None = None
    home = Camera()

    def __init__(self, **values):
        known = settings(type(self))
        super().__init__()
        self.camera = self.home
        self.stage = Node("stage")
        self._stale = True
        self._asked_time = None
        rebuilding = [n for n, s in known.items() if s.rebuild]
        if rebuilding:
            self.param.watch(self._mark_stale, rebuilding)
        for name, value in values.items():
            if name == "camera":
                self.camera = value
            else:
                assign(self, name, value)

    def _mark_stale(self, *_):
        self._stale = True

    # What a scene writes.

    def build(self, stage):
        """Adds nodes to the stage; called at the start and again when a setting marked rebuild changed."""

    def update(self, clock):
        """Sets the nodes for this moment; called before every frame."""

    def actions(self):
        """The scene's own Actions, in the order of its buttons."""
        return []

    def read(self, hit):
        """The Reading for a pick.Hit under the pointer, or None."""
        return None

    def pointed(self, hit):
        """Takes the pick.Hit that the pointer rests on, or None when it has left; True if the picture changes by it."""
        return False

    def pin(self, hit):
        """Takes the pick.Hit that was clicked; None if nothing was, or the pin is taken away.

        Returns True if the scene shows the pin in its picture, or has taken it from there; else a view does it, with
        what `read` says.
        """
        return False

    def legend(self):
        """A draw.legend.Legend that says what the colours mean, or None."""
        return None

    def drawing(self, clock, size_mm=None):
        """The engine.vector.page.Drawing of this moment for `neuroscene export`, or None for a scene without vectors.

        size_mm   (width, height or None) of the page; None for the scene's own
        """
        return None

    @classmethod
    def figures(cls):
        """The engine.Figures that are made of the scene by `neuroscene figures`, a tuple."""
        return ()

    def go_to(self, time, *, play=False):
        """Asks whoever shows the scene to go to a time; a picture or a film has its own.

        play   True to let time go on from there
        """
        self._asked_time = time, play

    def asked_time(self):
        """(time, play) that `go_to` asked for since the last call, or None."""
        asked, self._asked_time = self._asked_time, None
        return asked

    def work(self, seconds):
        """Goes on with work of the scene's own for about so long, such as training; a live view calls it each frame.

        Returns True while there is more to do.
        """
        return False

    def remark(self):
        """A line that must be said of the picture as it is, such as where it is not to be trusted; or None."""
        return None

    def timeline(self):
        """The engine.scene.view_data.Timeline of a scene that goes through snapshots, or None; also before `build`."""
        return None

    def units(self):
        """The engine.scene.view_data.Units that are shown and hidden by buttons, or None."""
        return None

    def diagram(self):
        """The engine.scene.view_data.Diagram of the network as it is now, or None."""
        return None

    def listing(self):
        """The engine.scene.view_data.Listing of what there is to see and when, or None."""
        return None

    def shown_data(self, name):
        """What is shown where a setting of files is None: the scene's own network for the first Network, or None."""
        kinds = [key for key, setting in settings(self).items() if isinstance(setting, Network)]
        return self.matrix() if kinds[:1] == [name] else None

    def matrix(self):
        """The Mlp whose weights the panel shows as a matrix that can be edited, or None."""
        return None

    def matrix_changed(self, net):
        """Takes a network edited in the panel."""

    # What everyone else calls.

    def _repr_mimebundle_(self, include=None, exclude=None):
        """What a notebook shows for a cell that ends with the scene."""
        return None if display.mimebundle is None else display.mimebundle(self)

    def advance(self, clock):
        """Builds if need be, then updates; the stage is then ready to be drawn."""
        if self._stale:
            self._stale = False
            self.stage.clear()
            self.build(self.stage)
        self.update(clock)

    def state(self, clock=None, *, weights_limit=2**20):
        """Everything needed to make the same picture again, as JSON holds it.

        weights_limit   bytes; a larger network, history or image is left out and named under `left_out`
        """
        values, left_out = {}, []
        for name, setting in settings(self).items():
            value = getattr(self, name)
            if is_data(setting) and value is not None:
                if not setting.is_stored:
                    left_out += [f"{name}: {setting.describe(value)}"] * setting.is_missed
                    continue
                data = setting.to_bytes(value)
                if len(data) > weights_limit:
                    left_out.append(f"{name}: {setting.describe(value)}, {len(data)} bytes")
                    continue
                value = {setting.key: data.hex()}
            values[name] = value
        return {
            "scene": f"{type(self).__module__}:{type(self).__name__}",
            "settings": values,
            "camera": self.camera.state(),
            "time": clock.time if clock else 0.0,
            "left_out": left_out,
        }

    def restore(self, state):
        """Takes a state back; returns the Clock it was made at.

        Raises SettingError for a state that is not one of this scene's.
        """
        try:
            for name, value in state["settings"].items():
                setting = settings(self).get(name)
                if is_data(setting) and isinstance(value, str):
                    # A stored text would be taken as a path, and a picture may not choose what is opened.
                    raise ValueError(f"{name} is not a stored {setting.key}")
                if isinstance(value, dict):
                    value = setting.from_bytes(bytes.fromhex(value[setting.key]))
                assign(self, name, value)
            self.camera = Camera(**state["camera"])
            time = float(state["time"])
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise SettingError(f"The stored state does not fit {type(self).__name__}: {error}.") from None
        if not np.isfinite(time):
            raise SettingError(f"The stored time is {time}; it must be a number of seconds.")
        return Clock(time)
