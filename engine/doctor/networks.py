"""The kernels of networks of layers against their float64 twins: values, rays, bounds, paths, training.

A check gets the modules of its kernel and its twin, and yields rows as engine.doctor.compare.compare takes them.
"""

from collections.abc import Iterator
from types import ModuleType

import numpy as np

from engine.doctor.compare import Row, points
from engine.gpu.device import device
from engine.network.history import flat
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.network.rules.usual import USUAL
from engine.reference import field as field_twin


def _name(sizes: list[int], *words: str) -> str:
    return " ".join(["-".join(map(str, sizes)), *words])


def _net(sizes: list[int], activation: str, last: str = "identity", seed: int = 1) -> Mlp:
    """A random network whose hidden layers have an activation, or one for each unit."""
    net = random_mlp(sizes, last=last, distribution="glorot", seed=seed)
    return net.changed(activations=[activation] * (len(sizes) - 2) + [last])


def _random_rays(rng: np.random.Generator, reach: float, count: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Origins and directions of so many rays, (count, 3) float32 each."""
    origins = rng.uniform(-reach, reach, (count, 3)).astype(np.float32)
    directions = rng.normal(size=(count, 3))
    return origins, (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)


def check_field(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Values and gradients of the usual activations, a unit each, and of deep and wide networks."""
    spelled = {"sine": "sine(3)", "leaky_relu": "leaky_relu(0.2)"}
    each = [spelled.get(a, a) for a in USUAL]
    units = " + ".join(f"1 {activation}" for activation in each)
    # What is compiled grows with a network's products: few of them do for every part of the code.
    cases = [
        ([3, len(each)], "identity", units, each),
        ([3, 8, 5], "tanh", "softmax", None),
        ([2, 8, 8, 8, 3], "tanh", "identity", None),
        ([3, 80, 80, 1], "relu", "identity", None),
        ([3, 8, 8, 2], "3 relu + 1 sine(2) + 2 product + 2 identity", "identity", None),
    ]
    for sizes, activation, last, names in cases:
        net = _net(sizes, activation, last)
        x = points(net.inputs)
        values, gradients = kernel.evaluate(net, x, gradient=True)
        exact, exact_gradients = twin.value_and_gradient(net, x)
        value_bound, gradient_bound = twin.bounds(net, x)
        name = _name(sizes, activation if last == "identity" else last)
        # A column for each unit where they have names, else all outputs at once.
        for what, at in [(name, slice(None))] if names is None else zip(names, range(len(each)), strict=True):
            yield f"value, {what}", abs(values - exact)[:, at], value_bound[:, at]
            yield f"gradient, {what}", abs(gradients - exact_gradients)[:, at], gradient_bound[:, at]


def check_grid(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Values and derivatives of narrow and wide networks over a small grid; in float16 where the adapter has it."""
    rng = np.random.default_rng(5)
    for sizes in ([2, 8, 8, 3], [5, 34, 2], [3, 66, 3]):
        net = random_mlp(sizes, "tanh", distribution="glorot", seed=1)
        plane = kernel.Plane(rng.normal(size=sizes[0]), *(0.05 * rng.normal(size=(2, sizes[0]))))
        where, name = (plane.centre, plane.across, plane.down, (24, 10)), _name(sizes)
        values, gradients = kernel.evaluate_grid(net, plane, (24, 10), gradient=True)
        exact, exact_gradients = twin.grid(net, *where)
        value_bound, gradient_bound = twin.bounds(net, *where)
        plain = kernel.evaluate_grid(net, plane, (24, 10))
        yield f"value, {name}", np.maximum(abs(values - exact), abs(plain - exact)), value_bound
        yield f"derivatives, {name}", abs(gradients - exact_gradients), gradient_bound
        if "shader-f16" in device().features and sizes == [5, 34, 2]:
            half = kernel.evaluate_grid(net, plane, (24, 10), precision="f16")
            yield f"value in f16, {name}", abs(half - exact), twin.half_bounds(net, *where)


def check_product(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Wide layers by each variant that this adapter has, in both precisions; a softmax, and units of several kinds."""
    best = kernel.best_variant(_net([130, 70, 3], "tanh"))
    # Every layer is compiled for itself, unless another one has the same outputs: then it is one of the same code.
    for sizes, hidden, last, variant, precision in (
        ([130, 70, 3], "tanh", "identity", best, "f32"),
        ([130, 18, 3], "tanh", "identity", best, "f16"),
        ([130, 70, 70], "tanh", "tanh", "slabs", "f32"),
        ([130, 18, 3], "tanh", "identity", "slabs", "f16"),
        ([70, 5], "tanh", "softmax", best, "f32"),
        ([130, 18, 3], "9 tanh + 1 relu + 8 identity", "identity", best, "f32"),
    ):
        net = _net(sizes, hidden, last)
        x = points(net.inputs)
        name = _name(sizes, last if hidden == "tanh" else hidden)
        values = kernel.evaluate(net, x, precision=precision, variant=variant)
        yield f"{precision} by {variant}, {name}", abs(values - twin.value(net, x)), twin.bounds(net, x, precision)


def check_rays(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Hits of rays through the default scene's kind of network, and through a deep one, on their levels."""
    rng = np.random.default_rng(2)
    # The twin takes a second for 40 rays of the deep one.
    for sizes, activation, count in (([3, 8, 1], "tanh", 64), ([3, 8, 8, 1], "sine(2)", 24)):
        net = random_mlp(sizes, activation, distribution="glorot" if len(sizes) > 3 else "uniform", seed=3)
        origins, directions = _random_rays(rng, 5, count)
        arguments = dict(level=0.25, surfaces=2)
        found = kernel.cast(net, origins, directions, 8.0, **arguments)
        exact = twin.cast(net, origins, directions, 8.0, **arguments)
        name = _name(sizes, activation)
        # A graze is a ray for which rounding decides; it may be seen by one and not by the other.
        certain = ~((found["outcome"] == kernel.GRAZE) | (exact["outcome"] == kernel.GRAZE)).any(axis=1)
        differ = (found["outcome"] != exact["outcome"])[certain].sum()
        yield f"outcomes that differ, {name}", differ, 0.5
        hit = (found["outcome"] == kernel.HIT) & certain[:, None]
        t = found["t"][hit].astype(float)
        ray = np.nonzero(hit)[0]
        at = origins[ray] + t[:, None] * directions[ray].astype(float)
        values, gradients = field_twin.value_and_gradient(net, at)
        # Off the level by no more than evaluation may be, and a step of 1e-6 of the ray along it.
        bound = field_twin.bounds(net, at, gradient=False)[0][:, 0]
        slope = abs((gradients[:, 0] * directions[ray]).sum(axis=1))
        off = abs(values[:, 0] - (0.25 + found["level"][hit]))
        yield f"height off the level, {name}", off, bound + 8e-6 * slope


def check_enclosure(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Pieces of rays between whose bounds the network must lie, at every place: how far it is outside of them."""
    rng = np.random.default_rng(4)
    origins, directions = _random_rays(rng, 3)
    ends = (2 * rng.random(64)).astype(np.float32)
    units = "3 sine(2) + 1 tanh + 2 product + 2 identity"
    for sizes, activation in (([3, 8, 1], "tanh"), ([3, 8, 8, 1], "sine(2)"), ([3, 8, 8, 1], units)):
        net = _net(sizes, activation, seed=3)
        bounds = kernel.enclose(net, origins, directions, 0.0, ends, places=9).astype(float)
        t = np.linspace(0, 1, 9) * ends[:, None].astype(float)
        values = field_twin.value(net, (origins[:, None] + t[..., None] * directions[:, None]).reshape(-1, 3)).reshape(
            64, 9
        )
        outside = np.maximum(np.maximum(bounds[..., 0] - values, values - bounds[..., 1]), 0)
        # Nothing is allowed but the rounding of the twin itself.
        yield f"outside the bounds, {_name(sizes, activation)}", outside, 1e-12


def check_sparks(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Paths of a network with a gentle gradient, where rounding is not magnified."""
    net = random_mlp([3, 8, 1], "tanh", distribution="glorot", seed=1)
    seeds = points(3, 64)
    positions, values = kernel.trace(net, seeds)
    exact, exact_values = twin.trace(net, seeds)
    # 20 steps, each off by some ulp of the position and by the rotation that an error of the gradient makes; both below
    # 1e-6.
    yield "position, 3-8-1 tanh (world units)", abs(positions - exact), 2e-5
    yield "value at its end, 3-8-1 tanh", abs(values - exact_values), 2e-5


def check_train(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """Ten steps of Adam: a classifier in each layout that this adapter has, a network of values in one."""
    rng, rates = np.random.default_rng(6), np.full(10, 1e-2)
    for task, last in (("classes", "identity"), ("values", "sigmoid")):
        net = random_mlp([2, 5, 4, 3], "tanh", last=last, distribution="glorot", seed=1)
        x = points(2)
        targets = rng.integers(0, 3, 256) if task == "classes" else rng.random((256, 3)).astype(np.float32)
        data = (net.shape, task, x, targets, flat(net)[None], [5])
        exact = twin.train(net.shape, flat(net), x, targets, task, rates, batch=48, seed=5)[-1]
        for variant in kernel.variants() if task == "classes" else kernel.variants()[:2][-1:]:
            training = kernel.Training(*data, batch=48, variant=variant)
            training.advance(rates)
            # A gradient known to 1e-5 of itself moves a weight by as much of the rate; and each step rounds it.
            bound = (1e-5 * rates + 2.0**-23 * abs(exact).max()).sum()
            yield f"weights by {variant}, 2-5-4-3 {task}", abs(training.weights[0] - exact), bound


def check_train_loss(kernel: ModuleType, twin: ModuleType) -> Iterator[Row]:
    """The loss over some points of a classifier and of a network of values."""
    rng = np.random.default_rng(7)
    for task in ("classes", "values"):
        net, x = random_mlp([2, 9, 5], "tanh", distribution="glorot", seed=1), points(2, 5000)
        targets = rng.integers(0, 5, 5000) if task == "classes" else rng.random((5000, 5)).astype(np.float32)
        found = kernel.Losses(net.shape, task, x, targets)(flat(net)[None])[0]
        exact = twin.mean_loss(field_twin.value(net, x), targets, task)
        # Outputs are below 4 and known to some ulp of 1, losses slope by 1 and 8 at most.
        yield f"2-9-5 {task}", abs(found - exact), 32 * 2.0**-23


CHECKS = {
    "product": check_product,
    "train": check_train,
    "rays": check_rays,
    "field": check_field,
    "grid": check_grid,
    "enclosure": check_enclosure,
    "sparks": check_sparks,
    "train_loss": check_train_loss,
}
