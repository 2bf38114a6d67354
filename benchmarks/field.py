"""A network's values over a square of points, beside numpy, PyTorch and JAX in one run: `python -m benchmarks.field`.

Prints a table and adds its rows to benchmarks/results/field.csv. Everyone gets float32 points and gives float32 values,
both in its own memory; compilation and transfers are outside the time, which is the least of several runs.
"""

import argparse
import importlib.util

import numpy as np

from benchmarks.results import keep, spread
from engine.gpu.array import Array
from engine.kernels.field import Field
from engine.network.random import random_mlp
from engine.reference import field as twin

NETWORKS = {"2-30x27-3": [2, *[30] * 27, 3], "3-8-1": [3, 8, 1]}
RUNS = 3


def points(inputs, size):
    """A square of size x size points in [-1, 1], further inputs 0.25: (size^2, inputs) float32."""
    at = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(at, at)
    return np.stack([x.ravel(), y.ravel(), *[np.full(size * size, 0.25, np.float32)] * (inputs - 2)], axis=1)


def least_time(run):
    """Seconds of the fastest of RUNS runs, after one that compiles."""
    return spread(run, RUNS)[1]


def ours(net, x, kind):
    """(seconds, values) on the adapter: points and values stay there, one number is read to know that all is done."""
    field = Field(net, kind)
    parts = field.parts(len(x))
    padded = np.zeros((len(x), -(-net.inputs // 4) * 4), np.float32)
    padded[:, : net.inputs] = x
    inputs = [Array.of(padded[rows].reshape(-1, 4)) for rows in parts]

    def run():
        for rows, array in zip(parts, inputs, strict=True):
            values = field.run(array, rows.stop - rows.start)
        return values.read(1)

    seconds = least_time(run)
    values = [
        field.run(a, r.stop - r.start).read().reshape(r.stop - r.start, -1)[:, : net.outputs]
        for r, a in zip(parts, inputs, strict=True)
    ]
    return seconds, np.concatenate(values)


def by_numpy(net, x):
    """float32, in chunks that stay in the processor's cache."""

    def run():
        result = np.empty((len(x), net.outputs), np.float32)
        for at in range(0, len(x), 4096):
            h = x[at : at + 4096]
            for layer in net.layers:
                h = h @ layer.weights.T + layer.bias
                h = np.tanh(h) if layer.activation.name == "tanh" else h
            result[at : at + 4096] = h
        return result

    return least_time(run)


def by_torch(net, x):
    """Eager, in chunks, no gradients."""
    import torch

    layers = [(torch.tensor(y.weights), torch.tensor(y.bias), y.activation.name) for y in net.layers]
    inputs = torch.tensor(x)

    def run():
        with torch.no_grad():
            for h in inputs.split(65536):
                for weights, bias, activation in layers:
                    h = torch.nn.functional.linear(h, weights, bias)
                    h = torch.tanh(h) if activation == "tanh" else h

    return least_time(run)


def by_jax(net, x):
    """Compiled by jit, whole."""
    import jax
    import jax.numpy as jnp

    layers = [(jnp.array(y.weights.T), jnp.array(y.bias), y.activation.name) for y in net.layers]

    @jax.jit
    def evaluate(h):
        for weights, bias, activation in layers:
            h = h @ weights + bias
            h = jnp.tanh(h) if activation == "tanh" else h
        return h

    inputs = jnp.array(x)
    return least_time(lambda: evaluate(inputs).block_until_ready())


PEERS = {"numpy": by_numpy, "torch": by_torch, "jax": by_jax}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1024, help="points a side (1024)")
    size = parser.parse_args().size
    rows = []
    for name, sizes in NETWORKS.items():
        net = random_mlp(sizes, "tanh", distribution="glorot", seed=0)
        x = points(net.inputs, size)
        work = 2 * sum(y.weights.size for y in net.layers) * len(x) / 1e9
        some = np.random.default_rng(0).integers(0, len(x), 1000)
        times, worst = {}, {}
        for kind in ("plain", "four"):
            times[f"ours, {kind}"], values = ours(net, x, kind)
            worst[f"ours, {kind}"] = float(abs(values[some] - twin.value(net, x[some])).max())
        best = min(times.values())
        for peer, run in PEERS.items():
            if importlib.util.find_spec(peer) is None:
                print(f"{name}: {peer} is not installed, so it is left out")
            else:
                times[peer] = run(net, x)
        rows += [
            {
                "network": name, "side": size, "who": who, "seconds": seconds, "gflops": work / seconds,
                "times ours": seconds / best, "worst error": worst.get(who, ""),
            }
            for who, seconds in times.items()
        ]  # fmt: skip
    keep("field", rows)


if __name__ == "__main__":
    main()
