"""Convolutional networks in safetensors files that say in their metadata what they are made of, layer by layer.

The small SqueezeNet that comes along is such a file (tools/small_squeezenet.py makes it). Its metadata has

    architecture   JSON, a list of layers, each taking the one before it:
                   {"kind": "convolution", "name", "key", "filters", "size", "stride"}, without padding, then relu
                   {"kind": "fire", "name", "key", "squeeze", "expand"}, as in Iandola et al. 2016, figure 2
                   {"kind": "max pool", "name", "size", "stride"}
                   {"kind": "global average pool", "name"}, {"kind": "softmax", "name"}
    classes, preprocess   as engine.formats.about reads them
"""

import io
import math

from engine.errors import FileError, NeurosceneError, near
from engine.formats import about
from engine.formats.files import MAX_FILE_BYTES, check_layers, check_weights, size_text, told
from engine.formats.tensors import container
from engine.formats.tensors.safetensors import FLOATS
from engine.network.convnet import (
    Concat,
    ConvNet,
    Convolution,
    Elementwise,
    GlobalAveragePool,
    Input,
    MaxPool,
    Softmax,
)


def small_squeezenet(data, name="small_squeezenet.safetensors"):
    """The ConvNet in the bytes of such a file; `name` is the file's, for messages.

    Raises FileError for a file that is no such one, and what `described` raises.
    """
    if len(data) > MAX_FILE_BYTES:
        raise FileError(f"{name} has {size_text(len(data))}; networks of at most {size_text(MAX_FILE_BYTES)} are read.")
    metadata, arrays = container.read(io.BytesIO(data), len(data), told(name))
    return described(metadata, arrays, told(name))


def described(metadata, arrays, name, *, size=None, classes=(), preprocess=None):
    """The ConvNet that a file's metadata describes, with the file's arrays {key: Tensor}.

    size                  (H, W) of the input, instead of the file's
    classes, preprocess   instead of the file's

    A fire module called fire2 becomes the nodes fire2/squeeze1x1, fire2/relu_squeeze1x1, fire2/expand1x1,
    fire2/relu_expand1x1, fire2/expand3x3, fire2/relu_expand3x3 and fire2/concat; a convolution called conv1 becomes
    conv1 and relu_conv1.

    Raises FileError for words that are missing, wrong, or do not fit the arrays; ShapeError or NetworkError for
    layers that do not fit each other.
    """
    layers = _entry(metadata, "architecture", list, name)
    if preprocess is None:
        _entry(metadata, "preprocess", dict, name)
        preprocess = about.preprocess(metadata, name)
    if size is not None:
        preprocess = preprocess.sized(size)
    check_layers(len(layers), name)
    check_weights(sum(math.prod(tensor.shape) for tensor in arrays.values()), name)
    nodes = [Input("image", (), (len(preprocess.mean), *preprocess.size))]
    try:
        for layer in layers:
            _Layer(layer, arrays).add(nodes)
        classes = classes or _entry(metadata, "classes", list, name)
        return ConvNet(nodes, name=told(metadata.get("name", name), 200), classes=classes, preprocess=preprocess)
    except NeurosceneError as error:
        told_already = name in str(error)
        raise type(error)(str(error) if told_already else f"In {name}: {error}") from None


def _entry(metadata, key, kind, name):
    try:
        return about.entry(metadata, key, kind, name)
    except KeyError:
        raise FileError(
            f"{name} has no `{key}` in its metadata, so its layers are unknown. Export it as ONNX."
        ) from None


class _Layer:
    """One layer of an architecture; `add` puts its nodes behind the others."""

    def __init__(self, layer, arrays):
        self.about, self.arrays = layer if isinstance(layer, dict) else {}, arrays
        self.name = self.about.get("name")
        kind = self.about.get("kind")
        if not isinstance(self.name, str) or not isinstance(kind, str) or kind not in KINDS:
            known = near(told(kind), KINDS, noun="kind of layer")
            raise FileError(f"a layer is {told(layer)}; it needs a name and a kind. {known}")

    def add(self, nodes):
        KINDS[self.about["kind"]](self, nodes)

    def number(self, key):
        value = self.about.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise FileError(f"layer `{self.name}` has the {key} {told(value)}; it must be a number of at least 1.")
        return value

    def array(self, key, shape):
        """An array of the file; `shape` is what it must be, None where anything goes."""
        tensor = self.arrays.get(key)
        if tensor is None:
            raise FileError(f"layer `{self.name}` needs `{told(key)}`, which is not there. Save it again.")
        same = len(tensor.shape) == len(shape) and all(b in (None, a) for a, b in zip(tensor.shape, shape, strict=True))
        if not same:
            asked = ", ".join("any" if n is None else str(n) for n in shape)
            raise FileError(f"`{told(key)}` is {tensor.shape}, but layer `{self.name}` needs ({asked}).")
        if tensor.dtype not in FLOATS:
            raise FileError(f"`{told(key)}` is {told(tensor.dtype)}; weights must be {', '.join(FLOATS)}.")
        return tensor.read()

    def convolved(self, nodes, source, key, name, relu, filters, size, stride=1, padding=0):
        """Adds a convolution of a node and its relu; gives the relu's name."""
        weights = self.array(f"{key}.weight", (filters, None, size, size))
        bias = self.array(f"{key}.bias", (filters,))
        nodes.append(Convolution(name, (source,), weights, bias, (stride, stride), (padding,) * 4))
        nodes.append(Elementwise(relu, (name,), "relu"))
        return relu

    def convolution(self, nodes):
        size, stride = self.number("size"), self.number("stride")
        self.convolved(
            nodes, nodes[-1].name, self.about.get("key"), self.name, f"relu_{self.name}",
            self.number("filters"), size, stride,
        )  # fmt: skip

    def fire(self, nodes):
        def one(source, part, key, filters, size):
            return self.convolved(
                nodes, source, f"{self.about.get('key')}.{key}", f"{self.name}/{part}", f"{self.name}/relu_{part}",
                filters, size, padding=size // 2,
            )  # fmt: skip

        expand = self.number("expand")
        source = one(nodes[-1].name, "squeeze1x1", "squeeze", self.number("squeeze"), 1)
        ends = one(source, "expand1x1", "expand1x1", expand, 1), one(source, "expand3x3", "expand3x3", expand, 3)
        nodes.append(Concat(f"{self.name}/concat", ends))

    def max_pool(self, nodes):
        size, stride = self.number("size"), self.number("stride")
        nodes.append(MaxPool(self.name, (nodes[-1].name,), (size, size), (stride, stride)))

    def global_average_pool(self, nodes):
        nodes.append(GlobalAveragePool(self.name, (nodes[-1].name,)))

    def softmax(self, nodes):
        nodes.append(Softmax(self.name, (nodes[-1].name,)))


KINDS = {
    "convolution": _Layer.convolution,
    "fire": _Layer.fire,
    "max pool": _Layer.max_pool,
    "global average pool": _Layer.global_average_pool,
    "softmax": _Layer.softmax,
}
