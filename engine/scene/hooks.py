"""The hooks of a scene: optional methods and attributes with defaults, which a scene overrides.

| asked by            | hooks                                                                                  |
| ------------------- | -------------------------------------------------------------------------------------- |
| a view's camera     | `view`, `reach`                                                                        |
| a view's time       | `moment`, `plays`, `work`, `timeline`, `go_to` (called by the scene)                   |
| a view's pointer    | `read`, `pointed`, `pin`                                                               |
| the panel           | `actions`, `units`, `diagram`, `listing`, `matrix`, `matrix_changed`, `shown_data`     |
| the picture         | `drawn_theme`, `legend`, `shares`, `key_rows`, `remark`                                |
| commands            | `figures` (neuroscene figures), `drawing` (neuroscene export)                          |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import SceneError, near
from engine.network.mlp import Mlp
from engine.scene.data_settings import Network
from engine.scene.figure import Figure
from engine.scene.settings import settings
from engine.scene.view_data import Action, Clock, Diagram, Listing, Reading, Timeline, Units

if TYPE_CHECKING:
    from engine.draw.drawable import Hit
    from engine.draw.words.key import KeyRow
    from engine.draw.words.legend import Legend
    from engine.vector.page import Drawing
    from engine.view.camera import Camera


class Hooks:
    """The hooks of a Scene, apart from `build` and `update`; see the table of this module.

    view          "orbit" or "pan_zoom": how the mouse moves the camera; it may change with a setting
    reach         (least, largest) extent that can be zoomed to, world units; None for the view's own limits
    moment        seconds: the time of a picture if none is given
    plays         True: a live view begins at time 0 and plays
    drawn_theme   the name of the picture's theme, if it is not that of the setting `theme`; or None
    without_image   True while `drawing` is asked for vectors without an image
    aspect        width over height of the picture that is made; set before each `update`
    shares        True if the colours of the present picture can be for a range that it shares with others
    shared        (low, high): that range, whose legend stands outside of the picture; None for the picture's own
    key_outside   True: the key of lines stands outside of the picture
    """

    without_image = False
    aspect: float = 1.0
    shared: tuple[float, float] | None = None
    key_outside: bool = False

    _asked_time: tuple[float, bool] | None = None
    if TYPE_CHECKING:  # a scene may override these by values or by properties

        @property
        def view(self) -> str: ...
        @property
        def reach(self) -> tuple[float, float] | None: ...
        @property
        def moment(self) -> float: ...
        @property
        def plays(self) -> bool: ...
        @property
        def drawn_theme(self) -> str | None: ...
        @property
        def shares(self) -> bool: ...
        @property
        def loop(self) -> float | None: ...
        @property
        def home(self) -> Camera: ...
    else:
        view, reach, moment, plays, drawn_theme, shares = "orbit", None, 0.0, False, None, False

    def actions(self) -> list[Action]:
        """The scene's own Actions, in the order of its buttons."""
        return []

    def read(self, hit: Hit) -> Reading | None:
        """The Reading for what is under the pointer, or None."""
        return None

    def pointed(self, hit: Hit | None) -> bool:
        """Takes what the pointer rests on, or None when it has left; returns True if this changes the picture."""
        return False

    def pin(self, hit: Hit | None) -> bool:
        """Takes what was clicked; None if there was nothing, or if the pin is removed.

        Returns True if the scene itself shows the pin in its picture, or has removed it. After False the view shows the
        pin, with the Reading of `read`.
        """
        return False

    def legend(self) -> Legend | None:
        """What the colours mean, or None."""
        return None

    def key_rows(self) -> tuple[KeyRow, ...]:
        """The rows of the picture's Key, known before the picture is made; () if it has none."""
        return ()

    def drawing(self, clock: Clock, size_mm: tuple[float, float | None] | None = None) -> Drawing | None:
        """The Drawing of this moment for `neuroscene export`, or None if the scene has no vector drawing.

        size_mm   (width, height or None) of the page; None for the scene's own
        """
        return None

    @classmethod
    def figures(cls) -> tuple[Figure, ...]:
        """The Figures of the scene, which `neuroscene figures` makes."""
        return ()

    def go_to(self, time: float, *, play: bool = False) -> None:
        """Called by the scene: asks the view to go to a time. It has no effect on pictures and films.

        play   True to play from there
        """
        self._asked_time = time, play

    def asked_time(self) -> tuple[float, bool] | None:
        """(time, play) that `go_to` asked for since the last call, or None."""
        asked, self._asked_time = self._asked_time, None
        return asked

    def work(self, seconds: float) -> bool:
        """Continues the scene's own work, such as training, for about so long; a live view calls it each frame.

        Returns True while there is more to do.
        """
        return False

    def remark(self) -> str | None:
        """A line that must accompany the present picture, such as a warning about its accuracy; or None."""
        return None

    def timeline(self) -> Timeline | None:
        """The Timeline of a scene that goes through snapshots, or None; may be called before `build`."""
        return None

    def units(self) -> Units | None:
        """The Units whose buttons show and hide them, or None."""
        return None

    def diagram(self) -> Diagram | None:
        """The Diagram of the present network, or None."""
        return None

    def listing(self) -> Listing | None:
        """The Listing of moments or places worth seeing, or None."""
        return None

    def shown_data(self: Any, name: str) -> Any:
        """The value that is shown if a setting of files is None: for the first Network the scene's own; or None."""
        networks = [key for key, setting in settings(self).items() if isinstance(setting, Network)]
        return self.matrix() if networks[:1] == [name] else None

    def matrix(self) -> Mlp | None:
        """The Mlp whose weights the panel shows as a matrix that can be edited, or None."""
        return None

    def matrix_changed(self, net: Mlp) -> None:
        """Takes a network edited in the panel."""


# The kinds of view, and the types that hooks without arguments may return.
VIEWS = ("orbit", "pan_zoom")
ANSWERS = {"timeline": Timeline, "units": Units, "diagram": Diagram, "listing": Listing, "matrix": Mlp}


def check_view(scene: Any) -> None:
    """Raises SceneError if the scene's `view` is not one of VIEWS, and whatever `view` raises."""
    if scene.view not in VIEWS:
        raise SceneError(f"{type(scene).__name__}.view: {near(scene.view, VIEWS, noun='kind of view')}")


def check_hooks(scene: Any) -> None:
    """Calls the hooks that a view will call, so that an error is found before the scene is shown.

    Raises SceneError for a result of a wrong type, and whatever a hook raises.
    """
    kind = type(scene).__name__
    check_view(scene)
    for name, answer in {name: getattr(scene, name)() for name in ANSWERS}.items():
        if answer is not None and not isinstance(answer, ANSWERS[name]):
            raise SceneError(
                f"{kind}.{name} gives a {type(answer).__name__}; it must be {ANSWERS[name].__name__} or None."
            )
    for answer in (actions := scene.actions()) or ():
        if not isinstance(answer, Action):
            raise SceneError(f"{kind}.actions gives {actions}; it must be a list of Actions.")
    if scene.reach is not None and len(scene.reach) != 2:
        raise SceneError(f"{kind}.reach is {scene.reach}; it must be (least, largest), or None.")
