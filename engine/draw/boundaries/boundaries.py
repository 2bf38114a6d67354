"""The boundaries of a network's neurons over the plane that a flat camera shows, on a background."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.boundaries.loop import loop_tables
from engine.codegen.boundaries.module import boundaries_bindings, boundaries_memory, boundaries_module, middle
from engine.codegen.boundaries.writer import Groups
from engine.codegen.mlp.layout import layout, pack
from engine.draw.boundaries.boundary_styles import STYLE, checked_dash, class_colours, lines, region_colours
from engine.draw.boundaries.layer_styles import layer_styles
from engine.draw.colour import PALETTE, RGB, palette_array
from engine.draw.drawable import Aim, Drawable, Hit
from engine.draw.frame import FRAME, Frame
from engine.draw.image_plane import image_texture
from engine.draw.program import Program
from engine.errors import DeviceLimitError, SettingError, ShapeError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import MAX_GROUPS
from engine.gpu.passes import Encoder, RenderPass
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.kept import kept
from engine.network.history import History
from engine.network.mlp import Mlp

NODE = struct(
    "BoundariesNode",
    tints="array<vec4f, 17>",  # colours of regions or classes; the last is for no class
    first="vec2f",  # the first sample of the picture that is drawn
    texels="vec4f",  # the target's texel at the picture's middle, texels from sample to sample
    light="vec4f",  # the colour of the lit side, and how much of it
    anchor="vec2f",  # the point from which dashes are measured, samples from the picture's middle
    unit="f32",  # factor of the shader's sums
    reach="f32",  # the largest distance from which a line colours a sample; 0 without lines
    fade="f32",
    mixture="f32",  # share of the prediction in the colours of regions
    most_loss="f32",  # the loss at the end of the colour map
    lit="u32",  # the neuron whose positive side is lit
    most="u32",  # more than any loop's iterations; as it is data, drivers do not unroll the loops
    bending="u32",  # number of groups at whose lines others may bend
)
# Workgroups from number `first` on, counted row by row, of which `across` are in one.
BAND = struct("BoundariesBand", first="u32", across="u32")
SAMPLES_PROGRAM = Program("draw/samples", depth="keep", frame=FRAME, samples="array<vec4f>")
BACKGROUNDS = ("none", "prediction", "target", "loss", "regions")
# The end of the map of losses: cross-entropy in nats (a coin's guess of two classes is 0.69), mean squared error.
MOST_LOSS = {"classes": 2.0, "values": 0.25}
LOSS_MAP = "magma"
# How much of the prediction shows through regions.
MIXTURE = 0.12
# Opacity of a hovered neuron's colour on its positive side.
LIT = 0.05
# Widths in pixels of a picture 720 high.
WIDTH = 2.0
# Snapshots are stored in arrays of at most this size, far below the binding limit of any adapter.
CHUNK_BYTES = 2**26
# (left, bottom) and (right, top), world, each (2,).
Rectangle = tuple[tuple[float, float] | np.ndarray, tuple[float, float] | np.ndarray]
# Lines are numbered in twelve bits (wgsl/draw/boundary_pieces).
MOST_LINES = 4092


class Boundaries(Drawable):
    """Lines where each neuron's sum is zero, over a background, for cameras that look down on the plane z = 0.

    net      Mlp
    origin   (inputs,): the network's input at world x = y = 0
    axes     (2, inputs): what a step of 1 along world x, and along world y, adds to the input
    task     classes or values; None: classes for two outputs, for more than three, and for a last softmax

    Attributes that may be set at any time:
    background   none, prediction, target, loss or regions
    fade         0 to 1: how far the background is faded out
    target       (H, W) or (H, W, 3) uint8, row 0 on top, or None; of two classes, 0 to 127 is the first
    place        (low, high), (2,) each: the world rectangle of the target
    clip         (low, high), (2,) each: the world rectangle outside of which nothing is drawn; None for everywhere
    decision     (colour, opacity, width) of the line where the predicted class changes, or None
    hovered      the number of a neuron whose line is emphasised and whose positive side is lit, or None; the count of
                 neurons stands for the decision
    lit          opacity of the hovered neuron's colour on that side

    Neurons are numbered through the hidden layers. A line has its width everywhere and at every scale, because a
    sample's distance from it is the neuron's value divided by the length of the exact gradient.

    Raises ShapeError for networks without a hidden layer, or with more neurons than MOST_LINES.
    """

    phase = "under"
    is_exact = True
    net: Mlp

    def __init__(
        self, net: Mlp, *, origin: ArrayLike | None = None, axes: ArrayLike | None = None, task: str | None = None,
        name: str | None = None,
    ):  # fmt: skip
        super().__init__(name)
        self.background, self.fade, self.lit = "prediction", 0.0, LIT
        self.decision: tuple[RGB, float, float] | None = None
        self.target: np.ndarray | None = None
        self.place: Rectangle = ((0.0, 0.0), (1.0, 1.0))
        self.clip: Rectangle | None = None
        self.hovered: int | None = None
        # The network whose weights are on the GPU, the snapshots there, the target and its texture.
        self._shown: Mlp | None = None
        self._weights: Array | None = None
        self._history: tuple[History, int] | None = None
        self._snapshot: int | None = None
        self._snapshots: _Snapshots | None = None
        self._pictured: np.ndarray | None = None
        self._texture: Texture | None = None
        self.show(net, origin=origin, axes=axes, task=task)
        layers = layer_styles(len(net.layers) - 1)
        sizes = net.shape.sizes[1:-1]
        self.styles(
            np.repeat([s.colour for s in layers], sizes, axis=0),
            dashes=[s.dash for s, n in zip(layers, sizes, strict=True) for _ in range(n)],
        )

    # What is shown.

    @property
    def neurons(self) -> int:
        """The number of hidden neurons, which have boundaries."""
        return sum(self.net.shape.sizes[1:-1])

    def show(
        self, net: Mlp, *, origin: ArrayLike | None = None, axes: ArrayLike | None = None, task: str | None = None
    ) -> None:
        """Shows another network; one of the same shape compiles nothing. Arguments not given stay, if they fit."""
        if len(net.layers) < 2:
            raise ShapeError(f"{net} has no hidden layer, so there are no boundaries of neurons to draw.")
        if 4 * Groups(net.shape).count > MOST_LINES:
            raise ShapeError(f"{net} has more than {MOST_LINES} neurons in hidden layers; draw a smaller one.")
        fits = hasattr(self, "net") and self.net.inputs == net.inputs
        if origin is not None or not fits:
            self.origin = np.zeros(net.inputs) if origin is None else np.asarray(origin, float)
        if axes is not None or not fits:
            self.axes = np.eye(net.inputs)[[0, min(1, net.inputs - 1)]] if axes is None else np.asarray(axes, float)
        if self.origin.shape != (net.inputs,) or self.axes.shape != (2, net.inputs):
            raise ShapeError(
                f"{net} needs an origin ({net.inputs},) and axes (2, {net.inputs}), not {self.origin.shape} and "
                f"{self.axes.shape}."
            )
        outputs, last = net.outputs, str(net.layers[-1].activation)
        self.task = task or ("classes" if outputs == 2 or outputs > 3 or "softmax" in last else "values")
        self.net, self._snapshot = net, None

    def snapshots(self, history: History, run: int = 0) -> None:
        """Shows a run of a history. The next picture uploads its weights once; `at` then chooses the snapshot.

        The plane and the target are set to the history's.
        """
        domain = history.domain
        self.show(history.at(run, 0), origin=domain.origin, axes=domain.axes, task=history.task)
        self.target, self.place = history.target, (domain.low, domain.high)
        if self._history is None or self._history != (history, run):
            self._history, self._snapshots = (history, run), None
        self.at(0)

    def at(self, snapshot: int) -> None:
        """Shows a snapshot of the run, by its number."""
        history, run = self._run()
        self.net, self._snapshot = history.at(run, snapshot), snapshot

    def _run(self):
        if self._history is None:
            raise SettingError(f"{self.name} shows no history: give it one by `snapshots`.")
        return self._history

    def styles(
        self,
        colours: ArrayLike,
        opacities: ArrayLike | None = None,
        widths: ArrayLike | None = None,
        dashes: Sequence[Sequence[float]] | None = None,
    ) -> None:
        """Sets how each neuron's line looks.

        colours     (neurons, 3) linear RGB
        opacities   (neurons,), 0 hides; ones unless given
        widths      (neurons,) in pixels of a picture 720 high
        dashes      a tuple of lengths in line widths for each: mark, gap, mark, gap; () for a solid line

        Raises ShapeError for counts that are not the network's, SettingError for dashes with wrong lengths.
        """
        count = self.neurons
        full = lambda given, value: np.full(count, value) if given is None else np.asarray(given, float)
        found = np.asarray(colours, float), full(opacities, 1.0), full(widths, WIDTH)
        patterns = [()] * count if dashes is None else [checked_dash(d) for d in dashes]
        if [x.shape for x in found] != [(count, 3), (count,), (count,)] or len(patterns) != count:
            raise ShapeError(
                f"{self.net} has {count} neurons in hidden layers; colours, opacities, widths and dashes are for "
                f"{[len(x) for x in (*found, patterns)]}."
            )
        self._styles = (*found, patterns)

    # Drawing.

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        if self.background not in BACKGROUNDS:
            raise SettingError(f"The background is one of {', '.join(BACKGROUNDS)}, not {self.background}.")
        if len(self._styles[0]) != self.neurons:
            raise ShapeError(f"{self.net} has {self.neurons} neurons; the styles are for {len(self._styles[0])}.")
        self._update_weights(frame.encoder)
        (x, y, _), pixel = frame.camera.target, self._pixel(frame)
        rows, unit = middle(self.net, self.origin + x * self.axes[0] + y * self.axes[1], self.axes, pixel)
        decision = self.decision or ((0.0, 0.0, 0.0), 0.0, 0.0)
        *own, dashes = self._styles
        colours, opacities, widths = (np.concatenate([x, [last]]) for x, last in zip(own, decision, strict=True))
        styles, reaches = lines(colours, opacities, widths, [*dashes, ()], self.hovered, frame.scale * frame.grid)
        groups = Groups(self.net.shape)
        places, full = groups.places(self.net.shape), np.zeros(4 * groups.count + 4, STYLE.dtype)
        full[places] = styles
        squared = np.full(len(full), -1.0, np.float32)
        squared[places] = np.where(reaches > 0.0, reaches**2, -1.0)
        if self._texture is None or self._pictured is not self.target:
            self._pictured = self.target
            self._texture = image_texture(np.zeros((1, 1), np.uint8) if self.target is None else self.target)
        tints = np.zeros((17, 4))
        found = (region_colours if self.background == "regions" else class_colours)(frame.theme.name)
        tints[: len(found), :3] = found
        # Dashes are measured from the nearest point of a coarse lattice: it rarely changes, and is never far away.
        lattice = 8.0 * 2.0 ** math.ceil(math.log2(pixel * max(frame.size) * frame.grid))
        node = self.uniform(
            NODE,
            tints=tints,
            first=self._clipped(frame)[:2],
            texels=self._texels(x, y, pixel),
            light=(*(colours[self.hovered] if self.hovered is not None else (0, 0, 0)), self.lit),
            anchor=((round(x / lattice) * lattice - x) / pixel, (y - round(y / lattice) * lattice) / pixel),
            unit=unit,
            reach=max(0.0, float(reaches.max())),
            fade=self.fade,
            mixture=MIXTURE,
            most_loss=MOST_LOSS[self.task],
            lit=0xFFFFFFFF if self.hovered is None else int(places[self.hovered]),
            most=0xFFFFFFFF,
            # At the last hidden layer's lines only the decision's line can bend.
            bending=groups.count if self.decision else groups.starts[-1],
        )
        self._arrays = {
            "middle": self.upload("middle", rows, "uniform"),
            "reaches": self.upload("reaches", squared, "uniform"),
            "styles": self.upload("styles", full),
            "node": node,
        }
        if boundaries_memory(self.net.shape)[0]:
            self._tables = self.upload("tables", loop_tables(self.net.shape))

    def _pixel(self, frame):
        """World units from one sample to the next."""
        half_width, _ = frame.camera.half_sizes(frame.size[0] / frame.size[1])
        return 2.0 * half_width / frame.size_samples[0]

    def _update_weights(self, encoder):
        """Brings the weights on the GPU up to date: copied from the snapshots there, else uploaded."""
        binding, count = boundaries_bindings(self.net.shape)[0], layout(self.net.shape).count
        usage = "uniform" if binding.kind == "uniform" else "storage"
        if self._weights is None or (self._weights.count, self._weights.usage) != (count * 4, usage):
            self._weights, self._shown = Array("f4", count * 4, usage), None
        if self._snapshot is not None:
            if self._snapshots is None:
                self._snapshots = _Snapshots(*self._run())
            self._snapshots.copy(encoder, self._snapshot, self._weights)
        elif self._shown is not self.net:
            self._weights.write(pack(self.net))
        self._shown = self.net

    def _clipped(self, frame):
        """(left, top, right, bottom): the samples that are drawn, which are those whose middle is in `clip`."""
        size = np.array(frame.size_samples)
        if self.clip is None:
            return (0, 0, *size)
        (x, y, _), pixel = frame.camera.target, self._pixel(frame)
        (left, bottom), (right, top) = self.clip
        found = np.array([left - x, y - top, right - x, y - bottom]) / pixel + np.tile(size / 2, 2)
        # Rounded first, so that a corner at a sample's middle counts on one side only.
        return tuple(int(n) for n in np.clip(np.ceil(np.round(found - 0.5, 6)), 0, np.tile(size, 2)))

    def _in_tile(self, frame):
        """(left, top, width, height): the samples of the tile that are drawn."""
        x, y, width, height = frame.tile_samples
        left, top, right, bottom = self._clipped(frame)
        left, top = max(left - x, 0), max(top - y, 0)
        return left, top, max(0, min(right - x, width) - left), max(0, min(bottom - y, height) - top)

    def _texels(self, x, y, pixel):
        if self.target is None:
            return -1.0, -1.0, 0.0, 0.0
        height, width = self.target.shape[:2]
        (left, bottom), (right, top) = self.place
        across, down = width / (right - left), height / (top - bottom)
        return (x - left) * across, (top - y) * down, pixel * across, pixel * down

    def fill(self, frame: Frame, world: np.ndarray) -> None:
        _, _, width, height = self._in_tile(frame)
        if width and height:
            self._samples = self.array("samples", "f4", frame.samples[0] * frame.samples[1] * 4)
            self._fill(frame, -(-width // 8), -(-height // 8))

    def _fill(self, frame, across, down):
        """Records the workgroups of 8 x 8 samples in bands, as many as the memory for their lines is for."""
        memory, words, invocations = boundaries_memory(self.net.shape)
        some, own = invocations // 64 or MAX_GROUPS, {}
        if memory:
            lines, bits = self.array("lines", "f4", 4 * memory), self.array("bits", "u4", 4 * words)
            own = {"lines": lines, "bits": bits, "tables": self._tables}
        constants = {"BACKGROUND": float(BACKGROUNDS.index(self.background))}
        for first in range(0, across * down, some):
            groups = min(some, across * down - first)
            _program(self.net.shape, self.task).compute(
                frame, (8 * groups, 1), constants=constants, band=BAND.new(first=first, across=across),
                weights=self._weights, palette=palette_array(LOSS_MAP, "image"), target_image=self._texture,
                samples=self._samples, **self._arrays, **own,
            )  # fmt: skip

    def draw(self, frame: Frame, step: RenderPass, world: np.ndarray) -> None:
        # Only a draw that replaces what is there can show values that are not finite.
        covers = self.background in ("prediction", "regions") and self.fade == 0.0
        left, top, width, height = self._in_tile(frame)
        if width and height:
            step.set_scissor_rect(left, top, width, height)
            SAMPLES_PROGRAM.draw(frame, step, 3, blend="replace" if covers else "over", samples=self._samples)
            step.set_scissor_rect(0, 0, *frame.samples)

    def pick(self, aim: Aim, world: np.ndarray) -> Hit:
        x, y = float(aim.origin[0]), float(aim.origin[1])
        return Hit(self, (x, y, 0.0), float(aim.origin[2]), self.value(x, y))

    def value(self, x: float, y: float) -> float:
        """The value that the background shows at a world point: of two classes, the second's probability."""
        outputs = self.net((self.origin + x * self.axes[0] + y * self.axes[1])[None])[0]
        if self.task == "values":
            return float(outputs[0])
        # Logits and logarithms of probabilities give the same.
        if str(self.net.layers[-1].activation) != "softmax":
            outputs = np.exp(outputs - outputs.max())
            outputs = outputs / outputs.sum()
        return float(outputs[1] if len(outputs) == 2 else outputs.max())


