"""Colour maps by name: ours, those of the `cmap` package's catalogue, and lists of colours that a person writes."""

import logging
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import ImageColor

from engine.errors import SettingError, near

# Ten evenly spaced colours of each map. viridis, magma, cividis: van der Walt and Smith 2015; Nunez et al. 2018 (CC0).
# The diverging map is Crameri's vik, 2018, in eleven colours.
ANCHORS = {
    "viridis": "#440154 #482878 #3e4989 #31688e #26828e #1f9e89 #35b779 #6ece58 #b5de2b #fde725",
    "magma": "#000004 #180f3e #451077 #721f81 #9f2f7f #cd4071 #f1605d #fd9567 #feca8d #fcfdbf",
    "cividis": "#00224e #123570 #3b496c #575d6d #707173 #8a8678 #a59c74 #c3b369 #e1cc55 #fee838",
    "grey": "#000000 #1c1c1c #393939 #555555 #717171 #8e8e8e #aaaaaa #c6c6c6 #e3e3e3 #ffffff",
    "diverging": "#001261 #033e7d #1e6f9d #71a8c4 #c9dde7 #eceae8 #ead0bf #d29773 #ba6029 #8b2500 #590007",
}
# Colours of a list that a person may write, and letters of a name.
MOST_COLOURS, MOST_LETTERS = 64, 80
NAME = re.compile(r"[A-Za-z][\w:+.-]*")
# Colours taken from a map of the catalogue: as many as its longest lists have.
SAMPLES = 256
OTHERS = "Also any name of the cmap catalogue (pip install cmap), and colours, as #000,#f80,#fff."


@dataclass(frozen=True)
class ColourMap:
    """The colours of a map.

    colours   (N, 4) sRGB and alpha from 0 to 1, evenly spaced
    kind      sequential, diverging, cyclic, qualitative or miscellaneous; `own` for a person's list
    """

    colours: np.ndarray
    kind: str

    @property
    def steps(self) -> bool:
        """Whether it is bands of single colours, with nothing between them."""
        return self.kind == "qualitative"


def names() -> list[str]:
    """The names of our own maps."""
    return list(ANCHORS)


def is_diverging(name: str) -> bool:
    """Whether the middle of a map means something, so that it belongs to the value 0."""
    return named(name).kind == "diverging"


@lru_cache(maxsize=64)
def named(name: str) -> ColourMap:
    """The ColourMap of a name, or of colours with commas between them (`#000,#f80,#fff`, `navy,white`).

    `_r` behind a name reverses it. Raises SettingError for anything else.
    """
    text = name.strip() if isinstance(name, str) else ""
    if "," in text or text.startswith("#"):
        return _listed(text)
    base = text.removesuffix("_r")
    if base in ANCHORS:
        found = np.array([_colour(colour) for colour in ANCHORS[base].split()])
        kind = "diverging" if base == "diverging" else "sequential"
        return ColourMap(found if base == text else found[::-1], kind)
    return _catalogued(text)


def _listed(text: str) -> ColourMap:
    words = [word.strip() for word in text[: MOST_COLOURS * MOST_LETTERS].split(",")]
    if not 2 <= len(words) <= MOST_COLOURS:
        raise SettingError(f"A list of colours has 2 to {MOST_COLOURS}, as #000,#f80,#fff; this one has {len(words)}.")
    return ColourMap(np.array([_colour(word) for word in words]), "own")


def _colour(word: str) -> tuple[float, ...]:
    """(red, green, blue, alpha) of a word."""
    if word == "transparent":
        return 0.0, 0.0, 0.0, 0.0
    try:
        red, green, blue, *alpha = ImageColor.getrgb(word[:MOST_LETTERS])
    except ValueError:
        raise SettingError(
            f"`{word[:MOST_LETTERS]}` is no colour. It may be #rgb, #rrggbb, #rrggbbaa, transparent, or a name as navy."
        ) from None
    return red / 255.0, green / 255.0, blue / 255.0, (alpha[0] if alpha else 255) / 255.0


def _catalogued(text: str) -> ColourMap:
    known = list(ANCHORS)
    if len(text) <= MOST_LETTERS and NAME.fullmatch(text):
        try:
            import cmap
        except ImportError:
            pass
        else:
            # It warns of names that several collections have; it takes the usual one.
            logging.getLogger("cmap").setLevel(logging.ERROR)
            try:
                found = cmap.Colormap(text)
            except (ValueError, KeyError, TypeError):
                known += cmap.Catalog().short_keys()
            else:
                kind = found.category or "miscellaneous"
                count = len(found.color_stops) if kind == "qualitative" else SAMPLES
                return ColourMap(np.array(found.lut(count), float), kind)
    raise SettingError(f"{near(text[:MOST_LETTERS], known, noun='colour map')} {OTHERS}")
