"""Wide layers with their tanh at many points, beside numpy and PyTorch: `python -m benchmarks.product`.

Prints a table and adds its rows to benchmarks/results/product.csv. Points and values stay where they are computed; the
least of several runs counts. A processor that is busy with other things makes ours, which waits for all cores, look
slower than it is.
"""

import argparse
import importlib.util

import numpy as np

from benchmarks.results import spread, store
from engine.gpu.array import Array
from engine.gpu.channel_map import groups_of
from engine.gpu.device import device
from engine.kernels import product
from engine.network.random import random_mlp
from engine.reference import product as twin

WIDTHS = (65, 100, 200, 400, 1000)
RUNS = 5
# Of workgroups' memory software drivers make nothing: a few points will do.
FEW = 16


def least_time(run):
    return spread(run, RUNS)[1]


def ours(net, x, precision, variant):
    """(seconds, values)"""
    wide = product.Wide(net, precision, variant=variant)
    padded = np.zeros((len(x), groups_of(net.inputs) * 4), np.float32)
    padded[:, : net.inputs] = x
    points, values = Array.of(padded.reshape(-1, 4)), Array(product.VEC4, len(x) * groups_of(net.outputs))

    def run():
        encoder = device().encoder()
        wide.record(encoder, points, values, len(x))
        device().submit(encoder)
        values.read(1)

    seconds = least_time(run)
    return seconds, values.read().reshape(len(x), -1)[:, : net.outputs]


def by_numpy(net, x):
    def run():
        h = x
        for layer in net.layers:
            h = np.tanh(h @ layer.weights.T + layer.bias)

    return least_time(run)


def by_torch(net, x):
    import torch

    layers, points = [(torch.tensor(y.weights), torch.tensor(y.bias)) for y in net.layers], torch.tensor(x)

    def run():
        with torch.no_grad():
            h = points
            for weights, bias in layers:
                h = torch.tanh(torch.nn.functional.linear(h, weights, bias))

    return least_time(run)


PEERS = {"numpy": by_numpy, "torch": by_torch}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=16384)
    count = parser.parse_args().points
    rows = []
    for width in WIDTHS:
        # Four layers, so that entering and leaving do not count for more than they do in a network.
        net = random_mlp([width] * 5, "tanh", last="tanh", distribution="glorot", seed=0)
        x = np.random.default_rng(0).uniform(-1, 1, (count, width)).astype(np.float32)
        work = 2e-9 * 4 * width * width
        found: dict[str, tuple[int, float, float | str]] = {}
        for variant in dict.fromkeys((product.best_variant(net), "slabs")):
            n = count // FEW if variant == "slabs" and device().is_software else count
            for precision in product.PRECISIONS:
                seconds, values = ours(net, x[:n], precision, variant)
                worst = abs(values[:500] - twin.value(net, x[: min(n, 500)])).max()
                found[f"ours, {variant}, {precision}"] = (n, seconds, float(worst))
        for peer, run in PEERS.items():
            if importlib.util.find_spec(peer) is None:
                print(f"{width}: {peer} is not installed, so it is left out")
            else:
                found[peer] = (count, run(net, x), "")
        rows += [
            {"width": width, "points": n, "who": who, "seconds": seconds, "gflops": work * n / seconds, "error": error}
            for who, (n, seconds, error) in found.items()
        ]
    store("product", rows)


if __name__ == "__main__":
    main()
