"""Convolutional networks built from named arrays and a list of layers: SqueezeNet's, or one in a file's metadata.

A layer is a dict, one of these; its input is the layer before it:

    {"kind": "convolution", "name", "key", "filters", "size", "stride"}, without padding, then relu
    {"kind": "fire", "name", "key", "squeeze", "expand"}, as in Iandola et al. 2016, figure 2
    {"kind": "max pool", "name", "size", "stride"}
    {"kind": "global average pool", "name"}, {"kind": "softmax", "name"}

A fire module called fire2 becomes the nodes fire2/squeeze1x1, fire2/relu_squeeze1x1, fire2/expand1x1,
fire2/relu_expand1x1, fire2/expand3x3, fire2/relu_expand3x3 and fire2/concat; a convolution called conv1 becomes
conv1 and relu_conv1. SqueezeNet: Iandola et al. 2016, https://arxiv.org/abs/1602.07360, with the key names of
torchvision's squeezenet1_0 and squeezenet1_1 and the layer names of its authors' Caffe release.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.errors import FileError, NetworkError, ShapeError, located, near
from engine.formats.files import check_layers, check_weights, short
from engine.formats.tensors.container import FLOATS, Tensor
from engine.network.activations import Activation
from engine.network.graph.nodes import Concat, Convolution, Elementwise, GraphNode, Input, MaxPool, Reduce, Softmax

# (rows of the first convolution's window, the layers after it in torchvision's `features`, numbered from 2 on).
ARCHITECTURES = {
    "squeezenet1_0": (7, "pool1 fire2 fire3 fire4 pool4 fire5 fire6 fire7 fire8 pool8 fire9"),
    "squeezenet1_1": (3, "pool1 fire2 fire3 pool3 fire4 fire5 pool5 fire6 fire7 fire8 fire9"),
}
# The whole numbers >= 1 that a file's list must state for each kind of layer, besides its kind, name and key.
NUMBERS: dict[str, tuple[str, ...]] = {
    "convolution": ("filters", "size", "stride"), "fire": ("squeeze", "expand"), "max pool": ("size", "stride"),
    "global average pool": (), "softmax": (),
}  # fmt: skip
# The convolutions of a fire module: (part of its key, part of its name, window, the field with its number of filters).
FIRE = (("squeeze", "squeeze1x1", 1, "squeeze"), ("expand1x1", "expand1x1", 1, "expand"),
        ("expand3x3", "expand3x3", 3, "expand"))  # fmt: skip


def known_layers(architecture: str, classifier_padding: int = 0) -> list[dict]:
    """The layers of one of ARCHITECTURES, without numbers of filters, which follow from the arrays."""
    window, parts = ARCHITECTURES[architecture]
    layers = [{"kind": "convolution", "name": "conv1", "key": "features.0", "size": window, "stride": 2}]
    for number, name in enumerate(parts.split(), start=2):
        if name.startswith("fire"):
            layers.append({"kind": "fire", "name": name, "key": f"features.{number}"})
        else:
            layers.append({"kind": "max pool", "name": name, "size": 3, "stride": 2, "ceil": True})
    return [
        *layers,
        {"kind": "convolution", "name": "conv10", "key": "classifier.1", "size": 1, "padding": classifier_padding},
        {"kind": "global average pool", "name": "pool10"},
        {"kind": "softmax", "name": "prob"},
    ]


def listed_layer(layer: object) -> dict:
    """A layer of a file's list, checked. Raises FileError if its name, kind or one of its numbers is missing."""
    about = layer if isinstance(layer, dict) else {}
    name, kind = about.get("name"), about.get("kind")
    if not isinstance(name, str) or not isinstance(kind, str) or kind not in NUMBERS:
        known = near(short(kind), NUMBERS, noun="kind of layer")
        raise FileError(f"a layer is {short(layer)}; it needs a name and a kind. {known}")
    for key in NUMBERS[kind]:
        if type(value := about.get(key)) is not int or value < 1:
            raise FileError(f"layer `{name}` has the {key} {short(value)}; it must be a number of at least 1.")
    return {key: about.get(key) for key in ("kind", "name", "key", *NUMBERS[kind])}


def array_keys(layers: Sequence[Mapping[str, Any]]) -> set[str]:
    """The keys of all arrays needed by the layers."""
    return {f"{key}.{role}" for layer in layers for key, *_ in _convolutions(layer) for role in ("weight", "bias")}


def _convolutions(layer) -> Iterator[tuple[str, str, int, int | None]]:
    """(key, name, size, filters or None for any number) of each convolution in a layer."""
    key, name = layer.get("key"), layer["name"]
    if layer["kind"] == "convolution":
        yield key, name, layer["size"], layer.get("filters")
    elif layer["kind"] == "fire":
        yield from ((f"{key}.{part}", f"{name}/{label}", size, layer.get(count)) for part, label, size, count in FIRE)


def build(
    layers: Sequence[Mapping[str, Any]], arrays: Mapping[str, Tensor], size: tuple[int, int, int], name: str
) -> list[GraphNode]:
    """The nodes of the layers behind an input (C, H, W); `name` is the file's, for messages.

    Raises FileError, NetworkError or ShapeError for arrays that are missing, of another type or shape.
    """
    check_layers(len(layers), name)
    check_weights(sum(math.prod(tensor.shape) for tensor in arrays.values()), name)
    with located(f"In {name}: "):
        nodes: list[GraphNode] = [Input("image", (), (1, *size))]
        for layer in layers:
            nodes += _nodes(layer, nodes[-1].name, arrays)
    return nodes


def _nodes(layer, source, arrays):
    kind, name = layer["kind"], layer["name"]
    if kind == "max pool":
        return [MaxPool(name, (source,), (layer["size"],) * 2, (layer["stride"],) * 2, ceil="ceil" in layer)]
    if kind == "softmax":
        return [Softmax(name, (source,))]
    if kind == "global average pool":
        return [Reduce(name, (source,), "mean", (2, 3))]
    made: list[GraphNode] = []
    for key, label, size, filters in _convolutions(layer):
        weights = _array(arrays, f"{key}.weight", (filters, None, size, size), name)
        bias = _array(arrays, f"{key}.bias", (filters,), name)
        # In a fire module both expanding convolutions take the squeezing one's output.
        before = made[1].name if made else source
        padding = size // 2 if kind == "fire" else layer.get("padding", 0)
        folder, slash, last = label.rpartition("/")
        made.append(Convolution(label, (before,), weights, bias, (layer.get("stride", 1),) * 2, (padding,) * 4))
        made.append(Elementwise(f"{folder}{slash}relu_{last}", (label,), Activation("relu")))
    return [*made, Concat(f"{name}/concat", (made[3].name, made[5].name))] if kind == "fire" else made


def _array(arrays, key, shape, layer):
    """An array of the file, checked: `shape` has None for axes of any length."""
    tensor = arrays.get(key)
    if tensor is None:
        raise FileError(f"layer `{layer}` needs `{short(key)}`, which is not there. Save it again.")
    if len(tensor.shape) != len(shape) or any(b not in (None, a) for a, b in zip(tensor.shape, shape, strict=True)):
        asked = ", ".join("any" if n is None else str(n) for n in shape)
        raise ShapeError(f"`{short(key)}` is {short(tensor.shape)}, but layer `{layer}` needs ({asked}).")
    if tensor.dtype not in FLOATS:
        raise NetworkError(f"`{short(key)}` is {short(tensor.dtype)}; weights must be {', '.join(FLOATS)}.")
    return tensor.read()
