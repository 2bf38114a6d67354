"""Certified rays beside 64 equal steps: what each misses of 100,000 samples a ray, what it costs, how long it takes.

The samples are taken on the GPU; every one that contradicts a search is taken again in float64 before it counts.
"""

import time
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.networks import TORUS, ball_rays, seeded, thin_sheets, torus
from benchmarks.results import store
from engine.codegen.mlp.arithmetics import PLAIN
from engine.codegen.mlp.layout import pack, weights_binding
from engine.codegen.mlp.network import loop_iterations, network_module
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.kernel import Kernel
from engine.gpu.structs import struct
from engine.kernels import rays
from engine.kernels.rays import CROSSING, GRAZE, HIT, MISS, UNDECIDED
from engine.kernels.search.arrays import CASTING, workgroups
from engine.kernels.search.casting import Casting, Levels

LEVEL = float(np.float32(0.37))
SAMPLES = 100_000
VIEWS = ((0.7, 0.4), (2.1, -0.5), (4.0, 0.9))
# A hit may come after the first sample that saw it by float32's rounding of f over its slope.
LATE = 1e-3
SAMPLING = struct("Sampling", rays="u32", count="u32", first="u32", last="u32", level="f32")


def families():
    """name -> (networks, pixels a side of each view), some 2,600 rays a family."""
    seeds = range(4)
    result = {f"3-8-1 tanh x{scale:g}": ([seeded(s, scale) for s in seeds], 19) for scale in (1, 4, 10)}
    result |= {f"sheets {thin:g} thin": ([thin_sheets(thin, s) for s in seeds], 19) for thin in (2e-3, 2e-4)}
    return result | {f"torus {name}": ([torus(name)], 37) for name in TORUS}


def text(name):
    return Path(__file__).with_name(f"{name}.wgsl").read_text(encoding="utf-8")


@cache
def steps_kernel(shape):
    names = (
        weights_binding(shape),
        Binding("casting", "uniform", CASTING),
        Binding("rays", "read", "array<vec4f>"),
        Binding("crossings", "write", "array<vec4f>"),
    )
    generated = {"steps": text("steps"), "bindings": declare(names), "network": network_module(shape, (PLAIN,))}
    return Kernel(compose("generated/steps", generated), names)


@cache
def samples_kernel(shape):
    names = (
        weights_binding(shape),
        Binding("sampling", "uniform", SAMPLING),
        Binding("rays", "read", "array<vec4f>"),
        Binding("seen", "write", "array<vec2f>"),
    )
    network = network_module(shape, (PLAIN,))
    generated = {"samples": text("samples"), "bindings": declare(names), "network": network}
    return Kernel(compose("generated/samples", generated), names)


def packed_rays(origins, directions, lengths):
    data = np.zeros((len(origins), 2, 4), np.float32)
    data[:, 0, :3], data[:, 0, 3], data[:, 1, :3] = origins, lengths, directions
    return Array.of(data)


def weights_of(net):
    return Array.of(pack(net), "uniform" if weights_binding(net.shape).kind == "uniform" else "storage")


class Steps:
    """64 equal steps along rays, bound and ready: `run()` takes them, `crossings()` gives what was found."""

    def __init__(self, net, casting_rays):
        self.kernel, self.count = steps_kernel(net.shape), len(casting_rays[0])
        self.written = Array("f4", self.count * 4)
        casting = CASTING.new(rays=self.count, surfaces=1, level=LEVEL, spacing=1.0)
        self.resources = {
            "weights": weights_of(net),
            "casting": Array.of(casting, "uniform"),
            "rays": packed_rays(*casting_rays),
            "crossings": self.written,
        }

    def run(self):
        self.kernel.run(workgroups(self.count), **self.resources)
        self.written.read(4)

    def crossings(self):
        """(N, 2): t, and 0 for none."""
        self.run()
        return self.written.read().reshape(-1, 4)[:, :2]


class Search:
    """The certified search for one surface along rays, ready: `run()` runs it to its end."""

    def __init__(self, net, casting_rays):
        self.casting, self.count = Casting(net), len(casting_rays[0])
        self.written, self.rays = Array(CROSSING, self.count), packed_rays(*casting_rays)

    def run(self):
        for _ in self.casting.steps(self.rays, self.count, Levels(LEVEL), self.written, surfaces=1):
            pass
        self.written.read(1)


