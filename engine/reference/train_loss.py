"""The loss over all data in float64."""

import numpy as np
from numpy.typing import ArrayLike

from engine.reference.train import outputs_loss


def mean_loss(outputs: ArrayLike, targets: ArrayLike, task: str) -> float:
    """The mean loss of networks' outputs.

    outputs   (N, outputs)
    targets   (N,) classes, or (N, outputs) values
    task      "classes": softmax cross-entropy; "values": mean squared error
    """
    return outputs_loss(np.asarray(outputs, float), targets, task)[0]
