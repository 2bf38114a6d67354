"""The kernel `convolve` against its float64 twin, each way it has on any adapter."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.codegen.matmul import convolve as code
from engine.codegen.matmul import product
from engine.errors import NetworkError, SettingError, ShapeError
from engine.gpu.channel_map import ChannelMap
from engine.gpu.device import device
from engine.gpu.kernel import Dispatch, subgroup_size
from engine.gpu.layout.stored import evaluate
from engine.kernels import convolve
from engine.network.activations import Activation
from engine.network.graph.nodes import Convolution
from engine.reference import convolve as twin
from tests.network.every_activation import SOME

VARIANTS = ["slabs", *(["lanes"] if subgroup_size() in convolve.LANES else [])]


def convolution(outputs, inputs, window, seed=0, **more):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(outputs, inputs, *window)) / np.sqrt(inputs * window[0] * window[1])
    return Convolution("conv", ("image",), weights, rng.normal(size=outputs), **more)


def image(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=(1, *shape)).astype(np.float32)


# Of SqueezeNet: 7 x 7, 1 x 1 with padding, 3 x 3. One channel of one pixel; channel counts that are no multiple of
# four; windows that are higher than wide, steps and dilation that differ; padding as wide as the window, on one side
# only; more inputs than a row of the image of weights holds; more places than a workgroup takes.
CASES = {
    "7x7, stride 2": (convolution(24, 3, (7, 7), stride=(2, 2)), (3, 33, 41)),
    "1x1": (convolution(70, 37, (1, 1)), (37, 9, 10)),
    "1x1, padded": (convolution(9, 16, (1, 1), padding=(1, 1, 1, 1)), (16, 5, 5)),
    "3x3, padded": (convolution(33, 18, (3, 3), padding=(1, 1, 1, 1)), (18, 17, 13)),
    "one pixel": (convolution(1, 1, (1, 1)), (1, 1, 1)),
    "one place": (convolution(130, 7, (2, 3)), (7, 2, 3)),
    "5x2": (convolution(6, 5, (5, 2), stride=(1, 3), padding=(4, 0, 1, 2), dilation=(2, 1)), (5, 12, 11)),
    "padding only": (convolution(3, 2, (2, 2), stride=(3, 3), padding=(4, 4, 4, 4)), (2, 1, 1)),
    "many inputs": (convolution(5, 600, (1, 1)), (600, 3, 4)),
    "a long row": (convolution(4, 1, (1, 3)), (1, 1, 512)),
    "2 groups": (convolution(20, 6, (3, 3), groups=2), (12, 6, 7)),
    "5 groups of 3 from 2": (convolution(15, 2, (3, 1), groups=5, padding=(1, 1, 1, 1)), (10, 7, 6)),
    "16 groups of 4": (convolution(64, 4, (3, 3), groups=16), (64, 8, 8)),
    "2 from each channel": (convolution(18, 1, (3, 3), groups=9), (9, 5, 5)),
    "each channel": (convolution(37, 1, (3, 5), groups=37, stride=(1, 2), padding=(2, 1, 0, 3)), (37, 9, 8)),
}
EACH = [(case, variant) for case in CASES for variant in [*VARIANTS, *(["channels"] if case == "each channel" else [])]]


@pytest.mark.parametrize("case, variant", EACH)
def test_every_kind_of_window_is_the_twins(case, variant):
    node, shape = CASES[case]
    x = image(*shape)
    found = evaluate(convolve.steps, node, x, variant=variant)
    exact = twin.value(node, x)
    assert found.shape == exact.shape and found.dtype == np.float32
    assert (abs(found - exact) <= twin.bounds(node, x)).all()


@st.composite
def any_convolution(draw):
    """A convolution of any window over a map of any size, and that size."""
    few = st.tuples(st.integers(1, 4), st.integers(1, 4))
    groups, window = draw(st.sampled_from([1, 1, 1, 2, 3, 5])), draw(few)
    outputs, inputs = groups * draw(st.integers(1, 40)), draw(st.integers(1, 9))
    stride, dilation = draw(few), draw(few)
    padding = tuple(draw(st.lists(st.integers(0, 5), min_size=4, max_size=4)))
    node = convolution(outputs, inputs, window, stride=stride, dilation=dilation, padding=padding, groups=groups)
    return node, (groups * inputs, draw(st.integers(1, 18)), draw(st.integers(1, 18)))


@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=60, deadline=None)
@given(any_convolution())
def test_any_window_is_the_twins(variant, case):
    node, shape = case
    try:
        node.shape((1, *shape))
    except ShapeError:
        assume(False)
    x = image(*shape)
    assert (abs(evaluate(convolve.steps, node, x, variant=variant) - twin.value(node, x)) <= twin.bounds(node, x)).all()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("activation", SOME, ids=str)
def test_every_activation_is_the_twins(activation, variant):
    # 6 channels: the two that fill the last group are not to become the activation of 0.
    node, x = convolution(6, 5, (3, 3)), image(5, 6, 6)
    found = evaluate(convolve.steps, node, x, activation=activation, variant=variant)
    assert (abs(found - twin.value(node, x, activation=activation)) <= twin.bounds(node, x, activation)).all()


@pytest.mark.parametrize("variant", [*VARIANTS, "channels"])
@pytest.mark.parametrize("activation", [*map(Activation.parse, ["relu", "clipped_relu(2)", "hardtanh(-1,1)"])], ids=str)
def test_what_a_window_sees_that_is_no_number_makes_its_response_none(activation, variant):
    node, x = (
        convolution(9, 1, (3, 3), groups=9) if variant == "channels" else convolution(6, 9, (3, 3)),
        image(9, 8, 9),
    )
    x[0, 4, 2, 3] = np.nan
    activation = Activation.parse(activation)
    found = evaluate(convolve.steps, node, x, activation=activation, variant=variant)
    assert np.array_equal(np.isnan(found), np.isnan(twin.value(node, x, activation=activation)))
    assert 0 < np.isnan(found).sum() < found.size


def test_an_activation_behind_a_large_tile_is_the_twins_and_compiles_no_tile_anew():
    node, activation = convolution(33, 6, (3, 3)), Activation("gelu")
    x = image(6, 12, 13)
    for variant in VARIANTS:
        found = evaluate(convolve.steps, node, x, activation=activation, variant=variant)
        exact, bounds = (f(node, x, activation=activation) for f in (twin.value, twin.bounds))
        assert (abs(found - exact) <= bounds).all()
    maps = ChannelMap((6, 12, 13)), ChannelMap((33, 10, 11))
    kernels = {
        step.kernel
        for act in (activation, Activation("silu"), None)
        for step in convolve.steps(node, [maps[0]], maps[1], act)
        if isinstance(step, Dispatch) and "convolve" in step.kernel.label
    }
    assert len(kernels) == 1 or convolve.variants(node, *maps)[0] != "lanes"


@pytest.mark.parametrize("variant", VARIANTS)
def test_sums_of_small_whole_numbers_are_exact(variant):
    # Every product and sum is a whole number below 2^24, so that no order of summing and no fusing rounds.
    rng = np.random.default_rng(3)
    node = Convolution(
        "conv", ("image",), rng.integers(-4, 5, (35, 14, 3, 3)), rng.integers(-9, 10, 35), padding=(1, 2, 0, 1)
    )
    x = rng.integers(-9, 10, (1, 14, 20, 19)).astype(np.float32)
    assert np.array_equal(evaluate(convolve.steps, node, x, variant=variant), twin.value(node, x))


@pytest.mark.parametrize("variant", [*VARIANTS, "channels"])
def test_a_shifted_image_gives_shifted_responses_to_the_bit(variant):
    node = convolution(9, 1, (3, 3), groups=9) if variant == "channels" else convolution(9, 9, (3, 3))
    x = image(9, 14, 15)
    whole, part = (evaluate(convolve.steps, node, v, variant=variant) for v in (x, x[..., 2:, 3:]))
    assert np.array_equal(whole[..., 2:, 3:], part)


@pytest.mark.parametrize("window", [(2, 2), (1, 2), (2, 1)])
@pytest.mark.parametrize("variant", [*VARIANTS, "channels"])
def test_numbers_outside_of_the_window_are_never_touched(variant, window):
    # Not a number anywhere but under the windows: a product with a weight 0 would find it.
    groups = 3 if variant == "channels" else 1
    node = convolution(3, 3 // groups, window, stride=(3, 3), groups=groups)
    x = image(3, 8, 8)
    spoilt = np.full_like(x, np.nan)
    for i, j in np.ndindex(window):
        spoilt[..., i::3, j::3] = x[..., i::3, j::3]
    found, expected = (evaluate(convolve.steps, node, v, variant=variant) for v in (spoilt, x))
    assert np.array_equal(found, expected)


def test_the_last_group_of_four_is_filled_with_zeros():
    node, source = convolution(6, 3, (1, 1)), ChannelMap((3, 2, 2))
    source.write(image(3, 2, 2)[0])
    for variant in VARIANTS:
        kept = ChannelMap((6, 2, 2))
        kept.array.write(np.full(kept.array.count, 9.0))
        with device().recording() as encoder:
            for step in convolve.steps(node, [source], kept, Activation("sigmoid"), variant=variant):
                step.record(encoder)
        assert (kept.array.read().reshape(2, 4, 4)[1, :, 2:] == 0).all()


def test_a_window_of_more_numbers_than_a_loop_has_iterations_is_refused():
    node = Convolution("conv", ("image",), np.zeros((1, 1, 512, 512)))
    with pytest.raises(NetworkError, match=r"`conv` sums 1048576 numbers at a place; at most 262140"):
        evaluate(convolve.steps, node, np.zeros((1, 1, 512, 512)))


@pytest.mark.parametrize("case", CASES)
def test_a_tile_holds_every_block_that_its_outputs_see(case):
    node, _ = CASES[case]
    share, outputs = node.weights.shape[1], len(node.bias) // node.groups
    for size in (1, 2, 4, 8, 16):
        seen = code.blocks_seen(node, size)
        for output in range(len(node.bias)):
            first = code.first_block(node, size, output // (4 * size))
            channels = np.arange(share) + output // outputs * share
            assert first <= channels.min() // 4 and channels.max() // 4 < first + seen


def test_an_image_is_no_power_of_two_high():
    for rows in range(1, 300):
        height = product.image_height(rows)
        assert rows <= height <= max(3, rows + 1) and height.bit_count() > 1


def test_every_variant_is_there_where_it_fits(monkeypatch):
    def had(node, shape):
        return convolve.variants(node, ChannelMap(shape), ChannelMap(node.shape((1, *shape))[1:]))

    assert set(had(*CASES["each channel"])) == {"channels", *VARIANTS}
    assert set(had(*CASES["3x3, padded"])) == set(VARIANTS)
    monkeypatch.setattr(convolve, "subgroup_size", lambda: 0)
    assert had(*CASES["3x3, padded"]) == ("slabs",)


def test_a_variant_that_is_not_there_is_refused_by_name():
    node, shape = CASES["3x3, padded"]
    with pytest.raises(SettingError, match=r"Node `conv` was to be computed by `channels`; here it can be by .*slabs"):
        evaluate(convolve.steps, node, image(*shape), variant="channels")


@pytest.mark.skipif("lanes" not in VARIANTS, reason="this adapter's subgroups have another size")
def test_limits_are_data_so_that_one_kernel_computes_them_all():
    node, source, output = convolution(8, 4, (3, 3)), ChannelMap((4, 9, 9)), ChannelMap((8, 7, 7))
    limits = [Activation("relu"), Activation("clipped_relu", (0.5,)), Activation("clipped_relu", (2.0,)), None]
    made = [list(convolve.steps(node, [source], output, a, variant="lanes"))[-1].kernel for a in limits]
    assert len(set(map(id, made))) == 1


@pytest.mark.parametrize("outputs, window", [(32, (3, 3)), (70, (1, 1)), (5, (2, 3))])
def test_weights_that_are_packed_in_one_copy_are_the_matrix_packed(outputs, window, monkeypatch):
    monkeypatch.setattr(code, "PIECE", 1)
    node = convolution(outputs, 8, window)
    for groups in (1, 2, 8):
        tile = product.Tile(2, groups, 8)
        image = product.pack_lanes(code.matrix(node, groups), tile)
        for first, some in code.packed_lanes(node, tile):
            assert np.array_equal(some, image[first : first + len(some)])
