"""Every kind of files that is read: small samples, and what reads them."""

import io
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import engine
from engine.app.lookup import open_scene, scene_in_file
from engine.app.make import clock_of
from engine.app.tiled_picture import text_of
from engine.errors import NeurosceneError
from engine.formats.class_names import read_class_names
from engine.formats.image import MAX_BYTES, to_png
from engine.formats.tensors import training
from engine.output.resumable import ENDING, ResumableFile
from engine.output.writers.png import encode
from engine.training.image_data import ImageData, shrunk

RNG = np.random.default_rng(2)


@dataclass
class Kind:
    """A kind of files: samples of it, its ending, what reads a path, and the bytes of memory that this may take."""

    samples: list[bytes]
    ending: str
    read: Callable[[Path], Any]
    most: int = 300 << 20


def _saved(save: Callable[[Path], Any], ending: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{ending}"
        save(path)
        return path.read_bytes()


def _networks(ending: str) -> list[bytes]:
    nets = [engine.random_mlp([3, 4, 1], "tanh", seed=1), engine.random_mlp([2, 8, 8, 3], "relu", seed=2)]
    return [_saved(partial(engine.save_network, net), ending) for net in nets]


def _onnx(*, is_image: bool) -> list[bytes]:
    from onnx import helper, numpy_helper

    rng = np.random.default_rng(1)
    dims: tuple[int | str, ...]
    if is_image:
        nodes = [helper.make_node("Conv", ["x", "w", "b"], ["h"], pads=[1, 1, 1, 1], strides=[2, 2]),
                 helper.make_node("Relu", ["h"], ["r"]),
                 helper.make_node("GlobalAveragePool", ["r"], ["y"])]  # fmt: skip
        arrays, dims = {"w": rng.normal(size=(4, 3, 3, 3)), "b": rng.normal(size=4)}, (1, 3, 8, 8)
    else:
        nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1), helper.make_node("Tanh", ["h"], ["t"]),
                 helper.make_node("MatMul", ["t", "v"], ["y"])]  # fmt: skip
        arrays = {"w": rng.normal(size=(4, 3)), "b": rng.normal(size=4), "v": rng.normal(size=(4, 1))}
        dims = ("N", 3)
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", 1, dims)],
        [helper.make_tensor_value_info("y", 1, None)],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()],
    )
    return [helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString()]


def _picture(image: Any, more: dict[str, Any], path: Path) -> None:
    image.save(path, **more)


def _pictures(*endings: str, **more: Any) -> list[bytes]:
    from PIL import Image

    y, x = np.mgrid[:24, :20]
    colour = np.stack([x * 12, y * 10, x + y], axis=2).astype(np.uint8)
    images = [Image.fromarray(colour), Image.fromarray(colour[..., 0]), Image.fromarray(colour).quantize(16)]
    found = []
    for ending in endings:
        for image in images:
            with suppress(OSError, KeyError):  # a kind that has no such colours
                found.append(_saved(partial(_picture, image, more), ending))
    return found


def _deep() -> list[bytes]:
    colour = np.random.default_rng(1).integers(0, 65536, (12, 9, 3)).astype(np.uint16)
    return [to_png(colour), to_png(colour[..., 0])]


def _stored() -> list[bytes]:
    found = []
    for values in ({}, {"net": engine.random_mlp([3, 4, 1], seed=1)}):
        scene, _ = open_scene("marching", **values)
        stream = io.BytesIO()
        encode(stream, np.zeros((4, 4, 3), np.uint8), text_of(scene, clock_of(scene), (4, 4), 1))
        found.append(stream.getvalue())
    return found


def _trainings() -> tuple[list[bytes], list[bytes]]:
    data = ImageData.from_image("bottle", side=8)
    recipe = engine.Recipe((2, 4, 2), steps=20, batch=8)
    trainer = engine.Trainer(data.points, data.targets, recipe, (0, 1), domain=data.domain, target=data.target)
    trainer.advance(5)
    return [_saved(lambda path: engine.save_history(trainer.history(), path), ".safetensors")], [
        _saved(trainer.save, ".safetensors")
    ]


