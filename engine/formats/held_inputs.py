"""The inputs of a network that a picture holds fixed (a latent code, a time): typed numbers, or a file of them."""

import re
from math import prod
from pathlib import Path

import numpy as np

from engine.errors import FileError, SettingError
from engine.formats.files import opened, short
from engine.formats.tensors.npz import npy_header

ENDINGS = (".npy", ".txt", ".csv")
# `codes.npy` or `codes.npy:3`, the row counted from 0.
FILE = re.compile(r"^(?P<path>.*\.(?:npy|txt|csv))(?::(?P<row>\d{1,9}))?$", re.IGNORECASE)
# Numbers of one row, and bytes of a text file.
MOST, MOST_TEXT = 1 << 20, 64 << 20


def held_inputs(text: str, count: int) -> np.ndarray:
    """(count,) float64: the values of inputs that are held fixed, as a setting such as `rest` has them.

    text    numbers with commas between them, 0 for those not given; or a file of them, .npy, .txt or .csv, of which
            `codes.npy:3` takes row 3, counted from 0

    Raises SettingError for text that is neither or has more than `count`, FileError for a file that cannot be read.
    """
    values, given = np.zeros(count), _given(text)
    if len(given) > count:
        raise SettingError(f"rest={short(text)}: it has {len(given)} numbers, but {count} inputs are held fixed.")
    values[: len(given)] = given
    return values


def missing_inputs(text: str, count: int) -> str | None:
    """What to say of values that are fewer than the `count` inputs that are held fixed; None if none or all are given.

    Raises what `held_inputs` does.
    """
    held_inputs(text, count)
    given = len(_given(text))
    return f"rest has {given} of {count} values, the others are 0" if 0 < given < count else None


def names_file(text: str) -> bool:
    """Whether a text stands for a file of values."""
    return FILE.match(text.strip()) is not None


def typed_inputs(text: str) -> str:
    """The same values as typed numbers, whatever the text. Raises what `held_inputs` does."""
    return ",".join(map(repr, _given(text).tolist())) if names_file(text) else text


def _given(text):
    match = FILE.match(text.strip())
    return _from_file(match["path"], match["row"]) if match else _typed(text)


def _typed(text):
    words = text.replace(";", ",").split(",") if text.strip() else []
    try:
        found = np.array([float(word) if word.strip() else 0.0 for word in words])
    except ValueError:
        found = np.array([np.nan])
    if not np.isfinite(found).all():
        raise SettingError(
            f"rest={short(text)}: it takes numbers with commas between them, as in 0.5, -1, or a file of them "
            f"({', '.join(ENDINGS)})."
        )
    return found


def _npy(stream, size):
    """The array of a .npy file whose header states no more than the file holds."""
    shape, kind = npy_header(stream)
    if kind.hasobject or prod(shape) * kind.itemsize > size:
        raise ValueError("its header does not fit its size")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def _from_file(path, row):
    name = short(Path(path).name)
    with opened(path, "list of numbers") as (stream, size):
        try:
            if path.lower().endswith(".npy"):
                array = _npy(stream, size)
            elif size > MOST_TEXT:
                raise ValueError(f"text of more than {MOST_TEXT} bytes; save it as .npy")
            else:
                lines = stream.read(size).decode().replace(",", " ").replace(";", " ").splitlines()
                if not any(line.partition("#")[0].strip() for line in lines):
                    raise ValueError("it has no numbers")
                array = np.loadtxt(lines, ndmin=2)
                array = array.reshape(-1) if array.shape[1] == 1 else array
        except (ValueError, TypeError, EOFError, UnicodeDecodeError) as error:
            raise FileError(f"{name} is no list of numbers: {short(error)}.") from None
    array = array.reshape(len(array), -1) if array.ndim > 2 else np.atleast_1d(array)
    if array.ndim == 2:
        if row is None and len(array) > 1:
            raise SettingError(f"{name} has {len(array)} rows; say which one is meant, as in {name}:0.")
        if int(row or 0) >= len(array):
            raise SettingError(f"{name} has {len(array)} rows, counted from 0; there is no row {row}.")
        array = array[int(row or 0)]
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all() or len(array) > MOST:
        raise FileError(f"{name} holds {array.dtype} {array.shape}; finite numbers are accepted, one for each input.")
    return array.astype(float)
