"""Findings about time: motion of biases and weights, boundaries that jump, symmetry that comes."""

import numpy as np
import pytest
from planted import LINES, OFFSETS, READ, SQUARE, changed, clean, history, of_kind

from engine.analysis.findings import findings, motion
from engine.analysis.survey import RunSurvey
from engine.analysis.symmetry import mirror_matches, output_symmetry, target_symmetry
from engine.network.history import Domain, History
from engine.network.mlp import Mlp


def moved(net, layer, weights=0.0, bias=0.0):
    matrices, biases = [np.array(x.weights) for x in net.layers], [np.array(x.bias) for x in net.layers]
    matrices[layer] = matrices[layer] + np.float32(weights)
    biases[layer] = biases[layer] + np.float32(bias)
    return Mlp(matrices, biases, [x.activation for x in net.layers])


# float32 holds weights near 1 to 6e-8, and these changes are 0.01: 1e-5 of them.
CLOSE = dict(rel=2e-5, abs=1e-9)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_change_of_biases_alone_moves_lines_by_it_over_their_steepness(activation):
    net = clean(activation)
    steep = Mlp([2 * LINES, READ], [OFFSETS, [0, 0]], activation)
    for base, distance in ((net, 0.01), (steep, 0.005)):
        speeds = motion(history(base, moved(base, 0, bias=0.01), steps=[0, 5]), 0)
        assert speeds.biases.shape == speeds.weights.shape == (1, 1)
        assert speeds.biases[0, 0] == pytest.approx(distance / 5, **CLOSE)
        assert speeds.weights[0, 0] == 0


def test_a_change_of_weights_alone_moves_lines_by_its_mean_over_the_domain():
    # dz = 0.01 x on x from -1 to 1: the mean of |x| on twelve points, ends included, is 6 / 11.
    speeds = motion(history(clean(), moved(clean(), 0, weights=[0.01, 0.0]), steps=[0, 2]), 0)
    assert speeds.biases[0, 0] == 0
    assert speeds.weights[0, 0] == pytest.approx(0.01 * 6 / 11 / 2, **CLOSE)


def test_each_layer_is_charged_with_its_own_changes_alone():
    # h = x + 2 on the square, so the second layer's z = 3 h + b has gradient 3.
    net = Mlp([[[1.0, 0.0]], [[3.0]], [[1.0], [-1.0]]], [[2.0], [-6.0], [0.0, 0.0]], "relu")
    speeds = motion(history(net, moved(net, 0, bias=0.01), moved(net, 1, weights=0.01, bias=0.01), steps=[0, 1, 2]), 0)
    assert speeds.biases[0] == pytest.approx([0.01, 0], **CLOSE) and speeds.weights[0] == pytest.approx([0, 0], **CLOSE)
    # The second interval takes the first layer back. Its responses are those before: x + 2.01, of mean 2.01.
    assert speeds.biases[1] == pytest.approx([0.01, 0.01 / 3], rel=1e-4)
    assert speeds.weights[1] == pytest.approx([0, 0.01 * 2.01 / 3], rel=1e-4)


def test_on_a_plane_away_from_zero_the_other_inputs_weights_count_as_weights():
    net = Mlp([[[1.0, 0.0, 1.0]], [[1.0], [-1.0]]], [[-5.0], [0, 0]], "relu")
    domain = Domain.plane(3, [-1, -1], [1, 1], rest=[0, 0, 5])
    speeds = motion(history(net, moved(net, 0, weights=[0, 0, 0.01]), steps=[0, 1], domain=domain), 0)
    assert speeds.weights[0, 0] == pytest.approx(0.05, rel=1e-4) and speeds.biases[0, 0] == 0


def test_units_that_pass_their_sums_on_do_not_count_and_the_next_layer_moves_along():
    # Two units pass x and y on, so that the second layer's z is x + y + relu(x + 5) with gradient (2, 1).
    net = Mlp([[[1, 0], [1, 0], [0, 1]], [[1, 1, 1]], [[1], [-1]]], [[5, 0, 0], [0], [0, 0]], "relu")
    net = net.changed(activations=["1 relu + 2 identity", "relu", "identity"])
    speeds = motion(history(net, moved(net, 0, bias=[0.01, 0.05, 0.05]), moved(net, 1, bias=0.01), steps=[0, 1, 2]), 0)
    assert speeds.biases[0] == pytest.approx([0.01, 0], rel=1e-4)  # float32 holds 5.01 to 2e-7
    assert speeds.biases[1, 1] == pytest.approx(0.01 / np.sqrt(5), rel=1e-4)


def test_units_that_nothing_reaches_are_left_out_and_a_layer_of_them_does_not_move():
    dead = Mlp([[[1.0, 0.0]], [[3.0]], [[1.0], [-1.0]]], [[-9.0], [1.0], [0.0, 0.0]], "relu")
    speeds = motion(history(dead, moved(dead, 1, weights=0.1, bias=0.1)), 0)
    assert speeds.biases[0, 1] == 0 and np.isfinite(speeds).all()


def test_many_snapshots_in_pieces_give_the_speeds_of_one_piece(monkeypatch):
    rng = np.random.default_rng(0)
    nets = [moved(clean(), 0, rng.normal(size=(6, 2)) / 50, rng.normal(size=6) / 50) for _ in range(20)]
    whole = motion(history(*nets), 0)
    monkeypatch.setattr("engine.analysis.survey.CHUNK", 6 * 144 * 3 * 4)
    assert np.array_equal(whole, motion(history(*nets), 0))


