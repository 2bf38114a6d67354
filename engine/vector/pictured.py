"""A scene's picture as a Drawing: an image, over it curves of surfaces, lines in space and words as vectors."""

from collections.abc import Sequence

import numpy as np

from engine.regions.silhouettes import LevelCurves
from engine.vector import page
from engine.vector.page import Drawing, Group, OwnPicture, Part, Path
from engine.vector.plot import BACKGROUND

# A page's usual size, mm, and the pixels across its picture.
PAGE_MM, ACROSS = (160.0, 120.0), 1000
# Of curves on the far side of the region.
FAINT = 0.4
# The tolerance for thinning out, mm: a tenth of a pixel of the picture on a page of the usual size is 0.016.
THINNED_MM = 0.004


def picture_size(size_mm: tuple[float, float | None] | None) -> tuple[int, int]:
    """(width, height) in pixels of the picture on a page; see `pictured`."""
    width, height = _page(size_mm)
    # Along the longer side, so that no page asks for more.
    scale = ACROSS / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def pictured(
    size_mm: tuple[float, float | None] | None, *, curves: Sequence[tuple[LevelCurves, str]] = (),
    lines: Sequence[object] = (), theme: str = "paper", line_mm: float = 0.25, title: str = "", description: str = "",
) -> Drawing:  # fmt: skip
    """The Drawing of a scene's picture, which `neuroscene export` puts in.

    size_mm   (width, height or None) of the page; None for 160 x 120
    curves    (LevelCurves in the pixels of `picture_size`, `#rrggbb`) of each level
    lines     nodes of lines in space that become paths, and are left out of the image
    """
    width, height = _page(size_mm)
    size = picture_size(size_mm)
    mm = width / size[0]
    parts: list[Part] = [OwnPicture(size, tuple(lines))]
    for number, (found, css) in enumerate(curves, start=1):
        kinds = (("silhouette", found.silhouettes, 1.0), ("rim", found.near, 1.0), ("far-rim", found.far, FAINT))
        paths = [
            Path(
                f"level-{number}-{kind}", [page.thinned(np.asarray(line) * mm, THINNED_MM) for line in some], css,
                line_mm, opacity=opacity, title=f"level {found.level:g}, {kind.replace('-', ' ')}",
            )
            for kind, some, opacity in reversed(kinds) if some
        ]  # fmt: skip
        parts.append(Group(f"level-{number}", paths, f"level {found.level:g}"))
    return Drawing(width, height, parts, title, description, BACKGROUND[theme])


def _page(size_mm):
    width, height = size_mm or PAGE_MM
    return width, width * PAGE_MM[1] / PAGE_MM[0] if height is None else height
