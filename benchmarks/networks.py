"""The networks that rays are tested and timed on."""

from functools import cache
from pathlib import Path

import numpy as np

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
