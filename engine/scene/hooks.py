"""What a scene may say besides its picture: each has an answer here, and a scene overrides those it has more to say to.

| asked by            | hooks                                                                                  |
| ------------------- | -------------------------------------------------------------------------------------- |
| a view's camera     | `view`, `reach`                                                                        |
| a view's time       | `moment`, `plays`, `work`, `timeline`, `go_to` (called by the scene)                   |
| a view's pointer    | `read`, `pointed`, `pin`                                                               |
| the panel           | `actions`, `units`, `diagram`, `listing`, `matrix`, `matrix_changed`, `shown_data`     |
| the picture         | `drawn_theme`, `legend`, `remark`                                                      |
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
    from engine.draw.words.legend import Legend
    from engine.vector.page import Drawing
    from engine.view.camera import Camera


class Hooks:
    """The hooks of a Scene, apart from `build` and `update`; see the table of this module.

    view          "orbit" or "pan_zoom": how the mouse moves the camera; it may change with a setting
    reach         (least, largest) size of what is looked at that can be zoomed to, world units; None for the view's own
    moment        seconds: the time a picture is for where none is given
    plays         True where time passes from 0 on as soon as it is looked at live
    drawn_theme   the name of the theme of the picture, where that is not the setting `theme`
    """

    _asked_time: tuple[float, bool] | None = None
    if TYPE_CHECKING:  # a scene gives values, or properties

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
        def loop(self) -> float | None: ...
        @property
        def home(self) -> Camera: ...
    else:
        view, reach, moment, plays, drawn_theme = "orbit", None, 0.0, False, None

    def actions(self) -> list[Action]:
        """The scene's own Actions, in the order of its buttons."""
        return []

    def read(self, hit: Hit) -> Reading | None:
        """The Reading for what is under the pointer, or None."""
        return None

    def pointed(self, hit: Hit | None) -> bool:
        """Takes what the pointer rests on, or None when it has left; True if the picture changes by it."""
        return False

    def pin(self, hit: Hit | None) -> bool:
        """Takes what was clicked; None if nothing was, or the pin is taken away.

        Returns True if the scene shows the pin in its picture, or has taken it from there; else a view does it, with
        what `read` says.
        """
        return False

    def legend(self) -> Legend | None:
        """What the colours mean, or None."""
        return None

    def drawing(self, clock: Clock, size_mm: tuple[float, float | None] | None = None) -> Drawing | None:
        """The vectors of this moment for `neuroscene export`, or None for a scene without.

        size_mm   (width, height or None) of the page; None for the scene's own
        """
        return None

    @classmethod
    def figures(cls) -> tuple[Figure, ...]:
        """The Figures that are made of the scene by `neuroscene figures`."""
        return ()

    def go_to(self, time: float, *, play: bool = False) -> None:
        """Asks whoever shows the scene to go to a time; a picture or a film has its own.

        play   True to let time go on from there
        """
        self._asked_time = time, play

    def asked_time(self) -> tuple[float, bool] | None:
        """(time, play) that `go_to` asked for since the last call, or None."""
        asked, self._asked_time = self._asked_time, None
        return asked

    def work(self, seconds: float) -> bool:
        """Goes on with work of the scene's own for about so long, such as training; a live view calls it each frame.

        Returns True while there is more to do.
        """
        return False

    def remark(self) -> str | None:
        """A line that must be said of the picture as it is, such as where it is not to be trusted; or None."""
        return None

    def timeline(self) -> Timeline | None:
        """The Timeline of a scene that goes through snapshots, or None; also before `build`."""
        return None

    def units(self) -> Units | None:
        """The Units that are shown and hidden by buttons, or None."""
        return None

    def diagram(self) -> Diagram | None:
        """The Diagram of the network as it is now, or None."""
        return None

    def listing(self) -> Listing | None:
        """The Listing of what there is to see and when, or None."""
        return None

    def shown_data(self: Any, name: str) -> Any:
        """What is shown where a setting of files is None: the scene's own network for the first Network, or None."""
        networks = [key for key, setting in settings(self).items() if isinstance(setting, Network)]
        return self.matrix() if networks[:1] == [name] else None

    def matrix(self) -> Mlp | None:
        """The Mlp whose weights the panel shows as a matrix that can be edited, or None."""
        return None

    def matrix_changed(self, net: Mlp) -> None:
        """Takes a network edited in the panel."""


# The kinds of view there are, and what hooks without arguments give.
VIEWS = ("orbit", "pan_zoom")
ANSWERS = {"timeline": Timeline, "units": Units, "diagram": Diagram, "listing": Listing, "matrix": Mlp}


def check_hooks(scene: Any) -> None:
    """Asks a scene what a view will ask of it, so that a mistake is found before it is shown.

    Raises SceneError for an answer of a wrong kind, and whatever a hook raises.
    """
    kind = type(scene).__name__
    if scene.view not in VIEWS:
        raise SceneError(f"{kind}.view: {near(scene.view, VIEWS, noun='kind of view')}")
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
