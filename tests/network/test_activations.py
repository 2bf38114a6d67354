import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NetworkError
from engine.network.activations import ANYWHERE, MAP_ACTIVATIONS, Activation, split
from engine.network.mlp import Mlp

SMOOTH = [name for name, rule in ANYWHERE.items() if rule.elementwise]
PARAMETERS = {"leaky_relu": (0.01, 0.2), "elu": (1.0, 0.5), "sine": (1.0, 3.0), "clipped_relu": (6.0, 2.5)}
CASES = [
    Activation.parse(f"{n}({a})" if n in PARAMETERS else n, ANYWHERE) for n in SMOOTH for a in PARAMETERS.get(n, (0,))
]

# Away from zero, where the piecewise ones have their kink.
Z = np.concatenate([np.linspace(-6, -0.01, 300), np.linspace(0.01, 6, 300)])


def smooth(activation):
    """Z without what is beside another corner."""
    return Z[np.all([abs(Z - c) > 1e-3 for c in activation.rule.corners(activation.argument)] or [Z < 7], axis=0)]


@pytest.fixture(params=CASES, ids=str)
def activation(request):
    return request.param


def test_the_slope_is_the_derivative_of_the_value(activation):
    # Central differences: h^2 s'''/6 <= 5e-10 (27 is the largest here, for sine(3)), and rounding
    # eps s / h <= 2e-10 (values up to 6).
    h = 1e-5
    z = smooth(activation)
    difference = (activation.value(z + h) - activation.value(z - h)) / (2 * h)
    assert np.abs(activation.slope(z) - difference).max() < 3e-9


def test_the_curvature_is_the_derivative_of_the_slope(activation):
    # h^2 s''''/6 <= 1.4e-9 (s'''' <= 81, for sine(3)) plus rounding eps |s'| / h <= 1e-10.
    h = 1e-5
    z = smooth(activation)
    difference = (activation.slope(z + h) - activation.slope(z - h)) / (2 * h)
    assert np.abs(activation.curvature(z) - difference).max() < 3e-9


def test_the_kink_is_the_jump_of_the_slope_at_zero(activation):
    # A step to either side is off by 2 h |s''| <= 2e-9 * 9.
    jump = activation.slope(np.array(1e-9)) - activation.slope(np.array(-1e-9))
    assert activation.rule.kink(activation.argument) == pytest.approx(float(jump), abs=2e-8)


def extrema(activation, listed):
    """The listed places in [-6, 6], with their repetitions."""
    period = activation.rule.period(activation.argument)
    if not period:
        return np.array(sorted(listed))
    k = np.arange(-40, 41)
    places = np.concatenate([z / activation.argument + k * period for z in listed])
    return np.sort(places[np.abs(places) < 6])


@pytest.mark.parametrize("order", ["slope", "curvature"])
def test_between_the_listed_extrema_it_is_monotone(activation, order):
    places = extrema(activation, getattr(activation.rule, f"{order}_extrema"))
    # Where two formulas meet at zero both sides' limits bound it, so that is a cut and no extremum.
    joint = [0.0] if activation.name in ("relu", "leaky_relu", "elu", "clipped_relu") else []
    joint += activation.rule.corners(activation.argument)
    cuts = np.sort(np.concatenate([[-6.0], places, joint, [6.0]]))
    for a, b in itertools.pairwise(cuts):
        if b - a < 1e-9:
            continue
        z = np.linspace(a, b, 400)[1:-1]
        steps = np.diff(getattr(activation, order)(z))
        scale = max(1.0, np.abs(getattr(activation, order)(z)).max())
        # 16 eps: each value is a few roundings of numbers of its own size.
        assert (steps >= -4e-15 * scale).all() or (steps <= 4e-15 * scale).all(), (a, b)


@pytest.mark.parametrize("order", ["slope", "curvature"])
def test_each_listed_extremum_turns_the_function(activation, order):
    function = getattr(activation, order)
    for z in extrema(activation, getattr(activation.rule, f"{order}_extrema")):
        left, middle, right = function(np.array([z - 1e-3, z, z + 1e-3]))
        assert (middle - left) * (middle - right) > 0, z
        # 1e-7: the flat top of a parabola of curvature c over a step h turns by c h^2 = 1e-14 c, above rounding.
        near = function(z + np.array([-1e-5, 0, 1e-5]))
        assert (near[1] - near[0]) * (near[1] - near[2]) > 0, z


