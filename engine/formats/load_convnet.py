"""Convolutional networks from files: ONNX, or weights whose layers follow from the metadata or the arrays' names."""

import io
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import FileError, NetworkError, located, near
from engine.formats import about
from engine.formats.architectures import ARCHITECTURES, array_keys, build, known_layers, listed_layer
from engine.formats.files import check_layers, check_size, opened, short
from engine.formats.load_mlp import split_path
from engine.formats.tensors import container
from engine.network.convnet import ConvNet, channels_first
from engine.network.graph.nodes import Convolution
from engine.network.graph.passes.simplify import simplified
from engine.network.preprocess import Preprocess, usual

# Torchvision trained SqueezeNet at 224 x 224, its authors at 227 x 227 (train_val.prototxt of their release).
TORCHVISION_SIZE, CAFFE_SIZE = (224, 224), (227, 227)


class UnknownArchitecture(NetworkError):
    """For a file of weights whose keys fit no known architecture. windows: True if some are convolutions."""

    def __init__(self, message: str = "", windows: bool = True):
        super().__init__(message)
        self.windows = windows


def load_convnet(
    path: Any,
    architecture: str | None = None,
    *,
    example: Any = None,
    size: tuple[int, int] | None = None,
    output: str | None = None,
    classifier_padding: int | None = None,
    classes: Sequence[str] = (),
    preprocess: Preprocess | None = None,
) -> ConvNet:
    """The ConvNet in an .onnx, .safetensors or .keras file, or that a module computes.

    path                 of the file, of ONNX also with `:size=HxW` or `:output=NAME` after it; or a torch.nn.Module
                         of any forward, a Keras model or a function of JAX, compared with what it computes
    example              of a module: an array that it takes, as (1, C, H, W); None: noise of `size`
    architecture         one of ARCHITECTURES, for a file of weights; None: found from metadata, or from keys and shapes
    size                 (H, W) of the input; None: the file's, or the one that its weights were trained at
    output               of an ONNX file: the name of an output, or of any value in its graph; None: the first output
                         of floats
    classifier_padding   zeros round the map before SqueezeNet's classifier: 0 in torchvision, 1 in the authors' 1.0;
                         None: the metadata's, or 0
    classes              texts, one for each output channel; (): the metadata's, if it has any
    preprocess           None: the metadata's (engine.formats.about); else, for the weights of SqueezeNet's authors,
                         theirs, with the channels' order found by `order_of`; else ConvNet's default

    Raises FileError, NetworkError or ShapeError, which say what cannot be shown.
    """
    if not isinstance(path, str | os.PathLike):
        return _of_object(path, example, size=size, classes=classes, preprocess=preprocess)
    path, written = split_path(path) if isinstance(path, str) else (path, None)
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        for what, given in (("architecture", architecture), ("classifier_padding", classifier_padding)):
            if given is not None:
                raise NetworkError(f"{short(path.name)} has its own architecture, but {what} is given. Leave it out.")
        from engine.formats.onnx.convnet import load  # imports onnx, which is slow

        return load(path, written, size=size, output=output, classes=classes, preprocess=preprocess, known=_authors)
    if written is not None or output is not None:
        raise NetworkError(
            f"{short(path.name)} has one output and its own layers, but `{short(written or output)}` is given."
        )
    if suffix == ".keras":
        from engine.formats.objects.keras_file import read_graph

        return _of_graph(read_graph(path), short(path.name), classes, preprocess)
    if suffix != ".safetensors":
        known = near(short(suffix, 20), (".onnx", ".safetensors", ".keras"), noun="format to read")
        raise FileError(f"{short(path, 200)} is no convolutional network. {known}")
    with opened(path) as (stream, length):
        name = short(path.name)
        metadata, arrays = container.read(stream, length, name)
        if "architecture" in metadata and architecture is None and classifier_padding is None:
            return _listed(metadata, arrays, name, size=size, classes=classes, preprocess=preprocess)
        architecture = _architecture_of(arrays, name) if architecture is None else architecture
        if architecture not in ARCHITECTURES:
            raise NetworkError(near(short(architecture), ARCHITECTURES, noun="architecture"))
        caffe = "0..255" in metadata.get("input", "")
        if classifier_padding is None:
            padded = re.search(r"padding=(\d)", metadata.get("conv10", ""))
            classifier_padding = int(padded[1]) if padded else 0
        rows, columns = size or (CAFFE_SIZE if caffe else TORCHVISION_SIZE)
        nodes = build(known_layers(architecture, int(classifier_padding)), arrays, (3, rows, columns), name)
    if preprocess is None:
        order = _order(nodes) or ("bgr" if "BGR" in metadata.get("input", "") else "rgb")
        preprocess = _preprocess((rows, columns), order, caffe)
    return ConvNet(nodes, name=name, classes=classes, preprocess=preprocess)


