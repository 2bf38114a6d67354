"""How long the first use of a network's shape takes, by kind of code, width, depth and activation.

Each is compiled once in this process, without the driver's cache: what counts is the processor's time of the first use
less that of the second. The slowest of each kind are printed and added to benchmarks/results/shapes.csv. There is no
peer: PyTorch compiles nothing, and JAX compiles 2-64-64-2 in half a second.
"""

import argparse
import os
import time

os.environ["MESA_SHADER_CACHE_DISABLE"] = "true"

import numpy as np

from benchmarks.results import store
from engine.draw.boundaries.boundaries import Boundaries
from engine.gpu.array import Array
from engine.kernels import field, grid
from engine.kernels.train import Training
from engine.network.activations import Activation
from engine.network.history import flat
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.network.units.mixed import mixed
from engine.render.renderer import Renderer
from engine.scene.flat_scene import FlatScene
from engine.scene.view_data import Clock

WIDTHS, DEPTHS = (3, 16, 30, 32, 33, 64, 96, 512), (1, 3, 8, 16)
MIXED = "mixed"
NAMES = ("relu", "tanh", "gelu", "mish", MIXED)
# What a layer of several activations has, in turn.
PARTS = ("identity", "relu", "tanh", "sine(30)", "gelu")
SHOWN = 3


def network(width, depth, name, outputs=2, seed=0):
    """A random network of two inputs; `mixed`: each hidden layer of five activations, an equal share each."""
    net = random_mlp(
        [2, *[width] * depth, outputs], "tanh" if name == MIXED else name, distribution="glorot", seed=seed
    )
    if name != MIXED:
        return net
    cuts = np.linspace(0, width, len(PARTS) + 1).astype(int)
    layer = mixed([(Activation.parse(a), int(n)) for a, n in zip(PARTS, np.diff(cuts), strict=True) if n])
    return Mlp(
        [x.weights for x in net.layers], [x.bias for x in net.layers], [layer] * depth + [net.layers[-1].activation]
    )


def by_field(kind):
    def make(net):
        one = field.Field(net, kind)
        points = Array.of(np.zeros((64 * one.group, 4), np.float32))
        return lambda: one.run(points, 64).read()

    return make


def by_grid(gradient):
    def make(net):
        plane = grid.Plane(np.zeros(2), np.array([0.1, 0.0]), np.array([0.0, 0.1]))
        return lambda: grid.evaluate_grid(net, plane, (16, 16), gradient=gradient)

    return make


def by_boundaries(net):
    class Picture(FlatScene):
        def build(self, stage):
            stage.add(Boundaries(net))

    scene, renderer = Picture(), Renderer()
    return lambda: renderer.frame(scene, Clock(0.0), (16, 16), 1).pixels()


def by_training(net):
    weights = np.array([flat(net)])
    training = Training(net.shape, "classes", np.zeros((32, 2)), np.zeros(32, int), weights, [0], batch=32)

    def step():
        training.advance([1e-3])
        training.wait()

    return step


KINDS = {
    "field": by_field("plain"), "gradient": by_field("tangent"), "field of many points": by_field("batched"),
    "grid": by_grid(False), "grid with gradients": by_grid(True), "boundaries": by_boundaries, "training": by_training,
}  # fmt: skip


def first_use(make, net):
    """Seconds of processor of the first use, less the second's."""
    start = time.process_time()
    use = make(net)
    use()
    first = time.process_time() - start
    start = time.process_time()
    use()
    return first - (time.process_time() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], default=[], help="all, unless named")
    parser.add_argument("--activations", nargs="*", default=NAMES)
    parser.add_argument("--widths", nargs="*", type=int, default=WIDTHS)
    parser.add_argument("--depths", nargs="*", type=int, default=DEPTHS)
    parser.add_argument("--all", action="store_true", help="print each")
    asked = parser.parse_args()
    first_use(KINDS["field"], network(5, 1, "relu"))  # and the device, which belongs to no shape
    rows = []
    for kind in asked.kinds or KINDS:
        found = []
        for name in asked.activations:
            for width in asked.widths:
                for depth in asked.depths:
                    # Training takes layers of one activation.
                    if kind == "training" and name == MIXED:
                        continue
                    seconds = first_use(KINDS[kind], network(width, depth, name))
                    found.append((seconds, f"2-{width}x{depth}-2", name))
                    if asked.all:
                        print(kind, *found[-1], flush=True)
        for seconds, shape, name in sorted(found, reverse=True)[:SHOWN]:
            rows.append({"kind": kind, "network": shape, "activation": name, "seconds": seconds, "of": len(found)})
    store("shapes", rows)


if __name__ == "__main__":
    main()
