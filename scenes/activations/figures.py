"""The figures of activations: pictures of the small included network for a lesson on convolutional networks."""

from engine import Figure, Step
from scenes.activations.network import KINDS

BARE = {"key": False, "answers": False, "labels": False}
BLOCKS = ("pool1", "fire2", "fire3", "fire4", "fire5", "fire6", "fire7")

FIGURES = (
    Figure(
        1, "reveal", "block by block, from the picture to the answer, while all of it turns",
        seconds=8.0, size=(640, 400), settings={"subject": "butterfly"},
    ),
    Figure(
        2, "kinds", "one network, sixteen things to look at",
        settings={**BARE}, columns=tuple(Step(kind, {"subject": kind}) for kind in KINDS),
        wrap=4, size=(320, 190),
    ),
    Figure(
        3, "blocks", "the same butterfly in each block: edges first, then parts, then no picture any more",
        settings={**BARE, "subject": "butterfly", "azimuth": 80.0, "altitude": 8.0},
        columns=tuple(Step(block, {"alone": block}) for block in BLOCKS), wrap=4, size=(320, 320),
    ),
    Figure(
        4, "normalise", "a response measured by its block, by its channel, by all blocks together",
        settings={**BARE, "subject": "boat"},
        columns=tuple(Step(over, {"normalise": over}) for over in ("block", "channel", "shared")), size=(480, 280),
    ),
    Figure(
        5, "why", "the neurons that moved a class most, back to the picture: for the right answer, and for others",
        settings={**BARE, "subject": "cat"},
        columns=tuple(Step(kind, {"neuron": f"prob {KINDS.index(kind)}"}) for kind in ("cat", "fish", "umbrella")),
        size=(480, 300),
    ),
    Figure(
        6, "neuron", "one neuron on white: what it sees, its channel's map, who moved it",
        settings={"theme": "paper", "neuron": "fire3 17 10 15", "answers": False}, size=(960, 600),
    ),
)  # fmt: skip
