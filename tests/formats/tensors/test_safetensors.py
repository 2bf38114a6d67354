"""safetensors, against the package of that name where it is installed, and against files that lie."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import FileError, NetworkError, NeurosceneError
from engine.formats.load_mlp import from_bytes, load, save, to_bytes
from engine.formats.tensors import container
from engine.formats.tensors import safetensors as reader
from engine.network.mlp import Mlp
from engine.network.random import random_mlp


def packed(header, data=b"", *, length=None):
    """A file with this header, be it right or wrong."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


METADATA = {"activations": "tanh"}
ONE = np.float32([[1, 2, 3]]).tobytes()


def one(**changed):
    """The header of a single (1, 3) layer, with what is changed."""
    return {"__metadata__": METADATA, "weight": entry("F32", [1, 3], 0, 12) | changed}


def test_the_smallest_file_by_hand_is_read():
    net = from_bytes(packed(one(), ONE))
    assert net.shape.sizes == (3, 1) and np.array_equal(net.layers[0].weights, [[1, 2, 3]])


def test_the_package_reads_what_we_write(tmp_path):
    package = pytest.importorskip("safetensors")
    net = random_mlp([3, 6, 2], "sine(30)", seed=3)
    save(net, tmp_path / "net.safetensors")
    with package.safe_open(tmp_path / "net.safetensors", "numpy") as file:
        assert file.metadata()["activations"] == "sine(30),identity" and file.metadata()["name"] == net.name
        for i, layer in enumerate(net.layers):
            assert np.array_equal(file.get_tensor(f"layers.{i}.weight"), layer.weights)
            assert np.array_equal(file.get_tensor(f"layers.{i}.bias"), layer.bias)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_we_read_what_the_package_writes(tmp_path, dtype):
    package = pytest.importorskip("safetensors.numpy")
    arrays = {"0.weight": np.random.default_rng(1).normal(size=(4, 3)).astype(dtype), "0.bias": np.ones(4, dtype)}
    package.save_file(arrays, tmp_path / "net.safetensors", metadata={"activations": "relu"})
    net = load(tmp_path / "net.safetensors")
    assert np.array_equal(net.layers[0].weights, arrays["0.weight"].astype("f4"))
    assert str(net.layers[0].activation) == "relu"


def test_bfloat16_is_the_upper_half_of_a_float32():
    halves = np.array([0x3F80, 0xC000, 0x4049], "<u2")  # 1, -2, 3.140625: sign, 8 bits exponent, 7 of mantissa
    net = from_bytes(packed(one(dtype="BF16", data_offsets=[0, 6]), halves.tobytes()))
    assert np.array_equal(net.layers[0].weights, [[1, -2, 3.140625]])


def test_weights_too_large_for_float32_are_refused():
    with pytest.raises(NetworkError, match="inf"):
        from_bytes(packed(one(dtype="F64", data_offsets=[0, 24]), np.array([1, 2, 1e39]).tobytes()))


BAD = {
    "a length past the end": (packed(one(), ONE, length=10**6), "header should have"),
    "an enormous length": (packed(one(), ONE, length=2**64 - 1), "header should have"),
    "a long header": (packed(b" " * (container.MAX_HEADER_BYTES + 1)), "at most 4 MiB"),
    "no json": (packed(b"{nonsense", ONE), "not JSON"),
    "not utf-8": (packed(b"\xff\xfe{}", ONE), "not JSON"),
    "nested json": (packed(b"[" * 100_000, ONE), "not JSON"),
    "a list": (packed([], ONE), "not a table"),
    "a name twice": (packed(b'{"weight":{},"weight":{}}'), "twice"),
    "metadata of numbers": (packed({"__metadata__": {"a": 1}}), "__metadata__"),
    "offsets past the end": (packed(one(data_offsets=[0, 16]), ONE), "lies at"),
    "offsets that run backwards": (packed(one(data_offsets=[12, 0]), ONE), "lies at"),
    "negative offsets": (packed(one(data_offsets=[-12, 0]), ONE), "no dtype, shape"),
    "three offsets": (packed(one(data_offsets=[0, 6, 12]), ONE), "lies at"),
    "a shape the bytes do not fill": (packed(one(shape=[10**9, 10**9]), ONE), "has 12 bytes"),
    "a shape of fractions": (packed(one(shape=[1.5, 2]), ONE), "no dtype, shape"),
    "a shape of truths": (packed(one(shape=[True, 3]), ONE), "no dtype, shape"),
    "a shape without end": (packed(one(shape=[1] * 50 + [3]), ONE), "lies at"),
    "an entry that is none": (packed({"weight": 3}, ONE), "no dtype, shape"),
    "bytes left over": (packed(one(), ONE + b"1234"), "has 16 for them"),
    "a gap": (packed(one(data_offsets=[4, 16]), b"1234" + ONE), "gap"),
    "integers": (packed(one(dtype="I32"), ONE), "I32; weights are"),
    "an unknown type": (packed(one(dtype="F4"), ONE), "F4; weights are"),
    "nan": (packed(one(), np.float32([1, np.nan, 3]).tobytes()), "nan"),
    "no arrays": (packed({}), "no weights"),
    "overlap": (
        packed({"0.weight": entry("F32", [1, 3], 0, 12), "1.weight": entry("F32", [1, 1], 8, 12)}, ONE),
        "overlap",
    ),
    "activations that are none": (
        packed(one() | {"__metadata__": {"activations": "tanh\n\nError"}}, ONE),
        "no activation",
    ),
    "a newer version": (
        packed(one() | {"__metadata__": METADATA | {"format": reader.FORMAT, "version": "2"}}, ONE),
        "Update neuroscene",
    ),
}


@pytest.mark.parametrize(("data", "says"), BAD.values(), ids=BAD)
def test_a_header_that_does_not_fit_its_file_is_refused(data, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        from_bytes(data)
    assert str(caught.value).isprintable()


def test_shapes_are_checked_before_memory_is_taken(monkeypatch):
    # Whatever the header says, no array is made of it.
    monkeypatch.setattr(np, "frombuffer", None)
    with pytest.raises(FileError):
        from_bytes(packed(one(shape=[10**6, 10**6], data_offsets=[0, 4 * 10**12]), ONE))


numbers = st.integers(-3, 40) | st.integers() | st.floats() | st.none() | st.booleans()
scalars = numbers | st.text(max_size=5)
values = st.recursive(scalars, lambda x: st.lists(x, max_size=4) | st.dictionaries(scalars.map(str), x), max_leaves=8)
dtypes = st.sampled_from(["F32", "F64", "F16", "BF16", "I8", "x"]) | values
counts = st.lists(numbers, max_size=3) | values
entries = st.fixed_dictionaries({"dtype": dtypes, "shape": counts, "data_offsets": counts})
keys = st.sampled_from(["0.weight", "0.bias", "1.weight", "weight", "__metadata__", "W0"]) | st.text(max_size=8)


@settings(max_examples=200, deadline=None)
@given(header=st.dictionaries(keys, entries | values, max_size=4), data=st.binary(max_size=60))
def test_any_header_gives_a_network_or_a_refusal(header, data):
    try:
        assert isinstance(reader.read(*_stream(packed(header, data)), "x", "tanh"), Mlp)
    except NeurosceneError as error:
        assert "\n" not in str(error)


def _stream(data):
    return io.BytesIO(data), len(data)


def test_a_name_that_could_break_a_line_is_made_safe():
    net = Mlp([[[1.0]]], name="a\nb\x1b[2J" + "x" * 1000)
    name = from_bytes(to_bytes(net)).name
    assert name.isprintable() and len(name) <= 200