def first_seen(net, casting_rays):
    """(N,) number of the first of a ray's samples where the whole part of f is not that at its start; 0: none."""
    kernel, count = samples_kernel(net.shape), len(casting_rays[0])
    seen, there = Array("f4", count * 2), packed_rays(*casting_rays)
    weights = weights_of(net)
    # llvmpipe ends loops after 65,535 turns, silently; and a dispatch should stay short.
    part = 20_000 // (1 + loop_iterations(net.shape))
    for first in range(0, SAMPLES, part):
        sampling = SAMPLING.new(rays=count, count=SAMPLES, first=first, last=min(first + part, SAMPLES), level=LEVEL)
        uniform = Array.of(sampling, "uniform")
        kernel.run(workgroups(count), weights=weights, sampling=uniform, rays=there, seen=seen)
        seen.read(2)
    return seen.read().reshape(-1, 2)[:, 1].astype(int)


def along(net, casting_rays, t):
    """f - level in float64 at (N,) distances."""
    origins, directions, _ = (x.astype(float) for x in casting_rays)
    return net(origins + t[:, None] * directions)[:, 0] - LEVEL


def truth(net, casting_rays):
    """(N,) distance of the first sample past a crossing that float64 sees too; infinite where there is none."""
    k = first_seen(net, casting_rays)
    t = k * casting_rays[2].astype(float) / SAMPLES
    start = np.floor(along(net, casting_rays, np.zeros(len(t))))
    return np.where((k > 0) & (np.floor(along(net, casting_rays, t)) != start), t, np.inf)


def error(net, casting_rays, found):
    """Distances of hits from the float64 roots next to them, by Newton's steps in float64."""
    hit = found["outcome"][:, 0] == HIT
    some = tuple(x[hit] for x in casting_rays)
    first = found["t"][hit, 0].astype(float)
    t, h = first.copy(), 1e-6
    for _ in range(6):
        slope = (along(net, some, t + h) - along(net, some, t - h)) / (2 * h)
        t -= np.clip((along(net, some, t) - found["level"][hit, 0]) / slope, -1e-4, 1e-4)
    return np.abs(t - first)


def missed():
    rows, total = [], 0.0
    for name, (networks, size) in families().items():
        row: dict[str, float] = dict.fromkeys(
            ("rays", "crossed", "missed", "missed by 64 steps", "grazes", "undecided"), 0
        )
        segments, evaluations, errors = [], [], []
        for net in networks:
            parts = [ball_rays(size, *view) for view in VIEWS]
            casting_rays = tuple(np.concatenate(x) for x in zip(*parts, strict=True))
            found = rays.cast(net, *casting_rays, level=LEVEL)
            walked = Steps(net, casting_rays).crossings()
            first, outcome = truth(net, casting_rays), found["outcome"][:, 0]
            crossed = np.isfinite(first)
            ours = (outcome != MISS) & (found["t"][:, 0] <= np.where(crossed, first + LATE, 0))
            theirs = (walked[:, 1] > 0) & (walked[:, 0] <= np.where(crossed, first + LATE, 0))
            row["rays"] += len(first)
            row["crossed"] += int(crossed.sum())
            row["missed"] += int((crossed & ~ours).sum())
            row["missed by 64 steps"] += int((crossed & ~theirs).sum())
            row["grazes"] += int((outcome == GRAZE).sum())
            row["undecided"] += int((outcome == UNDECIDED).sum())
            segments.append(found["segments"])
            evaluations.append(found["evaluations"])
            errors.append(error(net, casting_rays, found))
        total += row["rays"]
        row |= {
            "segments": float(np.concatenate(segments).mean()),
            "evaluations": float(np.concatenate(evaluations).mean()),
            "median error": float(np.median(np.concatenate(errors))),
        }
        rows.append({"network": name, **row})
        print(f"  {name}: done", flush=True)
    store("rays", rows)
    print(f"{total:.0f} rays in all, against {SAMPLES} samples each\n")


def timed():
    """The classic view of 400 x 400, both searches in turn, the least of many times: other work only adds."""
    rows = []
    casting_rays = ball_rays(400)
    few = ball_rays(100)
    nets = [(f"3-8-1 tanh x{scale}", seeded(0, scale), casting_rays, 30) for scale in (1, 4, 10)]
    nets += [(f"torus {name}", torus(name), few, 5) for name in TORUS]
    for name, net, view, times in nets:
        walks: list[Search | Steps] = [Search(net, view), Steps(net, view)]
        wall, work = np.full(2, np.inf), np.full(2, np.inf)
        for _ in range(times):
            for i, walk in enumerate(walks):
                start, used = time.perf_counter(), time.process_time()
                walk.run()
                wall[i] = min(wall[i], time.perf_counter() - start)
                work[i] = min(work[i], time.process_time() - used)
        row = {"network": name, "rays": len(view[0]), "ms": wall[0] * 1e3, "ms of 64 steps": wall[1] * 1e3}
        rows.append(row | {"cpu ms": work[0] * 1e3, "cpu ms of 64 steps": work[1] * 1e3})
    store("rays_time", rows)


if __name__ == "__main__":
    timed()
    missed()
