import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NetworkError
from engine.network.activations import ACTIVATIONS, SPELLINGS, Activation, split
from engine.network.rules.extrema import REACH, breaks, extrema
from tests.network.every_activation import BOUNDED, EVERY, WRITTEN

MORE = [
    "elu(2)",
    "celu(3)",
    "softplus(0.5)",
    "power(0.5)",
    "power(2.5)",
    "shrink(0.1,0.75)",
    "threshold(1,20)",
    "sine(0.5)",
]
CASES = (*EVERY, *map(Activation.parse, MORE))
Z = np.linspace(-6, 6, 1201) + 0.0037


@pytest.fixture(params=CASES, ids=str)
def activation(request):
    return request.param


def smooth(activation):
    """Z where the activation has a value, away from its kinks, jumps and poles."""
    z, (rule, a) = Z, (activation.rule, activation.argument)
    for place in breaks(activation):
        away = z - place
        if period := rule.period(a):
            away = away - period * np.round(away / period)
        z = z[abs(away) > 0.05]
    return z[np.isfinite(activation.value(z))]


def agrees(found, exact, third):
    """Whether central differences over 1e-5 are the derivative: h^2 / 6 of the third one, and rounding eps / h."""
    scale = max(1.0, np.abs(exact).max(), np.abs(third).max())
    return np.abs(found - exact).max() < 3e-9 * scale


def test_the_slope_is_the_derivative_of_the_value(activation):
    h, z = 1e-5, smooth(activation)
    difference = (activation.value(z + h) - activation.value(z - h)) / (2 * h)
    assert len(z) > 150
    assert agrees(difference, activation.slope(z), [*activation.curvature(z), *activation.value(z)])


def test_the_curvature_is_the_derivative_of_the_slope(activation):
    h, z = 1e-5, smooth(activation)
    difference = (activation.slope(z + h) - activation.slope(z - h)) / (2 * h)
    # Beside a pole, 0.05 away, derivatives grow by 20 from one to the next.
    third = (activation.curvature(z + 1e-3) - activation.curvature(z - 1e-3)) / 2e-3
    assert agrees(difference, activation.curvature(z), third)


@pytest.mark.parametrize("activation", BOUNDED, ids=str)
def test_every_kink_is_the_jump_of_the_slope_and_there_are_no_others(activation):
    kinks = activation.rule.kinks(activation.argument)
    for place, jump in kinks:
        # A step to either side is off by 2 h |s''| <= 2e-9 * 9.
        left, right = activation.slope(np.array([place - 1e-9, place + 1e-9]))
        assert jump == pytest.approx(float(right - left), abs=2e-8)
    z = np.linspace(-7, 7, 200001) + 1e-5 * math.pi
    away = np.all([np.abs(z - place) > 1e-4 for place, _ in kinks] or [z < 8], axis=0)
    # Nothing else jumps: a slope's step over 7e-5 is that times the curvature at its ends.
    steps = np.abs(np.diff(activation.slope(z)))
    bends = 7e-5 * (np.abs(activation.curvature(z[1:])) + np.abs(activation.curvature(z[:-1]))) + 1e-8
    assert (steps <= 2 * bends)[away[1:] & away[:-1]].all()


@pytest.mark.parametrize("activation", [a for a in EVERY if a.unbounded], ids=str)
def test_beside_a_gap_the_value_jumps_or_ends_or_has_no_limit(activation):
    for place in activation.rule.gaps(activation.argument):
        with np.errstate(all="ignore"):
            left, right = activation.value(np.array([place - 1e-9, place + 1e-9]))
            steep = np.abs(activation.slope(np.array([place - 1e-9, place + 1e-9])))
        assert not abs(left - right) < 0.1 or np.nanmax(steep) > 1e3
    assert activation.unbounded.startswith(activation.rule.gap)


@pytest.mark.parametrize("activation", BOUNDED, ids=str)
@pytest.mark.parametrize("which", ["slope", "curvature"])
def test_between_extrema_it_is_monotone_and_nowhere_larger(activation, which):
    found, function = extrema(activation, which), getattr(activation, which)
    reach = 6.0
    places = [x + k * found.period for x in found.places for k in (range(-20, 20) if found.period else [0])]
    cuts = sorted({-reach, reach, *(x for x in (*places, *breaks(activation)) if abs(x) < reach)})
    for a, b in itertools.pairwise(cuts):
        z = np.linspace(a, b, 400)[1:-1]
        if b - a < 1e-9:
            continue
        steps, scale = np.diff(function(z)), max(1.0, np.abs(function(z)).max())
        # 16 eps: each value is a few roundings of numbers of its own size.
        assert (steps >= -4e-15 * scale).all() or (steps <= 4e-15 * scale).all(), (a, b)
    far = REACH * activation.rule.scale(activation.argument) * np.geomspace(1e-3, 1e16, 400)
    with np.errstate(all="ignore"):
        assert (np.abs(function(np.concatenate([far, -far]))) <= found.most * (1 + 1e-6)).all()


