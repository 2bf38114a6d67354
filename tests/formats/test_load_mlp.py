"""What holds for every format: one test for each entry of LOADERS and SAVERS."""

import importlib
import io
import os
import re
import subprocess
import sys
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import FileError, NetworkError, NeurosceneError, ShapeError
from engine.formats import files
from engine.formats.load_mlp import LOADERS, SAVERS, from_bytes, load, save, split_path, to_bytes
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from tests.network.every_activation import EVERY

POINTS = np.random.default_rng(0).uniform(-2, 2, (20, 3))

# Files are small and few, but a slow disk is no failure.
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refused(source, **arguments):
    """The message of the one error a bad source may end in: one line, and short enough to be read."""
    with pytest.raises(NeurosceneError) as caught:
        load(source, **arguments)
    text = str(caught.value)
    assert text and "\n" not in text and text.isprintable() and len(text) < 900
    return text


def network_or_refusal(path, **arguments):
    """Loads a damaged file; anything but a sound Mlp or a refusal in one line fails the test."""
    try:
        net = load(path, **arguments)
    except NeurosceneError as error:
        assert "\n" not in str(error)
        return None
    assert isinstance(net, Mlp)
    assert all(np.isfinite(x.weights).all() and np.isfinite(x.bias).all() for x in net.layers)
    return net


@pytest.fixture
def file(sample, tmp_path):
    """(path of a fresh sample file, its bytes, the arguments it needs)."""
    extension, data, activations = sample
    path = tmp_path / f"net{extension}"
    path.write_bytes(data)
    return path, data, {} if activations is None else {"activations": activations}


def test_every_loader_and_saver_exists():
    for text in [*LOADERS.values(), *SAVERS.values()]:
        module, _, name = text.partition(":")
        assert callable(getattr(importlib.import_module(module), name))
    assert set(SAVERS) <= set(LOADERS)


