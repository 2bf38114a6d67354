"""Findings about places: kinks and the target's edges, parts answered wrongly; and what they are computed from."""

import numpy as np
import pytest
from planted import SQUARE, changed, clean, history, of_kind

from engine.analysis.findings import findings
from engine.analysis.kinks import bends_of, median_distance, target_edges
from engine.analysis.missed_parts import largest_block, wrong_pixels
from engine.analysis.survey import answers, grid, listed, percent, signals, target_classes
from engine.network.history import Domain, History, flat
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.regions.linear_regions import regions


def bending(times=1):
    """The second layer's line y = x / 2 to the right of x = 0 and y = 0 to its left: one kink, at the middle."""
    second = np.tile([-0.5, 1.0], (times, 1))
    return Mlp([[[1.0, 0.0], [0.0, 1.0]], second, np.ones((1, times))], [[0, 2], np.full(times, -2.0), [0]], "relu")


def test_a_line_that_bends_once_has_one_kink_at_the_crossing():
    partition = regions(bending(), SQUARE, decision=False)
    ((vertex, neuron),) = bends_of(partition)
    assert neuron == 2 and partition.vertices[vertex] == pytest.approx([0, 0], abs=1e-12)
    (found,) = of_kind("kinks", findings(History.of(bending(), SQUARE, task="values"), 0))
    assert found.neurons == ((1, 0),) and "bend once (layer 2 1)." in found.text


def test_straight_lines_and_curved_ones_have_no_kinks():
    assert findings(History.of(clean(), SQUARE), 0) == ()
    smooth = random_mlp([2, 6, 6, 2], "tanh", seed=1)
    assert not of_kind("kinks", findings(History.of(smooth, SQUARE), 0))


def test_edges_of_a_target_stand_between_its_unlike_pixels():
    image = np.zeros((2, 4), np.uint8)
    image[:, 2:] = 255
    case = history(clean(), target=image)
    # Two pixel sides at x = 0; their middles stand at y = 1/2 and -1/2.
    assert sorted(map(tuple, target_edges(case))) == [(0, -0.5), (0, 0.5)]
    image[0] = 255
    assert (-0.75, 0) in set(map(tuple, target_edges(history(clean(), target=image))))
    assert target_edges(history(clean())).shape == (0, 2)


def test_distances_are_to_the_nearest():
    points, others = np.array([[0, 0], [1, 0], [5, 0]]), np.array([[0, 1], [5, 0.5], [9, 9]])
    # 1, the root of 2, and 1/2.
    assert median_distance(points, others) == pytest.approx(1)


def test_kinks_on_a_targets_edge_are_found_to_gather_there():
    # Fifty lines y = k / 25 - 1 bend at x = 0, which is where the target's edge is.
    second = np.tile([-0.5, 1.0], (50, 1))
    net = Mlp(
        [[[1.0, 0.0], [0.0, 1.0]], second, np.ones((2, 50))], [[0, 2], -np.linspace(1.01, 2.99, 50), [0, 0]], "relu"
    )
    edge, far = np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.uint8)
    edge[:, 10:], far[:, 19:] = 255, 255
    near = [x for x in findings(history(net, target=edge), 0) if "edges" in x.title]
    # Pixels' sides have their middles 0.1 apart along x = 0: half of the kinks are within about 0.025 of one, of 2.
    assert len(near) == 1 and float(near[0].text.split("within ")[1].split("%")[0]) == pytest.approx(1.25, abs=0.1)
    assert not [x for x in findings(history(net, target=far), 0) if "edges" in x.title]


def flooded(mask):
    """Connected blocks by a queue: sets of places."""
    left, found = set(map(tuple, np.argwhere(mask))), []
    while left:
        queue, block = [left.pop()], set()
        while queue:
            i, j = queue.pop()
            block.add((i, j))
            for n in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                if n in left:
                    left.remove(n)
                    queue.append(n)
        found.append(frozenset(block))
    return set(found)


def around(mask):
    """How many of the nine places round each are set."""
    padded = np.pad(mask.astype(int), 1)
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).sum((2, 3))