@pytest.mark.parametrize("activation", [a for a in BOUNDED if a.rule.rate(a.argument)], ids=str)
def test_a_curvature_is_at_most_its_rate_times_the_slope(activation):
    z = smooth(activation)
    slope, rate = activation.slope(z), activation.rule.rate(activation.argument)
    assert (np.abs(activation.curvature(z)) <= rate * np.abs(slope) * (1 + 1e-12)).all()


@pytest.mark.parametrize("which", ["slope", "curvature"])
@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("gelu", {"slope": [-math.sqrt(2), math.sqrt(2)], "curvature": [-2, 0, 2]}),
        ("tanh", {"slope": [0], "curvature": [-math.atanh(1 / math.sqrt(3)), math.atanh(1 / math.sqrt(3))]}),
        ("sigmoid", {"slope": [0], "curvature": [-math.log(2 + math.sqrt(3)), math.log(2 + math.sqrt(3))]}),
        ("gaussian", {"slope": [-math.sqrt(0.5), math.sqrt(0.5)], "curvature": [-math.sqrt(1.5), 0, math.sqrt(1.5)]}),
        ("softplus(2)", {"slope": [], "curvature": [0]}),
        ("sine(2)", {"slope": [0, math.pi / 2], "curvature": [math.pi / 4, 3 * math.pi / 4]}),
        ("hard_swish", {"slope": [], "curvature": []}),
    ],
)
def test_extrema_are_where_the_next_derivative_is_0(text, places, which):
    # Closed forms; a flat top of a function near 1 is told to the root of eps.
    assert extrema(Activation.parse(text), which).places == pytest.approx(places[which], abs=1e-7)


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
    ("hard_swish", -1.5, -0.375),
    ("hard_swish", 4.0, 4.0),
    # The defaults and formulas of PyTorch's and ONNX's documents.
    ("hardtanh", -1.5, -1.0),
    ("hardtanh(-2,3)", 2.5, 2.5),
    ("hard_sigmoid(0.25,0.5)", 1.0, 0.75),
    ("softplus(2)", 0.0, math.log(2) / 2),
    ("celu(2)", -2 * math.log(2), -1.0),
    ("selu", 1.0, 1.0507009873554805),
    ("selu", -math.log(2), -1.0507009873554805 * 1.6732632423543772 / 2),
    ("mish", math.log(math.e - 1), math.log(math.e - 1) * math.tanh(1)),
    ("softsign", -3.0, -0.75),
    ("tanhshrink", 1.0, 1 - math.tanh(1)),
    ("softshrink(0.5)", -2.0, -1.5),
    ("hardshrink(0.5)", 0.5, 0.0),
    ("shrink(0.25,1)", 2.0, 1.75),
    ("shrink(0.25,1)", -1.0, 0.0),
    ("log_sigmoid", -math.log(3), -math.log(4)),
    ("threshold(1,20)", 1.0, 20.0),
    ("thresholded_relu", 1.0, 0.0),
    ("gelu_tanh", 1.0, 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * 1.044715))),
    ("swish(2)", math.log(3) / 2, 0.375 * math.log(3)),
    ("erf", 1.0, 0.8427007929497149),
    ("exp", 1.0, math.e),
    ("log", math.e, 1.0),
    ("sqrt", 9.0, 3.0),
    ("rsqrt(1)", 3.0, 0.5),
    ("reciprocal", -4.0, -0.25),
    ("square", -3.0, 9.0),
    ("power(3)", -2.0, -8.0),
    ("power(1.5)", 4.0, 8.0),
    ("abs", -2.0, 2.0),
    ("cos(2)", math.pi / 3, -0.5),
    ("tan", math.pi / 4, 1.0),
    ("asin", 0.5, math.pi / 6),
    ("acos", 0.5, math.pi / 3),
    ("atan", -1.0, -math.pi / 4),
    ("sinh", math.log(2), 0.75),
    ("cosh", math.log(2), 1.25),
    ("asinh", 0.75, math.log(2)),
    ("acosh", 1.25, math.log(2)),
    ("atanh", 0.6, math.log(2)),
    ("sign", -0.1, -1.0),
    ("floor", -0.5, -1.0),
    ("ceil", 0.5, 1.0),
    ("round", 2.5, 2.0),
    ("identity", -4.0, -4.0),
]