def test_nothing_large_is_imported_until_its_file_is_opened():
    code = (
        "import sys, engine.formats.load_mlp; print([m for m in ('torch', 'onnx', 'safetensors') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


# Every file


def test_a_file_gives_its_network_to_the_bit(file, small):
    path, _, arguments = file
    assert load(path, **arguments).equals(small)


def test_a_path_is_taken_as_text_too_and_in_any_case(file, small):
    path, _, arguments = file
    upper = path.with_suffix(path.suffix.upper())
    path.rename(upper)
    assert load(str(upper), **arguments).equals(small)


def test_every_truncation_is_refused(file):
    path, data, arguments = file
    # All lengths of a file of a kilobyte; of longer ones every length near the ends and a sample between.
    lengths = (
        range(len(data))
        if len(data) < 1500
        else [*range(300), *range(300, len(data) - 200, 29), *range(len(data) - 200, len(data))]
    )
    for length in lengths:
        path.write_bytes(data[:length])
        refused(path, **arguments)


def test_a_flipped_byte_gives_a_network_or_a_refusal(file):
    path, data, arguments = file
    rng = np.random.default_rng(1)
    for at in range(0, len(data), max(1, len(data) // 700)):
        damaged = bytearray(data)
        damaged[at] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        network_or_refusal(path, **arguments)


@QUICK
@given(data=st.data())
def test_damaged_anywhere_gives_a_network_or_a_refusal(file, data):
    path, whole, arguments = file
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        piece = data.draw(st.binary(max_size=9))
        damaged[at : at + data.draw(st.integers(0, 9))] = piece
        if not damaged:
            break
    path.write_bytes(damaged)
    network_or_refusal(path, **arguments)


@QUICK
@given(noise=st.binary(min_size=1, max_size=300))
def test_noise_is_refused(file, noise):
    path, _, arguments = file
    path.write_bytes(noise)
    refused(path, **arguments)


def test_a_file_of_another_format_is_refused(file, tmp_path, small):
    path, _, arguments = file
    other = tmp_path / ("other.npz" if path.suffix == ".safetensors" else "other.safetensors")
    save(small, other)
    path.write_bytes(other.read_bytes())
    refused(path, **arguments)


def test_an_empty_file_is_called_empty(file):
    path, _, arguments = file
    path.write_bytes(b"")
    assert "empty" in refused(path, **arguments)


def test_a_missing_file_names_near_ones(file):
    path, _, arguments = file
    text = refused(path.with_name(f"ney{path.suffix}"), **arguments)
    assert path.name in text and "no file" in text


def test_a_missing_folder_is_named(file):
    path, _, arguments = file
    assert "no folder" in refused(path.parent / "nowhere" / path.name, **arguments)


def test_a_folder_is_called_one(file, tmp_path):
    path, _, arguments = file
    path.unlink()
    path.mkdir()
    assert "folder" in refused(path, **arguments)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(file):
    path, _, arguments = file
    path.unlink()
    os.mkfifo(path)
    assert "not a regular file" in refused(path, **arguments)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read_is_refused(file):
    path, _, arguments = file
    path.chmod(0)
    assert "permission denied" in refused(path, **arguments)


def test_permission_is_reported_where_the_system_denies_it(file, monkeypatch):
    path, _, arguments = file

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    assert "permission denied" in refused(path, **arguments)


def test_a_file_larger_than_the_limit_is_refused_before_it_is_read(file):
    path, _, arguments = file
    with path.open("r+b") as stream:
        stream.truncate(files.MAX_FILE_BYTES + 1)  # sparse: takes no room on the disk
    assert f"at most {files.size_text(files.MAX_FILE_BYTES)}" in refused(path, **arguments)


def test_a_path_with_odd_letters_stays_one_line(file):
    path, _, arguments = file
    for name in ("a\nb", "a\0b", "\x1b[31m", "x" * 300):
        refused(path.with_name(name + path.suffix), **arguments)


# Saving


@pytest.fixture(params=SAVERS)
def saver(request):
    return request.param


NETWORKS = {
    "deep": random_mlp([3, 5, 4, 2], "silu", last="softmax", seed=1),
    "one layer": random_mlp([2, 3], last="sigmoid", seed=2),
    "parameters": Mlp(
        [np.ones((2, 2))] * 3, activations=["sine(30.1)", "leaky_relu(0.2)", "elu(0.3)"], name="names: a, b"
    ),
    "extremes": Mlp([[[np.float32(1e-45), np.finfo(np.float32).max, -0.0]]], [[np.float32(-1e-38)]], ["tanh"]),
}


@pytest.mark.parametrize("net", NETWORKS.values(), ids=NETWORKS)
def test_a_saved_network_comes_back_to_the_bit(saver, net, tmp_path):
    save(net, tmp_path / f"net{saver}")
    back = load(tmp_path / f"net{saver}")
    assert back.shape == net.shape and back.name == net.name
    for mine, its in zip(back.layers, net.layers, strict=True):
        assert mine.weights.tobytes() == its.weights.tobytes() and mine.bias.tobytes() == its.bias.tobytes()


@pytest.mark.parametrize("net", NETWORKS.values(), ids=NETWORKS)
def test_bytes_come_back_to_the_bit_and_are_always_the_same(net):
    back = from_bytes(to_bytes(net))
    assert back.equals(net) and back.name == net.name
    assert to_bytes(back) == to_bytes(net)


def test_messages_name_the_file_and_not_what_its_network_is_called(saver, small, tmp_path):
    save(small, tmp_path / f"net{saver}")
    for activations in ("tanh,tanh,tanh", "softmax,tanh"):
        text = refused(tmp_path / f"net{saver}", activations=activations)
        assert f"net{saver}" in text and small.name not in text


@QUICK
@given(noise=st.binary(max_size=200))
def test_bytes_that_are_no_network_are_refused(noise):
    with pytest.raises(NeurosceneError):
        from_bytes(noise)


def test_saving_twice_gives_the_same_bytes(saver, small, tmp_path):
    for name in "ab":
        save(small, tmp_path / f"{name}{saver}")
    assert (tmp_path / f"a{saver}").read_bytes() == (tmp_path / f"b{saver}").read_bytes()


def test_a_save_that_fails_leaves_the_old_file_and_nothing_beside_it(saver, small, tmp_path, monkeypatch):
    path = tmp_path / f"net{saver}"
    save(small, path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(FileError, match="disk is full"):
        save(random_mlp([2, 1]), path)
    assert path.read_bytes() == before
    assert [x.name for x in tmp_path.iterdir()] == [path.name]


def test_saving_where_there_is_no_folder_says_so(saver, small, tmp_path):
    with pytest.raises(FileError, match="there is no folder"):
        save(small, tmp_path / "nowhere" / f"net{saver}")


def test_saving_over_a_folder_is_refused(saver, small, tmp_path):
    (tmp_path / f"net{saver}").mkdir()
    with pytest.raises(FileError, match="is a folder"):
        save(small, tmp_path / f"net{saver}")


@pytest.mark.parametrize("name", ["net.onnx", "net", "net.png"])
def test_an_extension_that_cannot_be_saved_names_those_that_can(small, tmp_path, name):
    with pytest.raises(FileError) as caught:
        save(small, tmp_path / name)
    assert all(extension in str(caught.value) for extension in SAVERS)


# What load takes


def test_an_unknown_extension_names_those_there_are(tmp_path):
    (tmp_path / "net.weights").write_bytes(b"x")
    text = refused(tmp_path / "net.weights")
    assert all(extension in text for extension in LOADERS)
    assert "folder" in refused(tmp_path)


@pytest.mark.parametrize(("name", "says"), [("a.pkl", "runs code"), ("a.joblib", "runs code"), ("a.tflite", "tf2onnx")])
def test_files_that_are_not_read_are_answered_with_what_to_do(tmp_path, name, says):
    (tmp_path / name).write_bytes(b"x")
    text = refused(tmp_path / name)
    assert says in text and ".pth" not in text


def test_an_mlp_passes_through(small):
    assert load(small) is small
    other = load(small, activations="relu,tanh")
    assert str(other.shape) == "3-4-1 relu,tanh"


@pytest.mark.parametrize("thing", [3, None, object(), b"abc", [np.ones((2, 2))], [], ["a", 3], np.ones((2, 2))])
def test_other_objects_are_refused_by_type(thing):
    assert type(thing).__name__ in refused(thing)


# path:activations


@pytest.mark.parametrize(
    ("text", "path", "activations"),
    [
        ("net.npz", "net.npz", None),
        ("net.npz:tanh", "net.npz", "tanh"),
        ("a/b.safetensors:tanh,sine(30),identity", "a/b.safetensors", "tanh,sine(30),identity"),
        ("net.npz:relu,...,sigmoid", "net.npz", "relu,...,sigmoid"),
        ("C:\\nets\\a.npz", "C:\\nets\\a.npz", None),
        ("C:/nets/a.npz:tanh", "C:/nets/a.npz", "tanh"),
        ("C:a.npz", "C:a.npz", None),
        ("run 12:30.npz", "run 12:30.npz", None),
        ("run 12:30.npz:tanh", "run 12:30.npz", "tanh"),
        ("odd:name/net.npz", "odd:name/net.npz", None),
        ("x.npz:dir/net.npz", "x.npz:dir/net.npz", None),
        ("mine.py:Class", "mine.py:Class", None),
        ("net.npz:tahn", "net.npz", "tahn"),
        ("net.npz:", "net.npz:", None),
    ],
)
def test_activations_are_split_from_a_path_and_drives_are_not(text, path, activations):
    assert split_path(text) == (path, activations)


def test_a_file_whose_name_has_a_colon_is_itself(tmp_path, monkeypatch, small):
    monkeypatch.chdir(tmp_path)
    save(small, "a.npz:b.npz")
    assert load("a.npz:b.npz").equals(small)
    save(random_mlp([2, 1]), "a.npz")
    assert load("a.npz:b.npz").equals(small)


def test_activations_after_the_path_replace_those_of_the_file(tmp_path, small, saver):
    save(small, tmp_path / f"net{saver}")
    net = load(f"{tmp_path}/net{saver}:relu,sigmoid")
    assert str(net.shape) == "3-4-1 relu,sigmoid"
    assert np.array_equal(net.layers[0].weights, small.layers[0].weights)


def test_activations_after_the_path_may_have_several_parameters(tmp_path, small):
    save(small, tmp_path / "net.npz")
    net = load(f"{tmp_path}/net.npz:hardtanh(-0.5,0.75),softplus(100)")
    assert str(net.shape) == "3-4-1 hardtanh(-0.5,0.75),softplus(100)"


def test_every_activation_is_stored_and_read_with_its_parameters(tmp_path, saver):
    net = Mlp([np.eye(2)] * len(EVERY), activations=EVERY)
    save(net, tmp_path / f"net{saver}")
    assert load(tmp_path / f"net{saver}").equals(net)


def test_a_misspelt_activation_after_the_path_is_named(tmp_path, small):
    save(small, tmp_path / "net.npz")
    assert "tanh" in refused(f"{tmp_path}/net.npz:tahn")
    assert "twice" in refused(f"{tmp_path}/net.npz:tanh", activations="relu")


STATE = {f"{i}.weight": np.full((2, 2), i + 1.0) for i in range(4)}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("tanh", "tanh tanh tanh identity"),
        ("relu,...,sigmoid", "relu relu relu sigmoid"),
        ("sine(30),relu,...", "sine(30) relu relu relu"),
        ("tanh,relu,silu,...,sigmoid", "tanh relu silu sigmoid"),
        (["relu", "relu", "gelu", "identity"], "relu relu gelu identity"),
        (" tanh , sine( 3 ) ,relu,identity", "tanh sine(3) relu identity"),
    ],
)
def test_activations_are_given_once_or_one_per_layer(given, read):
    assert " ".join(str(x.activation) for x in load(STATE, activations=given).layers) == read


@pytest.mark.parametrize(
    "given", ["tanh,relu", ["tanh"], "a" * 10**6, "tanh," * 10**5, "...,relu", "tanh,...,relu,...,relu", ""]
)
def test_activations_that_do_not_fit_the_layers_are_refused(given):
    refused(STATE, activations=given)


def test_one_activation_for_one_layer_is_that_layers():
    assert str(load({"weight": np.ones((1, 3))}, activations="tanh").layers[0].activation) == "tanh"


def test_weights_without_activations_are_refused_not_guessed(tmp_path):
    assert 'engine.load(..., activations="relu")' in refused(STATE)
    np.savez(tmp_path / "net.npz", **STATE)
    text = refused(tmp_path / "net.npz")
    # What is to be typed, in whatever command, works when it is typed.
    assert "Write `net.npz:relu` in place of net.npz" in text
    assert len(load(f"{tmp_path}/{re.search('`(net.npz:[^`]*)', text)[1]}").layers) == len(STATE)


def test_errors_are_of_the_kind_that_fits():
    with pytest.raises(ShapeError):
        load({"0.weight": np.ones((2, 3)), "1.weight": np.ones((2, 5))}, activations="tanh")
    with pytest.raises(NetworkError):
        load({"0.weight": np.full((2, 3), np.nan)}, activations="tanh")


def test_headers_of_arrays_that_are_damaged_within_a_whole_npz_are_refused(tmp_path):
    array = io.BytesIO()
    np.save(array, np.zeros((2, 3), np.float32))
    rng, path = np.random.default_rng(2), tmp_path / "net.npz"
    texts = [b"'" + b"\x00" * 40, b"(" * 60, b"  x\n y\n", b"''''" + b" " * 20, b"{'descr': '<f4', 'fortran_order': 0"]
    for k in range(300):
        data = bytearray(array.getvalue())
        if k < len(texts):
            data[10 : 10 + len(texts[k])] = texts[k]
        else:
            for at in rng.integers(0, 80, 3):
                data[at] = rng.integers(256)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("W0.npy", bytes(data))
        with suppress(NeurosceneError):
            load(path, activations="relu")


@pytest.mark.parametrize("extension", sorted(LOADERS))
@pytest.mark.parametrize(
    ("data", "todo"),
    [
        (b"<!DOCTYPE html>\n<p>404\n", "Save the network again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git lfs pull"),
    ],
)
def test_text_in_place_of_a_network_is_called_text(tmp_path, extension, data, todo):
    path = tmp_path / f"net{extension}"
    path.write_bytes(data)
    text = refused(path, activations=None)
    assert data.decode().splitlines()[0] in text and "is text" in text and todo in text
