"""npz: what numpy writes, and zips that lie about what is in them."""

import io
import struct
import zipfile

import numpy as np
import pytest

from engine.errors import FileError, NeurosceneError
from engine.formats import files
from engine.formats.load_mlp import load, save
from engine.formats.tensors import npz as reader
from engine.network.random import random_mlp

W = np.float32([[1, 2, 3], [4, 5, 6]])


@pytest.fixture
def refuse(tmp_path):
    def function(data, says, kind=NeurosceneError):
        (tmp_path / "net.npz").write_bytes(data)
        with pytest.raises(kind, match=says) as caught:
            load(tmp_path / "net.npz", activations="tanh")
        assert "\n" not in str(caught.value)

    return function


def npy(array=None, *, descr="<f4", shape=(2, 3)):
    """The bytes of an array, or of a header that claims something else."""
    buffer = io.BytesIO()
    if array is not None:
        np.lib.format.write_array(buffer, array, allow_pickle=True)
    else:
        np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
        buffer.write(W.tobytes())
    return buffer.getvalue()


def zipped(contents, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "change", [np.asfortranarray, lambda a: a.astype(">f8"), lambda a: a.astype("f2"), lambda a: a.astype(int)]
)
def test_any_real_array_numpy_saves_is_read(tmp_path, write, change):
    write(tmp_path / "net.npz", W0=change(W), b0=np.ones(2))
    assert np.array_equal(load(tmp_path / "net.npz", activations="tanh").layers[0].weights, W)


def test_numpy_reads_what_we_save_without_pickle(tmp_path):
    net = random_mlp([3, 4, 2], "relu", seed=3)
    save(net, tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz", allow_pickle=False) as file:
        assert str(file["activations"]) == "relu,identity" and str(file["name"]) == net.name
        assert np.array_equal(file["layers.1.weight"], net.layers[1].weights)


def test_a_foreign_file_may_carry_activations(tmp_path):
    np.savez(tmp_path / "net.npz", W0=W, W1=np.ones((1, 2)), activations="sine(30),identity")
    assert str(load(tmp_path / "net.npz").shape) == "3-2-1 sine(30),identity"


def test_objects_are_never_unpickled(refuse):
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("it was unpickled",)

    refuse(zipped({"W0.npy": npy(np.array([Trap()], object))}), "never unpickled", FileError)


@pytest.mark.parametrize("shape", [(10**6, 10**6), (2, 4), (-2, -3), (2**40, 2**40), (1,) * 40 + (6,)])
def test_a_shape_that_its_bytes_do_not_fill_is_refused(refuse, shape):
    refuse(zipped({"W0.npy": npy(shape=shape)}), "bytes|has the shape", FileError)


def test_a_text_that_claims_to_be_huge_is_refused(refuse):
    refuse(zipped({"activations.npy": npy(descr="<U500000000", shape=())}), "bytes", FileError)
    refuse(zipped({"activations.npy": npy(np.array("x" * 100_000))}), "not one text", FileError)


def test_a_zip_bomb_is_refused_by_its_directory(refuse, monkeypatch):
    # 600 MB of zeros take 600 kB; the directory says so before anything is unpacked.
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 4000)
    bomb = zipped({f"W{i}.npy": npy(np.zeros((20, 20), "f4")) for i in range(9)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 4000
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    refuse(bomb, "unpacks to", FileError)


def test_an_entry_that_unpacks_to_more_than_it_says_is_cut(refuse):
    data = bytearray(zipped({"W0.npy": npy(np.zeros((64, 64), "f4"))}, zipfile.ZIP_DEFLATED))
    directory = data.rindex(b"PK\1\2")
    struct.pack_into("<L", data, directory + 24, 200)  # the uncompressed size; APPNOTE.TXT 4.3.12
    refuse(bytes(data), "net.npz", FileError)


def test_a_directory_too_long_is_refused_before_it_is_read(refuse, monkeypatch):
    monkeypatch.setattr(zipfile, "ZipFile", None)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, 2**31, 0, 0)
    refuse(b"x" * 100 + end, "over 4 MiB;", FileError)
    # A 64-bit directory says its length elsewhere, and zipfile believes that.
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 2**40, 0)
    plain = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 50, 0, 0)
    for at, says in ((100, "over 4 MiB;"), (7, "64-bit zip directory is broken")):
        refuse(b"x" * 100 + record + struct.pack("<4sLQL", b"PK\6\7", 0, at, 1) + plain, says, FileError)


def test_a_header_that_ends_in_the_middle_of_a_line_is_refused(refuse):
    # numpy parses headers of Python 2 by its tokenizer, which raises an error of its own.
    text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), \n"
    header = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
    refuse(zipped({"W0.npy": header + bytes(24)}), "not a whole npz file", FileError)


BAD = {
    "a plain npy": (npy(W), "zip directory"),
    "encrypted": (None, "encrypted"),
    "no arrays in it": (zipped({"readme.txt": b"hello"}), "not an array"),
    "an array twice": (None, "twice"),
    "a broken npy": (zipped({"W0.npy": b"not numpy"}), "magic"),
    "a header without end": (zipped({"W0.npy": b"\x93NUMPY\x01\x00\xff\xff{'descr'"}), "net.npz"),
    "a header that is code": (zipped({"W0.npy": b"\x93NUMPY\x01\x00\x10\x00__import__('os')"}), "net.npz"),
    "complex weights": (zipped({"W0.npy": npy(np.ones((2, 3), "c8"))}), "real numbers"),
    "texts for weights": (zipped({"W0.npy": npy(np.array([["a"]]))}), "real numbers"),
    "records": (zipped({"W0.npy": npy(np.zeros((1, 1), [("a", "f4")]))}), "real numbers"),
    "nan": (zipped({"W0.npy": npy(W * np.nan)}), "nan"),
    "an unknown array": (zipped({"W0.npy": npy(W), "extra.npy": npy(W)}), "`extra`"),
    "nothing": (zipped({}), "no weights|zip"),
    "bzip2": (zipped({"W0.npy": npy(W)}, zipfile.ZIP_BZIP2), "oddly compressed"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", BAD)
def test_a_broken_zip_is_refused(refuse, case):
    data, says = BAD[case]
    if case == "encrypted":
        data = bytearray(zipped({"W0.npy": npy(W)}))
        data[data.rindex(b"PK\1\2") + 8] |= 1
    if case == "an array twice":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("W0.npy", npy(W))
            archive.writestr("W0.npy", npy(W))
        data = buffer.getvalue()
    refuse(bytes(data), says)


def test_a_layer_too_wide_is_refused_before_its_data_is_read(refuse, monkeypatch):
    monkeypatch.setattr(reader, "_array", None)


def test_a_text_of_letters_that_do_not_exist_is_refused(tmp_path):
    text = np.frombuffer(np.array([65, 0x110000, 66], np.uint32).tobytes(), "U3").reshape(())
    np.savez(tmp_path / "a.npz", **{"layers.0.weight": np.ones((1, 2))}, activations=text)
    with pytest.raises(FileError, match="`activations` is no text"):
        load(tmp_path / "a.npz")
