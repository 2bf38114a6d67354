"""How a layer's weights lie on the lanes of a subgroup that holds units by lane.

Turn c of a square of units, lanes by lanes, is one vector: on lane i the weight from input i to output i - c, counted
modulo the turns. Going forwards, sums move on by a lane after each turn; going backwards, derivatives do. Either way a
lane multiplies its own numbers only, and a vector of weights serves both.
"""

import numpy as np


def few_turns(units: int, lanes: int) -> int:
    """Turns that meet all of so few units, which lie on all lanes, over and over: a power of two, at most `lanes`."""
    return min(lanes, 1 << (units - 1).bit_length())


def diagonals(n: int, m: int, lanes: int, turns: int) -> np.ndarray:
    """Which weight is where.

    n, m    inputs and outputs of the layer
    turns   as many as lanes, or few_turns(m, lanes)
    returns (blocks of outputs, turns, blocks of inputs, lanes) the number of the weight in (outputs, inputs), -1: none
    """
    k, c, q, lane = np.ogrid[: -(-m // lanes), :turns, : -(-n // lanes), :lanes]
    i, j = q * lanes + lane, k * lanes + (lane - c) % turns
    return np.where((i < n) & (j < m), j * n + i, -1)
