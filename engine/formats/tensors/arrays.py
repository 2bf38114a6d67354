"""Arrays of other libraries, recognised by what they have, so that no library is imported for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import NetworkError
from engine.formats.files import short


@dataclass(frozen=True)
class NamedArray:
    """An array with a known shape that is read only when needed, by `read()`."""

    shape: tuple[int, ...]
    read: Callable


def shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape of a tensor or array of any library; None for other objects."""
    try:
        return tuple(int(n) for n in _held(value).shape)
    except Exception:  # any object may be here, such as a lazy parameter
        return None


def _held(value):
    """What a variable of Flax holds; other values as they are."""
    if hasattr(value, "detach") or isinstance(value, np.ndarray):
        return value
    get = getattr(value, "get_value", None)
    inner = get() if callable(get) else getattr(value, "value", None)
    return inner if hasattr(inner, "shape") else value


def array_of(value: Any, where: str) -> np.ndarray:
    """A tensor or array as a numpy array, without importing its library. `where` names it in the NetworkError."""
    try:
        value = _held(value)
        if not isinstance(value, np.ndarray) and hasattr(value, "detach"):
            value = value.detach().cpu()
            if "complex" in str(getattr(value, "dtype", "")):
                raise NetworkError(f"{where} is {value.dtype}; weights must be real numbers.")
            # Some dtypes of torch do not exist in numpy; all real ones fit float64 without rounding.
            value = value.double().numpy()
        value = np.asarray(value)
        if value.dtype.kind == "V":  # bfloat16 of JAX
            value = value.astype(np.float32)
    except NetworkError:
        raise
    except Exception as error:
        raise NetworkError(f"{where} cannot be read as an array: {short(error)}") from None
    if value.dtype.kind not in "fiu":
        raise NetworkError(f"{where} is {value.dtype}; weights must be real numbers.")
    return value


def to_float32(array: ArrayLike) -> np.ndarray:
    """An array as float32; values too large for it become infinite, which Mlp refuses, naming the place."""
    with np.errstate(over="ignore"):
        return np.asarray(array).astype(np.float32, copy=False)
