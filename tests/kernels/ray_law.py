"""What answers along rays say, held against float64: dense samples, and more wherever an answer or a turn is."""

from unittest.mock import patch

import numpy as np

from engine.kernels.rays import GRAZE, HIT
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.reference import enclosure

SAMPLES = 800
# Samples to each side of an answer, from a tenth of its uncertainty to ten times.
BESIDE = np.concatenate([[1.0, 1.0 + 1e-6], np.geomspace(0.1, 10.0, 15)])
TURNS = 40
# How many times the twin's bound of rounding a graze may be off: the search's own is as much coarser.
MANY = 64
LARGE = 1e27


def _along(net, o, d, t):
    """f in float64 at (N, M) distances along N rays."""
    points = o[:, None] + t[..., None] * d[:, None]
    return net(points.reshape(-1, 3))[:, 0].reshape(t.shape)


def _with_turns(f, t, g):
    """The distances t with further ones at the turns of g between them, where a level may be passed twice unseen."""
    for _ in range(3):
        rise = np.diff(g, axis=1)
        turns = rise[:, 1:] * rise[:, :-1] < 0
        middle = g[:, 1:-1]
        reach = np.abs(rise[:, 1:]) + np.abs(rise[:, :-1])
        near = np.where(turns, np.abs(middle - np.round(middle)) - reach, np.inf)
        k = np.argsort(near, axis=1)[:, :TURNS] + 1
        rows = np.arange(len(t))[:, None]
        a, b, c = (t[rows, k + i] for i in (-1, 0, 1))
        p, q, r = (g[rows, k + i] for i in (-1, 0, 1))
        with np.errstate(all="ignore"):
            s, u = (q - p) / (b - a), (r - q) / (c - b)
            vertex = (a + b) / 2 - s * (c - a) / (2 * (u - s))
        vertex = np.clip(np.where(np.isfinite(vertex), vertex, b), a, c)
        t, g = np.concatenate([t, vertex], axis=1), np.concatenate([g, f(vertex)], axis=1)
        order = np.argsort(t, axis=1)
        t, g = np.take_along_axis(t, order, axis=1), np.take_along_axis(g, order, axis=1)
    return t, g


