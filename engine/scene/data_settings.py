"""Settings whose values come from files: networks, recorded trainings, images, names."""

import importlib
from functools import partial
from typing import Any

import numpy as np

from engine.errors import NeurosceneError, SettingError
from engine.formats import class_names, held_inputs, load_mlp
from engine.formats.load_convnet import load_convnet
from engine.formats.tensors import history
from engine.network.convnet import ConvNet
from engine.network.history import History
from engine.network.mlp import Mlp
from engine.scene.settings import Data, Text
from engine.training import image_data


class HeldInputs(Text):
    """The values of a network's inputs that are held fixed: numbers with commas between them, or a file of them.

    `engine.held_inputs(text, count)` gives them. A picture stores the numbers, never the file's name.
    """

    __slots__ = ()

    def __init__(self, **more: Any):
        more = {"label": "other inputs", **more}
        doc = "the values of the others, in order, by commas, or a file of them (codes.npy:0); 0 if not given"
        super().__init__("", doc=doc, **more)

    def taken(self) -> str:
        return "numbers with commas between them, or a file of them"

    def kept(self, value: str) -> str:
        try:
            return held_inputs.typed_inputs(value)
        except NeurosceneError:
            # The file is gone, or is none: the picture says which, and who opens it is told.
            return value

    def opens_file(self, value: Any) -> bool:
        return isinstance(value, str) and held_inputs.names_file(value)


class Network(Data):
    """A network: an Mlp, whatever `engine.load` takes, or None for the scene's own.

    inputs   the number of inputs that the network must have, or None for any
    least    the least number of inputs it must have
    """

    __slots__ = ["inputs", "least"]
    key, noun, accepts = "network", "a network", f"a network file: {', '.join(load_mlp.LOADERS)}"
    endings, saved_as = tuple(load_mlp.LOADERS), tuple(load_mlp.SAVERS)
    kind, load = Mlp, staticmethod(load_mlp.load)
    to_bytes, from_bytes = staticmethod(load_mlp.to_bytes), staticmethod(load_mlp.from_bytes)
    save = staticmethod(load_mlp.save)

    def __init__(self, default: Any = None, *, inputs: int | None = None, least: int = 1, **more: Any):
        self.inputs, self.least = inputs, least
        super().__init__(default, **more)

    def checked(self, value: Any) -> Any:
        """As `Data.checked`; raises SettingError for a wrong input width, too."""
        net = super().checked(value)
        if net is not None and (net.inputs != self.inputs if self.inputs is not None else net.inputs < self.least):
            wanted = f"{self.least} or more" if self.inputs is None else self.inputs
            raise SettingError(
                f"{net} has {net.inputs} inputs, but this scene shows networks with {wanted}. "
                f"Give a network whose first layer takes {wanted} values."
            )
        return net

    def describe(self, value: Mlp) -> str:
        return str(value)

    def lines(self, value: Mlp) -> tuple[str, str]:
        return value.name, str(value.shape)


class Recorded(Data):
    """A recorded training: a History, the path of a file with one, or None for the scene's own."""

    __slots__ = []
    key, noun = "history", "a recorded training"
    accepts = "a history file: .safetensors of `neuroscene train` or engine.Recorder"
    endings = saved_as = (history.ENDING,)
    kind, load = History, staticmethod(history.load)
    to_bytes, from_bytes = staticmethod(history.to_bytes), partial(history.from_bytes, name="the stored history")
    save = staticmethod(history.save)

    def lines(self, value: History) -> tuple[str, str]:
        runs = value.names[0] if value.runs == 1 else f"{value.runs} runs"
        return f"{runs}, {value.snapshots} snapshot{'s' * (value.snapshots != 1)}", str(value.shape)


class Unfinished(Data):
    """A training that can be continued: a Trainer, the path of a file that one was saved to, or None."""

    __slots__ = []
    key, noun = "training", "a training"
    accepts = "a training that was saved: run.state.safetensors of `neuroscene train`, or of this panel"
    endings = saved_as = (history.ENDING,)
    is_stored = False

    def checked(self, value: Any) -> Any:
        # Imported late, since it loads the kernels.
        trainer = importlib.import_module("engine.training.trainer").Trainer
        return value if value is None or isinstance(value, trainer) else trainer.load(value)

    def lines(self, value: Any) -> tuple[str, str]:
        return f"step {value.step:,} of {value.recipe.steps:,}", str(value.recipe.shape)

    def save(self, value: Any, path: Any) -> None:
        value.save(path)


class Convolutional(Data):
    """A convolutional network: a ConvNet, the path of a file with one, or None for the scene's own."""

    __slots__ = []
    key, noun = "convnet", "a convolutional network"
    accepts = "a network of an image: .onnx, or .safetensors of a SqueezeNet"
    endings = (".onnx", ".safetensors")
    # Not stored in pictures: such a network takes megabytes.
    is_stored, is_missed = False, True
    kind, load = ConvNet, staticmethod(load_convnet)

    def lines(self, value: ConvNet) -> tuple[str, str]:
        return value.name, f"{' x '.join(map(str, value.input_shape))}, {value.weight_count:,} weights"


class Image(Data):
    """An image: (H, W) or (H, W, 3) uint8 or uint16, row 0 on top; the path of one; or None.

    side   the most pixels along its longer side; larger images are averaged down
    """

    __slots__ = ["side"]
    key, noun, accepts = "image", "an image", "an image file"
    endings = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")
    to_bytes, from_bytes = staticmethod(image_data.to_png), staticmethod(image_data.from_png)

    def __init__(self, default: Any = None, *, side: int = 200, **more: Any):
        self.side = side
        super().__init__(default, **more)

    def checked(self, value: Any) -> Any:
        fits = isinstance(value, np.ndarray) and value.dtype in (np.uint8, np.uint16) and value.ndim in (2, 3)
        fits = fits and value.shape[2:] in ((), (3,)) and 0 < max(value.shape[:2]) <= self.side
        return value if value is None or fits else image_data.shrunk(value, self.side)

    def lines(self, value: np.ndarray) -> tuple[str, str]:
        kind = "colour" if value.ndim == 3 else "grey"
        depth = ", 16 bits" if value.dtype == np.uint16 else ""
        return f"an image of {value.shape[1]} x {value.shape[0]}", kind + depth


class ClassNames(Data):
    """Names of classes, a tuple of texts; the path of a text file with one a line; or None."""

    __slots__ = []
    key, noun, accepts = "names", "a list of class names", "a text file with a class name on each line"
    endings = (".txt",)
    kind, load = tuple, staticmethod(class_names.read_class_names)
    from_bytes = partial(class_names.parsed, name="the stored list")

    def to_bytes(self, value: tuple[str, ...]) -> bytes:
        return "\n".join(value).encode()

    def lines(self, value: tuple[str, ...]) -> tuple[str, str]:
        return f"{len(value):,} names", ", ".join(value[:2]) + " ..." * (len(value) > 2)
