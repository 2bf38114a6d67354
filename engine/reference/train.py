"""Training in float64: minibatches from a counter, gradients by backpropagation, Adam."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from engine.network.mlp import Shape

BETAS, EPSILON = (0.9, 0.999), 1e-8


def pcg(v: ArrayLike) -> np.ndarray:
    """PCG's output function over one step of its generator, of whole numbers below 2^32; uint64."""
    mask = np.uint64(0xFFFFFFFF)
    v = np.asarray(v, np.uint64) & mask
    s = (v * np.uint64(747796405) + np.uint64(2891336453)) & mask
    q = (((s >> ((s >> np.uint64(28)) + np.uint64(4))) ^ s) * np.uint64(277803737)) & mask
    return (q >> np.uint64(22)) ^ q


def minibatch(seed: int, step: int, batch: int, count: int) -> np.ndarray:
    """The numbers of the samples of one step, drawn with replacement; (batch,) int64.

    seed    of the run, below 2^32
    step    counted from 0
    batch   samples; 0: all of them, in order
    count   samples there are
    """
    if batch == 0:
        return np.arange(count)
    counter = pcg(step * batch + np.arange(batch))
    drawn = pcg((counter + pcg(seed)) & np.uint64(0xFFFFFFFF))
    return ((drawn * np.uint64(count)) >> np.uint64(32)).astype(np.int64)


def split(shape: Shape, flat: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """(weights (out, in), bias (out,)) of each layer of flat weights, as views."""
    layers, at = [], 0
    for n, m in zip(shape.sizes, shape.sizes[1:], strict=False):
        layers.append((flat[at : at + n * m].reshape(m, n), flat[at + n * m : at + (n + 1) * m]))
        at += (n + 1) * m
    return layers


def loss_and_gradient(
    shape: Shape, flat: ArrayLike, points: np.ndarray, targets: np.ndarray, task: str
) -> tuple[float, np.ndarray]:
    """The mean loss over some samples and its derivative by each weight.

    flat      (P,), as network.history.flat gives them
    points    (N, inputs)
    targets   (N,) classes, or (N, outputs) values
    task      "classes": softmax cross-entropy of the outputs; "values": their mean squared error
    returns   a float and (P,), float64
    """
    layers = split(shape, np.asarray(flat, float))
    responses, slopes = [np.asarray(points, float)], []
    for (weights, bias), activation in zip(layers, shape.activations, strict=True):
        z = responses[-1] @ weights.T + bias
        responses.append(activation.value(z))
        slopes.append(activation.slope(z))
    loss, delta = outputs_loss(responses[-1], targets, task)
    gradient = np.zeros(np.size(flat))
    parts = split(shape, gradient)
    for layer in reversed(range(len(layers))):
        delta = delta * slopes[layer]
        parts[layer][0][:] = delta.T @ responses[layer]
        parts[layer][1][:] = delta.sum(axis=0)
        delta = delta @ layers[layer][0]
    return loss, gradient


def outputs_loss(outputs: np.ndarray, targets: ArrayLike, task: str) -> tuple[float, np.ndarray]:
    """The mean loss of (N, outputs), and its derivative by each output."""
    if task == "values":
        error = outputs - np.asarray(targets, float).reshape(outputs.shape)
        return float((error**2).mean()), 2.0 * error / error.size
    rows = np.arange(len(outputs))
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    sums = np.exp(shifted).sum(axis=1)
    delta = np.exp(shifted) / sums[:, None]
    delta[rows, targets] -= 1.0
    return float((np.log(sums) - shifted[rows, targets]).mean()), delta / len(outputs)


def train(
    shape: Shape,
    flat: ArrayLike,
    points: np.ndarray,
    targets: np.ndarray,
    task: str,
    rates: Sequence[float] | np.ndarray,
    *,
    batch: int = 128,
    seed: int = 0,
    betas: tuple[float, float] = BETAS,
    epsilon: float = EPSILON,
) -> np.ndarray:
    """The weights after each step of Adam (Kingma and Ba 2015), as PyTorch computes it; (steps + 1, P) float64.

    flat    (P,) weights at first
    rates   (steps,) learning rate of each step
    batch   samples of a step, chosen by `minibatch` with `seed`; 0 for all
    """
    w = np.array(flat, float)
    m, v = np.zeros_like(w), np.zeros_like(w)
    history = [w.copy()]
    for step, rate in enumerate(rates):
        some = minibatch(seed, step, batch, len(points))
        _, g = loss_and_gradient(shape, w, points[some], targets[some], task)
        m += (1 - betas[0]) * (g - m)
        v = betas[1] * v + (1 - betas[1]) * g * g
        corrected = np.sqrt(v) / np.sqrt(1 - betas[1] ** (step + 1)) + epsilon
        w = w - rate / (1 - betas[0] ** (step + 1)) * m / corrected
        history.append(w.copy())
    return np.array(history)
