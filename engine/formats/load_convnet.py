"""Convolutional networks from files: ONNX as it stands, or weights alone whose architecture is known by their keys.

SqueezeNet: Iandola et al. 2016, https://arxiv.org/abs/1602.07360, with the key names of torchvision's squeezenet1_0
and squeezenet1_1 and the layer names of its authors' Caffe release.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.errors import FileError, NetworkError, NeurosceneError, ShapeError, near
from engine.formats.files import check_weights, opened, told
from engine.formats.squeezenet import described
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
from engine.network.preprocess import usual

# Torchvision's weights were trained at 224 x 224, the authors' at 227 x 227 (train_val.prototxt of their release).
TORCHVISION_SIZE, CAFFE_SIZE = (224, 224), (227, 227)


class UnknownArchitecture(NetworkError):
    """Weights alone whose architecture their keys do not tell. windows: there are convolutions among them."""

    def __init__(self, message="", windows=True):
        super().__init__(message)
        self.windows = windows


@dataclass(frozen=True)
class _First:
    """The first convolution, stride 2 without padding: its key, and the rows of its window, by which files are told."""

    key: str
    size: int


@dataclass(frozen=True)
class _Fire:
    """A fire module: 1 x 1 squeezing, then 1 x 1 and 3 x 3 side by side, joined in this order."""

    key: str
    name: str


@dataclass(frozen=True)
class _Pool:
    """The largest of 3 x 3, stride 2, places counted up."""

    name: str


ARCHITECTURES = {
    "squeezenet1_0": (
        _First("features.0", 7), _Pool("pool1"),
        _Fire("features.3", "fire2"), _Fire("features.4", "fire3"), _Fire("features.5", "fire4"), _Pool("pool4"),
        _Fire("features.7", "fire5"), _Fire("features.8", "fire6"), _Fire("features.9", "fire7"),
        _Fire("features.10", "fire8"), _Pool("pool8"), _Fire("features.12", "fire9"),
    ),
    "squeezenet1_1": (
        _First("features.0", 3), _Pool("pool1"),
        _Fire("features.3", "fire2"), _Fire("features.4", "fire3"), _Pool("pool3"),
        _Fire("features.6", "fire4"), _Fire("features.7", "fire5"), _Pool("pool5"),
        _Fire("features.9", "fire6"), _Fire("features.10", "fire7"), _Fire("features.11", "fire8"),
        _Fire("features.12", "fire9"),
    ),
}  # fmt: skip
CLASSIFIER = "classifier.1"
PARTS = {"squeeze": ("squeeze1x1", 1), "expand1x1": ("expand1x1", 1), "expand3x3": ("expand3x3", 3)}


def load_convnet(path, architecture=None, *, size=None, classifier_padding=None, classes=(), preprocess=None):
    """The ConvNet in an .onnx or .safetensors file.

    architecture         one of ARCHITECTURES, for weights alone; None: told by the metadata, or by keys and shapes
    size                 (H, W) of the input; None: the file's, or what its weights were trained at
    classifier_padding   zeros round the map before SqueezeNet's classifier: torchvision has 0, the authors' 1.0
                         has 1; None: what the file's metadata says, or 0
    classes              texts, one for each output channel; (): what the file's metadata says, if it does
    preprocess           None: what the file's metadata says (engine.formats.about); the authors' mean where
                         that or the first filters say that the weights are theirs, channels as `order_of` tells; else
                         what ConvNet takes. ConvNet.changed gives another afterwards

    Raises FileError, NetworkError or ShapeError saying what cannot be shown.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        for what, given in (("architecture", architecture), ("classifier_padding", classifier_padding)):
            if given is not None:
                raise NetworkError(f"{told(path.name)} has its own architecture, but {what} is given. Leave it out.")
        from engine.formats.onnx.convnet import load

        return load(path, size=size, classes=classes, preprocess=preprocess, known=_authors)
    if suffix != ".safetensors":
        known = near(told(suffix, 20), (".onnx", ".safetensors"), noun="format to read")
        raise FileError(f"{told(path, 200)} is no convolutional network. {known}")
    with opened(path) as (stream, length):
        name = told(path.name)
        metadata, arrays = container.read(stream, length, name)
        if "architecture" in metadata and architecture is None and classifier_padding is None:
            return described(metadata, arrays, name, size=size, classes=classes, preprocess=preprocess)
        architecture = _told_by(arrays, name) if architecture is None else architecture
        if architecture not in ARCHITECTURES:
            raise NetworkError(near(told(architecture), ARCHITECTURES, noun="architecture"))
        reader = _Reader(arrays, name)
        caffe = "0..255" in metadata.get("input", "")
        if classifier_padding is None:
            written = re.search(r"padding=(\d)", metadata.get("conv10", ""))
            classifier_padding = int(written[1]) if written else 0
        size = size or (CAFFE_SIZE if caffe else TORCHVISION_SIZE)
        nodes = reader.nodes(ARCHITECTURES[architecture], size, int(classifier_padding))
    if preprocess is None:
        order = order_of(nodes[1].weights) or ("bgr" if "BGR" in metadata.get("input", "") else "rgb")
        preprocess = _preprocess(size, order, caffe)
    return ConvNet(nodes, name=name, classes=classes, preprocess=preprocess)


def _preprocess(size, order, caffe):
    """What is done to a photo for torchvision's networks, or for those made with Caffe; either order of channels."""
    found = usual("caffe-rgb" if caffe else "imagenet", (3, *size))
    return found if order == "rgb" else replace(found, mean=found.mean[::-1], std=found.std[::-1], order=order)


