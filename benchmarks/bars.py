"""Pictures of networks as people have them: from cold, and warm, beside PyTorch's 128 samples along the same rays.

Each is made in a process of its own, without the driver's disk cache; the peer is numpy where PyTorch is not installed.
The samples only look for a change of sign between neighbours: they say nothing of what lies between two of them.
All of BARS, or those that are named: `python -m benchmarks.bars "3-64x3-1 relu"`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import engine
from benchmarks.networks import deep_sdf, shape_network, siren
from benchmarks.results import store
from engine.network.random import random_mlp
from engine.render.renderer import Renderer

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SAMPLES = 128
# A picture that takes longer is stopped, and so is the peer.
LONGEST, LONGEST_PEER = 600.0, 120.0
UNIT_BALL = {"levels": "single", "size": 1.0}


@dataclass(frozen=True)
class Bar:
    """A picture, and the seconds it may take.

    network    function that gives it; None for marching's own
    size       pixels
    bar, goal  seconds, of the warm picture unless `is_cold`; None for none
    settings   of marching
    """

    network: Callable | None
    size: tuple[int, int]
    bar: float | None
    goal: float | None
    settings: dict = field(default_factory=dict)
    is_cold: bool = False


def random(*sizes, activation, **more):
    return lambda: random_mlp(sizes, activation, output_bias=False, **more)


BARS = {
    "SDF 3-32x8-1 relu": Bar(lambda: engine.load(EXAMPLES / "trefoil.safetensors"), (400, 400), 3.0, 1.0, UNIT_BALL),
    "SDF 3-64x8-1 relu": Bar(shape_network, (400, 400), 8.0, 3.0, UNIT_BALL),
    "3-32x3-1 tanh, all levels": Bar(None, (880, 800), 12.0, 5.0, {"depth": 3, "hidden": 32}),
    "3-64x3-1 relu": Bar(
        random(3, 64, 64, 64, 1, activation="relu", distribution="he"), (200, 200), 5.0, 2.0, is_cold=True
    ),
    "3-64x3-1 tanh": Bar(random(3, 64, 64, 64, 1, activation="tanh"), (200, 200), 5.0, 2.0, is_cold=True),
    "3-64x3-1 SIREN": Bar(
        lambda: engine.load(EXAMPLES / "sponge.safetensors"), (200, 200), 5.0, 2.0, UNIT_BALL, is_cold=True
    ),
    "3-128x3-1 SIREN": Bar(lambda: siren(128), (400, 400), 12.0, None, UNIT_BALL),
    "3-256x3-1 SIREN": Bar(lambda: siren(256), (400, 400), 90.0, None, UNIT_BALL),
    "DeepSDF 8 x 512, skip": Bar(deep_sdf, (128, 128), 300.0, None, UNIT_BALL),
    "3-32x8-1 relu, He": Bar(
        random(3, *[32] * 8, 1, activation="relu", distribution="he"), (800, 600), None, None, {"levels": "all"}
    ),
}


def scene_of(bar):
    scene, _ = engine.open_scene("marching", sparks=False, **bar.settings)
    if bar.network is not None:
        scene.net = bar.network()
    return scene


def ours(bar):
    """Seconds of the first picture and of the next, and the Report."""
    scene, renderer, taken = scene_of(bar), Renderer(), []
    renderer.budget = engine.Budget(seconds=LONGEST)
    for _ in range(2):
        begun = time.perf_counter()
        picture = renderer.frame(scene, engine.Clock(), bar.size, 1)
        picture.pixels()
        taken.append(time.perf_counter() - begun)
        if sum(taken) > LONGEST / 2:
            break
    return taken[0], taken[-1], picture.report


def rays_of(scene, size):
    """Origins, directions (N, 3) and lengths (N,) of the rays of a picture that meet the scene's ball, float32."""
    camera, (width, height) = scene.camera, size
    x, y = np.meshgrid((np.arange(width) + 0.5) / width * 2 - 1, 1 - (np.arange(height) + 0.5) / height * 2)
    w, h = camera.half_sizes(width / height)
    directions = camera.forward + x.reshape(-1, 1) * w * camera.right + y.reshape(-1, 1) * h * camera.upward
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    b = directions @ np.asarray(camera.eye)
    under = b**2 - (np.dot(camera.eye, camera.eye) - scene.size**2)
    directions, b, half = directions[under > 0], b[under > 0], np.sqrt(under[under > 0])
    origins = np.asarray(camera.eye) + directions * (-b - half)[:, None]
    return origins.astype("f4"), directions.astype("f4"), (2 * half).astype("f4")


