"""The networks that rays are tested and timed on."""

import dataclasses
import importlib
import itertools
import sys
from functools import cache
from pathlib import Path

import numpy as np

from engine.formats.load_mlp import load, save
from engine.network.mlp import Mlp
from engine.network.random import random_mlp

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"
TORUS = {"relu": "relu", "tanh": "tanh", "sine": "sine(2)"}


def seeded(seed=0, scale=1.0):
    """3-8-1 tanh without an output bias, weights uniform on [-scale, scale]."""
    return random_mlp((3, 8, 1), "tanh", scale=scale, seed=seed, output_bias=False)


def thin_sheets(thickness, seed=0, count=4):
    """Sheets of a thickness, each a step of tanh up and one down at a random plane, 1.3 high: each is crossed twice."""
    rng = np.random.default_rng(seed)
    weights, biases, out = [], [], []
    for _ in range(count):
        normal = rng.normal(size=3)
        normal *= 6.0 / thickness / np.linalg.norm(normal)
        place = rng.uniform(-3, 3) * 6.0 / thickness
        weights += [normal, normal]
        biases += [-place, -place - 6.0]
        out += [0.65, -0.65]
    return Mlp([weights, [out]], [biases, [0.3]], "tanh", name=f"sheets {thickness:g} thin")


@cache
def torus(name):
    """3-32-32-32-1, fitted to the distance from a torus by benchmarks/fit_torus.py; name is relu, tanh or sine."""
    with np.load(DATA / f"torus_{name}.npz", allow_pickle=False) as arrays:
        weights = [arrays[f"{i}.weight"] for i in range(4)]
        biases = [arrays[f"{i}.bias"] for i in range(4)]
    return Mlp(weights, biases, TORUS[name], name=f"torus {name}")


def ball_rays(size, azimuth=0.71, altitude=0.21, radius=5.0, distance=12.0):
    """Rays of a camera looking at the origin, clipped to a ball: origins, directions (N, 3), lengths (N,), float32.

    size       pixels a side; only those that meet the ball give a ray, in blocks of 4 x 2 pixels
    azimuth    and altitude of the camera, radians; it is `distance` away, with a vertical field of view of 2 atan(1/2)
    """
    eye = distance * np.array(
        [np.cos(azimuth) * np.cos(altitude), np.sin(altitude), np.sin(azimuth) * np.cos(altitude)]
    )
    ahead = -eye / distance
    right = np.cross(ahead, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    above = np.cross(right, ahead)
    row, column = (x.ravel() for x in np.indices((size, size)))
    # Software drivers take eight rays together: neighbours in both directions cost alike.
    order = np.lexsort((column % 4, row % 2, column // 4, row // 2))
    x, y = ((v[order, None] + 0.5) / size - 0.5 for v in (column, row))
    directions = ahead + x * right - y * above
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    middle = directions @ eye
    reach = middle**2 - (distance**2 - radius**2)
    meets = reach > 1e-6
    half = np.sqrt(reach[meets])
    origins = eye + directions[meets] * (-middle[meets] - half)[:, None]
    return origins.astype("f4"), directions[meets].astype("f4"), (2 * half).astype("f4")


def siren(width, layers=3, omega=30.0, seed=0):
    """3-width-...-1 as SIREN begins (Sitzmann et al. 2020, section 3.2), for inputs in [-1, 1]."""
    rng, sizes = np.random.default_rng(seed), [3, *[width] * layers, 1]
    weights, biases = [], []
    for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        wide = 1.0 / n_in if i == 0 else np.sqrt(6.0 / n_in) / omega
        weights.append(rng.uniform(-wide, wide, (n_out, n_in)))
        biases.append(rng.uniform(-1.0, 1.0, n_out) / np.sqrt(n_in))
    net = Mlp(weights, biases, [f"sine({omega:g})"] * layers + ["identity"], name=f"SIREN 3-{width}x{layers}-1")
    return _less(net, rng.uniform(-0.5, 0.5, (1000, 3)))


def _less(net, points):
    """The network less its median at some points: its level 0 goes between them."""
    biases = [layer.bias for layer in net.layers]
    return net.changed(biases=[*biases[:-1], biases[-1] - np.float32(np.median(net(points)))])


def deep_sdf(width=512, layers=8, seed=0):
    """As DeepSDF's decoder (Park et al. 2019) for one latent code: relu, and the point again before the fifth layer.

    Untrained: begun so that it is near the distance from a ball of radius 0.5 (Atzmon and Lipman 2020, section 5), with
    some of the weights' own noise. The code is part of the biases.
    """
    rng, skip = np.random.default_rng(seed), layers // 2
    weights, biases, activations = [], [], []
    for i in range(layers):
        # Up to the skip, three units pass the point on.
        n_in, kept = (3 if i == 0 else width), 3 * (i < skip)
        w = rng.normal(0.0, np.sqrt(2.0 / width), (width, n_in + 3 * (0 < i <= skip)))
        # Before the skip the point is carried beside the neurons; after it, it is one of their inputs.
        w[:, n_in:] *= i == skip
        b = rng.normal(0.0, 0.02, width)
        if kept:
            w = np.concatenate([w, np.eye(w.shape[1])[-3:]])
            b = np.concatenate([b, np.zeros(3)])
        weights.append(w)
        biases.append(b)
        activations.append(f"{width} relu + 3 identity" if kept else "relu")
    weights.append(rng.normal(np.sqrt(np.pi / width), 1e-4, (1, width)))
    net = Mlp(weights, [*biases, [0.0]], [*activations, "identity"], name="DeepSDF")
    points = rng.normal(size=(1000, 3))
    return _less(net, 0.5 * points / np.linalg.norm(points, axis=1, keepdims=True))


@cache
def shape_network(width=64, layers=8, steps=2000):
    """3-64x8-1 relu, fitted for a minute to the distance from a trefoil by examples/fit.py; kept in build/."""
    path = DATA.parents[1] / "build" / f"trefoil-{width}x{layers}.npz"
    if not path.exists():
        sys.path.insert(0, str(DATA.parents[1] / "examples"))
        fit = importlib.import_module("fit")
        path.parent.mkdir(exist_ok=True)
        shape = dataclasses.replace(fit.SHAPES["trefoil"], hidden=[width] * layers, steps=steps)
        save(fit.fit(shape)[0], path)
    return load(path)
