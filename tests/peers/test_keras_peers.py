"""Keras models, as objects and as .keras files: read, they compute what they did. Skipped where Keras is absent.

Loading an object compares it with the model; the file gives the same network to the bit.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

import engine
from engine.errors import NetworkError
from engine.formats.objects.keras_file import read_graph
from engine.formats.objects.read import graph_of

pytestmark = pytest.mark.peers
os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras", reason="Keras is not installed")
layers = keras.layers
POINTS = np.random.default_rng(0).normal(size=(30, 3)).astype("f4")


def chain():
    parts = [layers.Dense(8, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(8),
             layers.LeakyReLU(), layers.LayerNormalization(), layers.Dense(2, activation="softmax")]  # fmt: skip
    return keras.Sequential([layers.Input((3,)), *parts])


def skips():
    start = keras.Input((3,))
    first = layers.Dense(8, activation="tanh")(start)
    joined = layers.Concatenate()([first, start])
    second = layers.Dense(8, activation="gelu")(joined)
    return keras.Model(start, layers.Dense(2)(layers.Add()([first, second])))


def nested():
    inner = keras.Sequential([layers.Dense(6, activation="silu"), layers.Dense(4, activation="elu")])
    return keras.Sequential([layers.Input((3,)), layers.Rescaling(2.0, -1.0), inner, layers.Dense(1)])


@pytest.mark.parametrize("make", [chain, skips, nested])
def test_functions_of_a_vector(make, tmp_path):
    model = make()
    for i, weight in enumerate(model.weights):
        rng = np.random.default_rng(i)
        weight.assign(rng.uniform(0.2, 0.9, weight.shape) * (1 if "variance" in weight.path else rng.choice([-1, 1])))
    net = engine.load(model)
    truth = model.predict(POINTS, verbose=0)
    # The model computes in float32.
    assert np.abs(net(POINTS) - truth).max() <= 2e-5 * np.abs(truth).max()
    pytest.importorskip("h5py", reason="h5py is not installed")
    model.save(tmp_path / "net.keras")
    assert engine.load(tmp_path / "net.keras").equals(net)


MAPS = {
    "same": layers.Conv2D(4, 3, padding="same", strides=2, activation="relu"),
    "dilated": layers.Conv2D(4, 3, dilation_rate=2),
    "depthwise": layers.DepthwiseConv2D(3, depth_multiplier=2),
    "separable": layers.SeparableConv2D(5, 3, padding="same"),
    "transposed": layers.Conv2DTranspose(4, 3, strides=2, padding="same"),
    "transposed whole": layers.Conv2DTranspose(4, 3, strides=2),
    "max pool": layers.MaxPooling2D(3, strides=2, padding="same"),
    "average pool": layers.AveragePooling2D(2),
    "nearest": layers.UpSampling2D(2),
    "linear": layers.UpSampling2D(2, interpolation="bilinear"),
    "padded": layers.ZeroPadding2D(((1, 2), (0, 3))),
    "cut": layers.Cropping2D(((1, 0), (2, 1))),
    "slopes": layers.PReLU(),
    "mean": layers.GlobalAveragePooling2D(),
    "flat": layers.Flatten(),
}


@pytest.mark.parametrize("layer", MAPS.values(), ids=MAPS)
def test_layers_of_maps(layer, tmp_path):
    model = keras.Sequential([layers.Input((9, 10, 3)), layer, layers.Activation("tanh")])
    graph = graph_of(model)  # which compares
    pytest.importorskip("h5py", reason="h5py is not installed")
    model.save(tmp_path / "net.keras")
    image = np.random.default_rng(1).normal(size=(1, 9, 10, 3))
    assert np.array_equal(read_graph(tmp_path / "net.keras")(image), graph(image))


def test_a_classifier_of_images_is_a_network_of_maps():
    parts = [
        layers.Conv2D(4, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(3, "softmax"),
    ]
    net = engine.load_convnet(keras.Sequential([layers.Input((8, 8, 1)), *parts]))
    assert any(node.kind == "convolution" for node in net.nodes)


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x) + 1


def test_what_computes_in_its_own_way_is_refused():
    with pytest.raises(NetworkError, match=r"export\('net\.onnx'"):
        engine.load(Own())
    with pytest.raises(NetworkError, match="is a Lambda"):
        engine.load(keras.Sequential([layers.Input((3,)), layers.Lambda(lambda x: x + 1), layers.Dense(1)]))
    point = layers.Input((3,))
    with pytest.raises(NetworkError, match="is a Negative, which is not shown"):
        engine.load(keras.Model(point, -layers.Dense(2)(point)))


def test_a_model_on_the_backend_of_pytorch_is_read_as_a_model_of_keras():
    pytest.importorskip("torch", reason="`make test-peers` installs PyTorch")
    code = (
        "import keras, numpy as np, engine; from keras import layers\n"
        "net = keras.Sequential([layers.Input((2,)), layers.Dense(4, activation='tanh'), layers.Dense(1)])\n"
        "x = np.ones((3, 2))\n"
        "print(keras.backend.backend(), np.abs(engine.load(net)(x) - net.predict(x)).max() < 1e-5)"
    )
    words, environment = [sys.executable, "-c", code], os.environ | {"KERAS_BACKEND": "torch"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "torch True"
