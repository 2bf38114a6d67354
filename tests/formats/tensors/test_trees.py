"""Weights in trees: checkpoints, lists and nested mappings, and weights that are kept as factors."""

import logging

import numpy as np
import pytest

from engine.errors import NetworkError, NeurosceneError
from engine.formats.load_mlp import load
from engine.network.graph import nodes
from engine.network.mlp import Mlp
from engine.network.random import random_mlp

NET = random_mlp([3, 8, 5, 1], seed=4)
SQUARE = random_mlp([4, 4, 4], seed=2)


def state(net=NET, prefix=""):
    """As a module's state dict keeps it."""
    return {
        f"{prefix}{2 * i}.{key}": array
        for i, x in enumerate(net.layers)
        for key, array in (("weight", x.weights), ("bias", x.bias))
    }


def pairs(net=NET):
    return [(x.weights.T, x.bias) for x in net.layers]


OPTIMIZER = {"state": {0: {"exp_avg": np.ones((8, 3)), "step": 3}}, "param_groups": [{"lr": 0.1, "params": [0, 1]}]}
TREES = {
    "an entry": {"epoch": 3, "net": state()},
    "an entry beside an optimizer": {"optimizer": OPTIMIZER, "model_state_dict": state(), "loss": np.float64(0.1)},
    "entries in entries": {"run": {"best": {"weights": state()}}, "config": {"betas": np.ones((2, 2))}},
    "lightning": {"state_dict": state(prefix="model."), "hyper_parameters": {"lr": 0.1}, "loops": {"fit_loop": {}}},
    "data parallel and compiled": state(prefix="module._orig_mod."),
    "notes of a training": state()
    | {
        "loss": [0.2, 0.1],
        "best": np.array(0.1),
        "losses": np.ones((9, 2)),
        "epoch": 3,
        "when": object(),
        "classes": ["a", "b"],
        "parts": {1, 2},
        "args": {"lr": object()},
    },
    "an entry beside arrays": {"net": state(), "grid": np.ones((5, 5)), "losses": np.ones((9, 2)), "box": [0, 1]},
    "a count": state() | {"1.num_batches_tracked": np.array(5), "lat_vecs.weight": np.ones((100, 2))},
    "pairs of (in, out) and bias": pairs(),
    "pairs of (out, in) and bias": [(x.weights, x.bias) for x in NET.layers],
    "pairs with empty tuples between, as of stax": [y for pair in pairs() for y in (pair, ())],
    "dicts": [{"w": w, "b": b} for w, b in pairs()],
    "arrays one after another": [array for pair in pairs() for array in pair],
    "haiku": {f"mlp/~/linear_{i}": {"w": w, "b": b} for i, (w, b) in enumerate(pairs())},
    "flax": {"params": {f"Dense_{i}": {"kernel": w, "bias": b} for i, (w, b) in enumerate(pairs())}},
    "flax in a list": {"layers": [{"kernel": w, "bias": b} for w, b in pairs()]},
    "numbers as names of layers": {"layers": {i: {"kernel": w, "bias": b} for i, (w, b) in enumerate(pairs())}},
    "a letter for the matrix": {
        f"{i:04}.dense.{k}": a for i, p in enumerate(pairs()) for k, a in zip("Ab", p, strict=True)
    },
}


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_weights_are_found_wherever_they_are(tree):
    assert load(tree, activations="tanh").equals(NET)


def test_of_two_networks_the_one_that_can_be_read_is_and_the_other_is_named(caplog):
    with caplog.at_level(logging.WARNING, "neuroscene"):
        gan = {"generator": state() | {"table": np.ones((2, 2))}, "discriminator": state(SQUARE)}
        assert load(gan, activations="tanh").equals(SQUARE)
        assert "`generator`" in caplog.text
        assert load({"ema": state(SQUARE), "model": state()}, activations="tanh").equals(NET)
    with pytest.raises(NetworkError, match="`table` of `generator` of the state dict"):
        load({"generator": gan["generator"], "steps": 3}, activations="tanh")


def test_square_matrices_of_unknown_order_are_refused_not_guessed():
    with pytest.raises(NetworkError, match="rows or the columns"):
        load(pairs(SQUARE), activations="tanh")
    # Haiku and Flax say it by their names.
    assert load({"linear": {"w": SQUARE.weights[0].T}}, activations="tanh").weights[0].tolist() == (
        SQUARE.weights[0].tolist()
    )


