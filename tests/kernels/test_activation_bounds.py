"""What bounds along rays take of an activation, as its WGSL computes it: nothing real may lie outside."""

from functools import cache

import numpy as np
import pytest

from engine.codegen.bounds.enclosure import enclosure_module
from engine.codegen.bounds.ranges import ACCURACY, accuracy, range_functions
from engine.draw.surfaces.level_surfaces import LevelSurfaces
from engine.errors import NetworkError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.kernel import Kernel
from engine.network.activations import Activation
from engine.network.random import random_mlp
from engine.network.rules.extrema import OPEN, extrema, span
from tests.network.every_activation import BESIDE, BOUNDED, EVERY

ULP = 2.0**-23
# WGSL may flush what is below 2^-126 to 0, and so its products with up to 2^11.
TINY = 2.0**-115
RESULTS = ("value", "slope", "curvature", "value_error", "argument_error", "slope_most",
           "slope_range", "curvature_range", "slope_near", "bend")  # fmt: skip


@cache
def intervals(activation):
    """(low, high) float32: random ones from a ten-thousandth to 20 long, and some that begin or end at a half.

    Of an activation that has bounds beside a gap only: intervals above it.
    """
    rng = np.random.default_rng(0)
    low = rng.uniform(-30, 30, 1200)
    low[:500] = rng.uniform(-4, 4, 500)
    low[:200] = rng.integers(-8, 8, 200) / 4
    high = low + 10 ** rng.uniform(-4, 1.3, 1200)
    high[100:300] = np.ceil(high[100:300] * 2) / 2
    if activation.rule.beside:
        low = 10 ** rng.uniform(-4, 2, 1200)
        high = low * (1 + 10 ** rng.uniform(-4, 2, 1200))
    return low.astype("f4"), np.maximum(low.astype("f4"), high.astype("f4"))


