"""Models as training loops have them: taken out of PyTorch's wrappers; classifiers of one output as ones of two."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.load_mlp import load
from engine.network.mlp import Mlp

# What PyTorch wraps round a module, and the attribute that has the module itself.
WRAPPERS = {"OptimizedModule": "_orig_mod", "DataParallel": "module", "DistributedDataParallel": "module"}
# After the last layer of a classifier.
LOGITS = ("identity", "softmax")


def unwrapped(model: Any) -> Any:
    """The module inside what PyTorch wraps round one to compile it or to spread it over devices."""
    while type(model).__name__ in WRAPPERS and hasattr(model, WRAPPERS[type(model).__name__]):
        model = getattr(model, WRAPPERS[type(model).__name__])
    return model


def first_weight(model: Any) -> Any:
    """A tensor of the model, or None where it has none that can be found."""
    model = unwrapped(model)
    try:
        return next(iter(model.values() if isinstance(model, Mapping) else model.parameters()))
    except Exception:  # of a foreign object, which need have neither
        return None


def is_shown(module: Any) -> bool:
    """True for a module that can be taken whole, its activations too."""
    try:
        load(module)
    except NetworkError:
        return False
    return True


def two_logits(net: Mlp) -> Mlp:
    """A classifier of one output as one of two: logits 0 and z have the softmax sigmoid(z).

    Raises NetworkError for one whose outputs are not logits or probabilities.
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
