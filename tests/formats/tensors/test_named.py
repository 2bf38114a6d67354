"""Names and order of arrays in state dicts and weight files."""

import numpy as np
import pytest

from engine.errors import NetworkError, NeurosceneError, ShapeError
from engine.formats.load_mlp import load
from engine.network.random import random_mlp

NET = random_mlp([3, 8, 5, 1], seed=4)
W, B = [x.weights for x in NET.layers], [x.bias for x in NET.layers]


def read(state, activations="tanh"):
    return load(state, activations=activations)


def state(*keys, biases=True):
    """The network under pairs of keys, in the order given."""
    found = {}
    for i, (weight, bias) in enumerate(keys):
        found[weight] = W[i]
        if biases:
            found[bias] = B[i]
    return found


def dotted(*prefixes):
    return [(f"{p}.weight", f"{p}.bias") for p in prefixes]


NAMES = {
    "sequential": dotted("0", "2", "4"),
    "past ten": dotted("8", "10", "12"),
    "layers": dotted("layers.0", "layers.1", "layers.2"),
    "numbered": dotted("fc1", "fc2", "fc10"),
    "nested": dotted("net.0.linear", "net.1.linear", "net.2"),
    "wrapped": dotted("module.net.0", "module.net.2", "module.net.4"),
    "named": dotted("input", "hidden", "output"),
    "named in parts": dotted("encoder.0", "encoder.2", "decoder"),
    "W and b": [("W0", "b0"), ("W1", "b1"), ("W2", "b2")],
    "from one": [("w1", "b1"), ("w2", "b2"), ("w3", "b3")],
    "weights_0": [("weights_0", "biases_0"), ("weights_1", "biases_1"), ("weights_2", "biases_2")],
    "brackets": [("weights[0]", "biases[0]"), ("weights[1]", "biases[1]"), ("weights[2]", "biases[2]")],
    "savez without names": [("arr_0", "arr_1"), ("arr_2", "arr_3"), ("arr_4", "arr_5")],
}


