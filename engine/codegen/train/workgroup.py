"""Training for any adapter: a workgroup a run, its invocations sharing units and samples through workgroup memory."""

from dataclasses import dataclass

import numpy as np

from engine.codegen.mlp.units import imports
from engine.codegen.text import function, header
from engine.codegen.train.problem import Places, Problem, rules
from engine.errors import DeviceLimitError
from engine.gpu.structs import struct
from engine.kept import once

# Bytes of workgroup memory that every WebGPU device has.
MEMORY = 16384
# Samples at once, in fours: as many as fit, at most a workgroup's worth.
MOST_FOURS = 32

# Groups of four inputs and outputs, the first vec4f of weights, the first units below and above, outputs without fill.
LAYER = struct("Layer", inputs="u32", outputs="u32", at="u32", below="u32", above="u32", width="u32", last="u32")


@dataclass(frozen=True)
class Threads:
    """How a Problem is laid out over the invocations of a workgroup.

    threads   how many there are
    """

    problem: Problem
    threads: int

    @property
    def groups(self) -> tuple[int, ...]:
        """Groups of four inputs and neurons, layer by layer."""
        return tuple(-(-n // 4) for n in self.problem.shape.sizes)

    @property
    def units(self) -> int:
        """Inputs and neurons in all, with what fills the last four of each layer."""
        return 4 * sum(self.groups)

    @property
    def fours(self) -> int:
        """Groups of four samples that workgroup memory holds at once; 0: not even one."""
        room = MEMORY // 16 // (2 * self.units + self.problem.targets)
        return min(room, MOST_FOURS)

    def check(self) -> None:
        """Raises DeviceLimitError for networks of more units than fit, saying what would."""
        if self.fours == 0:
            most = (MEMORY // 16 - self.problem.targets) // 2
            raise DeviceLimitError(
                f"{self.problem.shape} has {self.units} inputs and neurons; training holds all of them in workgroup "
                f"memory, where {most} fit. Take fewer or narrower layers."
            )

    @once
    def layers(self) -> tuple[tuple[int, ...], ...]:
        """(inputs in fours, outputs in fours, first vec4f, first unit below, first above, outputs) of each layer."""
        rows, at, below = [], 0, 0
        for (_, _, m), n4, m4 in zip(self.problem.layers, self.groups, self.groups[1:], strict=False):
            rows.append((n4, m4, at, below, below + 4 * n4, m))
            at, below = at + (4 * n4 + 1) * m4, below + 4 * n4
        return tuple(rows)

    @once
    def places(self) -> Places:
        """The Places of the weights: layer by layer, input by input four outputs a vec4f, then the biases."""
        of = []
        for (_, n, m), (n4, m4, at, *_) in zip(self.problem.layers, self.layers, strict=True):
            place = 4 * at + 4 * m4 * np.arange(n)[None, :] + np.arange(m)[:, None]
            of += [place.reshape(-1), 4 * at + 16 * n4 * m4 + np.arange(m)]
        n4, m4, at, *_ = self.layers[-1]
        return Places(np.concatenate(of), 4 * (at + (4 * n4 + 1) * m4))

    def iterations(self, batch: int) -> int:
        """Iterations of the kernel's loop over a batch."""
        return -(-batch // (4 * self.fours))

    @property
    def loop_iterations(self) -> int:
        """Iterations of all loops in one iteration over the batch, at most; Adam's are counted with it.

        The check that ends a loop counts as an iteration.
        """
        share = lambda items: -(-items // self.threads)
        loop = lambda times, inside=0: times * (1 + inside) + 1
        samples = loop(4) + loop(self.problem.shape.sizes[0] + self.problem.targets) + loop(4)
        iterations = (
            1 + loop(share(self.fours), samples) + loop(share(self.fours)) + loop(share(self.places.count // 4))
        )
        iterations += 2 * loop(len(self.layers))
        for n4, m4, *_ in self.layers:
            iterations += loop(share(m4 * self.fours), loop(4 * n4)) + loop(share(n4 * self.fours), loop(m4))
            iterations += loop(share(m4 * n4), loop(self.fours)) + loop(share(m4), loop(self.fours))
        return iterations

    @property
    def step_iterations(self) -> int:
        """Iterations of loops in a step outside of `iterations`."""
        return 2

    @property
    def constants(self) -> dict[str, int]:
        """Values of the kernel's overrides."""
        return {"THREADS": self.threads}


def threads_module(plan: Threads) -> str:
    """The text of `generated/train` for Threads: its sizes as constants, and the functions that differ by problem."""
    problem, last = plan.problem, len(plan.layers) - 1
    rows = [
        f"Layer({', '.join(f'{x}u' for x in (*numbers, int(layer == last)))})"
        for layer, numbers in enumerate(plan.layers)
    ]
    return "\n".join(
        [
            *header(
                f"Training of {problem.shape} on {problem.task}, a workgroup of {plan.threads} invocations a run.",
                f"{plan.units} inputs and neurons and {4 * plan.fours} samples at once in workgroup memory",
            ),
            *imports(problem.shape.activations),
            *(["#import lib/exponential"] if problem.task == "classes" else []),
            "",
            f"const INPUTS = {problem.shape.sizes[0]}u;",
            f"const INPUT_UNITS = {4 * plan.groups[0]}u;",
            f"const UNITS = {plan.units}u;",
            f"const TARGETS = {problem.targets}u;",
            f"const FOURS = {plan.fours}u;",
            f"const LAYERS = {len(rows)}u;",
            f"const PLACES = {plan.places.count // 4}u;",
            "",
            LAYER.wgsl,
            f"const ALL_LAYERS = array<Layer, {len(rows)}>({', '.join(rows)});",
            "",
            *function("layer_of(number: u32) -> Layer", ["var all = ALL_LAYERS;", "return all[number];"]),
            *rules(problem.shape),
            *function("begin_deltas(four: u32, counts: vec4f)", _begin(problem, plan)),
        ]
    )


def _begin(problem, plan):
    """Deltas of the outputs for four samples, still to be multiplied by `scale`."""
    outputs, first = problem.shape.sizes[-1], plan.layers[-1][4]
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