def _of_object(thing, example, *, size, classes, preprocess):
    """The ConvNet of a PyTorch module, a Keras model or a function of JAX."""
    from engine.formats.objects import read
    from engine.formats.torch.images import from_module

    if not read.is_read(thing):
        return from_module(thing, example, size=size, classes=classes, preprocess=preprocess)
    return _of_graph(read.graph_of(thing, example), short(type(thing).__name__), classes, preprocess)


def _of_graph(graph, name, classes, preprocess):
    return ConvNet(simplified(channels_first(graph)), name=name, classes=classes, preprocess=preprocess)


def small_squeezenet(data: bytes, name: str = "small_squeezenet.safetensors") -> ConvNet:
    """The ConvNet in the bytes of a file that lists its layers, such as the one of tools/small_squeezenet.py.

    Raises FileError, ShapeError or NetworkError, with the file's name, for other files and for layers that do not fit.
    """
    check_size(len(data), name)
    return _listed(*container.read(io.BytesIO(data), len(data), short(name)), short(name))


def _listed(metadata, arrays, name, *, size=None, classes=(), preprocess=None):
    """The ConvNet whose layers a file's metadata lists; size, classes and preprocess replace the file's."""
    layers = _entry(metadata, "architecture", list, name)
    if preprocess is None:
        _entry(metadata, "preprocess", dict, name)
        preprocess = about.preprocess(metadata, name)
    if size is not None:
        preprocess = preprocess.sized(size)
    check_layers(len(layers), name)
    with located(f"In {name}: "):
        layers = [listed_layer(layer) for layer in layers]
    nodes = build(layers, arrays, (len(preprocess.mean), *preprocess.size), name)
    classes = classes or _entry(metadata, "classes", list, name)
    net = ConvNet(nodes, name=name, classes=classes, preprocess=preprocess)
    net.name = short(metadata.get("name", name), 200)  # set last, since messages until here must name the file
    return net


def _entry(metadata, key, kind, name):
    if key not in metadata:
        raise FileError(f"{name} has no `{key}` in its metadata, so its layers are unknown. Export it as ONNX.")
    return about.entry(metadata, key, kind, name)


def _architecture_of(arrays, name):
    """The one of ARCHITECTURES whose arrays are all there."""
    needed = {key: array_keys(known_layers(key)) for key in ARCHITECTURES}
    # For an incomplete file, the message names the closest architecture and the arrays that are missing.
    best = min(needed, key=lambda key: len(needed[key] - set(arrays)))
    lacks = sorted(needed[best] - set(arrays))
    if not lacks:
        return best
    if len(lacks) > len(needed[best]) // 2:
        raise UnknownArchitecture(
            f"{name} holds weights of no network known by its keys: {', '.join(ARCHITECTURES)}. Export it as ONNX, "
            "which has the layers too.",
            windows=any(len(tensor.shape) == 4 for tensor in arrays.values()),
        )
    raise FileError(f"{name} looks like {best}, but has no `{lacks[0]}`, and {len(lacks)} arrays are missing in all.")


def _preprocess(size, order, caffe):
    """The Preprocess of torchvision's networks, or of those made with Caffe, for an order of channels."""
    found = usual("caffe-rgb" if caffe else "imagenet", (3, *size))
    return found if order == "rgb" else replace(found, mean=found.mean[::-1], std=found.std[::-1], order=order)


# A bit for each of the 96 first filters of the authors' SqueezeNet 1.0: whether red weighs more than blue.
MORE_RED = bytes.fromhex("492ecb566579125c9c08be65")
# The least correlation with those bits. It is 1 for the same weights, about 0.1 (1 / sqrt 96) for others, by chance.
SURE = 0.9


def order_of(conv1_weights: np.ndarray) -> str | None:
    """The order of channels, "rgb" or "bgr", of the first convolution of the authors' SqueezeNet 1.0; else None.

    conv1_weights   (O, 3, kh, kw)

    The filters whose first channel weighs more than the third are compared with MORE_RED: they agree for rgb, and are
    opposite for bgr. Fine tuning and scaling do not change this.
    """
    weights = np.asarray(conv1_weights, float)
    if weights.ndim != 4 or weights.shape[1] != 3 or len(weights) != 8 * len(MORE_RED):
        return None
    first_more = (weights[:, 0] - weights[:, 2]).sum(axis=(1, 2))
    signs = np.unpackbits(np.frombuffer(MORE_RED, np.uint8)) * 2.0 - 1.0
    total = np.abs(first_more).sum()
    agreement = signs @ first_more / total if total else 0.0
    return "rgb" if agreement > SURE else "bgr" if agreement < -SURE else None


def _order(nodes):
    """`order_of` the first convolution, if its input is the image itself."""
    first = next((node for node in nodes if isinstance(node, Convolution)), None)
    return None if first is None or first.inputs != (nodes[0].name,) else order_of(first.weights)


def _authors(nodes):
    """The Preprocess of SqueezeNet's authors if the first convolution is theirs, else None."""
    order = _order(nodes)
    return None if order is None else _preprocess(nodes[0].size[-2:], order, True)