@kept
def _program(shape, task):
    weights, middle_type = boundaries_bindings(shape)
    memory = (
        Binding("lines", "write", "array<vec4f>"), Binding("bits", "write", "array<vec4u>"),
        Binding("tables", "read", "array<vec4u>"),
    )  # fmt: skip
    own: dict[str, Any] = {one.name: one for one in memory if boundaries_memory(shape)[0]}
    return Program(
        "draw/boundaries", generated={"boundaries": boundaries_module(shape, task)}, frame=FRAME, weights=weights,
        middle=middle_type, reaches=f"array<vec4f, {Groups(shape).count + 1}>", styles=[STYLE], node=NODE,
        palette=PALETTE, target_image="texture_2d<f32>", samples=Binding("samples", "write", "array<vec4f>"), band=BAND,
        **own,
    )  # fmt: skip


class _Snapshots:
    """All weights of a run of a history, in arrays on the GPU."""

    def __init__(self, history, run):
        self.size = layout(history.shape).count * 16
        if self.size > device().limits["max-storage-buffer-binding-size"]:
            raise DeviceLimitError(
                f"{history.shape} has {self.size / 2**20:.0f} MiB of weights; {device().adapter} binds less."
            )
        self.each = max(1, CHUNK_BYTES // self.size)
        self.arrays = []
        for first in range(0, history.snapshots, self.each):
            some = range(first, min(first + self.each, history.snapshots))
            self.arrays.append(Array.of(np.concatenate([pack(history.at(run, k)) for k in some])))

    def copy(self, encoder: Encoder, snapshot: int, array: Array) -> None:
        """Records the copy of a snapshot's weights into an array."""
        chunk, k = divmod(snapshot, self.each)
        encoder.copy_buffer_to_buffer(self.arrays[chunk].buffer, k * self.size, array.buffer, 0, self.size)
