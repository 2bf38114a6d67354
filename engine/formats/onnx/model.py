"""ONNX files: parses the bytes to a ModelProto, and reads the arrays in it.

The bytes are checked before they are parsed, since a message of two bytes can take hundreds of bytes in memory.
Weights are not parsed: they are read into arrays, once, which networks then share.
Format: https://onnx.ai/onnx/repo-docs/IR.html
"""

import io
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from engine.errors import FileError, NetworkError
from engine.formats.files import MAX_FILE_BYTES, opened, short, size_text

# A thousand layers make about ten nodes each, of twenty fields; a parsed field takes at most about 200 bytes.
MAX_FIELDS = 500_000
MAX_NODES = 10_000  # each may keep a scale and a shift of 4096 float64 numbers: 640 MiB at worst
MAX_DEPTH = 16  # ModelProto > graph > node > attribute > tensor is 5; subgraphs are refused in any case
# Integers of one byte in the file take up to eight when parsed; weights are floats, whose size stays the same.
MAX_PACKED_INTEGER_BYTES = 32 << 20

MIN_OPSET = 7

# Numbers of TensorProto.DataType (onnx.proto) that are read: floats, and whole numbers with truth values (9).
FLOATS = {"float": 1, "float16": 10, "double": 11, "bfloat16": 16}
# Those that numpy has not are converted: narrow floats (16 to 20) to float32, four and two bits (21 to 26) to int8.
WHOLE = (2, 3, 4, 5, 6, 7, 9, 12, 13)
CONVERTED = {16: np.float32, **dict.fromkeys(range(17, 21), np.float32), **dict.fromkeys((21, 22, 25, 26), np.int8)}


# TensorProto.DataLocation of weights in a second file, where PyTorch's exporter writes them by default.
# Format: https://onnx.ai/onnx/repo-docs/ExternalData.html
EXTERNAL = 1
# {TensorProto.DataType: bytes of a number}, for the types of weights and shapes.
SIZES = {1: 4, 10: 2, 11: 8, 16: 2, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 12: 4, 13: 8}
# File names without a folder: no separator of any system, no drive.
PLAIN = re.compile(r"[^/\\:\0]{1,255}")
NUMBER = re.compile(r"\d{1,15}")
INSTEAD = "or export with external_data=False."
# Bytes from which on the data of a tensor are read into an array of their own and not parsed.
LARGE = 4096
SEGMENT = TensorProto.SEGMENT_FIELD_NUMBER


@dataclass
class Model:
    """What is read of an ONNX file.

    proto    its ModelProto; a tensor whose data are in `pieces` has their number as its `segment`
    pieces   (N,) uint8 each, read-only
    """

    proto: Any
    pieces: list[np.ndarray] = field(default_factory=list)

    @property
    def graph(self) -> Any:
        """The GraphProto."""
        return self.proto.graph


def read(path: Path) -> tuple[str, Model]:
    """(the file's name for messages, its Model) of an .onnx file."""
    with opened(path) as (stream, size):
        return short(path.name), _parsed(stream, size, short(path.name), path)


def _broken(name, why):
    return FileError(f"{name} is not a whole ONNX file: {why}. Export it again.")


def parsed(data: bytes, name: str, path: Path | None = None) -> Model:
    """The Model of the bytes of a file called `name`, with weights from a second file in the folder of `path`."""
    return _parsed(io.BytesIO(data), len(data), name, path)


def _parsed(stream, size, name, path):
    budget = {"fields": MAX_FIELDS, "integers": MAX_PACKED_INTEGER_BYTES}
    model = Model(ModelProto())
    small = _survey(stream, size, ModelProto.DESCRIPTOR, name, budget, 0, model.pieces)
    try:
        model.proto.ParseFromString(bytes(small))
    except Exception as error:  # protobuf has several classes called DecodeError
        raise _broken(name, short(error)) from None
    if not model.proto.HasField("graph") or not model.graph.node:
        raise _broken(name, "it holds no graph")
    if not model.proto.opset_import:
        # The format requires an opset. It is written last, so it is missing in a truncated file.
        raise _broken(name, "it does not say its opset")
    for used in model.proto.opset_import:
        # Before opset 7 an attribute of elementwise nodes controlled broadcasting.
        if used.domain in ("", "ai.onnx") and used.version < MIN_OPSET:
            raise FileError(f"{name} uses opset {used.version}; {MIN_OPSET} and later are read. Export it again.")
    fill_external(model, path)
    return model


def _varint(stream, name):
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            raise _broken(name, "it ends early")
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise _broken(name, "a number in it is longer than ten bytes")


