"""Findings in histories made by hand, where it is known what there is to find."""

import numpy as np
import pytest
from planted import LINES, OFFSETS, READ, SQUARE, changed, clean, deep, history, of_kind

from engine.analysis import survey as survey_module
from engine.analysis.duplicates import cliques, correlation
from engine.analysis.findings import KINDS, RunSurvey, findings
from engine.network.history import Domain, History, flat
from engine.network.mlp import Mlp
from engine.network.random import random_mlp


@pytest.mark.parametrize("net", [clean(), clean("tanh"), clean("gelu"), clean("leaky_relu"), deep()], ids=str)
def test_nothing_but_kinks_is_found_in_a_network_whose_boundaries_are_all_its_own(net):
    for case in (History.of(net, SQUARE), history(net, net, net), history(*[net] * 30, losses=np.linspace(1, 0.5, 30))):
        assert {x.kind for x in findings(case, 0)} <= {"kinks"}


def test_a_dead_unit_is_found_with_the_snapshot_at_which_it_died():
    net = deep()
    gone = changed(net, 1, 3, -np.ones(6), -0.1)
    (found,) = of_kind("dead", findings(history(net, net, gone, gone), 0))
    assert found.neurons == ((1, 3),) and found.snapshot == 2
    assert "Layer 2, neuron 4 is dead" in found.text and "step 20" in found.text


def test_a_unit_that_was_dead_before_but_lives_in_the_end_is_none():
    net = deep()
    assert not of_kind("dead", findings(history(changed(net, 1, 3, -np.ones(6), -0.1), net), 0))


def test_dead_units_of_a_layer_are_reported_together():
    net = clean()
    for unit in (1, 4):
        net = changed(net, 0, unit, bias=-5.0)
    (found,) = of_kind("dead", findings(History.of(net, SQUARE), 0))
    assert found.neurons == ((0, 1), (0, 4)) and "neurons 2 and 5 (2 of 6)" in found.text and "step" not in found.text


@pytest.mark.parametrize(
    ("activation", "bias", "kind", "says"),
    [
        ("relu", 5.0, "no boundary", "active on the whole domain"),
        ("relu", -5.0, "dead", "response 0 on the whole domain"),
        ("leaky_relu", -5.0, "no boundary", "inactive on the whole domain"),
        ("tanh", 5.0, "no boundary", "outside the domain"),
        ("sine(3)", -5.0, "no boundary", "outside the domain"),
    ],
)
def test_what_a_unit_without_a_boundary_does_depends_on_its_activation(activation, bias, kind, says):
    net = clean(activation)
    found = findings(history(net, changed(net, 0, 2, bias=bias)), 0)
    assert [x.kind for x in found] == [kind]
    assert found[0].neurons == ((0, 2),) and found[0].snapshot == 1 and says in found[0].text


def test_a_corner_between_the_grids_points_keeps_a_deep_unit_from_being_called_dead():
    # Active where x + y > 1.999 only: a triangle in a corner with legs of 0.001.
    net = Mlp([[[1.0, 1.0]], [[1.0]], [[1.0], [-1.0]]], [[2.0], [-3.999], [0.0, 0.0]], "relu")
    assert not of_kind("dead", findings(History.of(net, SQUARE), 0))
    assert of_kind("dead", findings(History.of(changed(net, 1, 0, bias=-4.001), SQUARE), 0))


def test_identity_layers_have_no_boundaries_and_so_no_findings():
    net = Mlp([LINES, READ], [OFFSETS + 5, [0.1, -0.1]], ["identity", "identity"])
    assert findings(History.of(net, SQUARE), 0) == ()


def test_units_that_pass_their_sums_on_are_neither_dead_nor_duplicates():
    net = Mlp([LINES, READ], [OFFSETS, [0.1, -0.1]], [f"{len(LINES) - 2} relu + 2 identity", "identity"])
    net = changed(changed(net, 0, len(LINES) - 1, bias=9.0), 0, len(LINES) - 2, like=0)
    assert not of_kind("duplicates", findings(History.of(net, SQUARE), 0))
    assert not of_kind("no boundary", findings(History.of(net, SQUARE), 0))


