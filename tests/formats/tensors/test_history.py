"""Files of histories: back to the bit, and files that lie."""

import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import FileError, NeurosceneError
from engine.formats.load_mlp import load as load_network
from engine.formats.load_mlp import save as save_network
from engine.formats.tensors import container
from engine.formats.tensors import history as file
from engine.network.history import Domain, History
from engine.network.random import random_mlp


def a_history(runs=2, snapshots=3, **more):
    """A history of 2-5-3 networks with every part filled."""
    shape = random_mlp([2, 5, 3], "leaky_relu(0.1)", seed=0).shape
    rng = np.random.default_rng(5)
    parts = {
        "shape": shape,
        "steps": [0, 7, 1_280_000][:snapshots],
        "weights": rng.normal(size=(runs, snapshots, 2 * 5 + 5 + 5 * 3 + 3)).astype(np.float32),
        "losses": np.where(rng.random((runs, snapshots)) < 0.2, np.nan, rng.random((runs, snapshots))),
        "domain": Domain.image(20, 30),
        "task": "values",
        "target": rng.integers(0, 256, (20, 30, 3)),
        "names": tuple(f"seed {k}" for k in range(runs)),
        "notes": {"command": "neuroscene train é -o a.safetensors"},
    }
    return History(**{**parts, **more})


def assert_same(a, b):
    assert a.shape == b.shape and a.names == b.names and a.notes == b.notes and a.task == b.task
    for key in ("steps", "weights", "losses", "target"):
        assert np.array_equal(getattr(a, key), getattr(b, key), equal_nan=key == "losses"), key
    for key in ("origin", "axes", "low", "high"):
        assert np.array_equal(getattr(a.domain, key), getattr(b.domain, key)), key


def changed(data, change):
    """The bytes of a history after `change(header, about)`, the arrays' bytes left as they are."""
    length = int.from_bytes(data[:8], "little")
    header, rest = json.loads(data[8 : 8 + length]), data[8 + length :]
    about = json.loads(header["__metadata__"]["about"])
    change(header, about)
    header["__metadata__"]["about"] = json.dumps(about)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + rest


def test_a_saved_history_is_read_back_to_the_bit(tmp_path):
    history = a_history()
    file.save(history, tmp_path / "run.safetensors")
    assert_same(file.load(tmp_path / "run.safetensors"), history)


def test_a_history_without_a_target_has_none_when_it_is_read():
    assert file.from_bytes(file.to_bytes(a_history(target=None))).target is None


def test_the_same_history_gives_the_same_bytes():
    assert file.to_bytes(a_history()) == file.to_bytes(a_history())


def test_the_package_reads_what_we_write(tmp_path):
    package = pytest.importorskip("safetensors")
    history = a_history()
    file.save(history, tmp_path / "run.safetensors")
    with package.safe_open(tmp_path / "run.safetensors", "numpy") as opened:
        assert np.array_equal(opened.get_tensor("weights"), history.weights)
        assert json.loads(opened.metadata()["about"])["sizes"] == [2, 5, 3]


def test_arrays_lie_at_multiples_of_their_numbers_width():
    data = file.to_bytes(a_history())
    length = int.from_bytes(data[:8], "little")
    for key, about in json.loads(data[8 : 8 + length]).items():
        if key != "__metadata__":
            assert (8 + length + about["data_offsets"][0]) % container.ITEM_BYTES[about["dtype"]] == 0


BAD = {
    "fewer steps": (lambda h, a: h["steps"].update(shape=[1, 3]), "`steps` is I64"),
    "weights of another type": (lambda h, a: h["weights"].update(dtype="I32"), "`weights` is I32"),
    "no losses": (lambda h, a: h.update(loss=h.pop("losses")), "`losses` is missing"),
    "sizes that need more weights": (lambda h, a: a.update(sizes=[2, 6, 3]), "layers of"),
    "sizes without end": (lambda h, a: a.update(sizes=[1] * 5000), "at most 1000"),
    "huge sizes": (lambda h, a: a.update(sizes=[10**9, 10**9, 3]), "weights; at most"),
    "a size of truth": (lambda h, a: a.update(sizes=[2, True, 3]), "sizes are"),
    "no sizes": (lambda h, a: a.pop("sizes"), "sizes are None"),
    "another task": (lambda h, a: a.update(task="poetry"), "task is one of"),
    "no task": (lambda h, a: a.pop("task"), "names no task"),
    "an unknown activation": (lambda h, a: a.update(activations=["relo", "identity"]), "relo"),
    "one activation": (lambda h, a: a.update(activations=["relu"]), "2 layers and 1 activations"),
    "softmax in the middle": (lambda h, a: a.update(activations=["softmax", "identity"]), "softmax"),
    "three names": (lambda h, a: a.update(names=["a", "b", "c"]), "3 names"),
    "names of numbers": (lambda h, a: a.update(names=[1, 2]), "list of texts"),
    "notes of lists": (lambda h, a: a.update(notes={"a": []}), "table of texts"),
    "a newer version": (lambda h, a: h["__metadata__"].update(version="2"), "Update neuroscene"),
    "another format": (lambda h, a: h["__metadata__"].update(format="novel\n"), "says it is a `novel"),
    "a target of one axis": (lambda h, a: h["target"].update(shape=[1800]), "`target` is U8"),
    "a target of four colours": (lambda h, a: h["target"].update(shape=[20, 15, 6]), "target is"),
}


