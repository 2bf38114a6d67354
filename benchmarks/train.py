"""Steps of training a second, beside PyTorch and JAX in one run: `python -m benchmarks.train`.

Everyone trains the same network on the same 40,000 points: minibatches of 128 drawn with replacement, softmax
cross-entropy, Adam, cosine annealing. They take turns, and the least time of each counts, so that a machine that is
busy for a while is so for all; where it is never idle, compare the processor's time, of all cores. Prints a table and
adds its rows to benchmarks/results/train.csv. Peers that are not installed are left out, and it says so.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import time

import numpy as np

from benchmarks.results import store
from engine.network.recipe import Recipe, first_weights
from engine.training.trainer import Trainer

NETWORKS = {
    "2-16-16-16-2": (2, 16, 16, 16, 2), "2-32-32-2": (2, 32, 32, 2), "2-32-32-32-2": (2, 32, 32, 32, 2),
    "2-64-64-2": (2, 64, 64, 2), "2-128-128-128-2": (2, 128, 128, 128, 2),
}  # fmt: skip
RUNS = (1, 2, 4)
# Seconds that a turn should take, and how many turns each takes.
TURN, TURNS = 0.5, 5
POINTS = 40_000


def recipe(name):
    return Recipe(NETWORKS[name], batch=128)


def data():
    """Points of the square and whether they lie within one of two rings."""
    points = np.random.default_rng(0).random((POINTS, 2)).astype(np.float32)
    return points, (np.sin(20 * np.hypot(*(points - 0.5).T)) > 0).astype(np.int64)


def ours(name, runs):
    """A function that takes so many steps of so many runs, and waits for them."""
    points, inside = data()
    trainer = Trainer(points, inside, recipe(name), seeds=range(runs), snapshots=[])

    def take(steps):
        trainer.advance(steps)
        trainer.wait()

    return take


def by_torch(name, **options):
    """The same of a PyTorch loop as people write it, with options of its Adam."""
    import torch

    # Products this small run slower on two threads.
    torch.set_num_threads(1)
    asked, (points, classes) = recipe(name), data()
    layers = []
    for layer in first_weights(asked.shape, 0).layers:
        linear = torch.nn.Linear(layer.weights.shape[1], len(layer.bias))
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(layer.weights))
            linear.bias.copy_(torch.tensor(layer.bias))
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    adam = torch.optim.Adam(model.parameters(), asked.rate, **options)
    anneal = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=asked.steps)
    loss_of = torch.nn.CrossEntropyLoss()
    x, y = torch.tensor(points), torch.tensor(classes)

    def take(steps):
        for _ in range(steps):
            some = torch.randint(0, POINTS, (asked.batch,))
            adam.zero_grad()
            loss_of(model(x[some]), y[some]).backward()
            adam.step()
            anneal.step()

    return take


def by_jax(name):
    """The same of a loop that JAX compiles whole (lax.scan), Adam written out."""
    import jax
    import jax.numpy as jnp

    asked, (points, classes) = recipe(name), data()
    x, y = jnp.array(points), jnp.array(classes)
    weights = [(jnp.array(w.weights.T), jnp.array(w.bias)) for w in first_weights(asked.shape, 0).layers]
    zeros = jax.tree.map(jnp.zeros_like, weights)

    def loss(weights, h, right):
        for w, b in weights[:-1]:
            h = jax.nn.relu(h @ w + b)
        logits = jax.nn.log_softmax(h @ weights[-1][0] + weights[-1][1])
        return -jnp.take_along_axis(logits, right[:, None], axis=1).mean()

    def step(state, _):
        weights, m, v, key, k = state
        key, drawn = jax.random.split(key)
        some = jax.random.randint(drawn, (asked.batch,), 0, POINTS)
        g = jax.grad(loss)(weights, x[some], y[some])
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate = 0.5 * asked.rate * (1 + jnp.cos(jnp.pi * k / asked.steps)) / (1 - 0.9 ** (k + 1))
        root = jnp.sqrt(1 - 0.999 ** (k + 1))
        weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) / root + 1e-8), weights, m, v)
        return (weights, m, v, key, k + 1), None

    many = jax.jit(lambda state: jax.lax.scan(step, state, None, length=1000)[0])
    held = [(weights, zeros, zeros, jax.random.key(0), jnp.float32(0))]

    def take(steps):
        for _ in range(-(-steps // 1000)):
            held[0] = many(held[0])
        jax.block_until_ready(held[0])

    return take


PEERS = {
    "torch, eager": ("torch", by_torch),
    "torch, fused Adam": ("torch", lambda name: by_torch(name, fused=True)),
    "jax, scan": ("jax", by_jax),
}


def pace(takes):
    """who -> steps a second, and microseconds of processor a step; everyone in turn."""
    counts, least, processor = {}, dict.fromkeys(takes, np.inf), dict.fromkeys(takes, np.inf)
    for who, take in takes.items():
        take(1000 if "jax" in who else 8)
        start = time.perf_counter()
        take(1000 if "jax" in who else 64)
        taken = (time.perf_counter() - start) / (1000 if "jax" in who else 64)
        # JAX takes its steps by the thousand.
        counts[who] = max(1, round(TURN / taken / 1000)) * 1000 if "jax" in who else max(1, int(TURN / taken))
    for _ in range(TURNS):
        for who, take in takes.items():
            start, used = time.perf_counter(), time.process_time()
            take(counts[who])
            least[who] = min(least[who], (time.perf_counter() - start) / counts[who])
            processor[who] = min(processor[who], 1e6 * (time.process_time() - used) / counts[who])
    return {who: (1 / least[who], processor[who]) for who in takes}


def first_use(name):
    """Seconds of processor to the first step of a shape not met before, in a process without the driver's cache."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.train", "--first", name],
        env={**os.environ, "MESA_SHADER_CACHE_DISABLE": "true"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


def _print_first_use(name):
    from engine.gpu.kernel import subgroup_size

    take = ours(name, 1)
    subgroup_size()  # and the device: neither belongs to the shape
    start = time.process_time()
    take(1)
    print(time.process_time() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", choices=[*NETWORKS, []], default=[], help="all, unless named")
    parser.add_argument("--first", choices=NETWORKS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.first:
        _print_first_use(asked.first)
        return
    peers = {who: make for who, (module, make) in PEERS.items() if importlib.util.find_spec(module)}
    for who in PEERS.keys() - peers.keys():
        print(f"{who} is left out: {PEERS[who][0]} is not installed")
    for name in asked.networks or NETWORKS:
        runs = {f"ours, {n} run{'s' if n > 1 else ''}": n for n in RUNS}
        found = pace({who: ours(name, n) for who, n in runs.items()} | {who: make(name) for who, make in peers.items()})
        first, (eager, _) = first_use(name), found.get("torch, eager", (None, None))
        rows = [
            {
                "network": name, "batch": 128, "who": who, "runs": runs.get(who, 1), "steps/s of a run": pace,
                "steps/s in all": pace * runs.get(who, 1),
                "times torch": pace * runs.get(who, 1) / eager if eager else "",
                "first use": first if who in runs else "", "processor us a step": used,
            }
            for who, (pace, used) in found.items()
        ]  # fmt: skip
        store("train", rows)


if __name__ == "__main__":
    main()