def test_a_sine_and_a_cosine_of_one_sum_are_no_duplicates():
    net = Mlp([LINES, READ], [OFFSETS, [0.1, -0.1]], [f"3 sine + {len(LINES) - 3} tanh", "identity"])
    assert of_kind("duplicates", findings(History.of(changed(net, 0, 4, like=3), SQUARE), 0))
    assert not of_kind("duplicates", findings(History.of(changed(net, 0, 4, like=1), SQUARE), 0))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize(("times", "says"), [(3.0, "(correlation 1.000)"), (-2.0, "from opposite sides")])
def test_a_scaled_copy_is_a_duplicate_from_the_step_of_copying_on(activation, times, says):
    net = clean(activation)
    copy = changed(net, 0, 5, like=2, times=times)
    (found,) = of_kind("duplicates", findings(history(net, net, net, copy, copy), 0))
    assert found.neurons == ((0, 2), (0, 5)) and found.snapshot == 3
    assert "Layer 1, neurons 3 and 6" in found.text and "from step 30 on" in found.text and says in found.text


def test_three_alike_are_one_group_and_dead_units_are_no_copies_of_each_other():
    net = deep()
    for unit in (1, 4):
        net = changed(net, 1, unit, like=0, times=unit)
    (found,) = of_kind("duplicates", findings(History.of(net, SQUARE), 0))
    assert found.neurons == ((1, 0), (1, 1), (1, 4))
    dead = changed(changed(clean(), 0, 1, bias=-5.0), 0, 2, bias=-5.0)
    assert not of_kind("duplicates", findings(History.of(dead, SQUARE), 0))


def test_lines_that_cross_are_no_copies_though_most_of_the_domain_is_on_one_side_of_both():
    # Two corners of 2% each: the signs agree on 96% of the square.
    net = Mlp([[[1.0, 1.0], [1.0, -1.0]], np.eye(2)], [[-1.6, -1.6], [0.0, 0.0]], "relu")
    assert not of_kind("duplicates", findings(History.of(net, SQUARE), 0))


def test_groups_have_each_member_alike_to_each():
    same = np.eye(5, dtype=bool)
    for i, j in ((0, 1), (1, 2), (3, 4)):
        same[i, j] = same[j, i] = True
    strength = np.full((5, 5), 0.9)
    strength[1, 2] = strength[2, 1] = 0.95
    assert cliques(same, strength) == [[1, 2], [3, 4]]