@pytest.mark.parametrize(("text", "z", "truth"), KNOWN)
def test_known_values(text, z, truth):
    assert Activation.parse(text).value(z) == pytest.approx(truth, rel=4e-16 * 4, abs=0 if truth else 1e-300)


def test_softmax_of_equal_values_is_even_and_shifts_change_nothing():
    softmax = Activation.parse("softmax")
    assert np.allclose(softmax.value(np.full((2, 5), 7.0)), 0.2, rtol=1e-15)
    z = np.array([[1.0, -2.0, 0.5]])
    assert np.allclose(softmax.value(z), softmax.value(z + 1000), rtol=1e-12)  # 1000 costs ten bits of 52
    assert softmax.value(z).sum() == pytest.approx(1, rel=1e-15)
    logarithm = Activation("log_softmax")
    assert np.allclose(np.exp(logarithm.value(z)), softmax.value(z), rtol=1e-15)
    # Where a probability is too small for float64 its logarithm is not.
    assert logarithm.value([[0.0, 1000.0]]).tolist() == [[-1000.0, 0.0]]


@pytest.mark.parametrize("far", [1e2, 1e4, 1e30])
@pytest.mark.parametrize("sign", [-1, 1])
def test_far_out_everything_is_finite_or_grows_or_has_no_value(activation, far, sign):
    z = np.array(sign * far)
    with np.errstate(over="ignore"):
        if activation.unbounded and np.isnan(activation.value(z)):
            return
        for which in ("value", "slope", "curvature"):
            found = getattr(activation, which)(z)
            assert np.isfinite(found) or (extrema(activation, "slope").most == np.inf and np.isinf(found)), which


@given(st.sampled_from(sorted(set(WRITTEN) - {"power"})), st.floats(2**-10, 1e5, width=32))
def test_what_is_written_is_read_back_to_the_bit(name, parameter):
    given = (parameter, 2 * parameter)[: len(ACTIVATIONS[name].parameters)]
    activation = Activation.parse(f"{name}({','.join(map(repr, given))})")
    assert Activation.parse(str(activation)) == activation
    assert activation.parameters == given


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tahn", "Near: .*tanh"),
        ("relu(2)", "takes no parameter"),
        ("sine(-1)", "above 0"),
        ("sine(1e-60)", "above 0"),
        ("sine(0)", "above 0"),
        ("elu(1e9)", "1e6"),
        ("elu(1-2)", "not a number"),
        ("", "no activation"),
        ("tanh)", "no activation"),
        ("hardtanh(1,-1)", "max_val must be above the min_val"),
        ("hardtanh(1)", "takes min_val, max_val"),
        ("softshrink(-1)", "lambd must be .* at least 0"),
        ("power(100)", "at most 64"),
        (None, "no activation"),
    ],
)
def test_a_wrong_activation_says_what_would_be_right(text, says):
    with pytest.raises(NetworkError, match=says):
        Activation.parse(text)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("ReLU", "relu"), ("LeakyReLU(0.2)", "leaky_relu(0.2)"), ("relu6", "clipped_relu"), ("ReLU6", "clipped_relu"),
        ("Hardsigmoid", "hard_sigmoid"), ("hardswish", "hard_swish"), ("LogSigmoid", "log_sigmoid"), ("SiLU", "silu"),
        ("sin", "sine(1)"), ("sin(30)", "sine(30)"), ("GELU(tanh)", "gelu_tanh"), ("gelu ( none )", "gelu"),
        ("linear", "identity"), ("none", "identity"), ("quick_gelu", "swish(1.702)"), ("softplus(1)", "softplus"),
        ("rrelu", "leaky_relu(0.22916667)"), (" Hardtanh( -1 , 1 ) ", "hardtanh(-1,1)"), ("logistic", "sigmoid"),
    ],
)  # fmt: skip
def test_what_other_programs_call_it_is_understood(text, ours):
    assert Activation.parse(text) == Activation.parse(ours)
    assert Activation.parse(str(Activation.parse(text))) == Activation.parse(ours)


def test_every_spelling_is_of_an_activation_and_none_hides_one():
    for text in SPELLINGS:
        assert text not in ACTIVATIONS
        assert Activation.parse(text).name in ACTIVATIONS
    for name in ACTIVATIONS:
        assert Activation.parse(name).name == name


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
