"""Training on the GPU: many steps of Adam in one submission, several runs side by side."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.train import blocks
from engine.codegen.train.blocks import Blocks, blocks_module
from engine.codegen.train.problem import BINDINGS, TRAINING, Problem
from engine.codegen.train.subgroup import Lanes, lanes_module
from engine.codegen.train.workgroup import Threads, threads_module
from engine.errors import NetworkError, ShapeError
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.gpu.kernel import Dispatch, Kernel, record_in_turn, subgroup_size
from engine.kept import kept
from engine.network.activations import Activation
from engine.network.mlp import Shape

# llvmpipe ends loops silently after 65,535 iterations an invocation, all its loops summed; the rest is room.
LOOP_ITERATIONS = 60000
# Steps of a submission at most, everywhere: the table of their rates stays small.
MOST_STEPS = 4096
# Iterations of loops of all workgroups in a submission of many dispatches, at most: about a quarter of a second.
SUBMITTED = 1 << 21
ADAM_WORKGROUP = 64
LANE_COUNTS = (4, 8, 16)
# Invocations of a run in the layout of threads. A GPU wants many; on llvmpipe each subgroup of 8 waits for the others
# at every barrier: 2-64-64-2 took 683 steps/s with 8 and 430 with 128.
THREADS, SOFTWARE_THREADS = 128, 8


def variants() -> tuple[str, ...]:
    """The layouts that this adapter runs."""
    return ("threads", *(["lanes", "blocks"] if subgroup_size() in LANE_COUNTS else []))


def plan_for(problem: Problem, variant: str | None = None) -> Lanes | Blocks | Threads:
    """How a Problem is laid out on this adapter.

    variant   "lanes", "blocks" or "threads" for that one; else threads on GPUs, and on software drivers lanes for
              networks whose code compiles quickly, blocks for others

    Raises DeviceLimitError for networks that are too large, saying what would fit.
    """
    if variant != "threads" and (variant or device().is_software) and len(variants()) > 1:
        lanes, large = Lanes(problem, subgroup_size()), Blocks(problem, subgroup_size())
        if variant == "lanes" or (variant is None and lanes.is_small_enough()):
            return lanes
        large.check(LOOP_ITERATIONS)
        return large
    plan = Threads(problem, SOFTWARE_THREADS if device().is_software else THREADS)
    plan.check()
    return plan


def _is_one(activation):
    return isinstance(activation, Activation) and activation.rule.elementwise


class Training:
    """Runs that are trained on the GPU, where their weights and moments stay.

    shape     of the networks: any hidden activation (one for all hidden layers), any elementwise one last
    task      "classes" or "values", as in codegen.train.problem.Problem
    points    (N, inputs)
    targets   (N,) classes, or (N, outputs) values
    flats     (R, P) weights of each run at first
    seeds     R whole numbers below 2^32, of the runs' minibatches
    batch     samples of a step, drawn with replacement; 0 for all of them
    betas, epsilon   of Adam
    variant   as for plan_for

    `step` counts the steps begun. Raises ShapeError for arrays that do not fit, NetworkError for hidden layers of
    several activations and for a softmax, DeviceLimitError for a network that is too large.
    """

    def __init__(
        self,
        shape: Shape,
        task: str,
        points: ArrayLike,
        targets: ArrayLike,
        flats: ArrayLike,
        seeds: Sequence[int],
        *,
        batch: int = 128,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        variant: str | None = None,
    ):
        if len(set(shape.activations[:-1])) > 1 or not all(map(_is_one, shape.activations)):
            raise NetworkError(f"{shape} cannot be trained: its hidden layers need one activation, and no softmax.")
        self.problem = Problem(shape, task)
        self.plan = plan_for(self.problem, variant)
        inputs = np.asarray(points, np.float32)
        self.runs, self.count = len(seeds), len(inputs)
        self.batch, self.betas, self.epsilon = batch, betas, epsilon
        wanted = np.asarray(targets)
        expected = (self.count, shape.sizes[0]), self.count * self.problem.targets
        if (inputs.shape, wanted.size) != expected:
            raise ShapeError(f"Inputs {inputs.shape} and targets {wanted.shape} do not fit each other and {shape}.")
        data = np.concatenate([inputs, wanted.reshape(self.count, -1)], axis=1)
        self._samples = Array.of(data.astype(np.float32))
        keys = [_pcg(int(seed)) for seed in seeds]
        self._keys = Array.of(np.array(keys, np.uint32))
        places = self.plan.places
        self._weights = Array("f4", self.runs * places.count)
        self._moments = Array("f4", 2 * self.runs * places.count)
        self._parts = self.plan.parts(self.samples) if isinstance(self.plan, Blocks) else 1
        self._gradients = Array("f4", self.runs * self._parts * places.count)
        self._rates = Array("f4", 2 * MOST_STEPS)
        self._clock = Array("u4", 4)
        # In blocks, the dispatches of one step.
        self._turns: list[Dispatch] = []
        self.put(flats)

    @property
    def samples(self) -> int:
        """Samples of one step."""
        return self.batch or self.count

    @property
    def most_steps(self) -> int:
        """Steps of one submission; 0 where one step takes several."""
        loops = self.plan.iterations(self.samples) * self.plan.loop_iterations
        if isinstance(self.plan, Blocks):
            return max(1, min(MOST_STEPS, SUBMITTED // (loops * self._parts * self.runs)))
        return min(MOST_STEPS, LOOP_ITERATIONS // (loops + self.plan.step_iterations))

    def put(self, flats: ArrayLike, moments: ArrayLike | None = None, step: int = 0) -> None:
        """Sets all weights (R, P), moments (R, 2, P; None: zeros) and `step`. Raises ShapeError if they do not fit."""
        places = self.plan.places
        weights = np.asarray(flats, np.float32)
        if weights.shape != (self.runs, self.problem.weights):
            raise ShapeError(f"{self.runs} runs of {self.problem.weights} weights were expected, not {weights.shape}.")
        moments = np.zeros((self.runs, 2, self.problem.weights)) if moments is None else moments
        self._weights.write(places.pack(weights))
        self._moments.write(places.pack(np.reshape(moments, (2 * self.runs, -1))))
        self.step = step

    def advance(self, rates: Sequence[float] | np.ndarray) -> None:
        """Begins as many steps as there are learning rates, float64; does not wait for them."""
        at = 0
        while at < len(rates):
            steps = max(1, min(self.most_steps, len(rates) - at))
            self._rates.write(self._table(rates[at : at + steps]))
            if isinstance(self.plan, Blocks):
                self._take(self.plan, steps)
            elif self.most_steps:
                self._dispatch(steps, 0, self.plan.iterations(self.samples), whole_steps=True)
            else:
                self._spread_step()
            self.step += steps
            at += steps

    def _table(self, rates):
        """(steps, 2): the rate over Adam's first correction, and one over the root of the second; as PyTorch's."""
        k = self.step + 1 + np.arange(len(rates), dtype=float)
        first, second = 1 - self.betas[0] ** k, 1 - self.betas[1] ** k
        return np.stack([np.asarray(rates, float) / first, 1 / np.sqrt(second)], axis=1)

    def _spread_step(self):
        """One step in several dispatches, the gradient kept between them."""
        iterations = self.plan.iterations(self.samples)
        some = LOOP_ITERATIONS // self.plan.loop_iterations
        for iteration in range(0, iterations, some):
            self._dispatch(1, iteration, min(iteration + some, iterations), whole_steps=False)

    def _dispatch(self, steps, iteration, iterations, whole_steps):
        beta1, beta2 = self.betas
        training = TRAINING.new(
            steps=steps, first=self.step, iteration=iteration, iterations=iterations, batch=self.samples,
            count=self.count, whole=int(self.batch == 0), ends=int(iterations == self.plan.iterations(self.samples)),
            beta1=beta1, beta2=beta2, rest1=1 - beta1, rest2=1 - beta2, epsilon=self.epsilon,
            scale=self.problem.scale(self.samples),
        )  # fmt: skip
        _kernel(self.plan, not whole_steps).run(
            self.runs, training=training, rates=self._rates, samples=self._samples, keys=self._keys,
            weights=self._weights, moments=self._moments, gradients=self._gradients,
        )  # fmt: skip

    def _take(self, plan, steps):
        """Steps in blocks: gradients and Adam's move by turns."""
        self._clock.write([self.step, 0, self.step, 0])
        encoder = device().encoder("train")
        if not self._turns:
            self._turns = self._prepared(plan)
        record_in_turn(encoder, self._turns, steps)
        device().submit(encoder)

    def _prepared(self, plan):
        """The dispatches of one step in blocks."""
        whole = plan.iterations(self.samples)
        some = LOOP_ITERATIONS // plan.loop_iterations
        scratch = Array("f4", 4 * self.runs * self._parts * plan.slots * blocks.MANY // 4 * plan.lanes)
        given = dict(layers=Array.of(plan.layers), samples=self._samples, keys=self._keys, scratch=scratch)
        shared = dict(weights=self._weights, gradients=self._gradients, clock=self._clock)
        gradients = [
            _gradient_kernel(self.problem, plan.lanes, whole > 1).prepared(
                (self._parts, self.runs), training=self._about(plan, block, min(some, whole - block)), **given, **shared
            )
            for block in range(0, whole, some)
        ]
        groups = -(-plan.places.count // 4 // ADAM_WORKGROUP)
        adam = _adam_kernel().prepared(
            (groups, self.runs), training=self._about(plan, 0, 0), rates=self._rates, moments=self._moments, **shared
        )
        return [*gradients, adam]

    def _about(self, plan, block, count):
        beta1, beta2 = self.betas
        return blocks.TRAINING.new(
            places=plan.places.count // 4, slots=plan.slots, layers=len(plan.layers),
            inputs=self.problem.shape.sizes[0], stride=self.problem.shape.sizes[0] + self.problem.targets, block=block,
            blocks=count, parts=self._parts, fresh=int(block == 0), batch=self.samples, count=self.count,
            whole=int(self.batch == 0), beta2=beta2, rest1=1 - beta1, rest2=1 - beta2, epsilon=self.epsilon,
            scale=self.problem.scale(self.samples),
        )  # fmt: skip

    def wait(self) -> None:
        """Returns when the GPU has done what was begun."""
        self._weights.read(1)

    @property
    def nbytes(self) -> int:
        """Bytes of all runs' weights on the GPU."""
        return self._weights.nbytes

    def keep(self, array: Array, slot: int) -> None:
        """Copies all runs' weights into number `slot` of an Array of `snapshots`, on the GPU."""
        size = self._weights.nbytes
        with device().recording() as encoder:
            encoder.copy_buffer_to_buffer(self._weights.buffer, 0, array.buffer, slot * size, size)

    def snapshots(self, count: int) -> Array:
        """An Array with room for so many times all runs' weights."""
        return Array("f4", count * self._weights.count)

    def flats(self, array: Array, first: int, count: int) -> np.ndarray:
        """(count, R, P) float32: the weights in an Array of `snapshots`; waits."""
        size = self._weights.count
        found = array.read(count * size, first * size).reshape(count, self.runs, self.plan.places.count)
        return self.plan.places.unpack(found)

    @property
    def weights(self) -> np.ndarray:
        """(R, P) float32; waits."""
        return self.plan.places.unpack(self._weights.read().reshape(self.runs, -1))

    @property
    def moments(self) -> np.ndarray:
        """(R, 2, P) float32: means of the gradient and of its square; waits."""
        return self.plan.places.unpack(self._moments.read().reshape(self.runs, 2, -1))


@kept
def _kernel(plan, partial):
    constants = plan.constants
    if isinstance(plan, Lanes):
        constants = {**constants, "PARTIAL": partial}
        return Kernel.of("kernels/train", BINDINGS, constants=constants, train=lanes_module(plan))
    # Here the gradient is always in storage, so a partial step needs no other code.
    return Kernel.of("kernels/train_threads", BINDINGS, constants=constants, train=threads_module(plan))


@kept
def _gradient_kernel(problem, lanes, adds):
    constants = {"LANES": lanes, "ADDS": adds}
    return Kernel.of(
        "kernels/train_gradient", blocks.GRADIENT_BINDINGS, constants=constants, train=blocks_module(problem)
    )


@kept
def _adam_kernel():
    return Kernel.of("kernels/train_adam", blocks.ADAM_BINDINGS, constants={"WORKGROUP": ADAM_WORKGROUP})


def _pcg(v):
    """PCG's output function over one step of its generator: a seed's key. `pcg` of wgsl/lib/random."""
    s = (v * 747796405 + 2891336453) & 0xFFFFFFFF
    q = (((s >> ((s >> 28) + 4)) ^ s) * 277803737) & 0xFFFFFFFF
    return (q >> 22) ^ q
