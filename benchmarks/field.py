"""A network's values over a square grid, beside numpy, PyTorch and JAX in one run: `python -m benchmarks.field`.

Prints a table and adds its rows to benchmarks/results/field.csv. Everyone gives float32 values in its own memory; the
least of several runs counts, after one that compiles. Peers that are not installed are left out, and it says so.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import time

import numpy as np

from benchmarks.results import spread, store
from engine.errors import NeurosceneError
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.kernels.field import Field
from engine.kernels.grid import Grid, Plane
from engine.network.random import random_mlp
from engine.reference import field as twin

# name -> (sizes, samples a side if other than 1024): 1024 x 1024 of the wide one would take everyone minutes.
NETWORKS = {
    "2-30x27-3": ([2, *[30] * 27, 3], 1024),
    "2-30x39-3": ([2, *[30] * 39, 3], 1024),
    "2-400x13-3": ([2, *[400] * 13, 3], 128),
}
RUNS = 3
# Rows that PyTorch takes at once: the best of these is its figure.
CHUNKS = (4096, 16384, 65536)
# float16 is computed by way of float32 on software drivers, and takes long.
HALF_SIDE = 128


def network(name):
    return random_mlp(NETWORKS[name][0], "tanh", distribution="glorot", seed=0)


def plane(side):
    """The square [-1, 1]^2."""
    step = 2 / side
    return Plane(np.zeros(2), np.array([step, 0.0]), np.array([0.0, step]))


def least_time(run):
    """Seconds of the fastest of RUNS runs, after one that compiles."""
    return spread(run, RUNS)[1]


def by_grid(net, side, precision="f32"):
    """(seconds, values) from sample numbers to an array on the adapter; one value is read to know that all is done."""
    grid = Grid(net, precision=precision)
    found: list[Array] = []

    def run():
        encoder = device().encoder()
        found[:] = [grid.record(encoder, plane(side), (side, side))]
        device().submit(encoder)
        found[0].read(1)

    seconds = least_time(run)
    return seconds, found[0].read().reshape(side * side, -1)[:, : net.outputs]


def by_points(net, side):
    """(seconds, values) from points that lie on the adapter, in the parts that one buffer or dispatch holds."""
    field, x = Field(net, "batched"), plane(side).points((side, side)).reshape(-1, 2).astype(np.float32)
    padded = np.zeros((len(x), 4), np.float32)
    padded[:, :2] = x
    parts = field.parts(len(x))
    inputs = [Array.of(padded[rows]) for rows in parts]

    def run():
        for rows, array in zip(parts, inputs, strict=True):
            values = field.run(array, rows.stop - rows.start)
        values.read(1)

    seconds = least_time(run)
    values = [field.run(a, r.stop - r.start).read() for r, a in zip(parts, inputs, strict=True)]
    return seconds, np.concatenate([v.reshape(-1, 4) for v in values])[:, : net.outputs]


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

    return {"numpy": least_time(run)}


def by_torch(net, x):
    """Eager, no gradients: whole, and in chunks."""
    import torch

    layers = [(torch.tensor(y.weights), torch.tensor(y.bias), y.activation.name) for y in net.layers]
    inputs = torch.tensor(x)

    def run(chunk):
        with torch.no_grad():
            for h in inputs.split(chunk):
                for weights, bias, activation in layers:
                    h = torch.nn.functional.linear(h, weights, bias)
                    h = torch.tanh(h) if activation == "tanh" else h

    times = {chunk: least_time(lambda chunk=chunk: run(chunk)) for chunk in CHUNKS if chunk < len(x)}
    best = min(times, key=lambda chunk: times[chunk])
    return {"torch, whole": least_time(lambda: run(len(x))), f"torch, {best} at once": times[best]}


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
    return {"jax": least_time(lambda: evaluate(inputs).block_until_ready())}


PEERS = {"numpy": by_numpy, "torch": by_torch, "jax": by_jax}


def first_use(name, precision):
    """Seconds to the first 64 x 64 samples of a shape not met before, in a process without the driver's cache."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.field", "--first", name, "--precision", precision],
        env={**os.environ, "MESA_SHADER_CACHE_DISABLE": "true"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


def _print_first_use(name, precision):
    from engine.gpu.kernel import subgroup_size

    net = network(name)
    subgroup_size()  # and the device: neither belongs to the shape
    start = time.perf_counter()
    encoder = device().encoder()
    values = Grid(net, precision=precision).record(encoder, plane(64), (64, 64))
    device().submit(encoder)
    values.read(1)
    print(time.perf_counter() - start)


def ours(name, net, side):
    """who -> (side, seconds, worst error, first use) of each of our ways."""
    ways = {"ours, grid": lambda: by_grid(net, side), "ours, points": lambda: by_points(net, side)}
    sides = dict.fromkeys(ways, side)
    if "shader-f16" in device().features:
        few = min(side, HALF_SIDE) if device().is_software else side
        ways["ours, grid in f16"], sides["ours, grid in f16"] = lambda: by_grid(net, few, "f16"), few
    for who, run in ways.items():
        try:
            seconds, values = run()
        except NeurosceneError as error:
            print(f"{name}: {who} is left out: {error}")
            continue
        x = plane(sides[who]).points((sides[who],) * 2).reshape(-1, 2)
        some = np.random.default_rng(0).integers(0, len(x), 1000)
        worst = float(abs(values[some] - twin.value(net, x[some])).max())
        first = first_use(name, "f16" if "f16" in who else "f32") if "grid" in who else ""
        yield who, (sides[who], seconds, worst, first)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", choices=[*NETWORKS, []], default=[], help="all, unless named")
    parser.add_argument("--size", type=int, help="samples a side, of every network")
    parser.add_argument("--first", choices=NETWORKS, help=argparse.SUPPRESS)
    parser.add_argument("--precision", default="f32", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.first:
        _print_first_use(asked.first, asked.precision)
        return
    for name in asked.networks or NETWORKS:
        net, side = network(name), asked.size or NETWORKS[name][1]
        found = dict(ours(name, net, side))
        x = plane(side).points((side, side)).reshape(-1, 2).astype(np.float32)
        for peer, run in PEERS.items():
            if importlib.util.find_spec(peer) is None:
                print(f"{name}: {peer} is not installed, so it is left out")
            else:
                found |= {who: (side, seconds, "", "") for who, seconds in run(net, x).items()}
        products = sum(y.weights.size for y in net.layers)
        grid = found["ours, grid"][1] / side**2
        rows = [
            {
                "network": name, "side": at, "who": who, "seconds": seconds,
                "seconds at 1024": seconds * (1024 / at) ** 2, "gflops": 2e-9 * products * at**2 / seconds,
                "times ours": seconds / at**2 / grid, "worst error": worst, "first use": first,
            }
            for who, (at, seconds, worst, first) in found.items()
        ]  # fmt: skip
        store("field", rows)


if __name__ == "__main__":
    main()
