"""A history's networks evaluated at points, many snapshots at once: signals, responses and answers."""

import numpy as np

from engine.network.activations import SQRT2

# Numbers of one array at a time: 32 MiB of float32, which stays near a processor's caches.
CHUNK = 8_000_000


def layer_weights(history, run, snapshots):
    """Weights (S, out, in) and biases (S, out) of each layer, at the numbers of S snapshots."""
    rows = history.weights[run][np.asarray(snapshots)]
    parts, at = [], 0
    for inputs, out in zip(history.shape.sizes, history.shape.sizes[1:], strict=False):
        end = at + out * inputs
        parts.append((rows[:, at:end].reshape(-1, out, inputs), rows[:, end : end + out]))
        at = end + out
    return parts


def on_plane(weights, bias, domain):
    """A first layer's weights (S, out, 2) and bias (S, out) over a domain's world x and y, in float64."""
    return weights @ domain.axes.T, bias + weights @ domain.origin


def responses(activation, z):
    """What units answer to their signals z, float32, elementwise.

    gelu is taken by a formula, as it has no quick one in numpy: Abramowitz and Stegun 7.1.26, within 1.5e-7 of erf.
    """
    if activation.name == "gelu":
        x = np.abs(z) / np.float32(SQRT2)
        t = 1 / (1 + np.float32(0.3275911) * x)
        tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
        tail *= np.exp(-x * x) / 2
        return z * np.where(z > 0, 1 - tail, tail)
    return activation.rule.value(z, np.float32(activation.parameter)).astype(np.float32, copy=False)


def signals(history, run, snapshots, points):
    """What reaches each unit before its activation: [(S, units, N) float32], a layer each, the outputs' last.

    snapshots   S numbers of snapshots
    points      (N, 2), world
    """
    out, h = [], None
    points = np.asarray(points, float)
    for k, (weights, bias) in enumerate(layer_weights(history, run, snapshots)):
        if k == 0:
            weights, bias = on_plane(weights, bias, history.domain)
            z = (weights @ points.T + bias[..., None]).astype(np.float32)
        else:
            h = responses(history.shape.activations[k - 1], out[-1])
            z = weights @ h + bias[..., None]
        out.append(z)
    return out


def answers(history, z):
    """What the network answers, (S, outputs, N): for classes their probabilities, for values the values.

    z   (S, outputs, N), signals of the last layer

    A classifier of one output answers how likely class 1 is, and class 0 is written before it.
    """
    last = history.shape.activations[-1]
    if history.task == "values":
        return last.value(z) if last.rule.elementwise else np.moveaxis(last.value(np.moveaxis(z, 1, -1)), -1, 1)
    if z.shape[1] == 1:
        p = last.value(z)
        # A sigmoid's value is a probability already; of anything else it is the logit of one.
        p = p if last.name == "sigmoid" else 0.5 + 0.5 * np.tanh(p / 2)
        return np.concatenate([1 - p, p], 1)
    logits = z if not last.rule.elementwise else last.value(z)
    e = np.exp(logits - logits.max(1, keepdims=True), dtype=float)
    return e / e.sum(1, keepdims=True)


def snapshots_at_once(history, points):
    """How many snapshots are evaluated at so many points in arrays of at most CHUNK numbers; 1 or more."""
    return max(1, CHUNK // (max(history.shape.sizes[1:]) * points))


def grid(domain, columns, rows):
    """(rows * columns, 2): world points over a domain, its sides among them, row by row from the top left."""
    x = np.linspace(domain.low[0], domain.high[0], columns)
    y = np.linspace(domain.high[1], domain.low[1], rows)
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)


def target_classes(history):
    """A classifier's target as class numbers, (H, W); None where it is not known what class a grey stands for."""
    image = history.target
    if history.task != "classes" or image is None or image.ndim != 2:
        return None
    levels, numbers = np.unique(image, return_inverse=True)
    classes = max(2, history.shape.sizes[-1])
    if levels[-1] < classes:
        return image.astype(int)
    # An image of greys: the darkest is class 0, as when it was learnt from.
    return numbers.reshape(image.shape) if len(levels) == classes else None
