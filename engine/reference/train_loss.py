"""The loss over all data in float64."""

import numpy as np
from numpy.typing import ArrayLike


def mean_loss(outputs: ArrayLike, targets: ArrayLike, task: str) -> float:
    """The mean loss of networks' outputs.

    outputs   (N, outputs)
    targets   (N,) classes, or (N, outputs) values
    task      "classes": softmax cross-entropy; "values": mean squared error
    """
    outputs = np.asarray(outputs, float)
    if task == "values":
        return float(((outputs - np.asarray(targets, float).reshape(outputs.shape)) ** 2).mean())
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    right = shifted[np.arange(len(outputs)), targets]
    return float((np.log(np.exp(shifted).sum(axis=1)) - right).mean())
