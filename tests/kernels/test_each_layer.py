"""Values and gradients layer by layer: the twin's, however they are divided, by one kernel for all sizes."""

import numpy as np
import pytest

from engine.codegen.mlp.arithmetics import PLAIN, TANGENT
from engine.codegen.mlp.each_layer import layer_kinds, layer_module
from engine.gpu.array import Array
from engine.gpu.kernel import subgroup_size
from engine.kernels import field
from engine.kernels.fields import each_layer, narrow
from engine.kernels.fields.each_layer import EachLayer
from engine.kernels.product import LANES
from engine.network.activations import Activation
from engine.network.mlp import Mlp
from engine.network.units.mixed import mixed
from tests.kernels.test_field import agrees, glorot, points
from tests.network.every_activation import SOME


def of_several(sizes, names=("identity", "tanh", "sine(2)", "product")):
    """A network whose hidden layers have several activations each, which change within groups of four units."""
    net = glorot(sizes)
    parts = [
        mixed([*((Activation.parse(name), 2) for name in names), (Activation.parse("gelu"), width - 2 * len(names))])
        for width in sizes[1:-1]
    ]
    return Mlp(net.weights, net.biases, [*parts, net.activations[-1]])


@pytest.fixture
def layers(monkeypatch):
    monkeypatch.setattr(field, "is_whole", lambda shape, kind: False)
    monkeypatch.setattr(field, "fits", lambda shape: False)


@pytest.mark.parametrize("activation", SOME, ids=str)
def test_every_activation_is_the_twins(activation, layers):
    net = glorot([3, 12, 9, 2], activation, seed=1)
    assert isinstance(field.Field(net, "tangent").stages[0].layers, EachLayer)
    assert agrees(net, points(net)) <= 1


@pytest.mark.parametrize(
    ("sizes", "activation"),
    [*(([3, 18, 5, 1], a) for a in SOME), ([3, 32, 32, 32, 1], "tanh"), ([4, 9, 4], "relu")],
    ids=str,
)
def test_narrow_networks_in_registers_have_the_same_bits(sizes, activation, layers, monkeypatch):
    if subgroup_size() not in LANES:
        pytest.skip("lanes share no loads on this adapter")
    net = glorot(sizes, activation, seed=2)
    x = points(net, 77)
    apart = field.evaluate(net, x, gradient=True)
    monkeypatch.setattr(field, "fits", narrow.fits)
    in_registers = isinstance(field.Field(net, "tangent").stages[0].layers, narrow.NarrowTangents)
    assert in_registers == net.activations[0].kinds[0].rule.elementwise
    assert all(map(np.array_equal, field.evaluate(net, x, gradient=True), apart))


def test_of_many_points_wider_networks_go_through_registers_too_and_show_others(monkeypatch):
    if subgroup_size() not in LANES:
        pytest.skip("lanes share no loads on this adapter")
    monkeypatch.setattr(field, "MANY_WORK", 1)
    nets, found = [glorot([3, 64, 50, 1], "tanh", seed=seed) for seed in (1, 2)], []
    given = Array.of(np.random.default_rng(0).normal(size=(4 * 70, 4)).astype(np.float32))
    for many in (False, True):
        tangents = field.Field(nets[0], "tangent")
        if many:
            tangents.expect(70)
        assert isinstance(tangents.stages[0].layers, narrow.NarrowTangents if many else EachLayer)
        each = [tangents.run(given, 70).read()]
        tangents.show(nets[1])
        # Of each group the first of four outputs is the network's.
        found.append(np.stack([*each, tangents.run(given, 70).read()]).reshape(2, -1, 4)[..., 0])
    assert np.array_equal(*found)


@pytest.mark.parametrize("lanes", [0, None])
@pytest.mark.parametrize("sizes", [[1, 40, 33, 1], [5, 17, 70, 3], [2, 130, 9, 5]], ids=str)
def test_units_of_several_activations_are_the_twins(sizes, lanes, monkeypatch):
    if lanes is not None:
        monkeypatch.setattr(each_layer, "subgroup_size", lambda: lanes)
    net = of_several(sizes)
    assert agrees(net, points(net, 70)) <= 1


def test_any_division_of_the_points_gives_the_same_bytes(monkeypatch):
    net = glorot([5, 40, 7, 3], "silu")
    x = points(net, 333)
    whole = field.evaluate(net, x, gradient=True)
    monkeypatch.setattr(each_layer, "CACHED", 64 * 10 * 70)
    assert field.Field(net, "tangent").stages[0].layers.chunk == 64
    assert all(map(np.array_equal, field.evaluate(net, x, gradient=True), whole))


@pytest.mark.parametrize("kind", ["plain", "tangent"])
def test_one_kernel_serves_every_width_and_depth(kind):
    field.Field(of_several([3, 20, 30, 1]), kind)
    made = each_layer._kernel.made
    for sizes in ([2, 300, 3], [3, *[32] * 12, 1], [9, 64, 512, 64, 7]):
        field.Field(of_several(sizes), kind)
    assert each_layer._kernel.made == made


@pytest.mark.parametrize("arithmetic", [PLAIN, TANGENT])
def test_each_activation_is_called_once_in_the_text(arithmetic):
    net = of_several([3, 64, 512, 64, 2])
    text = layer_module(layer_kinds(net.activations), 8, arithmetic)
    for name in ("tanh", "sine", "gelu"):
        assert text.count(f"{name}_value(") == 1
    assert text.count(f"{arithmetic.name}_product(") == 1


def test_another_network_of_the_same_shape_writes_what_differs():
    net = glorot([3, 40, 20, 2])
    one, x = field.Field(net, "tangent"), field.Array.of(np.ones((4 * 64, 4), np.float32))
    before = one.run(x, 64).read()
    other = net.edited(1, 3, 2, 0.75)
    one.show(other)
    after = one.run(x, 64).read()
    assert not np.array_equal(before, after)
    assert np.array_equal(after, field.Field(other, "tangent").run(x, 64).read())
