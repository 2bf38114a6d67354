"""Estimators of scikit-learn and functions of JAX compute, once read, what they did. Skipped where these are absent.

Tolerance: loading compares with the library, which computes in float32, to a thousandth; here what comes back is
compared in float64 to 1e-5 of the largest value.
"""

import numpy as np
import pytest

import engine
from engine.errors import NetworkError

pytestmark = pytest.mark.peers
RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(60, 3))


def assert_same(net, truth):
    truth = np.asarray(truth, float).reshape(len(POINTS), -1)
    assert np.abs(net(POINTS) - truth).max() <= 1e-5 * np.abs(truth).max()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_perceptrons_of_scikit_learn(activation):
    network = pytest.importorskip("sklearn.neural_network", reason="scikit-learn is not installed")
    two, three = (POINTS[:, 0] > 0).astype(int), np.digitize(POINTS[:, 0], [-0.5, 0.5])
    more = dict(activation=activation, max_iter=15)
    model = network.MLPClassifier((6, 5), **more).fit(POINTS, two)
    assert_same(engine.load(model), model.predict_proba(POINTS)[:, 1])
    model = network.MLPClassifier((6,), **more).fit(POINTS, three)
    assert_same(engine.load(model), model.predict_proba(POINTS))
    model = network.MLPRegressor(hidden_layer_sizes=(6,), **more).fit(POINTS, POINTS[:, :2] ** 2)
    assert_same(engine.load(model), model.predict(POINTS))


@pytest.mark.filterwarnings("ignore")
def test_pipelines_and_linear_models_of_scikit_learn():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    from sklearn import decomposition, linear_model, pipeline, preprocessing, svm, tree

    three = np.digitize(POINTS[:, 0], [-0.5, 0.5])
    model = linear_model.LogisticRegression().fit(POINTS, three)
    assert_same(engine.load(model), model.predict_proba(POINTS))
    model = svm.LinearSVC().fit(POINTS, three)
    assert_same(engine.load(model), model.decision_function(POINTS))
    for step in (preprocessing.StandardScaler(), preprocessing.MinMaxScaler(clip=True), preprocessing.RobustScaler(),
                 decomposition.PCA(2, whiten=True), preprocessing.Normalizer()):  # fmt: skip
        model = pipeline.make_pipeline(step, linear_model.Ridge()).fit(POINTS, POINTS[:, 0])
        assert_same(engine.load(model), model.predict(POINTS))
    with pytest.raises(NetworkError, match="is no network"):
        engine.load(tree.DecisionTreeClassifier().fit(POINTS, three))


def test_a_classifier_comes_through_onnx_as_it_is(tmp_path):
    skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((6,), max_iter=300).fit(POINTS, np.digitize(POINTS[:, 0], [-0.5, 0.5]))
    made = skl2onnx.to_onnx(model, POINTS[:1].astype(np.float32), options={"zipmap": False})
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    net = engine.load(tmp_path / "net.onnx", output="probabilities")
    # The file is float32.
    assert np.abs(net(POINTS) - model.predict_proba(POINTS)).max() < 1e-5


def jax_parts():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    import jax.numpy as jnp

    w, v = (RNG.normal(size=s).astype("f4") for s in ((3, 8), (8, 2)))
    matrices = RNG.normal(size=(2, 8, 8)).astype("f4")
    nn = jax.nn
    return jax, {
        "relu": lambda x: nn.relu(x @ w + 0.1) @ v,
        "gelu": lambda x: nn.gelu(x @ w) @ v,
        "the exact gelu": lambda x: nn.gelu(x @ w, approximate=False) @ v,
        "elu and softplus": lambda x: nn.softplus(nn.elu(x @ w)) @ v,
        "features": lambda x: jnp.concatenate([jnp.sin(x @ w), jnp.cos(x @ w)], -1) @ jnp.vstack([v, v]),
        "residual": lambda x: (nn.silu(x @ w) + x @ w) @ v,
        "a norm": lambda x: nn.standardize(x @ w) @ v,
        "softmax": lambda x: nn.softmax(x @ w @ v),
        "parts": lambda x: jnp.tanh(x[:, jnp.array([2, 0, 1])])[:, :2] @ w[:2] @ v,
        "a loop that is unrolled": lambda x: sum(jnp.tanh(x @ w @ m) for m in matrices) @ v,
        "log of a sum of exponentials": lambda x: (
            nn.logsumexp(x @ w, axis=-1, keepdims=True) + jnp.min(x, -1, keepdims=True)
        ),
        "remainders": lambda x: jnp.mod(x, 0.3) @ w @ v + jnp.fmod(x, 0.7) @ w @ v,
        "products by einsum": lambda x: jnp.einsum("bi,ij->bj", x, w) @ v,
    }


NAMES = (
    "relu", "gelu", "the exact gelu", "elu and softplus", "features", "residual", "a norm", "softmax", "parts",
    "a loop that is unrolled", "products by einsum", "log of a sum of exponentials", "remainders",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_functions_of_jax(name):
    _, functions = jax_parts()
    net = engine.load(functions[name], example=np.zeros((1, 3)))
    truth = functions[name](POINTS.astype("f4"))
    assert np.abs(net(POINTS.astype("f4")) - np.asarray(truth)).max() <= 2e-5 * np.abs(truth).max()


def test_a_function_of_jax_of_one_point_is_read_at_a_point():
    _, functions = jax_parts()
    net = engine.load(lambda x: functions["gelu"](x[None])[0], example=np.zeros(3))
    assert net.equals(engine.load(functions["gelu"], example=np.zeros((1, 3))))


def test_modules_of_equinox_and_flax():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    equinox = pytest.importorskip("equinox", reason="Equinox is not installed")
    nnx = pytest.importorskip("flax.nnx", reason="Flax is not installed")
    module = equinox.nn.MLP(3, 2, 8, 2, activation=jax.nn.tanh, key=jax.random.PRNGKey(0))
    net = engine.load(module)
    assert str(net.shape) == "3-8-8-2 tanh,identity"
    layers = nnx.Sequential(nnx.Linear(3, 8, rngs=nnx.Rngs(0)), nnx.relu, nnx.Linear(8, 2, rngs=nnx.Rngs(1)))
    net = engine.load(layers)
    assert str(net.shape) == "3-8-2 relu,identity"
    assert engine.load(nnx.state(layers), activations="relu").equals(net)


def test_a_function_of_jax_that_cannot_be_read_says_why():
    jax_parts()
    with pytest.raises(NetworkError, match="example="):
        engine.load(lambda x: x)
    with pytest.raises(NetworkError, match="cannot trace"):
        engine.load(lambda x: x if x.sum() > 0 else -x, example=np.zeros((1, 3)))