def turned(first, then, count=12):
    nets = [clean()]
    for k in range(2 * count):
        nets.append(moved(nets[-1], 0, **({first: 0.01} if k < count else {then: 0.01})))
    return history(*nets)


def test_biases_that_move_before_the_weights_are_found_with_the_step_of_the_turn():
    (found,) = of_kind("motion", findings(turned("bias", "weights"), 0))
    assert found.snapshot == 12 and "up to step 120" in found.text and "Layer 1" in found.text


@pytest.mark.parametrize("order", [("weights", "bias"), ("bias", "bias"), ("weights", "weights")])
def test_of_any_other_order_nothing_is_said(order):
    assert not of_kind("motion", findings(turned(*order), 0))


def jumping(at=30, count=40, losses=None, **more):
    """One line of six jumps at a snapshot; the output does not read it, so nothing else changes."""
    net = changed(clean(), 1, 0, [1.0, -2, 0, 1.5, -1, 0.7], 0.0)
    net = changed(net, 1, 1, [-1.0, 1, 0, -0.5, 2, -0.7], 1.4)
    after = changed(net, 0, 2, bias=OFFSETS[2] - 0.7)
    losses = np.linspace(0.51, 0.5, count) if losses is None else losses
    return history(*[net] * at, *[after] * (count - at), losses=losses, **more)


def test_a_line_that_jumps_late_while_the_loss_rests_is_indecisive_at_that_snapshot():
    (found,) = of_kind("indecisive", findings(jumping(), 0))
    assert found.neurons == ((0, 2),) and found.snapshot == 30
    assert "between steps 290 and 300" in found.text and "Layer 1, neuron 3" in found.text


def test_without_losses_a_resting_answer_says_the_same():
    (found,) = of_kind("indecisive", findings(jumping(losses=np.full(40, np.nan)), 0))
    assert found.neurons == ((0, 2),) and "the answer changes on 0%" in found.text


def test_an_early_jump_or_one_that_the_loss_pays_for_is_not_indecision():
    assert not of_kind("indecisive", findings(jumping(at=8), 0))
    falls = np.where(np.arange(40) < 30, 0.5, 0.3)
    assert not of_kind("indecisive", findings(jumping(losses=falls), 0))


def test_what_all_lines_do_is_not_indecision():
    nets = [moved(clean(), 0, bias=0.05 * (k % 2)) for k in range(40)]
    assert not of_kind("indecisive", findings(history(*nets, losses=np.full(40, 0.5)), 0))


def mirrored(net):
    """Each line and its mirror image, read alike: symmetric from left to right."""
    first = net.layers[0].weights
    both = np.concatenate([first, first * np.float32([-1, 1])])
    return Mlp([both, np.concatenate([READ, READ], 1)], [np.concatenate([OFFSETS] * 2), [0.0, 3.1]], "relu")


def test_a_mirrored_network_is_symmetric_and_each_line_has_its_partner():
    case = history(mirrored(clean()))
    survey = RunSurvey(case, 0)
    assert output_symmetry(survey)[-1] == 1 and np.allclose(mirror_matches(survey, 0, -1), 1)
    answer, layer = of_kind("symmetry", findings(case, 0))
    assert "is left-right symmetric: 100%" in answer.text
    assert "12 of 12 boundaries" in layer.text and "1 with 7" in layer.text and len(layer.neurons) == 12


def test_symmetry_is_reported_with_the_step_at_which_it_came():
    whole = mirrored(clean())
    broken = changed(whole, 1, 0, np.random.default_rng(0).normal(size=12), 1.5)
    assert output_symmetry(RunSurvey(history(broken), 0))[0] < 0.9
    answer = of_kind("symmetry", findings(history(broken, broken, whole, whole), 0))[0]
    assert "from step 20 on" in answer.text and answer.snapshot == 2


def test_without_a_symmetric_target_or_answer_nothing_is_said_of_symmetry():
    assert not of_kind("symmetry", findings(history(clean()), 0))
    lopsided = np.zeros((20, 20), np.uint8)
    lopsided[:, :5] = 255
    assert not of_kind("symmetry", findings(history(mirrored(clean()), target=lopsided), 0))


def test_a_network_that_misses_its_targets_symmetry_is_reported():
    band = np.zeros((20, 20), np.uint8)
    band[:, 6:14] = 255
    assert target_symmetry(history(clean(), target=band)) == 1
    (answer,) = of_kind("symmetry", findings(history(clean(), target=band), 0))
    assert "is not left-right symmetric" in answer.text and "100% of the target" in answer.text


def test_values_that_are_their_mirror_image_agree_wholly():
    net = Mlp([[[1.0, 0.0], [-1.0, 0.0]], [[1.0, 1.0]]], [[0, 0], [0]], "relu")  # |x|
    case = History.of(net, SQUARE, task="values")
    assert output_symmetry(RunSurvey(case, 0))[-1] == pytest.approx(1, abs=1e-6)
    slope = Mlp([[[1.0, 0.0]], [[1.0]]], [[2.0], [0]], "relu")  # x + 2: mirrored, |2 x| apart
    assert output_symmetry(RunSurvey(History.of(slope, SQUARE, task="values"), 0))[-1] < 0.2
