"""One picture of a scene at a moment, while it is being made: what is drawn, how it is cut, how far it has come."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from engine.draw.frame import NOT_YET, THEMES, Sprite, Theme
from engine.draw.node import Node
from engine.draw.words.legend import Legend
from engine.gpu.array import Array
from engine.gpu.timing import PassTimes
from engine.kernels.search.budget import Allowance
from engine.kernels.search.progress import Progress
from engine.render.encoding import PLAIN, Encoding
from engine.render.tile_passes import Placed
from engine.render.tiling import TilePlan
from engine.view.camera import Camera


class Subject(Protocol):
    """What a Renderer draws: the part of a Scene that this room uses.

    stage         the root node
    theme         a key of THEMES
    drawn_theme   the key of another theme to use instead; or None
    aspect        width over height of the picture, set before `advance`
    shared        the range of colours that it shares with others, whose legend stands outside; or None
    key_outside   True if its key of lines stands outside
    """

    stage: Node
    camera: Camera
    theme: str
    aspect: float
    shared: tuple[float, float] | None
    key_outside: bool

    @property
    def drawn_theme(self) -> str | None: ...

    def advance(self, clock: Any) -> None:
        """Updates the stage for a moment."""

    def legend(self) -> Legend | None:
        """The Legend of that moment, or None."""


def theme_of(scene: Subject) -> Theme:
    """The Theme of a scene's picture."""
    return THEMES[scene.drawn_theme or scene.theme]


def shape(scene: Subject, size: tuple[int, int]) -> None:
    """Tells a scene the shape of the picture that it will be brought to a moment for; sizes are checked later."""
    with suppress(TypeError, ValueError, ZeroDivisionError):
        width, height = size
        scene.aspect = width / height


@dataclass
class Shot:
    """One picture of a scene at a moment, while it is being made.

    plan        its TilePlan
    drawables   each with its transform, in the order of the stage
    times       PassTimes of its passes, if they are timed; else None
    counts      Array, see draw.frame.Frame
    sprites     words and legend, in pixels of the picture; None before the first tile is begun
    is_prepared  True once the first tile is begun
    draft       True if rays need not be certain
    allowance   what is left of the Budget for searching rays
    drawn       samples of the tiles that are done
    encoding    of its pixels
    """

    scene: Subject
    plan: TilePlan
    theme: Theme
    drawables: list[Placed]
    times: PassTimes | None = None
    counts: Array = NOT_YET
    sprites: list[Sprite] | None = None
    is_prepared: bool = False
    allowance: Allowance = NOT_YET
    drawn: int = 0
    encoding: Encoding = PLAIN
    draft: bool = False

    @property
    def lists(self) -> list[Placed]:
        """The drawables that make layers."""
        return [placed for placed in self.drawables if placed[0].makes_layers]

    @property
    def is_exact(self) -> bool:
        """True if the colours of some node are values."""
        return any(node.is_exact for node, _ in self.drawables)

    @property
    def casting(self) -> list[Placed]:
        """The drawables that cast rays."""
        return [placed for placed in self.drawables if placed[0].casts_rays]

    def samples(self, size: tuple[int, int]) -> int:
        """The number of samples in so many pixels."""
        return size[0] * size[1] * self.plan.grid**2

    def rays(self, size: tuple[int, int]) -> int:
        """The number of samples in so many pixels for which rays are cast."""
        return self.samples(size) * len(self.casting)

    def progress(self, decided: float = 0.0, stage: str = "rays", done: float = 0.0) -> Progress:
        """The Progress of the picture: the tiles that are done, and of the present one so many decided samples and the
        work of so many. In a scene that casts no rays its samples stand for them."""
        samples = self.samples(self.plan.size)
        rays = self.rays(self.plan.size) or samples
        shares = [(self.drawn + more) / samples for more in (decided, done)]
        return Progress(round(shares[0] * rays), rays, stage, shares[1])

    def heed(self, enough: bool | None) -> None:
        """Ends the search for crossings, if that is asked for."""
        if enough:
            self.allowance.stop()
