"""Models as training loops hold them: PyTorch's wrappers removed; classifiers of one output given two."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.torch.running import unwrapped
from engine.network.mlp import Mlp

# Activations that the last layer of a classifier may have.
LOGITS = ("identity", "softmax", "log_softmax")


def weights_of(model: Any) -> list[Any]:
    """The model's tensors; none if they cannot be found."""
    model = unwrapped(model)
    try:
        return list(model.values() if isinstance(model, Mapping) else model.parameters())
    except Exception:  # the object may be of any kind
        return []


def changes(weights: list[Any]) -> int | None:
    """How often tensors were changed in place, as PyTorch counts it; None if there are none that say so."""
    counts = [count for weight in weights if (count := getattr(weight, "_version", None)) is not None]
    return sum(counts) if counts else None


def two_logits(net: Mlp) -> Mlp:
    """A classifier of one output z as one of two: softmax of (0, z) gives class 1 sigmoid(z). Others stay as they are.

    Raises NetworkError for a classifier whose outputs are not logits or probabilities.
    """
    last = net.layers[-1]
    if net.outputs > 1:
        if str(last.activation) not in LOGITS:
            known = f"{', '.join(LOGITS[:-1])} or {LOGITS[-1]}"
            raise NetworkError(f"A classifier ends in {known}, not {last.activation}: give task='values'.")
        return net
    if str(last.activation) not in ("identity", "sigmoid"):
        raise NetworkError(f"A classifier with one output ends in identity or sigmoid, not {last.activation}.")
    return net.changed(
        weights=[*net.weights[:-1], np.vstack([np.zeros_like(last.weights), last.weights])],
        biases=[*net.biases[:-1], np.append(np.float32(0), last.bias)],
        activations=[*net.activations[:-1], "identity"],
    )
