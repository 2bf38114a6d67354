"""The kernel `prefix_sums`: exact."""

import numpy as np
import pytest

from engine.kernels.prefix_sums import RUN, WORKGROUP, prefix_sums
from engine.reference import prefix_sums as twin

# Around a run, a workgroup's runs, and the runs that share the sums of all.
COUNTS = [0, 1, RUN - 1, RUN, RUN + 1, RUN * WORKGROUP, RUN * WORKGROUP + 1, RUN * 256 + 3, 100_003]


@pytest.mark.parametrize("count", COUNTS)
def test_sums_are_the_twins(count):
    values = np.random.default_rng(count).integers(0, 50, count)
    found, total = prefix_sums(values)
    exact, whole = twin.prefix_sums(values)
    assert (found == exact).all() and total == whole


def test_each_is_the_one_before_and_its_number():
    values = np.random.default_rng(0).integers(0, 2**16, 5000)
    found, total = prefix_sums(values)
    assert (np.diff(np.append(found, total)) == values).all() and found[0] == 0


def test_sums_beyond_32_bits_go_round():
    found, _ = prefix_sums([2**31, 2**31, 5])
    assert found.tolist() == [0, 2**31, 0]