def factors(kind, layer, key):
    """A layer's weight as PyTorch keeps it under a norm, and the weight that this is."""
    rng = np.random.default_rng(1)
    raw, (out, into) = layer.weights.astype(float), layer.weights.shape
    if "weight norm" in kind:
        g = rng.uniform(0.5, 2, (1, into) if "columns" in kind else (out, 1))
        names = ("weight_g", "weight_v") if "old" in kind else [f"parametrizations.weight.original{i}" for i in (0, 1)]
        parts = dict(zip(names, (g, raw), strict=True))
        weight = g * raw / np.linalg.norm(raw, axis=0 if "columns" in kind else 1, keepdims=True)
    else:
        u, v = rng.normal(size=out), rng.normal(size=into)
        new = ["parametrizations.weight." + x for x in ("original", "0._u", "0._v")]
        parts = dict(zip(["weight_orig", "weight_u", "weight_v"] if "old" in kind else new, (raw, u, v), strict=True))
        weight = raw / np.einsum("i,ij,j", u, raw, v)
    return {f"{key}.{name}": array for name, array in parts.items()}, weight


@pytest.mark.parametrize("kind", [f"{a} {b} norm{c}" for a in ("old", "new") for b, c in (
    ("weight", ""), ("weight", " of columns"), ("spectral", ""))])  # fmt: skip
def test_a_weight_kept_as_factors_is_their_product(kind):
    entries, truth = {}, []
    for i, layer in enumerate(NET.layers):
        parts, weight = factors(kind, layer, i)
        entries |= {f"{i}.bias": layer.bias} | parts
        truth.append(weight)
    net = load(entries, activations="tanh")
    for layer, weight in zip(net.layers, truth, strict=True):
        # Both in float64, rounded to float32 once.
        assert np.allclose(layer.weights, weight, rtol=1e-6)


BAD = {
    "fourier features": (state() | {"B": np.ones((2, 4))}, "Fourier features.*example="),
    "an orthogonal weight": ({"0.parametrizations.weight.original": np.ones((2, 2))}, "parametrized.*example="),
    "factors that do not fit": ({"weight_g": np.ones((3, 1)), "weight_v": np.ones((2, 2))}, "do not fit"),
    "flax's normalisation": ({"BatchNorm_0": {"scale": np.ones(3), "bias": np.ones(3)}}, "normalisation"),
    "a list in itself": ((loop := [np.ones((2, 2))], loop.append(loop))[0], "nested deeper"),
    "texts": (["a", "b"], "list"),
    "a scale that may matter": (state() | {"beta": np.array(3.0)}, "`beta`"),
}


@pytest.mark.parametrize(("tree", "says"), BAD.values(), ids=BAD)
def test_what_could_be_another_network_is_refused(tree, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        load(tree, activations="tanh")
    assert str(caught.value).isprintable()


def test_a_file_that_names_its_operations_has_its_activations(tmp_path):
    arrays = {}
    for i, (w, b) in enumerate(pairs()):
        arrays |= {f"{3 * i:04}.dense.A": w, f"{3 * i:04}.dense.b": b}
        if i < 2:
            arrays[f"{3 * i + 1:04}.elu._"] = np.zeros(0)
    arrays["0008.squeeze_last._"] = np.zeros(0)
    np.savez(tmp_path / "fox.npz", **arrays)
    net = load(tmp_path / "fox.npz")
    assert str(net.shape) == "3-8-5-1 elu(1),identity" and np.array_equal(net.weights[0], NET.weights[0])
    arrays["0001.encode._"] = arrays.pop("0001.elu._")
    np.savez(tmp_path / "fox.npz", **arrays)
    with pytest.raises(NetworkError, match=r"fox\.npz:relu"):
        load(tmp_path / "fox.npz")


@pytest.mark.parametrize(
    "weights", [np.ones((8, 3)) * 1j, [[1j, 2, 3]] * 8, np.ones((8, 3), np.complex64)], ids=["array", "list", "single"]
)
def test_complex_weights_are_refused_not_cut_to_their_real_parts(weights):
    with pytest.raises(NetworkError, match=r"complex\d+; weights must be real numbers"):
        load(state() | {"0.weight": weights}, activations="relu")
    with pytest.raises(NetworkError, match=r"weights.* are complex\d+; they must be real"):
        Mlp([weights])
    for kind, fields in ((nodes.Dense, {"weights": weights, "bias": np.zeros(8)}), (nodes.Prelu, {"slopes": weights}),
                         (nodes.Affine, {"scale": weights, "shift": np.zeros(3)})):  # fmt: skip
        with pytest.raises(NetworkError, match="must be real numbers"):
            kind("node", ("x",), **fields)


def test_an_array_that_is_no_layer_is_told_to_be_left_out():
    with pytest.raises(NetworkError, match=r"`mean` .* is not a layer's .* Leave it out"):
        load(state() | {"mean": np.ones(3)}, activations="relu")