def _written(value):
    """The bytes of a number, as `_varint` reads it."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return found


def _piece(stream, length, where):
    """(length,) uint8: the next bytes of a stream, read-only."""
    piece = np.empty(length, np.uint8)
    if stream.readinto(piece.data) != length:
        raise FileError(f"{where} ended while it was read. Try again.")
    piece.setflags(write=False)
    return piece


def _survey(stream, end, descriptor, name, budget, depth, pieces):
    """Walks protobuf's wire format up to a place, and refuses files that would take far more memory when parsed.

    budget    the numbers of fields and of bytes of packed integers that are still allowed
    pieces    takes the data of large tensors
    returns   the bytes of the message with numbers of pieces in place of these data
    """
    if depth > MAX_DEPTH:
        raise FileError(f"{name} is nested deeper than {MAX_DEPTH} messages, which no network is. Export it again.")
    fields, small = descriptor.fields_by_number, bytearray()
    while stream.tell() < end:
        tag = _varint(stream, name)
        field, wire = fields.get(tag >> 3), tag & 7
        budget["fields"] -= 1
        if wire not in (0, 1, 2, 5):
            raise _broken(name, f"a field in it has wire type {wire}")
        length = {1: 8, 5: 4}.get(wire) or _varint(stream, name)
        if wire and stream.tell() + length > end:
            raise _broken(name, "it ends early")
        if wire == 2 and field is not None and field.type not in (1, 2, 9, 11, 12):  # double, float, string, bytes
            budget["integers"] -= length
        if min(budget.values()) < 0:
            raise FileError(f"{name} has more than {MAX_FIELDS} parts, more than {MAX_NODES} nodes need. Simplify it.")
        of = descriptor.full_name == "onnx.TensorProto" and field is not None and field.name
        if of == "segment":
            raise _broken(name, "a tensor in it is in segments")
        if of == "raw_data" and wire == 2 and length >= LARGE:
            number = b"\x08" + _written(len(pieces))  # field 1 of a Segment, its begin
            small += _written(SEGMENT << 3 | 2) + _written(len(number)) + number
            pieces.append(_piece(stream, length, name))
            continue
        if wire == 2 and field is not None and field.message_type is not None:
            inside = _survey(stream, stream.tell() + length, field.message_type, name, budget, depth + 1, pieces)
        else:
            inside = stream.read(length) if wire else _written(length)
        small += _written(tag) + (_written(len(inside)) if wire == 2 else b"") + inside
    return small


def tensor(proto: Any, name: str, pieces: Sequence[np.ndarray]) -> np.ndarray:
    """A TensorProto of a Model with these pieces as an array; its shape is checked against the number of bytes.

    Raises FileError for data in another file or of the wrong length, NetworkError for a type that holds no weights.
    """
    where = f"`{short(proto.name or 'a constant')}` of {name}"
    if proto.data_location or proto.external_data:
        raise FileError(
            f"{where} keeps its data in another file, as only weights may. Export with external_data=False."
        )
    shape = tuple(proto.dims)
    if any(n < 0 for n in shape) or len(shape) > 16:
        raise _broken(name, f"{where} is {short(shape)}")
    if proto.data_type not in (*FLOATS.values(), *WHOLE, *CONVERTED):
        raise NetworkError(f"{where} has ONNX data type {proto.data_type}; weights must be {', '.join(FLOATS)}.")
    try:
        array = _array(proto, pieces)
    except (ValueError, TypeError, OverflowError) as error:
        raise _broken(name, f"{where} is {short(shape)}, but its data are not ({short(error)})") from None
    return array.astype(CONVERTED[proto.data_type]) if proto.data_type in CONVERTED else array


def _array(proto, pieces):
    if not proto.HasField("segment"):
        return numpy_helper.to_array(proto)
    data = pieces[proto.segment.begin]
    if proto.data_type in SIZES and proto.data_type not in CONVERTED:
        return data.view(helper.tensor_dtype_to_np_dtype(proto.data_type).newbyteorder("<")).reshape(proto.dims)
    whole = TensorProto(data_type=proto.data_type, dims=proto.dims, raw_data=data.tobytes())
    return numpy_helper.to_array(whole)


def fill_external(model: Model, path: Path | None) -> None:
    """Reads the data of the initialisers of a Model that lie in a second file.

    path   of the ONNX file; None if it has none, and then no second file is read

    Raises FileError for a file that is elsewhere, missing or too short, and for more than MAX_FILE_BYTES in all.
    """
    spent = 0
    for proto in model.graph.initializer:
        if proto.data_location != EXTERNAL or proto.data_type not in SIZES:
            continue  # other types are refused when they are used
        about = {entry.key: entry.value for entry in proto.external_data}
        name = short(Path(path).name) if path is not None else "the file"
        where = f"`{short(proto.name or 'a constant')}` of {name}"
        wanted = math.prod(proto.dims) * SIZES[proto.data_type] if all(n >= 0 for n in proto.dims) else -1
        offset, length = about.get("offset", "0"), about.get("length", str(wanted))
        if wanted < 0 or not (NUMBER.fullmatch(offset) and NUMBER.fullmatch(length)) or int(length) != wanted:
            raise FileError(
                f"{where} is {short(tuple(proto.dims))}, but {short(length)} bytes of another file, from "
                f"{short(offset)} on, are said to hold it. Export it again."
            )
        spent += wanted
        if spent > MAX_FILE_BYTES:
            raise FileError(f"{name} keeps more than {size_text(MAX_FILE_BYTES)} in another file; no more is read.")
        proto.segment.begin = len(model.pieces)
        model.pieces.append(_part(_second_file(path, about.get("location", ""), where), int(offset), wanted, where))
        proto.ClearField("data_location")
        proto.ClearField("external_data")


def _second_file(path, location, where):
    """The Path of the second file."""
    if path is None or not PLAIN.fullmatch(location) or location in (os.curdir, os.pardir):
        raise FileError(
            f"{where} keeps its data in another file, {short(location)}, which is not followed: it may only lie beside "
            "the ONNX file, under a plain name. Export with external_data=False."
        )
    found = Path(path).parent / location
    # A link may lead anywhere, so it is refused, unless the ONNX file is a link too, as in caches of models.
    if not found.is_file() or (found.is_symlink() and not Path(path).is_symlink()):
        raise FileError(f"{where} keeps its data in {short(location)}, which is not beside it. Put it there, {INSTEAD}")
    return found


def _part(path, offset, count, where):
    """`count` bytes of a file from `offset` on."""
    with opened(path, "file of weights") as (stream, size):
        if offset + count > size:
            raise FileError(
                f"{where} keeps its data in {short(path.name)}, which ends early: it has {size_text(size)}. "
                f"Copy it again, {INSTEAD}"
            )
        stream.seek(offset)
        return _piece(stream, count, short(path.name))