@pytest.mark.parametrize("seed", range(6))
def test_the_largest_block_is_one_that_flooding_finds(seed):
    rng = np.random.default_rng(seed)
    wrong = np.kron(rng.random((8, 9)) < 0.5, np.ones((4, 4), bool)) & (rng.random((32, 36)) < 0.97)
    blocks = flooded(around(wrong) >= 7)
    most, candidates = max(map(len, blocks)), []
    for block in blocks:
        core = np.zeros_like(wrong)
        core[tuple(np.array(list(block)).T)] = True
        candidates += [wrong & (around(core) > 0)] if len(block) == most else []
    found = largest_block(wrong)
    assert len(blocks) > 1 and any(np.array_equal(found, candidate) for candidate in candidates)


def test_the_largest_block_is_a_patch_and_not_a_long_thin_line():
    wrong = np.zeros((40, 40), bool)
    wrong[0], wrong[:, 20], wrong[30:36, 3:9] = True, True, True
    patch = np.zeros_like(wrong)
    patch[30:36, 3:9] = True
    assert np.array_equal(largest_block(wrong), patch)
    assert not largest_block(np.zeros((5, 5), bool)).any()


def one_sided(bias):
    """Answers class 1 where x > -bias."""
    return Mlp([[[1.0, 0.0]], [[0.0], [1.0]]], [[3.0], [0.0, bias - 3]], "relu")


def half_missing(losses):
    """Class 1 is wanted for x > 0. Run 0 answers so, run 1 only for x > 1/2."""
    target = np.zeros((40, 40), np.uint8)
    target[:, 20:] = 255
    weights = np.stack([flat(one_sided(0)), flat(one_sided(-0.5))])[:, None]
    return History(one_sided(0).shape, [7], weights, np.array(losses)[:, None], SQUARE, target=target)


def test_a_run_much_worse_than_the_best_is_reported_with_what_it_misses():
    case = half_missing([0.1, 0.6])
    (found,) = of_kind("missed", findings(case, 1))
    # A band of a quarter of the square, its middle at x = 1/4.
    assert "25% of the domain" in found.text and "right of the middle, around (0.25, 0.00)" in found.text
    assert "mostly black where white is wanted" in found.text
    assert "6.0 times that of run 1, which is wrong on 0%" in found.text
    assert not of_kind("missed", findings(case, 0))


def test_a_run_nearly_as_good_as_the_best_misses_nothing_worth_telling():
    assert not of_kind("missed", findings(half_missing([0.1, 0.2]), 1))


def test_without_losses_a_large_wrong_part_is_reported_all_the_same():
    (found,) = of_kind("missed", findings(half_missing([np.nan, np.nan]), 1))
    assert "25%" in found.text and "loss" not in found.text


def test_wrong_values_are_those_far_off_and_other_targets_are_left_alone():
    ramp = np.repeat(np.linspace(0, 255, 40)[None], 40, 0).astype(np.uint8)
    net = Mlp([[[1.0, 0.0]], [[0.5]]], [[1.0], [0.0]], "relu")  # (x + 1) / 2, the ramp
    wrong, wanted, got, places = wrong_pixels(History.of(net, SQUARE, task="values", target=ramp), 0, 0)
    assert not wrong.any() and wanted is got is None and places.shape == (40, 40, 2)
    off = changed(net, 1, 0, bias=0.3)
    assert wrong_pixels(History.of(off, SQUARE, task="values", target=ramp), 0, 0)[0].mean() == 1
    colour = np.repeat(ramp[..., None], 3, -1)
    assert wrong_pixels(History.of(net, SQUARE, task="values", target=colour), 0, 0) is None
    assert wrong_pixels(History.of(net, SQUARE, task="values"), 0, 0) is None


def test_a_large_target_is_looked_at_in_an_even_choice_of_pixels():
    target = np.zeros((600, 300), np.uint8)
    target[:, 150:] = 255
    wrong = wrong_pixels(History.of(one_sided(0), SQUARE, target=target), 0, 0)[0]
    assert wrong.shape == (300, 150) and not wrong.any()


