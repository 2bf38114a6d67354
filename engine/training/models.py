"""Models as training loops hold them: PyTorch's wrappers removed; classifiers of one output given two."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.load_mlp import load
from engine.network.mlp import Mlp

# PyTorch's wrapper classes, and the attribute that holds the wrapped module.
WRAPPERS = {"OptimizedModule": "_orig_mod", "DataParallel": "module", "DistributedDataParallel": "module"}
# Activations that the last layer of a classifier may have.
LOGITS = ("identity", "softmax")


def unwrapped(model: Any) -> Any:
    """The module without the wrappers with which PyTorch compiles it or spreads it over devices."""
    while type(model).__name__ in WRAPPERS and hasattr(model, WRAPPERS[type(model).__name__]):
        model = getattr(model, WRAPPERS[type(model).__name__])
    return model


def first_weight(model: Any) -> Any:
    """The model's first tensor, or None if none can be found."""
    model = unwrapped(model)
    try:
        return next(iter(model.values() if isinstance(model, Mapping) else model.parameters()))
    except Exception:  # the object may be of any kind
        return None


def is_shown(module: Any) -> bool:
    """True for a module that `load` can read as it is, its activations too."""
    try:
        load(module)
    except NetworkError:
        return False
    return True


def two_logits(net: Mlp) -> Mlp:
    """A classifier of one output z as one of two: softmax of (0, z) gives class 1 sigmoid(z). Others stay as they are.

    Raises NetworkError for a classifier whose outputs are not logits or probabilities.
    """
    last = net.layers[-1]
    if net.outputs > 1:
        if str(last.activation) not in LOGITS:
            raise NetworkError(
                f"A classifier ends in {' or '.join(LOGITS)}, not {last.activation}: give task='values'."
            )
        return net
    if str(last.activation) not in ("identity", "sigmoid"):
        raise NetworkError(f"A classifier with one output ends in identity or sigmoid, not {last.activation}.")
    return net.changed(
        weights=[*net.weights[:-1], np.vstack([np.zeros_like(last.weights), last.weights])],
        biases=[*net.biases[:-1], np.append(np.float32(0), last.bias)],
        activations=[*net.activations[:-1], "identity"],
    )