# Which of the 96 first filters of the authors' SqueezeNet 1.0 weigh red more than blue, a bit each.
MORE_RED = bytes.fromhex("492ecb566579125c9c08be65")
# 1 for the same weights; other networks' 96 filters agree to 0.1 or so, by chance (1 / sqrt 96).
SURE = 0.9


def order_of(conv1_weights):
    """ "rgb" or "bgr", what a first convolution takes, if it is that of the authors' SqueezeNet 1.0; else None.

    conv1_weights   (O, 3, kh, kw)

    In each of its filters the first channel weighs more than the third, or less: whether that agrees with where
    the known filters weigh red more than blue tells the order. Finer tuning and another scale leave it; other
    networks are not decided.
    """
    weights = np.asarray(conv1_weights, float)
    if weights.ndim != 4 or weights.shape[1] != 3 or len(weights) != 8 * len(MORE_RED):
        return None
    first_more = (weights[:, 0] - weights[:, 2]).sum(axis=(1, 2))
    signs = np.unpackbits(np.frombuffer(MORE_RED, np.uint8)) * 2.0 - 1.0
    total = np.abs(first_more).sum()
    agreement = signs @ first_more / total if total else 0.0
    return "rgb" if agreement > SURE else "bgr" if agreement < -SURE else None


def _authors(nodes):
    """The authors' Preprocess if the first convolution is theirs, else None."""
    first = next((node for node in nodes if isinstance(node, Convolution)), None)
    order = None if first is None or first.inputs != (nodes[0].name,) else order_of(first.weights)
    return None if order is None else _preprocess(nodes[0].size[1:], order, True)


def _keys(plan):
    found = {f"{CLASSIFIER}.weight", f"{CLASSIFIER}.bias"}
    for step in plan:
        if isinstance(step, _First):
            found |= {f"{step.key}.weight", f"{step.key}.bias"}
        elif isinstance(step, _Fire):
            found |= {f"{step.key}.{part}.{role}" for part in PARTS for role in ("weight", "bias")}
    return found


def _told_by(arrays, name):
    for architecture, plan in ARCHITECTURES.items():
        if _keys(plan) <= set(arrays):
            return architecture
    # The nearest is named with what it lacks, so that a broken file is told from another network.
    best = max(ARCHITECTURES, key=lambda a: len(_keys(ARCHITECTURES[a]) & set(arrays)))
    missing = sorted(_keys(ARCHITECTURES[best]) - set(arrays))
    if len(missing) > len(_keys(ARCHITECTURES[best])) // 2:
        raise UnknownArchitecture(
            f"{name} holds weights of no network known by its keys: {', '.join(ARCHITECTURES)}. Export it as ONNX, "
            "which has the layers too.",
            windows=any(len(tensor.shape) == 4 for tensor in arrays.values()),
        )
    raise FileError(
        f"{name} looks like {best}, but has no `{missing[0]}`, and {len(missing)} arrays are missing in all."
    )


class _Reader:
    """Makes nodes of a file's arrays."""

    def __init__(self, arrays, name):
        self.arrays, self.name = arrays, name
        check_weights(sum(int(np.prod(t.shape, dtype=object)) for t in arrays.values()), name)

    def nodes(self, plan, size, classifier_padding):
        made = [Input("image", (), (3, *size))]
        for step in plan:
            before = made[-1].name
            if isinstance(step, _First):
                made += self._convolved(step.key, "conv1", before, step.size, stride=2)
            elif isinstance(step, _Pool):
                made.append(MaxPool(step.name, (before,), (3, 3), (2, 2), ceil=True))
            else:
                made += self._fire(step, before)
        made += self._convolved(CLASSIFIER, "conv10", made[-1].name, 1, padding=classifier_padding)
        made.append(GlobalAveragePool("pool10", (made[-1].name,)))
        made.append(Softmax("prob", ("pool10",)))
        return made

    def _fire(self, step, before):
        made, ends = [], []
        for part, (label, size) in PARTS.items():
            squeezed = before if part == "squeeze" else made[1].name
            made += self._convolved(f"{step.key}.{part}", f"{step.name}/{label}", squeezed, size, padding=size // 2)
            ends.append(made[-1].name)
        return [*made, Concat(f"{step.name}/concat", ends[1:])]

    def _convolved(self, key, name, before, size, stride=1, padding=0):
        """A convolution and its relu."""
        weights, bias = self._array(f"{key}.weight"), self._array(f"{key}.bias")
        if weights.shape[2:] != (size, size):
            raise ShapeError(f"`{key}.weight` of {self.name} is {weights.shape}; it must be (O, I, {size}, {size}).")
        try:
            made = Convolution(name, (before,), weights, bias, (stride, stride), (padding,) * 4)
        except NeurosceneError as error:
            raise type(error)(f"In {self.name}: {error}") from None
        folder, _, last = name.rpartition("/")
        return [made, Elementwise(f"{folder}/relu_{last}" if folder else f"relu_{last}", (name,), "relu")]

    def _array(self, key):
        tensor = self.arrays.get(key)
        if tensor is None:
            raise FileError(f"{self.name} has no `{key}`, which the architecture needs. Save it again.")
        if tensor.dtype not in FLOATS:
            raise NetworkError(f"`{key}` of {self.name} is {told(tensor.dtype)}; weights must be {', '.join(FLOATS)}.")
        if key.endswith("weight") and len(tensor.shape) != 4:
            raise ShapeError(f"`{key}` of {self.name} is {told(tensor.shape)}; it must be (O, I, rows, columns).")
        return tensor.read()