@cache
def found(activation, low=None, high=None):
    """{name: (N,), or (2, N) of ranges} of RESULTS over the intervals; `near` by an eighth of each to both sides."""
    bindings = (Binding("lows", "read", "array<vec4f>"), Binding("highs", "read", "array<vec4f>"),
                Binding("results", "write", "array<vec4f>"))  # fmt: skip
    text = f"""\
#import generated/bindings
#import arithmetic/range
#import activations/{activation.name}
{range_functions(activation, 0)}
@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) id: vec3u) {{
    let low = lows[id.x];
    let high = highs[id.x];
    let z = Range(low, high);
    let slope = slope_0(low);
    let s = slope_range_0(z);
    let c = curvature_range_0(z);
    let n = slope_near_0(z, slope, slope_0(high), 0.125 * (high - low));
    let b = bend_0(z, high - low, vec4f(0.0));
    let all = array<vec4f, 14>(
        value_0(low), slope, {activation.wgsl("curvature", "low")}, value_error_0(low, value_0(low)),
        argument_error_0(low), slope_most_0(low, slope, high - low),
        s.low, s.high, c.low, c.high, n.low, n.high, b.low, b.high,
    );
    for (var i = 0u; i < 14u; i++) {{
        results[14u * id.x + i] = all[i];
    }}
}}
"""
    module = compose("generated/probe", {"probe": text, "bindings": declare(bindings)})
    low, high = intervals(activation) if low is None else (np.resize(np.float32(x), 4) for x in (low, high))
    results = Array("f4", 14 * len(low))
    Kernel(module, bindings).run(len(low) // 4, lows=Array.of(low), highs=Array.of(high), results=results)
    rows = list(results.read().reshape(-1, 14, 4).transpose(1, 0, 2).reshape(14, -1).astype(float))
    return dict(zip(RESULTS, [*rows[:6], *(np.stack(rows[i : i + 2]) for i in range(6, 14, 2))], strict=True))


def samples(activation, low, high):
    """(N, 17) evenly from low to high, but for the rounding inside, which those who ask for a range add to it."""
    inner = activation.rule.scaled * ULP * (abs(low) + abs(high))
    low, high = np.minimum(low + inner, high), np.maximum(high - inner, low)
    return low[:, None] + np.linspace(0, 1, 17) * (high - low)[:, None]


def rounding(activation, which):
    """(relative, absolute): how far WGSL's slope or curvature may be off."""
    rough, floor = accuracy(activation, which)
    most = extrema(activation, which).most
    return rough * ULP, floor * (most if np.isfinite(most) else 1.0) * ULP


def test_every_activation_that_has_bounds_has_a_row_of_its_accuracy():
    assert {a.name for a in BOUNDED + BESIDE} | {"power", "shrink", "threshold", "thresholded_relu"} == set(ACCURACY)


@pytest.mark.parametrize("activation", BOUNDED + BESIDE, ids=str)
def test_activations_are_as_exact_on_the_gpu_as_their_bounds_take_them_to_be(activation):
    got, z = found(activation), intervals(activation)[0].astype(float)
    exact = [getattr(activation, which)(z) for which in RESULTS[:3]]
    error = abs(got["value"] - exact[0])
    assert (error <= got["value_error"] + abs(exact[1]) * got["argument_error"] + TINY).all()
    h = (
        1e-3
        * (z if activation.rule.beside else 1.0)
        * activation.rule.scale(activation.argument)
        / max(1.0, *map(abs, activation.parameters), 0.0)
    )
    third = (activation.curvature(z + h) - activation.curvature(z - h)) / (2 * h)
    for which, right, next_one in (("slope", exact[1], exact[2]), ("curvature", exact[2], third)):
        relative, absolute = rounding(activation, which)
        bound = relative * abs(right) + absolute + abs(next_one) * got["argument_error"] + TINY
        assert (abs(got[which] - right) <= bound).all(), which


@pytest.mark.parametrize("which", ["slope", "curvature"])
@pytest.mark.parametrize("activation", BOUNDED + BESIDE, ids=str)
def test_ranges_hold_every_sample_and_are_no_wider_than_the_twins_by_more_than_rounding(activation, which):
    low, high = (x.astype(float) for x in intervals(activation))
    least, greatest = found(activation)[f"{which}_range"]
    sampled = getattr(activation, which)(samples(activation, low, high))
    assert (sampled >= least[:, None] - TINY).all() and (sampled <= greatest[:, None] + TINY).all()
    # Where an extremum or a kink may be inside by rounding it counts, so the twin's interval is a little longer.
    slack = 3e-6 * (1 + abs(low) + abs(high)) * max(1.0, *map(abs, activation.parameters), 0.0)
    exact = span(activation, which, low - slack, high + slack)
    relative, absolute = rounding(activation, which)
    pad = 3 * (relative * np.maximum(abs(exact[0]), abs(exact[1])) + absolute) + TINY
    assert (least >= exact[0] - pad).all() and (greatest <= exact[1] + pad).all()


@pytest.mark.parametrize("activation", BOUNDED + BESIDE, ids=str)
def test_slopes_near_a_point_and_an_interval_are_within_their_bounds(activation):
    low, high = (x.astype(float) for x in intervals(activation))
    got = found(activation)
    width = (np.subtract(*intervals(activation)[::-1])).astype(float)
    # Beyond a gap there is nothing to be bounded.
    most = np.nan_to_num(abs(activation.slope(samples(activation, low - width, low + width)))).max(axis=1)
    assert (most <= got["slope_most"] + TINY).all()
    sampled = np.nan_to_num(activation.slope(samples(activation, low - width / 8, high + width / 8)))
    least, greatest = got["slope_near"]
    assert (sampled >= least[:, None] - TINY).all() and (sampled <= greatest[:, None] + TINY).all()


@pytest.mark.parametrize("activation", BOUNDED + BESIDE, ids=str)
def test_no_value_strays_from_its_chord_by_more_than_the_bend(activation):
    low, high = (x.astype(float) for x in intervals(activation))
    least, greatest = found(activation)["bend"]
    x = np.linspace(0, 1, 17)[1:-1]
    z = low[:, None] + x * (high - low)[:, None]
    ends = activation.value(low)[:, None], activation.value(high)[:, None]
    stray = activation.value(z) - ((1 - x) * ends[0] + x * ends[1])
    slack = 1e-14 * (1 + abs(activation.value(z)) + abs(ends[0]) + abs(ends[1]))
    bump = 4 * x * (1 - x)
    assert (stray >= bump * least[:, None] - slack).all() and (stray <= bump * greatest[:, None] + slack).all()


@pytest.mark.parametrize("activation", [a for a in EVERY if a.unbounded and a not in BESIDE], ids=str)
def test_a_network_with_a_gap_is_refused_for_what_it_is(activation):
    net = random_mlp((3, 4, 1), activation)
    for given_to in (lambda: enclosure_module(net.shape), lambda: LevelSurfaces(net)):
        with pytest.raises(
            NetworkError, match=f"Layer 0 of .* is .*, which {activation.rule.gap} at .*random_networks"
        ):
            given_to()


@pytest.mark.parametrize("activation", BESIDE, ids=str)
def test_over_a_gap_there_are_no_bounds(activation):
    (gap,) = activation.rule.gaps(activation.argument)
    low, high = np.float32([gap - 1, gap, gap - 1e-3]), np.float32([gap + 1, gap + 1e-6, gap])
    for which in ("slope", "curvature"):
        least, greatest = span(activation, which, low.astype(float), high.astype(float))
        assert (least <= -OPEN).all() and (greatest >= OPEN).all()
    for which in ("slope_range", "curvature_range"):
        least, greatest = found(activation, tuple(low), tuple(high))[which]
        assert (least <= -OPEN / 2).all() and (greatest >= OPEN / 2).all()


def test_where_parameters_close_the_gap_there_are_bounds():
    for open_, closed in (("threshold(0,1)", "threshold"), ("shrink(0,1)", "shrink(1,1)"), ("power(1.5)", "power(3)")):
        assert Activation.parse(open_).unbounded and not Activation.parse(closed).unbounded
