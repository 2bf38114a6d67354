"""The colour and the dash by which the boundaries of each layer are distinguished."""

from dataclasses import dataclass

from engine.draw.colour import RGB, linear

# Okabe and Ito 2008, blue, vermilion and green first, in shades that are visible on each background.
SAFE = {
    "dark": ("#56b4e9", "#ff7043", "#2fc79a", "#e69f00", "#cc79a7", "#f0e442"),
    "paper": ("#0072b2", "#d55e00", "#009e73", "#b57d00", "#b0558a", "#7a7a00"),
}
# Lengths of line and gap, in widths of the line: solid, dashed, dotted, and three more.
DASHES: tuple[tuple[float, ...], ...] = ((), (6.0, 3.0), (1.5, 2.5), (8.0, 2.5, 1.5, 2.5), (3.0, 2.0), (10.0, 4.0))
# The colours of GINN.
ORIGINAL = ("#00a2ff", "#ff4b32", "#a8ff0f", "#ffc400", "#d05cff", "#00d6b9")
LOOKS = ("safe", "original")


@dataclass(frozen=True)
class LayerStyle:
    """The look of a layer's lines.

    css      `#rrggbb`, sRGB
    dash     lengths of line and gap alternately, in widths of the line; () for a solid line
    """

    css: str
    dash: tuple[float, ...] = ()

    @property
    def colour(self) -> RGB:
        """Linear RGB."""
        return linear(self.css)


def layer_styles(count: int, look: str = "safe", theme: str = "dark") -> tuple[LayerStyle, ...]:
    """The LayerStyles of `count` layers; after six they repeat.

    look    `safe`: colours for the colour-blind, and dashes; `original`: GINN's colours, solid lines
    theme   dark or paper
    """
    colours = ORIGINAL if look == "original" else SAFE["paper" if theme == "paper" else "dark"]
    dashes = ((),) * len(DASHES) if look == "original" else DASHES
    return tuple(LayerStyle(colours[k % len(colours)], dashes[k % len(dashes)]) for k in range(count))