KNOWN = [
    # Closed forms, by hand; digits past the formulas' from Abramowitz and Stegun, tables 4 and 26.
    ("tanh", 1.0, (math.e**2 - 1) / (math.e**2 + 1)),
    ("sigmoid", math.log(3), 0.75),
    ("softplus", 0.0, math.log(2)),
    ("gelu", 1.0, 0.8413447460685429),  # the normal distribution at 1
    ("silu", math.log(3), 0.75 * math.log(3)),
    ("gaussian", 1.0, 1 / math.e),
    ("sine(30)", math.pi / 60, 1.0),
    ("elu(2)", -math.log(2), -1.0),
    ("leaky_relu(0.25)", -4.0, -1.0),
    ("relu", -4.0, 0.0),
    ("clipped_relu", 7.0, 6.0),
    ("clipped_relu(2.5)", 2.0, 2.0),
    ("hard_sigmoid", 1.5, 0.75),
    ("hard_swish", -1.5, -0.375),
    ("hard_swish", 4.0, 4.0),
    ("identity", -4.0, -4.0),
]


@pytest.mark.parametrize(("text", "z", "truth"), KNOWN)
def test_known_values(text, z, truth):
    assert Activation.parse(text, ANYWHERE).value(z) == pytest.approx(truth, rel=4e-16 * 4, abs=0 if truth else 1e-300)


def test_softmax_of_equal_values_is_even_and_shifts_change_nothing():
    softmax = Activation.parse("softmax")
    assert np.allclose(softmax.value(np.full((2, 5), 7.0)), 0.2, rtol=1e-15)
    z = np.array([[1.0, -2.0, 0.5]])
    assert np.allclose(softmax.value(z), softmax.value(z + 1000), rtol=1e-12)  # 1000 costs ten bits of 52
    assert softmax.value(z).sum() == pytest.approx(1, rel=1e-15)


@pytest.mark.parametrize("far", [1e2, 1e4, 1e300])
@pytest.mark.parametrize("sign", [-1, 1])
def test_far_out_everything_is_finite(activation, far, sign):
    # Squares of 1e300 overflow on the way to a gaussian's zero; the result is what counts.
    with np.errstate(over="ignore", invalid="ignore"):
        for order in ("value", "slope", "curvature"):
            if far == 1e300 and activation.name in ("gaussian", "gelu"):
                continue  # infinity times zero there; float32 weights of networks do not reach 1e150
            assert np.isfinite(getattr(activation, order)(np.array(sign * far))), order


@given(st.sampled_from(sorted(PARAMETERS)), st.floats(2**-10, 1e5, width=32))
def test_what_is_written_is_read_back_to_the_bit(name, parameter):
    activation = Activation.parse(f"{name}({parameter!r})", ANYWHERE)
    assert Activation.parse(str(activation), ANYWHERE) == activation
    assert activation.parameters == (parameter,)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tahn", "Near: tanh"),
        ("relu(2)", "takes no parameter"),
        ("sine(-1)", "above 0"),
        ("sine(1e-60)", "above 0"),
        ("sine(0)", "above 0"),
        ("elu(1e9)", "1e6"),
        ("elu(1-2)", "not a number"),
        ("", "no activation"),
        ("tanh)", "no activation"),
    ],
)
def test_a_wrong_activation_says_what_would_be_right(text, says):
    with pytest.raises(NetworkError, match=says):
        Activation.parse(text)


@pytest.mark.parametrize("name", MAP_ACTIVATIONS)
def test_what_bends_elsewhere_than_at_zero_is_for_convolutional_networks(name):
    """Certified bounds cut at zero alone, so a chain of layers must not have it, written or made."""
    with pytest.raises(NetworkError, match="for convolutional networks only"):
        Activation.parse(name)
    with pytest.raises(NetworkError, match="for convolutional networks only"):
        Mlp([np.ones((1, 1))] * 2, activations=[Activation(name), "identity"])
    rule = MAP_ACTIVATIONS[name]
    for corner in rule.corners(6.0):
        left, right = rule.slope(np.array([corner - 1e-9, corner + 1e-9]), 6.0)
        assert abs(left - right) > 0.1


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("tanh", ["tanh"]),
        ("tanh, hardtanh(-1,1) ,identity", ["tanh", "hardtanh(-1,1)", "identity"]),
        ("a(1),b(2,3),c", ["a(1)", "b(2,3)", "c"]),
        ("relu,...,sigmoid", ["relu", "...", "sigmoid"]),
        ("a(1,b", ["a(1", "b"]),
        ("", [""]),
    ],
)
def test_a_list_of_activations_is_parted_at_commas_outside_of_parentheses(text, parts):
    assert split(text) == parts


def test_an_activation_without_its_parameters_has_the_defaults_and_with_wrong_ones_is_refused():
    assert Activation("sine").parameters == (1.0,)
    for wrong in (lambda: Activation("sine", (1.0, 2.0)), lambda: Activation("tanh", (1.0,)), lambda: Activation("x")):
        with pytest.raises(NetworkError, match=r"takes|no activation"):
            wrong()