def test_greys_stand_for_classes_from_dark_to_light_and_numbers_for_themselves():
    case = lambda levels, outputs: History.of(
        random_mlp([2, 4, outputs], "relu"), SQUARE, target=np.array([levels], np.uint8)
    )
    assert target_classes(case([255, 0], 2)).tolist() == [[1, 0]]
    assert target_classes(case([1, 0], 2)).tolist() == [[1, 0]]
    assert target_classes(case([0, 90, 200], 3)).tolist() == [[0, 1, 2]]
    assert target_classes(case([2, 0], 4)).tolist() == [[2, 0]]
    assert target_classes(case([0, 90, 200], 2)) is None


ACTIVATIONS = ["relu", "leaky_relu(0.2)", "tanh", "sine(3)", "gelu", "silu", "identity", "elu", "gaussian"]
ACTIVATIONS += ["4 product + 1 sine + 2 identity"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_signals_are_those_of_the_networks_forward_pass(activation):
    after = "tanh" if " " in activation else activation
    nets = [random_mlp([4, 7, 5, 3], seed=s).changed(activations=[activation, after, "identity"]) for s in range(3)]
    rng = np.random.default_rng(0)
    domain = Domain(rng.normal(size=4), rng.normal(size=(2, 4)), [-1, 0], [1, 3])
    case = history(*nets, domain=domain)
    points = grid(domain, 9, 5)
    z = signals(case, 0, [0, 2], points)
    assert [x.shape for x in z] == [(2, 7, 45), (2, 5, 45), (2, 3, 45)]
    for k, net in zip((0, 1), (nets[0], nets[2]), strict=True):
        h = domain.inputs(points)
        for layer, ours in zip(net.layers, z, strict=True):
            wanted = h @ layer.weights.T.astype(float) + layer.bias
            # float32 sums of numbers of this size, and gelu's formula to 1.5e-7, through three layers.
            assert np.abs(ours[k].T - wanted).max() < 5e-6 * (1 + np.abs(wanted).max())
            h = layer.activation.value(wanted)


@pytest.mark.parametrize("last", ["identity", "softmax"])
def test_a_classifiers_answers_are_softmax_of_its_logits_once(last):
    net = random_mlp([2, 6, 3], "tanh", seed=4)
    net = Mlp([x.weights for x in net.layers], [x.bias for x in net.layers], ["tanh", last])
    case = History.of(net, SQUARE)
    points = grid(SQUARE, 4, 4)
    found = answers(case, signals(case, 0, [0], points)[-1])[0].T
    soft = Mlp([x.weights for x in net.layers], [x.bias for x in net.layers], ["tanh", "softmax"])
    assert np.abs(found - soft(points)).max() < 1e-6  # float32's, of numbers up to 1


@pytest.mark.parametrize("last", ["identity", "sigmoid"])
def test_one_output_is_the_likelihood_of_class_one(last):
    net = Mlp([np.eye(2), [[1.0, 2.0]]], [[1, 1], [-3]], ["relu", last])
    case = History.of(net, SQUARE)
    points = np.array([[0.5, 0.5], [0.0, 0.0], [-1.0, 1.0]])
    found = answers(case, signals(case, 0, [0], points)[-1])[0]
    wanted = 1 / (1 + np.exp(-(1.0 + points[:, 0] + 2 * (1 + points[:, 1]) - 3)))
    assert np.abs(found[1] - wanted).max() < 1e-6 and np.abs(found.sum(0) - 1).max() < 1e-6


def test_words_count_from_one_and_say_as_much_as_is_known():
    assert [listed(x) for x in ([1], [1, 5], [1, 5, 8])] == ["2", "2 and 6", "2, 6 and 9"]
    said = [percent(x) for x in (0, 0.0004, 0.0123, 0.25, 0.984, 0.9996, 1)]
    assert said == ["0%", "under 0.1%", "1.2%", "25%", "98.4%", "over 99.9%", "100%"]