def test_correlation_is_numpys_and_zero_where_nothing_varies():
    rows = np.random.default_rng(0).normal(size=(4, 50))
    assert np.allclose(correlation(rows), np.corrcoef(rows))
    assert (correlation(np.ones((2, 9))) == 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_renaming_neurons_renames_findings_and_changes_nothing_else(seed):
    rng = np.random.default_rng(seed)
    net = changed(changed(deep(), 1, 2, like=0, times=2.0), 1, 4, -np.ones(6), -0.1)
    weights = flat(net) + np.cumsum(rng.normal(0, 0.002, (40, flat(net).size)), 0)[::-1].astype(np.float32)
    weights[-1] = flat(net)
    parts = [net.shape, np.arange(40), weights[None], np.geomspace(1, 0.1, 40)[None], SQUARE]
    before = History(*parts)
    order = [rng.permutation(6), rng.permutation(6)]
    renamed = []
    for k in range(40):
        one = before.at(0, k).layers
        matrices = [one[0].weights[order[0]], one[1].weights[order[1]][:, order[0]], one[2].weights[:, order[1]]]
        biases = [one[0].bias[order[0]], one[1].bias[order[1]], one[2].bias]
        renamed.append(flat(Mlp(matrices, biases, "relu")))
    parts[2] = np.stack(renamed)[None]
    place = [list(np.argsort(o)) for o in order]
    was = [
        (x.kind, x.snapshot, {(layer, int(place[layer][unit])) for layer, unit in x.neurons}, round(x.score, 4))
        for x in findings(before, 0)
    ]
    now = [(x.kind, x.snapshot, set(x.neurons), round(x.score, 4)) for x in findings(History(*parts), 0)]
    key = lambda x: (x[0], sorted(x[2]))
    assert sorted(was, key=key) == sorted(now, key=key)
    assert {"dead", "duplicates"} <= {x[0] for x in was}


def test_findings_stand_in_the_order_of_kinds_and_strength():
    net = changed(changed(changed(deep(), 1, 2, like=0, times=2.0), 0, 3, bias=-5.0), 1, 5, -np.ones(6), -1.0)
    found = findings(History.of(net, SQUARE), 0)
    kinds = [list(KINDS).index(x.kind) for x in found]
    assert kinds == sorted(kinds) and len(found) >= 3
    for kind in KINDS:
        scores = [x.score for x in of_kind(kind, found)]
        assert scores == sorted(scores, reverse=True)


def test_too_large_a_history_is_thinned_out_with_its_ends_kept(monkeypatch):
    monkeypatch.setattr(survey_module, "WORK", 0)
    net = clean()
    case = history(*[net] * 150, *[changed(net, 0, 1, bias=-5.0)] * 50)
    survey = RunSurvey(case, 0)
    assert len(survey.snapshots) == survey_module.FEWEST and survey.snapshots[0] == 0 and survey.snapshots[-1] == 199
    (found,) = of_kind("dead", findings(case, 0))
    # The first snapshot looked at after the death: they are 199 / 47 apart.
    assert 150 <= found.snapshot <= 154


def test_a_plane_through_many_inputs_shows_what_lies_on_it():
    rng = np.random.default_rng(3)
    wide = np.concatenate([LINES, rng.normal(size=(6, 3))], 1)
    rest = np.array([0.0, 0.0, 0.5, -1.0, 2.0])
    net = Mlp([wide, READ], [OFFSETS - wide @ rest, [0.0, 0.0]], "relu")
    domain = Domain.plane(5, [-1, -1], [1, 1], rest=rest)
    assert findings(History.of(net, domain), 0) == ()
    (found,) = findings(History.of(changed(net, 0, 5, like=2, times=2.0), domain), 0)
    assert found.kind == "duplicates" and found.neurons == ((0, 2), (0, 5))


def test_a_run_that_went_to_infinity_is_looked_at_up_to_then():
    net = clean()
    gone = changed(net, 0, 1, bias=-5.0)
    case = history(net, gone, gone, gone, losses=[1, 2, np.nan, np.nan])
    weights = case.weights.copy()
    weights[0, 2], weights[0, 3] = np.inf, np.nan
    broken = History(case.shape, case.steps, weights, case.losses, SQUARE)
    (found,) = findings(broken, 0)
    assert found.kind == "dead" and found.snapshot == 1
    never = History(case.shape, case.steps, np.concatenate([case.weights, weights * np.nan]), [[1] * 4] * 2, SQUARE)
    assert findings(never, 1) == () and findings(never, 0)[0].kind == "dead"
    huge = History(case.shape, [0, 1], np.float32(3e38) * np.sign(case.weights[:, :2]), [[1, 1]], SQUARE)
    assert isinstance(findings(huge, 0), tuple)


@pytest.mark.parametrize("sizes", [[2, 2], [2, 1], [1, 4, 2], [3, 4, 1], [2, 1, 1, 1, 3]], ids=str)
@pytest.mark.parametrize("task", ["classes", "values"])
def test_any_depth_width_and_number_of_inputs_is_looked_at(sizes, task):
    net = random_mlp(sizes, "relu", seed=5)
    domain = Domain.plane(sizes[0], [-1, -1], [1, 1])
    one = findings(History.of(net, domain, task=task), 0)
    many = findings(history(*[net] * 30, domain=domain, task=task, losses=np.geomspace(1, 0.1, 30)), 0)
    assert [(x.kind, x.neurons) for x in one] == [(x.kind, x.neurons) for x in many]
    for x in one:
        assert all(0 <= unit < sizes[layer + 1] for layer, unit in x.neurons)
