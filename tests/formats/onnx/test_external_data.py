"""Weights in a second file: read from beside the ONNX file, and from nowhere else."""

import io
import os

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from engine.errors import FileError
from engine.formats import load_mlp
from engine.formats.load_convnet import load_convnet
from engine.formats.onnx.model import Model, fill_external

RNG = np.random.default_rng(4)
WEIGHTS, BIAS = RNG.normal(size=(5, 3)).astype("f4"), RNG.normal(size=5).astype("f4")
KERNELS = RNG.normal(size=(4, 3, 3, 3)).astype("f4")


def chain():
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1)]
    given, got = (helper.make_tensor_value_info(n, 1, ("N", k)) for n, k in (("x", 3), ("y", 5)))
    held = [numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(BIAS, "b")]
    return helper.make_model(helper.make_graph(nodes, "g", [given], [got], held), ir_version=8)


def picture():
    nodes = [helper.make_node("Conv", ["x", "k"], ["y"])]
    given, got = (helper.make_tensor_value_info(n, 1, s) for n, s in (("x", (1, 3, 6, 6)), ("y", (1, 4, 4, 4))))
    held = [numpy_helper.from_array(KERNELS, "k")]
    return helper.make_model(helper.make_graph(nodes, "g", [given], [got], held), ir_version=8)


def saved(folder, model, location="net.onnx.data"):
    path = folder / "net.onnx"
    onnx.save(model, path, save_as_external_data=True, location=location, size_threshold=0)
    return path


def test_weights_beside_the_file_are_those_within_it(tmp_path):
    net = load_mlp.load(saved(tmp_path, chain()))
    assert np.array_equal(net.layers[0].weights, WEIGHTS) and np.array_equal(net.layers[0].bias, BIAS)
    assert (tmp_path / "net.onnx").stat().st_size < 400  # they are not in the file itself


def test_kernels_beside_the_file_too(tmp_path):
    net = load_convnet(saved(tmp_path, picture()))
    assert np.array_equal(net.nodes[1].weights, KERNELS)


def moved(path, change):
    """The file again with something of its initialisers changed."""
    model = onnx.load(path, load_external_data=False)
    change({entry.key: entry for entry in model.graph.initializer[0].external_data}, model.graph.initializer[0])
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    "location",
    [
        "../net.onnx.data",
        "/etc/passwd",
        "sub/net.onnx.data",
        "..",
        ".",
        "",
        "C:\\net.data",
        "a\\b",
        "c:data",
        "x" * 300,
    ],
)
def test_what_lies_elsewhere_is_not_followed(tmp_path, location):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "net.onnx.data").write_bytes(bytes(200))
    path = saved(tmp_path, chain())
    moved(path, lambda entries, _: setattr(entries["location"], "value", location))
    with pytest.raises(FileError, match=r"`w` of net.onnx .*external_data=False") as reported:
        load_mlp.load(path)
    assert "\n" not in str(reported.value)


def test_a_link_to_elsewhere_is_not_followed(tmp_path):
    secret, path = tmp_path / "elsewhere" / "secret", saved(tmp_path, chain())
    secret.parent.mkdir()
    os.replace(tmp_path / "net.onnx.data", secret)
    (tmp_path / "net.onnx.data").symlink_to(secret)
    with pytest.raises(FileError, match="not beside it"):
        load_mlp.load(path)


def test_links_in_a_cache_of_models_are_followed_together(tmp_path):
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()
    snapshot.mkdir()
    saved(blobs, chain())
    for name in ("net.onnx", "net.onnx.data"):
        (snapshot / name).symlink_to(blobs / name)
    assert np.array_equal(load_mlp.load(snapshot / "net.onnx").layers[0].weights, WEIGHTS)


def test_a_file_that_is_missing_or_ends_early_is_reported(tmp_path):
    path = saved(tmp_path, chain())
    data = (tmp_path / "net.onnx.data").read_bytes()
    (tmp_path / "net.onnx.data").write_bytes(data[:-4])
    with pytest.raises(FileError, match="ends early"):
        load_mlp.load(path)
    (tmp_path / "net.onnx.data").unlink()
    with pytest.raises(FileError, match=r"net.onnx.data, which is not beside it. Put it there"):
        load_mlp.load(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("length", "59"), ("length", "-1"), ("length", "1e3"), ("offset", "-4"), ("offset", "9" * 30), ("length", "")],
)
def test_parts_that_the_shape_does_not_fill_are_refused_before_they_are_read(tmp_path, key, value):
    path = moved(saved(tmp_path, chain()), lambda entries, _: setattr(entries[key], "value", value))
    with pytest.raises(FileError, match=r"`w` of net.onnx is \(5, 3\), but"):
        load_mlp.load(path)


@pytest.mark.parametrize("dims", [(10**9, 10**9), (-5, 3)])
def test_a_huge_shape_takes_no_memory(tmp_path, dims):
    def claim(entries, tensor):
        tensor.ClearField("dims")
        tensor.dims.extend(dims)

    with pytest.raises(FileError, match=r"`w` of net.onnx"):
        load_mlp.load(moved(saved(tmp_path, chain()), claim))


def test_a_model_without_a_folder_follows_nothing(tmp_path):
    model = onnx.load(io.BytesIO(saved(tmp_path, chain()).read_bytes()), load_external_data=False)
    with pytest.raises(FileError, match="not followed"):
        fill_external(Model(model), None)