@pytest.mark.parametrize("keys", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("mix", [False, True])
def test_names_tell_the_layers_in_whatever_order_they_stand(keys, mix):
    entries = list(state(*keys).items())
    if mix:
        np.random.default_rng(3).shuffle(entries)
    assert read(dict(entries)).equals(NET)


@pytest.mark.parametrize("keys", NAMES.values(), ids=NAMES)
def test_biases_may_be_missing(keys):
    net = read(state(*keys, biases=False))
    assert all(np.array_equal(x.weights, w) for x, w in zip(net.layers, W, strict=True))
    assert not any(x.bias.any() for x in net.layers)


def test_biases_may_be_rows_or_columns():
    entries = state(*dotted("0", "2", "4"))
    entries["0.bias"], entries["2.bias"] = B[0][None], B[1][:, None]
    assert read(entries).equals(NET)


@pytest.mark.parametrize(
    "names",
    [
        ("dense/kernel:0", "dense_1/kernel:0"),
        ("params/Dense_0/kernel", "params/Dense_1/kernel"),
        ("coefs_0", "coefs_1"),
    ],
)
def test_kernels_are_read_as_keras_flax_and_scikit_learn_keep_them(names):
    net = random_mlp([4, 4, 4], seed=1)  # square: only the name tells
    entries = {name: x.weights.T for name, x in zip(names, net.layers, strict=True)}
    assert all(np.array_equal(a.weights, b.weights) for a, b in zip(read(entries).layers, net.layers, strict=True))


def test_matrices_stored_the_other_way_are_turned_where_biases_prove_it():
    entries = state(*NAMES["W and b"])
    assert read({k: v.T if k[0] == "W" else v for k, v in entries.items()}).equals(NET)


def test_matrices_stored_the_other_way_are_refused_where_nothing_proves_it():
    entries = {f"W{i}": w.T for i, w in enumerate(W)}
    with pytest.raises(ShapeError, match="Are rows and columns swapped"):
        read(entries)
    # One of three turned is a mistake, biases or not.
    mixed = state(*NAMES["W and b"]) | {"W1": W[1].T}
    with pytest.raises(ShapeError, match=r"`W1` of the state dict is \(8, 5\).*Are rows and columns swapped"):
        read(mixed)


def test_layers_in_reverse_are_not_taken_for_turned_ones():
    # 1-8-3 backwards is (3, 8), (8, 1): turned it chains, but its biases say otherwise.
    net = random_mlp([1, 8, 3], seed=0)
    entries = {}
    for i, layer in enumerate(net.layers[::-1]):
        entries |= {f"{i}.weight": layer.weights, f"{i}.bias": layer.bias}
    with pytest.raises(ShapeError):
        read(entries)


def test_an_order_that_nothing_tells_is_refused_not_guessed(tmp_path):
    square = {f"{name}.weight": np.eye(2) * k for k, name in enumerate(["zeta", "alpha"])}
    # A state dict keeps the order of registration; a file of names does not.
    assert read(square).layers[0].weights[0, 0] == 0
    np.savez(tmp_path / "net.npz", **square)
    with pytest.raises(NetworkError, match="does not follow from names"):
        load(tmp_path / "net.npz", activations="tanh")


BAD = {
    "a convolution": ({"conv1.weight": np.ones((4, 3, 3, 3))}, "`conv1.weight`.*convolution"),
    "a recurrent layer": (
        {"rnn.weight_ih_l0": np.ones((32, 3)), "rnn.weight_hh_l0": np.ones((32, 8))},
        "`rnn.weight_ih_l0`.*recurrent layer",
    ),
    "batch normalisation": (
        {"0.weight": np.ones((2, 2)), "1.running_mean": np.ones(2)},
        "`1.running_mean`.*normalisation",
    ),
    "a normalisation": ({"0.weight": np.ones((2, 2)), "1.weight": np.ones(2)}, "`1.weight`.*normalisation"),
    "half a weight norm": ({"0.weight_g": np.ones((2, 1))}, "other parts"),
    "an unknown array": ({"0.weight": np.ones((2, 2)), "table": np.ones(2)}, "`table`.*Names that are read"),
    "a bias alone": ({"0.weight": np.ones((2, 2)), "1.bias": np.ones(2)}, "`1.bias`.*no weights"),
    "one layer twice": ({"W0": np.ones((2, 2)), "weights_0": np.ones((2, 2))}, "same layer"),
    "a matrix as bias": ({"0.weight": np.ones((2, 2)), "0.bias": np.ones((2, 2))}, r"must be \(out,\)"),
    "a bias of another size": ({"0.weight": np.ones((2, 2)), "0.bias": np.ones(3)}, "its bias is"),
    "layers that do not follow": ({"0.weight": np.ones((8, 3)), "2.weight": np.ones((1, 9))}, "gives 8 values, not 9"),
    "a skip": ({"0.weight": np.ones((8, 3)), "2.weight": np.ones((8, 11)), "4.weight": np.ones((1, 8))}, "`2.weight`"),
    "nothing": ({}, "holds no weights"),
    "an empty matrix": ({"weight": np.ones((0, 3))}, "none of them 0"),
    "too many weights": ({"weight": np.broadcast_to(np.float32(0), (10**6, 10**6))}, "weights; at most"),
    "too many": ({f"{i}.weight": np.ones((1, 1)) for i in range(1001)}, "1001 layers"),
    "numbers as keys": ({0: np.ones((2, 2))}, "int as its key"),
    "no arrays": ({"weight": "hello"}, "weight"),
    "ragged lists": ({"weight": [[1, 2], [3]]}, "weight"),
    "objects": ({"weight": np.array([[object()]])}, "real numbers"),
    "complex numbers": ({"weight": np.ones((1, 2), complex)}, "real numbers"),
    "names without order in arr": ({"arr_0": np.ones(3)}, "matri"),
    "a name with lines in it": ({"a\nb" * 100: np.ones(3)}, "Names that are read"),
}


@pytest.mark.parametrize(("entries", "says"), BAD.values(), ids=BAD)
def test_what_is_no_chain_of_layers_is_refused_by_name(entries, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        read(entries)
    assert str(caught.value).isprintable()


def test_lists_of_numbers_are_arrays():
    assert np.array_equal(read({"weight": [[1, 2.5]]}).layers[0].weights, [[1, 2.5]])


def test_mappings_in_mappings_are_read_as_flax_nests_them():
    nested = {"params": {f"Dense_{i}": {"kernel": w.T, "bias": b} for i, (w, b) in enumerate(zip(W, B, strict=True))}}
    assert read(nested).equals(NET)
    loop = {}
    loop["again"] = loop
    with pytest.raises(NetworkError, match="nested deeper"):
        read(loop)
