"""The curves of a network's level surfaces in a camera's picture, in float64: see engine.regions.silhouettes."""

from collections.abc import Sequence

import numpy as np

from engine.draw.surfaces.level_surfaces import Region
from engine.network.mlp import Mlp
from engine.regions.silhouettes import CELLS, Chords, LevelCurves, level_curves
from engine.view.camera import Camera

# Cells of the grid are fewer for networks whose weights are more.
LEAST_CELLS, WORK = 48, 4e6


def surface_curves(
    net: Mlp, output: int, camera: Camera, region: Region, size: tuple[int, int], levels: Sequence[float]
) -> list[LevelCurves]:
    """The LevelCurves of a network's level surfaces in a region, in a picture of `size` pixels."""
    cells = int(np.clip((WORK / net.weight_count) ** 0.5, LEAST_CELLS, CELLS))
    return level_curves(lambda points: net(points)[:, output], chords(camera, region, size), size, levels, cells)


def chords(camera: Camera, region: Region, size: tuple[int, int]) -> Chords:
    """The chords through a region of the rays through points of a picture, pixels from its upper left corner."""
    width, height = size
    half = np.array(camera.half_sizes(width / height))
    eye = np.asarray(camera.eye, float)

    def found(points):
        x, y = ((points / (width, height)) * 2 - 1).T * half[:, None] * [[1.0], [-1.0]]
        offset = x[:, None] * camera.right + y[:, None] * camera.upward
        if camera.is_orthographic:
            starts, ways = eye + offset, np.broadcast_to(camera.forward, offset.shape)
        else:
            starts, ways = np.broadcast_to(eye, offset.shape), camera.forward + offset
            ways = ways / np.linalg.norm(ways, axis=1, keepdims=True)
        enter, leave = _ball(starts, ways, region) if region.kind == "ball" else _box(starts, ways, region)
        meets = leave > np.maximum(enter, 0.0)
        # Of a ray that misses the region its nearest place to it.
        middle = (enter + leave) / 2
        enter, leave = np.where(meets, np.maximum(enter, 0.0), middle), np.where(meets, leave, middle)
        return starts + enter[:, None] * ways, starts + leave[:, None] * ways, meets

    return found


def _ball(starts, ways, region):
    along = -(starts * ways).sum(axis=1)
    squared = along**2 - (starts**2).sum(axis=1) + region.sizes[0] ** 2
    half = np.sqrt(np.maximum(squared, 0.0))
    return along - half, along + half


def _box(starts, ways, region):
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = np.stack([(side * region.sizes - starts) / ways for side in (-1.0, 1.0)])
    sides = np.nan_to_num(sides, nan=0.0, posinf=1e9, neginf=-1e9)
    return sides.min(axis=0).max(axis=1), sides.max(axis=0).min(axis=1)
