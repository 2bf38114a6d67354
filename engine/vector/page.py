"""A vector drawing as plain data: the contents of a page, in millimetres, y downwards. Writers make files from it."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import ShapeError

# Decimal places of millimetres in files: finer than any plotter, and short.
PLACES = 4
# A point of type, 1/72 inch.
POINT_MM = 25.4 / 72.0
# Widths of Helvetica's characters 32 to 126 in thousandths of the type size (Adobe's Core 14 metrics). The font that a
# reader uses instead may be a few percent wider, so a layout by these widths needs that much spare room.
WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
BOLD_WIDTHS = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
)  # fmt: skip
# Widths of characters that are not in the table: a digit's, and for mathematical signs that of `+`.
OTHER_WIDTH, SIGN_WIDTH = 556, 584

ANCHORS = ("start", "middle", "end")
WEIGHTS = ("normal", "bold")


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """The width of a line of Helvetica, in the unit of its size."""
    widths = BOLD_WIDTHS if weight == "bold" else WIDTHS
    total = 0
    for letter in text:
        code = ord(unicodedata.normalize("NFKD", letter)[0])
        if 32 <= code <= 126:
            total += widths[code - 32]
        else:
            total += SIGN_WIDTH if unicodedata.category(letter) == "Sm" else OTHER_WIDTH
    return total * size / 1000.0


@dataclass(frozen=True, eq=False)
class Path:
    """One or more lines or areas that are one object in a drawing program.

    name        its id; a writer makes it unique
    polylines   (n, 2) arrays, mm
    stroke      the line's colour, `#rrggbb`; None for no line
    width_mm    of the line
    fill        the area's colour, or None; an area inside another is a hole
    dash        lengths of line and gap alternately, mm; () for a solid line
    opacity     0 to 1
    closed      True: each polyline's end is joined to its start
    title       the text that a browser shows when the pointer rests on it
    """

    name: str
    polylines: Sequence[Any] = ()
    stroke: str | None = None
    width_mm: float = 0.25
    fill: str | None = None
    dash: tuple[float, ...] = ()
    opacity: float = 1.0
    closed: bool = False
    title: str = ""

    def __post_init__(self):
        lines = tuple(np.asarray(line, float) for line in self.polylines)
        for line in lines:
            if line.ndim != 2 or line.shape[1] != 2:
                raise ShapeError(f"A polyline of {self.name} is {line.shape}; it must be (n, 2).")
            if not np.isfinite(line).all():
                raise ShapeError(f"A polyline of {self.name} has a point that is no number.")
        # A line of a single point is not drawn.
        object.__setattr__(self, "polylines", tuple(line for line in lines if len(line) > 1))


@dataclass(frozen=True)
class Words:
    """A line of type.

    x, y        mm; the point of the base line that the anchor names
    size_mm     of the type
    anchor      one of ANCHORS
    colour      `#rrggbb`
    weight      one of WEIGHTS
    """

    text: str
    x: float
    y: float
    size_mm: float = 7 * POINT_MM
    anchor: str = "start"
    colour: str = "#000000"
    weight: str = "normal"

    @property
    def width_mm(self) -> float:
        """Its width in Helvetica, mm."""
        return text_width(self.text, self.size_mm, self.weight)


@dataclass(frozen=True, eq=False)
class Raster:
    """An image among the vectors.

    x, y, width, height   mm; x and y are its upper left corner's
    pixels                (H, W, 3) uint8, sRGB, row 0 on top; or (H, W, 4), by whose alpha they are not multiplied
    """

    x: float
    y: float
    width: float
    height: float
    pixels: np.ndarray
    name: str = "image"

    def __post_init__(self):
        pixels = np.ascontiguousarray(self.pixels)
        if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or pixels.dtype != np.uint8 or 0 in pixels.shape:
            raise ShapeError(f"The pixels of {self.name} are {pixels.shape} {pixels.dtype}, not (H, W, 3 or 4) uint8.")
        object.__setattr__(self, "pixels", pixels)


@dataclass(frozen=True, eq=False)
class OwnPicture:
    """The scene's own picture, over the whole page: `neuroscene export` puts it in, and its words as vectors on top.

    size    (width, height) in pixels
    lines   nodes of lines (draw.lines.Lines) that become paths, and are left out of the image
    """

    size: tuple[int, int]
    lines: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class Group:
    """A group of children, or a layer.

    name        its id
    children    Path, Words, Raster and Group
    label       the name of a layer in drawing programs and PDF readers; None for a plain group
    title       as a Path's
    """

    name: str
    children: Sequence["Part"] = ()
    label: str | None = None
    title: str = ""

    def __post_init__(self):
        object.__setattr__(self, "children", tuple(self.children))


Part: TypeAlias = Path | Words | Raster | OwnPicture | Group


@dataclass(frozen=True, eq=False)
class Drawing:
    """A page; later children lie over earlier ones.

    width_mm, height_mm   of the page
    background            its colour; None for a transparent page
    """

    width_mm: float
    height_mm: float
    children: Sequence["Part"] = ()
    title: str = ""
    description: str = ""
    background: str | None = None

    def __post_init__(self):
        object.__setattr__(self, "children", tuple(self.children))
        if not (0 < self.width_mm < np.inf and 0 < self.height_mm < np.inf):
            raise ShapeError(f"A drawing's page is {self.width_mm} x {self.height_mm} mm; both must be above 0.")


def hexadecimal(colours: ArrayLike) -> list[str]:
    """`#rrggbb` of each of (N, 3) uint8 sRGB colours."""
    return ["#" + bytes(colour).hex() for colour in np.asarray(colours, np.uint8)]


def number(value: float) -> str:
    """A number as the shortest text with PLACES decimals; -0 is 0."""
    rounded = round(float(value), PLACES)
    if not np.isfinite(rounded):
        raise ValueError(f"{value} cannot be written into a drawing.")
    text = f"{rounded:.{PLACES}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def points(line: np.ndarray) -> Iterator[str]:
    """`x y` of each point of a polyline; consecutive points that are equal after rounding are written once."""
    last = None
    for x, y in line:
        here = f"{number(x)} {number(y)}"
        if here != last:
            yield here
        last = here


def rectangle(x: float, y: float, width: float, height: float) -> np.ndarray:
    """The (4, 2) corners of a rectangle, for a closed Path."""
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], float)


def thinned(line: ArrayLike, tolerance: float) -> np.ndarray:
    """A polyline with fewer points: those left out are no farther from it than the tolerance.

    line   (n, 2); its end points are kept

    After Douglas and Peucker 1973.
    """
    line = np.asarray(line, float)
    stays = {0, len(line) - 1}
    waiting = [(0, len(line) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first > 1:
            away = _distances(line[first + 1 : last], line[first], line[last])
            middle = first + 1 + int(np.argmax(away))
            if away.max() > tolerance:
                stays.add(middle)
                waiting += [(first, middle), (middle, last)]
    return line[sorted(stays)]


def _distances(points, start, end):
    """The distances of points from the segment from start to end, which may be the same point."""
    along = end - start
    squared = float(along @ along)
    share = np.clip((points - start) @ along / squared, 0.0, 1.0) if squared else np.zeros(len(points))
    return np.linalg.norm(points - start - share[:, None] * along, axis=1)
