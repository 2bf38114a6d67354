"""Debug views, which show quantities of the ray search in place of the surfaces."""

import numpy as np

from engine.draw.words.legend import Legend
from engine.errors import SettingError, near
from engine.vector.ticks import tick_text

# {view: its number in wgsl/draw/debug_view}. "undecided" compiles no other shader: it only colours some samples.
VIEWS = {"none": 0, "undecided": 0, "segments": 1, "depth": 2, "normals": 3, "overdraw": 4, "tree": 5}
# Segments at the end of the colour map; usual networks take 10 to 80.
SEGMENTS_SHOWN = 96
# The part of a ray left at the end of the colour map; of trained networks hundredths are left.
LEFT_SHOWN = 0.1
# The smaller side of a picture, pixels, below which a view's legend would cover what it explains.
LEAST = 150
# The range of a normal's components, and the colour map for them: the whole map, as for images.
NORMAL_SPAN, NORMAL_MAP = (-1.0, 1.0), ("grey", "image")


def view_number(view: str) -> int:
    """The number of a view in WGSL. Raises SettingError for an unknown view."""
    if view not in VIEWS:
        raise SettingError(near(view, VIEWS, noun="debug view"))
    return VIEWS[view]


def view_span(view: str, eye_distance: float, reach: float, surfaces: int) -> tuple[float, float]:
    """The values at the two ends of a view's colours.

    eye_distance, reach   distance from the eye to the region's middle; the region's radius; world units
    surfaces              the most surfaces in a ray's list of layers
    """
    near_end = max(0.0, eye_distance - reach)
    return {
        "segments": (0.0, float(SEGMENTS_SHOWN)),
        "depth": (near_end, near_end + 2.0 * reach),
        "normals": NORMAL_SPAN,
        "overdraw": (0.0, float(surfaces)),
        "tree": (0.0, LEFT_SHOWN),
    }.get(view, (0.0, 1.0))


def view_legend(view: str, map: str, span: tuple[float, float]) -> Legend | None:
    """The Legend of a view whose colours run over `span`; None for views that show the surfaces themselves."""
    low, high = span
    if view == "normals":
        return Legend("normal, xyz", NORMAL_MAP[0], low, high, (-1.0, 0.0, 1.0), card=True, least=LEAST)
    if view == "overdraw":
        return Legend("surfaces", map, low, high, tuple(range(int(high) + 1)), least=LEAST)
    marks = tuple(np.linspace(low, high, 5).tolist())
    if view == "tree":
        words = (*(f"{m:.1%}" for m in marks[:-1]), f"{high:.0%} +")
        return Legend("left to search", map, low, high, marks, words, least=LEAST)
    if view == "segments":
        words = (*(f"{m:.0f}" for m in marks[:-1]), f"{high:.0f} +")
        return Legend("segments", map, low, high, marks, words, least=LEAST)
    words = tuple(tick_text(marks))
    return Legend("distance", map, low, high, marks, words, least=LEAST) if view == "depth" else None