def contradictions(
    net: Mlp,
    origins: np.ndarray,
    directions: np.ndarray,
    lengths: np.ndarray | float,
    found: np.ndarray,
    *,
    level: float = 0.0,
    spacing: float = 1.0,
    single: bool = False,
    ulp: float = 2.0**-23,
    samples: int = SAMPLES,
) -> list[str]:
    """What float64 says against answers of `rays.cast` for output 0, a sentence each.

    ulp   of the arithmetic that found them: a graze may be off its level by what rounding in it may do
    """
    o, d = (np.asarray(x, "f4").astype(float) for x in (origins, directions))
    length = np.broadcast_to(np.asarray(lengths, "f4").astype(float), len(o))
    level, spacing = float(np.float32(level)), float(np.float32(1 if single else spacing))
    size = 1e-13 * (1 + abs(level) / spacing)

    def f(t):
        return (_along(net, o, d, t) - level) / spacing

    t = np.linspace(0, 1, samples) * length[:, None]
    answers, half = found["t"].astype(float), found["uncertainty"].astype(float)
    beside = [answers + sign * x * half for x in BESIDE for sign in (-1, 1)]
    ends = np.concatenate([answers, *beside], axis=1)
    t = np.sort(np.concatenate([t, np.clip(ends, 0, length[:, None])], axis=1), axis=1)
    t, g = _with_turns(f, t, f(t))
    unsure = np.abs(g - (0 if single else np.round(g))) <= size * (1 + np.abs(g))
    state = np.where(g < 0, -1, 0) if single else np.floor(g)

    said: list[str] = []

    def say(rays, k, text):
        said.extend(f"ray {i}, answer {k}: {text}; {_told(found[i], k)}" for i in np.flatnonzero(rays))

    start, open_, came = np.zeros(len(o)), np.ones(len(o), bool), np.full(len(o), np.nan)
    for k in range(found["t"].shape[1]):
        outcome, rises = found["outcome"][:, k], found["rising"][:, k]
        at, reach, number = answers[:, k], half[:, k], found["level"][:, k].astype(float)
        bad = ~(np.isfinite(at) & np.isfinite(reach) & (reach >= 0) & (at >= 0) & (at <= length))
        say(open_ & bad, k, "no place")
        first, last = at - reach, at + reach
        before = (t >= start[:, None]) & (t < first[:, None]) & ~unsure
        low = np.min(np.where(before, state, np.inf), axis=1)
        high = np.max(np.where(before, state, -np.inf), axis=1)
        seen = before.any(axis=1)
        say(open_ & seen & (low != high), k, "a level is crossed before")
        # After a crossing f is beyond it, and before the next it is so still.
        say(open_ & seen & (low == high) & (low != came) & ~np.isnan(came), k, "not where the last answer left it")
        hit = outcome == HIT
        near = np.where(rises, number - 1, number)
        say(open_ & hit & seen & (low == high) & (low != near), k, "not crossed from where f comes")
        zone = (t >= first[:, None]) & (t <= last[:, None])
        beyond = np.where(unsure, True, np.where(rises[:, None], g >= number[:, None], g <= number[:, None]))
        short = np.where(unsure, True, np.where(rises[:, None], g <= number[:, None], g >= number[:, None]))
        say(open_ & hit & ~((zone & beyond).any(axis=1) & (zone & short).any(axis=1)), k, "no crossing there")
        graze = open_ & (outcome == GRAZE)
        for i in np.flatnonzero(graze):
            # A graze reaches as much further as its own ends are rounded.
            held = abs(t[i] - at[i]) <= reach[i] - 3 * ulp * last[i]
            inside = t[i, held][:: max(1, held.sum() // 40)]
            if not len(inside):
                continue
            some = np.repeat(o[i : i + 1], len(inside), 0), np.repeat(d[i : i + 1], len(inside), 0)
            # Where rounding is as large as the spacing, f may be near any level.
            there = (_along(net, *some, inside[:, None])[:, 0] - level) / spacing
            off = spacing * np.minimum(np.abs(there - number[i]), np.inf if single else np.abs(there - np.round(there)))
            with patch.object(enclosure, "ULP", ulp):
                end = enclosure.end_at(net, *some, inside)
            rounding = (end.error_bound + ulp * abs(level)).max()
            # Towards the end of float32's numbers nothing is known.
            if max(np.abs(e).max() for e in (*end.error_bounds, end.error_bound)) > ulp * LARGE or spacing > LARGE:
                continue
            if not (off <= MANY * rounding).all():
                say(np.arange(len(o)) == i, k, f"off by {(off / rounding).max():.3g} times its rounding")
        open_ = open_ & (hit | graze)
        came = np.where(hit, np.where(rises, number, number - 1), np.nan)
        start = np.where(open_, last, start)
    return said


def _told(answer, k):
    """The answers up to number k in words."""
    names = ("MISS", "HIT", "GRAZE", "UNDECIDED")
    each = zip(*(answer[x][: k + 1] for x in ("outcome", "t", "uncertainty", "level", "rising")), strict=True)
    return ", ".join(f"{names[a]} {t!s} ± {u:.3g} of {n:g}{'↑' if r else '↓'}" for a, t, u, n, r in each)


def random_rays(
    rng: np.random.Generator, count: int, reach: float = 3.0, away: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rays from around a place `away` from the origin to near it and as far again: origins, directions, lengths."""
    origins, targets = rng.normal(size=(count, 3)) * reach, rng.normal(size=(count, 3)) * (reach / 3)
    directions = targets - origins
    far = np.linalg.norm(directions, axis=1, keepdims=True)
    return (origins + away).astype("f4"), (directions / far).astype("f4"), (far[:, 0] * 2).astype("f4")


def random_case(
    rng: np.random.Generator, sizes: tuple[int, ...], activations: list[str], count: int
) -> tuple[Mlp, tuple[np.ndarray, np.ndarray, np.ndarray], dict]:
    """A network, rays and levels of any kind: flat or steep, around the origin or far from it, all levels or one."""
    depth = len(sizes) - 2
    net = random_mlp(
        sizes,
        distribution=str(rng.choice(["uniform", "normal", "he", "glorot"])),
        scale=float(10 ** rng.uniform(-0.5, 1.0 / depth)),
        seed=int(rng.integers(1 << 30)),
    ).changed(activations=[*activations, "identity"])
    away = float(rng.choice([0.0, 0.0, 30.0, 1000.0]))
    first, *others = net.layers
    steep = first.weights * np.float32(10 ** rng.uniform(-1, 1.3))
    # The same network around another middle.
    bias = first.bias - steep.astype(float).sum(axis=1) * away
    net = Mlp([steep, *(x.weights for x in others)], [bias, *(x.bias for x in others)], net.shape.activations)
    casting = random_rays(rng, count, away=away)
    o, d, length = (x.astype(float) for x in casting)
    values = net(o + d * (length * rng.random(count))[:, None])[:, 0]
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    spacing = float(high - low) * 10 ** rng.uniform(-1.3, 0.5) + 1e-30
    return net, casting, {"level": float(middle), "spacing": spacing, "single": bool(rng.random() < 0.4)}
