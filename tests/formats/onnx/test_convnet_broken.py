"""Files that were cut or damaged, and those made to take time or memory: each ends in one line, soon."""

import numpy as np
import pytest

from engine.errors import NeurosceneError
from engine.formats.load_convnet import load_convnet, small_squeezenet

pytest.importorskip("onnx")

RNG = np.random.default_rng(6)
CONSTANTS = {
    "w": RNG.normal(size=(4, 3, 3, 3)).astype(np.float32), "b": np.float32([1, 2, 3, 4]),
    "g": np.ones(4, np.float32), "v": np.ones((2, 4), np.float32), "row": np.int64([1, -1]),
}  # fmt: skip
NODES = (
    "c = Conv x w b strides=2,2 pads=1,1,1,1; n = BatchNormalization c g b b g; r = Relu n; p = MaxPool r"
    " kernel_shape=2,2 ceil_mode=1; a = Add r r; q = Concat a r axis=1; o = GlobalAveragePool r; h = Reshape o row;"
    " z = Gemm h v transB=1; y = Softmax z axis=1"
)


@pytest.fixture(scope="module")
def whole(make_onnx):
    return make_onnx(NODES, CONSTANTS, input_shape=(1, 3, 9, 9))


@pytest.fixture
def reported(tmp_path):
    """What loading a file of these bytes says: a line, or None where it is read."""
    path = tmp_path / "net.onnx"

    def function(data):
        path.write_bytes(data)
        try:
            load_convnet(path)
        except NeurosceneError as error:
            assert "\n" not in str(error) and len(str(error)) < 1000
            return str(error)
        return None

    return function


def test_a_file_cut_anywhere_is_refused(reported, whole):
    assert reported(whole) is None
    for length in np.linspace(0, len(whole) - 1, 200).astype(int):
        assert reported(whole[:length]) is not None, length


def test_a_byte_changed_anywhere_is_read_or_refused(reported, whole):
    rng = np.random.default_rng(1)
    refused = 0
    for at in rng.integers(0, len(whole), 400):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << rng.integers(0, 8)
        refused += reported(bytes(damaged)) is not None
    assert refused > 40  # weights may have any bits but those of what is not finite


def test_our_own_files_cut_or_changed_are_read_or_refused():
    from importlib.resources import files

    data = files("scenes").joinpath("data", "small_squeezenet.safetensors").read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    rng = np.random.default_rng(2)
    damaged = [data[:length] for length in np.linspace(0, len(data) - 1, 200).astype(int)]
    for at in rng.integers(0, start, 150):
        changed = bytearray(data)
        changed[at] = rng.integers(32, 127)
        damaged.append(bytes(changed))
    refused = 0
    for k, bytes_ in enumerate(damaged):
        try:
            small_squeezenet(bytes_)
        except NeurosceneError as error:
            refused += 1
            assert "\n" not in str(error)
        else:
            assert k >= 200
    assert refused > 200


HOSTILE = {
    "a channel wider than memory": ("y = Mul x k", {"k": np.float32(2)}, (1, (1 << 24) - 1, 4000, 4000), "neurons"),
    "padding without end": (
        "y = Pad x k", {"k": np.int64([0, 0, 1 << 40, 0, 0, 0, 0, 0])}, (1, 3, 9, 9), "padding"),
    "a window without end": (
        "y = MaxPool x kernel_shape=4611686018427387904,2", {}, (1, 3, 9, 9), "2 numbers are needed"),
    "a stride without end": (
        "y = MaxPool x kernel_shape=2,2 strides=4611686018427387904,2 auto_pad=SAME_UPPER", {}, (1, 3, 9, 9), "stride"),
    "a list without end": (
        "s = ConstantOfShape k; h = Reshape x s; y = Relu h", {"k": np.int64([1 << 40])}, (1, 3, 9, 9), "at most 13"),
    "weights that are not numbers": (
        "y = Conv x k", {"k": np.full((1, 3, 1, 1), np.nan, np.float32)}, (1, 3, 9, 9), "finite"),
    "batch norms of no spread": (
        "c = Conv x w b; y = BatchNormalization c b b b k", CONSTANTS | {"k": np.full(4, -1, np.float32)}, (1, 3, 9, 9),
        "finite"),
}  # fmt: skip


@pytest.mark.parametrize(("nodes", "constants", "shape", "says"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_made_to_take_time_or_memory_is_refused(reported, make_onnx, nodes, constants, shape, says):
    assert says in (reported(make_onnx(nodes, constants, input_shape=shape)) or "it was read")
