"""Rays through a network to their crossings of level sets, in as many passes as it takes."""

import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial

import numpy as np

from engine.codegen.bounds.budget import is_shallow
from engine.codegen.mlp.layout import upload
from engine.errors import SettingError
from engine.gpu.array import Array, grown
from engine.gpu.device import device
from engine.gpu.passes import Encoder
from engine.kernels.search.arrays import CASTING, STATE
from engine.kernels.search.beams import fits
from engine.kernels.search.budget import Budget
from engine.kernels.search.exact import ExactValues
from engine.kernels.search.fused import FIRST_TURNS, MOST_TURNS, FusedPasses
from engine.kernels.search.layered import Layered
from engine.kernels.search.passes import LayeredPasses
from engine.kernels.search.progress import Progress
from engine.kernels.tree.skip import skip
from engine.kernels.tree.tree import Tree
from engine.network.mlp import Mlp


@dataclass(frozen=True)
class Levels:
    """Which values of the output are surfaces: `level` + k `spacing` for every whole k; only `level` if `single`."""

    level: float
    spacing: float = 1.0
    single: bool = False


USUAL = Budget()


class Casting:
    """The certified search along many rays through one network.

    net   as from `observed`, with three inputs: the search looks at output 0

    Each ray is a search (wgsl/arithmetic/search/take) whose state is stored between passes. Networks with one layer of
    activations are followed by one kernel, `FusedPasses`; others are bounded by Layered, `LayeredPasses`.
    """

    def __init__(self, net: Mlp):
        self._weights: Array | None = None
        self._layered: Layered | None = None
        self._exact: ExactValues | None = None
        self._arrays: dict[str, Array] = {}
        self._passes: FusedPasses | LayeredPasses | None = None
        self._begun = False
        self.net = net
        self.show(net)

    def show(self, net: Mlp) -> None:
        """Another network from now on; one of the same shape compiles nothing."""
        if is_shallow(net.shape):
            self._weights = upload(net, self._weights)
        elif self._layered is not None and self.net.shape == net.shape:
            self._layered.show(net)
        else:
            self._layered = Layered(net)
        self._exact = None
        self.net = net

    @property
    def states(self) -> Array:
        """Where the search of each ray stands: wgsl/arithmetic/search/state."""
        return self._arrays["states"]

    @property
    def records(self) -> bool:
        """Whether `steps` only records, into the encoder that it is given: it then submits and reads nothing."""
        return is_shallow(self.net.shape)

    def steps(
        self,
        rays: Array,
        count: int,
        levels: Levels,
        crossings: Array,
        costs: Array | None = None,
        *,
        surfaces: int,
        budget: Budget = USUAL,
        through: bool = False,
        encoder: Encoder | None = None,
        slice_seconds: float = 0.05,
        tree: Tree | None = None,
        reach: float = np.inf,
        beams: bool = False,
    ) -> Generator[Progress, None, Progress]:
        """Casts rays: a Progress after each pass, until all are decided. What is given is checked at once.

        rays        2 vec4f each: origin and length, direction; no search where the length is not above 0
        crossings   gets (count, surfaces) Crossing of 16 bytes each (wgsl/arithmetic/search/state), front to back; the
                    first that is not a hit ends a ray, and what lies behind it is undefined
        costs       gets 2 u32 a ray: segments and evaluations
        surfaces    crossings wanted of each ray
        through     go on behind grazes
        reach       of each ray the length of its origin and its own are at most this together: rounding is then bounded
                    more closely in deep networks
        tree        of boxes of this network: open rays go on to where it leaves a level possible
        beams       whether each 64 rays are 8 x 8 neighbours, in the order of lib/block: where they are close together
                    they then share bounds of narrow networks with a smooth activation
        encoder     where `records` is true: gets all passes, which are not submitted then

        Closing the generator, also before its first pass, leaves rays open; see `give_up`.
        """
        casting = CASTING.new(
            rays=count, surfaces=surfaces, single=int(levels.single), through=int(through),
            segments=budget.segments, turns=0, level=levels.level, spacing=levels.spacing,
        )  # fmt: skip
        arrays = {"rays": rays, "crossings": crossings, "costs": costs or self._array("costs", 2 * count)}
        arrays |= {"states": self._array("states", 4 * STATE * count)}
        self._begun = False
        if not self.records:
            if encoder is not None:
                raise SettingError(f"Rays through {self.net} take passes that cannot be recorded beforehand.")
            if tree is not None and not tree.fits(self.net):
                raise SettingError(f"A tree of {tree.net} was given for rays through {self.net}, which needs its own.")
            assert self._layered is not None
            self._layered.within(reach)
            if self._exact is None or self._exact.reach != reach:
                self._exact = ExactValues(self._layered, reach)
            casting["share"], casting["exact_error"] = self._exact.share, self._exact.error
            casting["rounding"] = self._exact.rounding
            casting["walks"] = self._exact.walks and (1 if tree is None else 2)
            jump = None if tree is None else partial(skip, tree, levels)
            layered = self._passes = LayeredPasses(self._layered, casting, arrays, self._exact, levels, jump)
            shares = beams and count % 64 == 0 and tree is None and fits(self._layered)
            return self._through_layers(layered, count, budget, slice_seconds, shares)
        arrays |= {"open": self._array("open", count + 4), "workgroups": self._array("workgroups", 4, "indirect")}
        assert self._weights is not None
        passes = self._passes = FusedPasses(self.net.shape, self._weights, casting, arrays)
        if encoder is not None:
            return self._record(passes, encoder, count, budget.segments * surfaces)
        return self._run(passes, count, budget, slice_seconds)

    def _array(self, name, count, usage="storage"):
        self._arrays[name] = grown(self._arrays.get(name), "u4", count, usage)
        return self._arrays[name]

    def _record(self, passes, encoder, count, segments):
        passes.begin(encoder, FIRST_TURNS)
        self._begun = True
        for _ in range(-(-segments // MOST_TURNS)):
            passes.go_on(encoder, MOST_TURNS)
        yield from ()
        return Progress(count, count)

    def _through_layers(self, passes, count, budget, slice_seconds, shares):
        started = time.perf_counter()
        passes.begin()
        for _ in passes.by_beams() if shares else ():
            if budget.seconds is not None and time.perf_counter() - started > budget.seconds:
                break
            yield Progress(0, count)
        while passes.left:
            if budget.seconds is not None and time.perf_counter() - started > budget.seconds:
                self.give_up()
                break
            passes.go_on(slice_seconds)
            if passes.left:
                yield Progress(count - passes.left, count)
        return Progress(count, count)

    def _run(self, passes, count, budget, slice_seconds):
        turns, started, left = min(FIRST_TURNS, MOST_TURNS), time.perf_counter(), count
        while left:
            begun = time.perf_counter()
            if budget.seconds is not None and self._begun and begun - started > budget.seconds:
                self.give_up()
                break
            with device().recording("rays") as encoder:
                (passes.go_on if self._begun else passes.begin)(encoder, turns)
            self._begun, left = True, passes.left()
            if time.perf_counter() - begun < slice_seconds / 2:
                turns = min(2 * turns, MOST_TURNS)
            if left:
                yield Progress(count - left, count)
        return Progress(count, count)

    def give_up(self) -> None:
        """Writes of every open ray that it is undecided from where its search stands: no crossing comes before."""
        if isinstance(self._passes, LayeredPasses):
            self._passes.give_up()
        elif self._passes is not None:
            with device().recording("rays") as encoder:
                (self._passes.go_on if self._begun else self._passes.begin)(encoder, 0)
            self._begun = True
