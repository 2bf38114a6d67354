"""Estimators as scikit-learn has them, played by classes of the same names. The real ones are in tests/peers."""

import numpy as np
import pytest

from engine.errors import NetworkError, NeurosceneError
from engine.formats.load_mlp import load
from engine.network.random import random_mlp

RNG = np.random.default_rng(0)
POINTS = RNG.uniform(-1, 1, (20, 3))
NET = random_mlp([3, 5, 2], "tanh", seed=1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def fitted(kind, compute=None, way="predict", **attributes):
    """An object of a class of this name that computes what it is told to."""
    methods = {"get_params": lambda self: {}, way: lambda self, x: compute(np.asarray(x, float))}
    made = type(kind, (), methods)()
    made.__dict__.update(attributes)
    return made


def perceptron(out, compute, kind="MLPRegressor", way="predict", net=NET):
    coefs, intercepts = [w.T for w in net.weights], net.biases
    fields = dict(coefs_=coefs, intercepts_=intercepts, activation="tanh", out_activation_=out, n_outputs_=net.outputs)
    return fitted(kind, compute, way, **fields)


def test_a_perceptron_is_its_layers_to_the_bit():
    net = load(perceptron("identity", NET))
    assert net.equals(NET)


def test_probabilities_are_the_last_layers_activation():
    softmax = NET.changed(activations=["tanh", "softmax"])
    assert load(perceptron("softmax", softmax, "MLPClassifier", "predict_proba")).equals(softmax)
    one = random_mlp([3, 5, 1], "tanh", last="sigmoid", seed=2)
    both = lambda x: np.hstack([1 - one(x), one(x)])  # as it gives two classes
    assert load(perceptron("logistic", both, "MLPClassifier", "predict_proba", one)).equals(one)


W, B = RNG.normal(size=(1, 3)), RNG.normal(size=1)
LINEAR = {
    "LinearRegression": ("predict", dict(coef_=W[0], intercept_=B[0]), lambda x: x @ W[0] + B[0]),
    "Ridge": ("predict", dict(coef_=W[0], intercept_=0.0), lambda x: x @ W[0]),
    "SGDClassifier": ("decision_function", dict(coef_=W, intercept_=B), lambda x: (x @ W.T + B)[:, 0]),
    "LogisticRegression": (
        "predict_proba",
        dict(coef_=W, intercept_=B, solver="lbfgs"),
        lambda x: np.hstack([1 - sigmoid(x @ W.T + B), sigmoid(x @ W.T + B)]),
    ),
}


@pytest.mark.parametrize("kind", LINEAR)
def test_linear_models_are_networks_of_one_layer(kind):
    way, fields, compute = LINEAR[kind]
    net = load(fitted(kind, compute, way, **fields))
    truth = compute(POINTS).reshape(len(POINTS), -1)[:, -1:]
    # Weights are rounded to float32.
    assert len(net.layers) == 1 and np.abs(net(POINTS) - truth).max() < 1e-6


MEAN, SCALE = RNG.normal(size=3), RNG.uniform(0.5, 2, 3)
TURN = RNG.normal(size=(3, 3))
BEFORE = {
    "StandardScaler": (dict(mean_=MEAN, scale_=SCALE, with_mean=True), lambda x: (x - MEAN) / SCALE),
    "MinMaxScaler": (dict(min_=MEAN, scale_=SCALE), lambda x: x * SCALE + MEAN),
    "RobustScaler": (dict(center_=MEAN, scale_=SCALE), lambda x: (x - MEAN) / SCALE),
    "MaxAbsScaler": (dict(scale_=SCALE), lambda x: x / SCALE),
    "PCA": (dict(mean_=MEAN, components_=TURN, whiten=False), lambda x: (x - MEAN) @ TURN.T),
    "Normalizer": (dict(norm="l2"), lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)),
}


def pipeline(*steps, compute):
    named = [(f"step {i}", step) for i, step in enumerate(steps)]
    steps[-1].__class__.predict = lambda self, x: NotImplemented
    return fitted("Pipeline", compute, steps=named)


@pytest.mark.parametrize("kind", BEFORE)
def test_a_pipeline_is_its_steps_one_after_another(kind):
    fields, change = BEFORE[kind]
    compute = lambda x: NET(change(x))
    net = load(pipeline(fitted(kind, n_features_in_=3, **fields), perceptron("identity", NET), compute=compute))
    truth = compute(POINTS)
    # As above; two layers' weights are scaled.
    assert np.abs(net(POINTS) - truth).max() < 3e-6 * np.abs(truth).max()


BAD = {
    "not fitted": (fitted("MLPClassifier"), "not fitted"),
    "no network": (fitted("Pipeline", steps=[("x", fitted("Tree"))]), "`x` of the Pipeline is a Tree"),
    "what computes something else": (perceptron("identity", lambda x: NET(2 * x)), "apart, of values up to"),
    "what cannot be run": (perceptron("identity", lambda x: 1 / 0), "cannot be run"),
    "another activation": (
        fitted(
            "MLPRegressor",
            coefs_=[np.ones((3, 2)), np.ones((2, 1))],
            intercepts_=[np.ones(2), np.ones(1)],
            activation="swish",
        ),
        "swish",
    ),
}


@pytest.mark.parametrize(("thing", "says"), BAD.values(), ids=BAD)
def test_what_cannot_be_shown_is_refused_for_what_it_is(thing, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        load(thing)
    assert str(caught.value).isprintable()


def test_activations_beside_an_estimator_are_refused():
    with pytest.raises(NetworkError, match="Leave them out"):
        load(perceptron("identity", NET), activations="tanh")
