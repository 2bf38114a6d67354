"""How far a search has come along rays, from their states in memory."""

import numpy as np
import pytest

from engine.draw.surfaces.passed import Passed
from engine.gpu.array import Array
from engine.kernels.search.arrays import STATE

BESIDE, DONE, WAITS, ANSWERS = 2, 4, 16, 1 << 8


def test_the_share_is_of_the_way_of_the_answers_or_whole_and_of_no_other_number():
    count = 50
    rays = np.zeros((count, 2, 4), np.float32)
    rays[:40, 0, 3] = 2.0
    words = np.zeros((count, STATE * 4), np.uint32)
    floats, states = words.view("f4"), Array("u4", words.size)
    words[:, 8] = BESIDE
    passed = Passed(Array.of(rays), count, 4)

    def share():
        states.write(words)
        passed._next = 0.0
        return passed.share(states)

    assert share() == 0.0
    floats[:, 0] = 0.5
    # Nor do a value's bits or a flag count.
    floats[:, 14], words[:, 8] = 0.7, BESIDE | WAITS
    assert share() == pytest.approx(0.25, abs=1e-6)
    words[:20, 8] = BESIDE | 2 * ANSWERS
    assert share() == pytest.approx(0.5 * 0.5 + 0.5 * 0.25, abs=1e-6)
    words[:, 8] = DONE
    assert share() == pytest.approx(1.0, abs=1e-6)