def peer(net, casting_rays):
    """(its name, seconds for all rays): samples along each, and the first change of sign.

    After LONGEST_PEER seconds the rest is extrapolated.
    """
    origins, directions, lengths = casting_rays
    layers = [(np.asarray(layer.weights), np.asarray(layer.bias), layer.activation) for layer in net.layers]
    name, evaluate = _torch(layers) or ("numpy", lambda points: _forward(layers, points))
    part, begun, done = max(64, 200_000 // SAMPLES), time.perf_counter(), 0
    at = (np.arange(SAMPLES, dtype=np.float32) + 0.5) / SAMPLES
    while done < len(lengths) and time.perf_counter() - begun < LONGEST_PEER:
        some = slice(done, done + part)
        t = lengths[some, None] * at
        points = origins[some, None] + t[..., None] * directions[some, None]
        signs = evaluate(points.reshape(-1, 3)).reshape(-1, SAMPLES) > 0
        np.argmax(signs[:, 1:] != signs[:, :-1], axis=1)
        done += part
    return name, (time.perf_counter() - begun) * max(1.0, len(lengths) / done)


def _forward(layers, points):
    h = points
    for weights, bias, activation in layers:
        h = np.asarray(activation.value(h @ weights.T + bias), np.float32)
    return h[:, 0]


def _torch(layers):
    try:
        import torch
    except ImportError:
        return None

    def activated(activation, z):
        kinds = activation.kinds
        if len(kinds) > 1:  # a DeepSDF's skip: some units of relu, the others passed on
            count = activation.runs[0][1]
            return torch.cat([torch.relu(z[:, :count]), z[:, count:]], 1)
        kind = kinds[0]
        if kind.name == "sine":
            return torch.sin(kind.parameters[0] * z)
        return {"relu": torch.relu, "tanh": torch.tanh, "identity": lambda z: z}[kind.name](z)

    tensors = [(torch.from_numpy(w.T.copy()), torch.from_numpy(b.copy()), a) for w, b, a in layers]

    def evaluate(points):
        with torch.inference_mode():
            h = torch.from_numpy(np.ascontiguousarray(points))
            for weights, bias, activation in tensors:
                h = activated(activation, torch.addmm(bias, h, weights))
            return h[:, 0].numpy()

    return f"PyTorch {torch.__version__}", evaluate


def measured(name):
    """Prints the row of one bar as JSON."""
    bar = BARS[name]
    cold, warm, report = ours(bar)
    scene = scene_of(bar)
    casting_rays = rays_of(scene, bar.size)
    other, seconds = peer(scene.network, casting_rays)
    row = {
        "cold s": cold, "warm s": warm, "undecided": report.undecided / report.rays, "rays": len(casting_rays[0]),
        "peer": other, "peer s": seconds,
    }  # fmt: skip
    print(json.dumps(row))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*BARS, []], default=[], metavar="NAME", help=", ".join(BARS))
    names, environment = parser.parse_args().names or list(BARS), {**os.environ, "MESA_SHADER_CACHE_DISABLE": "true"}
    for name in names:
        bar = BARS[name]
        words = [sys.executable, "-m", "benchmarks.bars", "--one", name]
        try:
            # Compiling cannot be stopped from within.
            text = subprocess.check_output(words, env=environment, text=True, timeout=2 * LONGEST + LONGEST_PEER)
            row = json.loads(text)
        except subprocess.TimeoutExpired:
            row = {"cold s": f"over {LONGEST:g}", "warm s": "", "undecided": "", "rays": "", "peer": "", "peer s": ""}
        limits = {"of": "cold" if bar.is_cold else "warm", "bar s": bar.bar or "", "goal s": bar.goal or ""}
        size = f"{bar.size[0]}x{bar.size[1]}"
        store("bars", [{"picture": name, "size": size, **limits, **row}])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measured(sys.argv[2])
    else:
        main()
