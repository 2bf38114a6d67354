"""The passes of one tile that belong to no node: solid things, light, composition of layers, resolving samples."""

from collections.abc import Iterable

import numpy as np

from engine.draw.drawable import Drawable
from engine.draw.frame import FRAME, LAYERS_TYPE, Frame
from engine.draw.program import Program
from engine.gpu.passes import RenderPass, debug_group, render_pass
from engine.gpu.texture import Texture
from engine.render.encoding import Encoding

Placed = tuple[Drawable, np.ndarray]

BACKDROP = Program("draw/backdrop", blend="replace", depth="keep", frame=FRAME)
COMPOSE = Program(
    "render/compose", frame=FRAME, layers=LAYERS_TYPE, colour="texture_2d<f32>", depth_map="texture_depth_2d",
    composed="texture_storage_2d<rgba16float, write>",
)  # fmt: skip
RESOLVE = {
    format: Program(
        "render/resolve", frame=FRAME, composed="texture_2d<f32>", picture=f"texture_storage_2d<{format}, write>"
    )
    for format in ("rgba8unorm", "rgba32float")
}


def draw_solid(frame: Frame, drawables: Iterable[Placed]) -> None:
    """Draws the backdrop and the nodes of the phases "under" and "solid" into frame.colour and frame.depth."""
    frame.canvas = frame.colour
    clear = (0, 0, 0, 0) if frame.theme.is_clear else (*frame.theme.background, 1)
    step = render_pass(frame.encoder, "solid", frame.colour.view, clear=clear, depth=frame.depth.view)
    if frame.theme.encoded and not frame.theme.is_clear:
        BACKDROP.draw(frame, step, 3)
    for phase in ("under", "solid"):
        draw_phase(frame, step, drawables, phase)
    step.end()


def draw_light(frame: Frame, drawables: Iterable[Placed]) -> None:
    """Draws the nodes of the phase "light" over frame.canvas, where frame.depth does not hide them."""
    step = render_pass(frame.encoder, "light", frame.canvas.view, depth=frame.depth.view, keeps_depth=True)
    draw_phase(frame, step, drawables, "light")
    step.end()


def draw_phase(frame: Frame, step: RenderPass, drawables: Iterable[Placed], phase: str) -> None:
    """Lets the nodes of a phase draw in a render pass, each in a debug group with its name."""
    for node, world in drawables:
        if node.phase == phase:
            with debug_group(step, node.name):
                node.draw(frame, step, world)


def compose_layers(frame: Frame, lists: int) -> None:
    """Merges the layers of `lists` lists over frame.colour, front to back, into frame.composed."""
    COMPOSE.compute(
        frame, frame.samples, constants={"LISTS": float(lists), "CLEAR": float(frame.theme.is_clear)},
        layers=frame.layers, colour=frame.colour, depth_map=frame.depth, composed=frame.composed,
    )  # fmt: skip


def resolve(frame: Frame, texture: Texture, encoding: Encoding) -> None:
    """Averages the samples of frame.canvas to the pixels of a texture of an encoding's format."""
    if frame.grid == 1 and frame.canvas.format == texture.format:
        # One sample a pixel and no encoding: the values are copied.
        frame.encoder.copy_texture_to_texture(
            {"texture": frame.canvas.handle}, {"texture": texture.handle}, (*texture.size, 1)
        )
        return
    constants = {"GRID": float(frame.grid), **encoding.constants(frame.theme, frame.exact)}
    RESOLVE[texture.format].compute(frame, frame.tile[2:], constants=constants, composed=frame.canvas, picture=texture)


def frame_struct(frame: Frame, lists: int) -> np.ndarray:
    """The FRAME struct of a tile, (1,); `lists` is its number of lists of layers."""
    (width, height), (x, y, w, h), camera, theme = frame.size, frame.tile, frame.camera, frame.theme
    aspect = width / height
    # The tile's clip space is the whole picture's, scaled and moved so that the tile fills it.
    crop = np.eye(4)
    crop[0, 0], crop[1, 1] = width / w, height / h
    crop[0, 3] = (width - 2 * x - w) / w
    crop[1, 3] = -(height - 2 * y - h) / h
    half_width, half_height = camera.half_sizes(aspect)
    return FRAME.new(
        view_projection=(crop @ camera.projection(aspect) @ camera.view()).T,
        eye=(*camera.eye, 1.0),
        right=(*(camera.right * half_width), 0.0),
        upward=(*(camera.upward * half_height), 0.0),
        forward=(*camera.forward, float(camera.is_orthographic)),
        background=(*theme.background, 1.0),
        glow=(*theme.glow, 1.0),
        size=frame.size_samples,
        offset=frame.tile_samples[:2],
        tile=frame.samples,
        near=camera.near,
        far=camera.far,
        grid=frame.grid,
        scale=frame.scale,
        paper=float(theme.name == "paper"),
        lists=lists,
    )