def _resumed(path: Path) -> None:
    """Reads the damaged file as a band and as the note beside it, and puts the picture together."""
    data, folder = path.read_bytes(), path.with_name("a.png" + ENDING)
    asked: dict[str, Any] = {"asked": "", "head": b"("}
    whole = ResumableFile(path.with_name("a.png"), "key", **asked)
    whole._begun -= 60  # bands are stored at once
    for k in range(3):
        whole.append(b"%d" % k, {"raw": k})
    whole.stop()
    (folder / ("asked" if RNG.random() < 0.2 else f"band-{RNG.integers(3):05}")).write_bytes(data)
    again = ResumableFile(path.with_name("a.png"), "key", **asked)
    for k in range(len(again.found), 3):
        again.append(b"%d" % k, {"raw": k})
    again.finish(b")", [])
    assert path.with_name("a.png").read_bytes() == b"(012)", "a damaged band was used"


def _band() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = ResumableFile(Path(folder) / "a.png", "key", asked="", head=b"")
        file._begun -= 60
        file.append(b"0", {"raw": 0})
        file.stop()
        return (file.folder / "band-00000").read_bytes()


def _torch() -> list[bytes]:
    import torch

    found = []
    for old in (False, True):
        stream = io.BytesIO()
        state = {"0.weight": torch.ones(4, 3), "0.bias": torch.ones(4), "2.weight": torch.ones(1, 4)}
        torch.save({"model": state, "epoch": 3}, stream, _use_new_zipfile_serialization=not old)
        found.append(stream.getvalue())
    return found


def _keras() -> list[bytes]:
    from tests.formats.conftest import keras_bytes

    return [keras_bytes(engine.random_mlp([3, 4, 1], "tanh", seed=1))]


def _mlp(path: Path) -> Any:
    try:
        return engine.load(path)
    except NeurosceneError:
        return engine.load(path, activations="relu")


def _npy() -> list[bytes]:
    found = []
    for array in (np.arange(6.0), np.ones((3, 4), np.float32)):
        stream = io.BytesIO()
        np.save(stream, array)
        found.append(stream.getvalue())
    return found


SCENE = b"""import engine


class A(engine.Scene):
    'A scene.'

    level = engine.Number(0.5, bounds=(0, 1), doc="x")
"""

KINDS: dict[str, Callable[[], Kind]] = {
    "npz": lambda: Kind(_networks(".npz"), ".npz", _mlp),
    "npy": lambda: Kind(_npy(), ".npy", lambda path: engine.held_inputs(f"{path}:0", 8)),
    "csv": lambda: Kind([b"0.5, 1, 2\n", b"1;2;3\n4;5;6\n"], ".csv", lambda path: engine.held_inputs(str(path), 8)),
    "safetensors": lambda: Kind(_networks(".safetensors"), ".safetensors", _mlp),
    "history": lambda: Kind(_trainings()[0], ".safetensors", engine.load_history),
    "training": lambda: Kind(_trainings()[1], ".safetensors", training.load),
    "onnx": lambda: Kind(_onnx(is_image=False), ".onnx", engine.load),
    "convnet": lambda: Kind(_onnx(is_image=True), ".onnx", engine.load_convnet),
    "pt": lambda: Kind(_torch(), ".pt", _mlp),
    "keras": lambda: Kind(_keras(), ".keras", engine.load),
    "png": lambda: Kind(_pictures(".png"), ".png", _image, MAX_BYTES),
    "deep png": lambda: Kind(_deep(), ".png", _image, MAX_BYTES),
    "jpeg": lambda: Kind(_pictures(".jpg") + _pictures(".jpg", progressive=True), ".jpg", _image, MAX_BYTES),
    "tiff": lambda: Kind(_pictures(".tif") + _pictures(".tif", compression="tiff_lzw"), ".tif", _image, MAX_BYTES),
    "gif": lambda: Kind(_pictures(".gif"), ".gif", _image, MAX_BYTES),
    "webp": lambda: Kind(_pictures(".webp") + _pictures(".webp", lossless=True), ".webp", _image, MAX_BYTES),
    "plain": lambda: Kind(_pictures(".bmp", ".ppm", ".tga", ".ico"), ".bmp", _image, MAX_BYTES),
    "new": lambda: Kind(_pictures(".avif", ".jp2"), ".avif", _image, MAX_BYTES),
    "state": lambda: Kind(_stored(), ".png", open_scene),
    "names": lambda: Kind([b"cat\ndog\n", b"n01440764 tench\r\n"], ".txt", read_class_names),
    "scene": lambda: Kind([SCENE], ".py", _scene),
    "resumed": lambda: Kind([_band(), b"key\n\n"], ".band", _resumed),
}


def _scene(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of a person's own lines
        return scene_in_file(path)


def _image(path: Path) -> None:
    shrunk(path, 16)
    ImageData.from_image(path, side=16)
