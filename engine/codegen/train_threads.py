"""Training for any adapter: a workgroup a run, its invocations sharing units and samples through workgroup memory."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.codegen.structs import struct
from engine.codegen.train import BINDINGS, Places, Problem
from engine.errors import DeviceLimitError

# What every WebGPU device has.
MEMORY = 16384
# Samples at once, in fours: as many as fit, at most a workgroup's worth.
MOST_FOURS = 32

LAYER = struct("Layer", inputs="u32", outputs="u32", weights="u32", bias="u32", below="u32", above="u32", last="u32")


@dataclass(frozen=True)
class Threads:
    """How a Problem is laid out over the invocations of a workgroup."""

    problem: Problem
    threads: int = 128

    @property
    def units(self):
        """Inputs and neurons in all."""
        return sum(self.problem.shape.sizes)

    @property
    def fours(self):
        """Groups of four samples that workgroup memory holds at once; 0: not even one."""
        room = MEMORY // 16 // (2 * self.units + self.problem.targets)
        return min(room, MOST_FOURS)

    @property
    def is_small_enough(self):
        return self.fours > 0

    def check(self):
        """Raises DeviceLimitError for networks of more units than fit, saying what would."""
        if not self.is_small_enough:
            most = (MEMORY // 16 - self.problem.targets) // 2
            raise DeviceLimitError(
                f"{self.problem.shape} has {self.units} inputs and neurons; training holds all of them in workgroup "
                f"memory, where {most} fit. Take fewer or narrower layers."
            )

    @cached_property
    def places(self):
        """The Places of the weights: layer by layer, input by input a row of outputs, then the biases."""
        of, at = [], 0
        for _, n, m in self.problem.layers:
            of.append((at + np.arange(n * m).reshape(n, m).T).reshape(-1))
            of.append(at + n * m + np.arange(m))
            at += (n + 1) * m
        return Places(np.concatenate(of), -(-at // 4) * 4)

    def turns(self, batch):
        return -(-batch // (4 * self.fours))

    @property
    def loops_of_a_turn(self):
        """Turns of all loops in one turn over the batch, at most; Adam's are counted with it.

        The look that ends a loop is a turn too.
        """
        share = lambda items: -(-items // self.threads)
        loop = lambda times, inside=0: times * (1 + inside) + 1
        samples = loop(4) + loop(self.problem.shape.sizes[0] + self.problem.targets)
        turns = 1 + loop(share(self.fours), samples) + loop(share(self.fours)) + loop(share(self.problem.weights))
        turns += 2 * loop(len(self.problem.layers))
        for _, n, m in self.problem.layers:
            turns += loop(share(m * self.fours), loop(n)) + loop(share(n * self.fours), loop(m))
            turns += loop(1 + share(m * (n + 1)), loop(self.fours))
        return turns

    @property
    def constants(self):
        return {"THREADS": self.threads}


def threads_bindings():
    """BINDINGS, with weights, moments and gradients a number at a time."""
    alone = ("weights", "moments", "gradients")
    return tuple(replace(b, type="array<f32>") if b.name in alone else b for b in BINDINGS)


def threads_module(plan):
    """The text of `generated/train` for Threads: its sizes as constants, and the functions that differ by problem."""
    problem, rows, weights, units = plan.problem, [], 0, 0
    last = len(problem.layers) - 1
    for layer, n, m in problem.layers:
        numbers = (n, m, weights, weights + n * m, units, units + n, int(layer == last))
        rows.append(f"Layer({', '.join(f'{x}u' for x in numbers)})")
        weights, units = weights + m * (n + 1), units + n
    hidden, ends = problem.shape.activations[0], problem.shape.activations[-1]
    return "\n".join(
        [
            *(f"#import activations/{name}" for name in dict.fromkeys(a.name for a in problem.shape.activations)),
            *(["#import lib/exponential"] if problem.task == "classes" else []),
            "",
            f"const INPUTS = {problem.shape.sizes[0]}u;",
            f"const UNITS = {plan.units}u;",
            f"const TARGETS = {problem.targets}u;",
            f"const FOURS = {plan.fours}u;",
            f"const LAYERS = {len(rows)}u;",
            f"const WEIGHTS = {weights}u;",
            f"const PLACES = {plan.places.count}u;",
            "",
            LAYER.wgsl,
            f"const ALL_LAYERS = array<Layer, {len(rows)}>({', '.join(rows)});",
            "",
            *_function("layer_of(number: u32) -> Layer", ["var all = ALL_LAYERS;", "return all[number];"]),
            *_function("weight(at: u32) -> f32", ["return weights[at];"]),
            *_rule("hidden", hidden),
            *_rule("last", ends),
            *_function("begin_deltas(four: u32, counts: vec4f)", _begin(problem, plan)),
        ]
    )


def _function(head, lines):
    return [f"fn {head} {{", *(f"    {line}" for line in lines), "}", ""]


def _rule(name, activation):
    for what in ("value", "slope"):
        yield from _function(
            f"{name}_{what}(z: vec4f) -> vec4f", [f"return {activation.name}_{what}(z, {activation.parameter!r});"]
        )


def _begin(problem, plan):
    """Deltas of the outputs for four samples, as many times too large as `scale` is small."""
    outputs = problem.shape.sizes[-1]
    first = plan.units - outputs
    place = lambda k: f"{(first + k) * plan.fours}u + four"
    target = lambda k: f"deltas[{(plan.units + k) * plan.fours}u + four]"
    if problem.task == "values":
        for k in range(outputs):
            yield f"deltas[{place(k)}] *= (responses[{place(k)}] - {target(k)}) * counts;"
        return
    yield f"let hit = {target(0)};"
    yield f"var most = responses[{place(0)}];"
    for k in range(1, outputs):
        yield f"most = max(most, responses[{place(k)}]);"
    yield "var all = vec4f(0.0);"
    for k in range(outputs):
        yield f"let q{k} = safe_exp(responses[{place(k)}] - most);"
        yield f"all += q{k};"
    for k in range(outputs):
        one = f"select(vec4f(0.0), vec4f(1.0), hit == vec4f({float(k)}))"
        yield f"deltas[{place(k)}] = (q{k} / all - {one}) * counts;"
