"""What is said of a picture that certainly holds no surface: which values the network has there, and what to set."""

from engine.draw.surfaces.level_surfaces import LevelSurfaces
from engine.render.picture import Report
from engine.scene.scene import Scene
from engine.scene.settings import settings


def emptiness(scene: Scene, report: Report, *, brief: bool = False) -> str | None:
    """A line on why no ray of a picture of a scene at its moment meets a surface; None if one does, or none is cast.

    report   of the picture, or of several
    brief    for a window's status line
    """
    nodes = [node for node, _ in scene.stage.walk() if isinstance(node, LevelSurfaces)]
    if not (nodes and report.is_empty):
        return None
    node, names = nodes[0], settings(scene)
    (low, high), proven = node.sampled, node.proven
    if brief:
        return f"no surface here, where the output is {low:.4g} to {high:.4g}"
    levels = f"level {node.level:g}" if node.single else f"any of the levels {node.level:g} + k {node.spacing:g}"
    points = len(node.region.points())
    known = f" (proven: within {proven[0]:.4g} to {proven[1]:.4g})" if proven else ""
    said = (
        f"no surface: no ray meets {levels}. At {points:,} points of the region the output is {low:.4g} to {high:.4g}"
    )
    return f"{said}{known}{_advice(node, names, low, high)}."


def _advice(node, names, low, high):
    if _has_level(node, low, high):
        return ", so a surface is elsewhere in it: move the camera"
    if node.single and "size" in names:
        level = f"--set level={(low + high) / 2:.3g} shows a surface, or " if "level" in names else ""
        return f"; {level}--set size={2 * node.region.sizes.max():g} looks further out"
    if "level" in names:
        return f"; --set level={(low + high) / 2:.3g} shows a surface"
    return ""


def _has_level(node, low, high):
    if node.single:
        return low <= node.level <= high
    return (high - node.level) // node.spacing > (low - node.level) // node.spacing
