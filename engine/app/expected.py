"""How long a picture will about take, said before it is begun where that is long."""

import time

import numpy as np

from engine.codegen.bounds.rounding import rounding_limits
from engine.draw.drawable import Aim
from engine.draw.surfaces.level_surfaces import LevelSurfaces
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.kernels.field import Field
from engine.kernels.search.straight import is_piecewise_linear
from engine.network.mlp import Mlp
from engine.output.progress import remark
from engine.render.outlook import lasting
from engine.scene.scene import Scene

# What a ray that enters the region takes, in evaluations of the network as they are measured: of each hidden layer, 150
# to 430 of the four networks of benchmarks/bars up to 64 wide that have many levels, or waves; and through a tree of
# boxes that proves most of space empty, 80 to 280 in all, with the tree. On software Vulkan.
EACH_LAYER, THROUGH_TREE = 240, 150
# Where rounding may move the output of a relu network by so many times its range, no box is proven empty and rays are
# followed from kink to kink in float64: about an evaluation for each neuron.
HOPELESS = 16.0
# Rays that are looked at for how many enter the region.
LOOKED_AT = 400
# Multiply-adds from which an adapter is measured: less is done within seconds on any.
MEASURED = 4e10
# Multiply-adds that measure it.
TRIED = 1e9
# Seconds from which they are said.
LONG = 10.0


def expected_seconds(scene: Scene, size: tuple[int, int], supersample: int) -> float:
    """About how long the rays of a picture take on this adapter, seconds; 0 where that is not worth measuring.

    The scene is at its moment. Measured are values of its networks at many points.
    """
    total, rays = 0.0, size[0] * size[1] * supersample
    for node, world in scene.stage.walk():
        if isinstance(node, LevelSurfaces) and node.drafts:
            entering = rays * _entering(node, world, scene.camera, size)
            work = entering * evaluations(node) * node.net.weight_count
            total += work / _rate(node.net) if work > MEASURED else 0.0
    return total


def evaluations(node: LevelSurfaces) -> float:
    """What a ray through a node takes, in evaluations of its network."""
    low, high = node.sampled
    if is_piecewise_linear(node.net) and rounding_limits(node.net, 4 * node.region.reach)[-1] > HOPELESS * (high - low):
        return sum(node.net.shape.sizes[1:-1])
    kinds = {kind.name for layer in node.net.layers for kind in layer.activation.kinds}
    # What oscillates is proven empty in the smallest boxes at most.
    if node.is_few and not kinds & {"sine", "cos"}:
        return THROUGH_TREE
    return EACH_LAYER * (len(node.net.layers) - 1)


def say_expected(scene: Scene, size: tuple[int, int], supersample: int, pictures: int = 1) -> float | None:
    """Says on stderr about how long so many pictures of a scene, which is at its moment, will take, if it is long.

    returns   the seconds; None where they were not worth measuring
    """
    seconds = pictures * expected_seconds(scene, size, supersample)
    if seconds > LONG:
        each = f"{pictures} pictures of " if pictures > 1 else ""
        rays = f"{size[0] * size[1] * supersample:,} rays through {_nets(scene)}"
        remark(f"{each}{rays} may take about {lasting(seconds)} on {device().adapter.split(' (')[0]}.")
    return seconds or None


# Private helpers.


def _nets(scene):
    nets = [str(n.net.shape) for n, _ in scene.stage.walk() if isinstance(n, LevelSurfaces) and n.drafts]
    return ", ".join(dict.fromkeys(nets))


def _entering(node, world, camera, size):
    """The share of a picture's rays that enter a node's region."""
    places = np.random.default_rng(0).random((LOOKED_AT, 2)) * size - 0.5
    return sum(node.enters(Aim.at(camera, size, x, y), world) for x, y in places) / LOOKED_AT


def _rate(net: Mlp) -> float:
    """Multiply-adds a second of a network on this adapter."""
    field = Field(net, "batched")
    count = min(field.parts(1 << 16)[0].stop, max(64, int(TRIED / net.weight_count)))
    groups = -(-net.inputs // 4)
    points = Array.of(np.random.default_rng(0).uniform(-1, 1, (count * groups, 4)).astype(np.float32))
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        field.run(points, count).read(1)
        taken.append(time.perf_counter() - begun)
    # The first compiles.
    return count * net.weight_count / min(taken[1:])