@pytest.mark.parametrize(("change", "says"), BAD.values(), ids=BAD)
def test_a_file_that_does_not_fit_together_is_refused_in_a_line(change, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        file.from_bytes(changed(file.to_bytes(a_history()), change), "run.safetensors")
    assert str(caught.value).isprintable() and "run.safetensors" in str(caught.value)


def overwritten(key, values):
    """The bytes of a history whose array `key` begins with other values."""
    data = bytearray(file.to_bytes(a_history()))
    length = int.from_bytes(data[:8], "little")
    at = 8 + length + json.loads(data[8 : 8 + length])[key]["data_offsets"][0]
    data[at : at + values.nbytes] = values.tobytes()
    return bytes(data)


@pytest.mark.parametrize(
    ("key", "values", "says"),
    [
        ("weights", np.float32([np.nan]), "not finite"),
        ("steps", np.int64([-1]), "steps"),
        ("steps", np.int64([2**62, -(2**62) - 1]), "steps"),
        ("steps", np.int64([9, 8]), "rising"),
        ("origin", np.float64([np.inf]), "finite"),
        ("high", np.float64([-5]), "greater high"),
    ],
)
def test_numbers_that_cannot_be_are_refused(key, values, says):
    with pytest.raises(FileError, match=says):
        file.from_bytes(overwritten(key, values))


def test_shapes_are_checked_before_memory_is_taken(monkeypatch):
    data = changed(file.to_bytes(a_history()), lambda h, a: h["weights"].update(shape=[2, 3, 10**12]))
    monkeypatch.setattr(np, "frombuffer", None)
    with pytest.raises(FileError, match="but has"):
        file.from_bytes(data)


@given(cut=st.integers(0, 3000), byte=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_a_file_cut_or_with_a_wrong_byte_is_a_history_or_one_line(cut, byte):
    data = file.to_bytes(a_history())
    for broken in (data[:cut], data[:cut] + bytes([byte]) + data[cut + 1 :]):
        try:
            assert isinstance(file.from_bytes(broken), History)
        except NeurosceneError as error:
            assert str(error).isprintable()


def test_a_network_s_file_is_named_as_one(tmp_path):
    save_network(random_mlp([2, 4, 2], "relu", seed=0), tmp_path / "net.safetensors")
    with pytest.raises(FileError, match=r"is a network, not a history.*--net"):
        file.load(tmp_path / "net.safetensors")


def test_a_history_opened_as_a_network_says_how_it_is_opened(tmp_path):
    file.save(a_history(), tmp_path / "run.safetensors")
    with pytest.raises(FileError, match=r"--history run\.safetensors"):
        load_network(tmp_path / "run.safetensors")


@pytest.mark.parametrize(("name", "says"), [("run.npz", "must end in"), ("no.safetensors", "no file")])
def test_a_path_that_leads_to_no_history_is_one_line(tmp_path, name, says):
    with pytest.raises(FileError, match=says):
        file.load(tmp_path / name)


def test_an_empty_file_is_reported(tmp_path):
    (tmp_path / "a.safetensors").touch()
    with pytest.raises(FileError, match="Save the history again"):
        file.load(tmp_path / "a.safetensors")


def test_a_file_that_cannot_be_replaced_stays_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    file.save(a_history(), path)
    before = path.read_bytes()

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(FileError, match="cannot be written"):
        file.save(a_history(runs=1), path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["run.safetensors"]


def test_a_run_that_stops_being_finite_is_left_out_and_reported():
    history = a_history(runs=3)
    weights = history.weights.copy()
    weights[1, 2, 4] = np.inf
    kept = file.from_bytes(file.to_bytes(a_history(runs=3, weights=weights)))
    assert kept.names == ("seed 0", "seed 2") and np.array_equal(kept.weights, weights[[0, 2]])
    assert "seed 1" in kept.notes["left out"] and "1,280,000" in kept.notes["left out"]


def test_where_no_run_stays_finite_all_are_cut_where_the_first_one_stops():
    weights = a_history().weights.copy()
    weights[0, 2, 0] = weights[1, 1, 0] = np.nan
    kept = file.finite(a_history(weights=weights))
    assert kept.runs == 2 and list(kept.steps) == [0]
    weights[1, 0, 0] = np.nan
    with pytest.raises(FileError, match="smaller rate"):
        file.finite(a_history(runs=2, weights=weights))


def test_a_history_of_one_moment_is_a_history_too():
    net = random_mlp([2, 4, 2], "relu", seed=0)
    again = file.from_bytes(file.to_bytes(History.of(net, Domain.plane(2, [0, 0], [1, 1]))))
    assert again.at(0, 0).equals(net) and np.isnan(again.losses).all()
