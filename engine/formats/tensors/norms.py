"""Weights that a state dict keeps as their factors: weight norm and spectral norm of PyTorch, by either of its names.

Weight norm (Salimans and Kingma 2016): w = g v / |v|. Spectral norm (Miyato et al. 2018): w = W / (u^T W v).
"""

import math
from collections.abc import Mapping

import numpy as np

from engine.errors import NetworkError, ShapeError
from engine.formats.files import check_weights, short
from engine.formats.tensors.arrays import NamedArray

# The names of the parts of one weight, after the name of its layer: {part: its name}, the weight's own name, the kind.
FORMS = (
    ({"raw": "weight_orig", "u": "weight_u", "v": "weight_v"}, "weight"),
    ({"g": "weight_g", "v": "weight_v"}, "weight"),
    ({"g": "parametrizations.weight.original0", "v": "parametrizations.weight.original1"}, "weight"),
    ({"raw": "parametrizations.weight.original", "u": "parametrizations.weight.0._u",
      "v": "parametrizations.weight.0._v"}, "weight"),
)  # fmt: skip


def multiplied(entries: Mapping[str, NamedArray], name: str) -> dict[str, NamedArray]:
    """The entries with each weight in place of its factors, where they first stand.

    Raises ShapeError for factors that do not fit each other, NetworkError for parametrizations that only their module
    can compute. Nothing is read until an entry is.
    """
    found = dict(entries)
    for parts, weight in FORMS:
        last = next(iter(parts.values()))
        for key in [key for key in found if key == last or key.endswith(f".{last}")]:
            stem = key[: -len(last)]
            keys = {part: stem + of for part, of in parts.items()}
            if all(k in found for k in keys.values()):
                made = _weight({part: found[k] for part, k in keys.items()}, f"`{short(key)}` of {name}")
                found = {(stem + weight if k == key else k): made if k == key else x for k, x in found.items()}
                for other in set(keys.values()) - {key}:
                    del found[other]
    left = next((key for key in found if "parametrizations." in key), None)
    if left is not None:
        raise NetworkError(
            f"`{short(left)}` of {name} belongs to a parametrized weight, and its name does not tell how. Load the "
            "module itself, as engine.load(module, example=a tensor of inputs)."
        )
    return found


def _weight(parts, where):
    base = parts.get("raw", parts["v"])
    shape, size = base.shape, math.prod(base.shape)
    if "raw" in parts:
        fits = len(shape) == 2 and (parts["u"].shape, parts["v"].shape) == (shape[:1], shape[1:])
    else:
        given = parts["g"].shape
        fits = not given or (len(given) == len(shape) and all(a in (1, b) for a, b in zip(given, shape, strict=True)))
    if not fits or size == 0:
        raise ShapeError(f"{where}: its factors {', '.join(str(x.shape) for x in parts.values())} do not fit.")

    def read():
        check_weights(size, where)
        a = {part: np.asarray(x.read(), float) for part, x in parts.items()}
        with np.errstate(all="ignore"):  # what is not finite is refused with the layer's name
            if "raw" in a:
                return a["raw"] / (a["u"] @ a["raw"] @ a["v"])
            axes = tuple(i for i, n in enumerate(a["g"].shape) if n == 1) if a["g"].ndim else None
            return a["g"] * a["v"] / np.sqrt((a["v"] ** 2).sum(axis=axes, keepdims=True))

    return NamedArray(shape, read)
