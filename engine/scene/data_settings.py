"""Settings whose values come from files: networks, recorded trainings, images, names."""

import importlib

import numpy as np

from engine.errors import SettingError
from engine.formats import class_names, load_mlp
from engine.formats.load_convnet import load_convnet
from engine.formats.tensors import history
from engine.network.convnet import ConvNet
from engine.network.history import History
from engine.network.mlp import Mlp
from engine.scene.settings import Data
from engine.training import image_data


class Network(Data):
    """A network: an Mlp, whatever `engine.load` takes, or None for the scene's own.

    inputs   how many inputs the scene can show; None for any
    """

    __slots__ = ["inputs"]
    key = "network"
    noun = "a network"
    endings, saved_as = tuple(load_mlp.LOADERS), tuple(load_mlp.SAVERS)

    def __init__(self, default=None, *, inputs=None, **more):
        self.inputs = inputs
        super().__init__(default=default, **more)

    def checked(self, value):
        """The Mlp a value stands for. Raises NetworkError or FileError, or SettingError for a wrong input width."""
        if value is None:
            return None
        net = value if isinstance(value, Mlp) else load_mlp.load(value)
        if self.inputs is not None and net.inputs != self.inputs:
            raise SettingError(
                f"{net} has {net.inputs} inputs, but this scene shows networks with {self.inputs}. "
                f"Give a network whose first layer takes {self.inputs} values."
            )
        return net

    def to_bytes(self, value):
        return load_mlp.to_bytes(value)

    def from_bytes(self, data):
        return load_mlp.from_bytes(data)

    def describe(self, value):
        return str(value)

    def lines(self, value):
        return value.name, str(value.shape)

    def save(self, value, path):
        load_mlp.save(value, path)

    def taken(self):
        return "a network file: .safetensors, .npz, .onnx"


class Recorded(Data):
    """A recorded training: a History, the path of a file with one, or None for the scene's own."""

    __slots__ = []
    key = "history"
    noun = "a recorded training"
    endings = saved_as = (history.ENDING,)

    def checked(self, value):
        if value is None or isinstance(value, History):
            return value
        return history.load(value)

    def to_bytes(self, value):
        return history.to_bytes(value)

    def from_bytes(self, data):
        return history.from_bytes(data, "the stored history")

    def lines(self, value):
        runs = value.names[0] if value.runs == 1 else f"{value.runs} runs"
        return f"{runs}, {value.snapshots} snapshot{'s' * (value.snapshots != 1)}", str(value.shape)

    def save(self, value, path):
        history.save(value, path)

    def taken(self):
        return "a history file: .safetensors of `neuroscene train` or engine.Recorder"


class Unfinished(Data):
    """A training that goes on: a Trainer, the path of a file that one was saved to, or None."""

    __slots__ = []
    key = "training"
    noun = "a training"
    endings = saved_as = (history.ENDING,)
    is_stored = False

    def checked(self, value):
        # Kernels are loaded when there is something to train.
        trainer = importlib.import_module("engine.training.trainer").Trainer
        return value if value is None or isinstance(value, trainer) else trainer.load(value)

    def lines(self, value):
        return f"step {value.step:,} of {value.recipe.steps:,}", str(value.recipe.shape)

    def save(self, value, path):
        value.save(path)

    def taken(self):
        return "a training that was saved: run.state.safetensors of `neuroscene train`, or of this panel"


class Convolutional(Data):
    """A convolutional network: a ConvNet, the path of a file with one, or None for the scene's own."""

    __slots__ = []
    key = "convnet"
    noun = "a convolutional network"
    endings = (".onnx", ".safetensors")
    # Megabytes.
    is_stored, is_missed = False, True

    def checked(self, value):
        return value if value is None or isinstance(value, ConvNet) else load_convnet(value)

    def lines(self, value):
        return value.name, f"{' x '.join(map(str, value.input_shape))}, {value.weight_count:,} weights"

    def taken(self):
        return "a convolutional network: .onnx, or .safetensors of a SqueezeNet"


class Image(Data):
    """An image: (H, W) or (H, W, 3) uint8, row 0 on top; the path of one; or None.

    side   pixels along its longer side, at most; larger ones are averaged down
    """

    __slots__ = ["side"]
    key = "image"
    noun = "an image"
    endings = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")

    def __init__(self, default=None, *, side=200, **more):
        self.side = side
        super().__init__(default=default, **more)

    def checked(self, value):
        if value is None:
            return None
        if isinstance(value, np.ndarray) and value.dtype == np.uint8 and max(value.shape[:2]) <= self.side:
            return value
        return image_data.shrunk(value, self.side)

    def to_bytes(self, value):
        return image_data.to_png(value)

    def from_bytes(self, data):
        return image_data.from_png(data)

    def lines(self, value):
        return f"an image of {value.shape[1]} x {value.shape[0]}", "colour" if value.ndim == 3 else "grey"

    def taken(self):
        return "an image file"


class ClassNames(Data):
    """Names of classes, a tuple of texts; the path of a text file with one a line; or None."""

    __slots__ = []
    key = "names"
    noun = "a list of class names"
    endings = (".txt",)

    def checked(self, value):
        return value if value is None or isinstance(value, tuple) else class_names.read_class_names(value)

    def to_bytes(self, value):
        return "\n".join(value).encode()

    def from_bytes(self, data):
        return class_names.parsed(data, "the stored list")

    def lines(self, value):
        return f"{len(value):,} names", ", ".join(value[:2]) + " ..." * (len(value) > 2)

    def taken(self):
        return "a text file with a class name on each line"
