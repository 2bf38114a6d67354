"""Large networks of images as ONNX files with random weights, for benchmarks: ResNet-50, VGG-11.

K. He and others, "Deep residual learning for image recognition", 2015, table 1, its norms folded into convolutions;
K. Simonyan and A. Zisserman, "Very deep convolutional networks", 2014, table 1, column A.
"""

import tempfile
from pathlib import Path

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper, save


class Layers:
    """The nodes and weights of a file; each method adds a layer to the value `x` and returns the name of its own."""

    def __init__(self, size: int):
        self.size, self.rng = size, np.random.default_rng(0)
        self.nodes: list[NodeProto] = []
        self.stored: list[TensorProto] = []

    def add(self, kind, *inputs, **about):
        """A node of any kind, called by its number."""
        self.nodes.append(helper.make_node(kind, inputs, [f"{kind.lower()}{len(self.nodes)}"], **about))
        return self.nodes[-1].output[0]

    def weights(self, *shape, gain=1.0):
        """The name of random weights that keep responses about as large as they are."""
        values = self.rng.standard_normal(shape, np.float32) * np.float32(gain * np.sqrt(2 / np.prod(shape[1:])))
        self.stored.append(numpy_helper.from_array(values, f"w{len(self.stored)}"))
        return self.stored[-1].name

    def convolution(self, x, inputs, outputs, window, stride=1, *, bends=True, gain=1.0):
        """A convolution that keeps the size but for its stride, and a relu."""
        weights = self.weights(outputs, inputs, window, window, gain=gain)
        y = self.add("Conv", x, weights, strides=[stride] * 2, pads=[window // 2] * 4)
        return self.add("Relu", y) if bends else y

    def dense(self, x, inputs, outputs):
        """A matrix without biases."""
        return self.add("Gemm", x, self.weights(outputs, inputs), transB=1)

    def saved(self, x, path):
        """Writes the file, which ends in a softmax of the last value."""
        y = self.add("Softmax", x, axis=1)
        shapes = (("x", (1, 3, self.size, self.size)), (y, (1, 1000)))
        given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes)
        graph = helper.make_graph(self.nodes, "net", [given], [made], self.stored)
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def resnet50(layers):
    """Adds its layers; returns the last value."""
    x, channels = layers.convolution("x", 3, 64, 7, 2), 64
    x = layers.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for k in range(count):
            step = stride if k == 0 else 1
            y = layers.convolution(x, channels, width, 1)
            y = layers.convolution(y, width, width, 3, step)
            # Sums of sixteen blocks stay as large as they are.
            y = layers.convolution(y, width, 4 * width, 1, bends=False, gain=0.3)
            x = layers.convolution(x, channels, 4 * width, 1, step, bends=False) if k == 0 else x
            x, channels = layers.add("Relu", layers.add("Add", y, x)), 4 * width
    return layers.dense(layers.add("Flatten", layers.add("GlobalAveragePool", x)), channels, 1000)


def vgg11(layers):
    """As `resnet50`."""
    x, channels = "x", 3
    for width in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0):
        if width:
            x, channels = layers.convolution(x, channels, width, 3), width
        else:
            x = layers.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x, count = layers.add("Flatten", x), channels * (layers.size // 32) ** 2
    for width in (4096, 4096):
        x, count = layers.add("Relu", layers.dense(x, count, width)), width
    return layers.dense(x, count, 1000)


LARGE = {"resnet50": resnet50, "vgg11": vgg11}


def large(name: str, size: int = 224) -> Path:
    """The file of one of LARGE for pictures of size x size, in the folder of temporary files; made where it is not."""
    path = Path(tempfile.gettempdir()) / f"neuroscene-{name}-{size}.onnx"
    if not path.is_file():
        layers = Layers(size)
        layers.saved(LARGE[name](layers), path)
    return path
