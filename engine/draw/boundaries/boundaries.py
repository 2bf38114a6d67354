"""The boundaries of a network's neurons over the plane that a flat camera looks at, and what lies under them."""

import math

import numpy as np

from engine.codegen.boundaries.module import boundaries_bindings, boundaries_module, middle
from engine.codegen.boundaries.writer import Groups
from engine.codegen.mlp.layout import layout, pack
from engine.draw.boundaries.boundary_styles import STYLE, checked_dash, class_colours, lines, region_colours
from engine.draw.boundaries.layer_styles import layer_styles
from engine.draw.colour import palette_array
from engine.draw.drawable import Drawable, Hit
from engine.draw.frame import FRAME_BINDING
from engine.errors import DeviceLimitError, SettingError, ShapeError
from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.structs import struct
from engine.gpu.texture import Texture

NODE = struct(
    "BoundariesNode",
    tints="array<vec4f, 17>",  # of regions or classes; the last of no class
    first="vec2f",  # the picture's first sample that is drawn
    texels="vec4f",  # the target's texel at the picture's middle, texels from sample to sample
    light="vec4f",  # the colour of the lit side, and how much of it
    anchor="vec2f",  # where dashes are measured from, samples from the picture's middle
    unit="f32",  # what the shader's sums are multiplied by
    reach="f32",  # how far from a line samples may be and still see it; 0 without lines
    fade="f32",
    mixture="f32",  # of the prediction in regions
    most_loss="f32",  # what the end of the map stands for
    lit="u32",  # the lane whose positive side is lit
    most="u32",  # more than any loop's turns: their count being data keeps drivers from writing loops out
    bending="u32",  # groups at whose lines others may bend
)
BACKGROUNDS = ("none", "prediction", "target", "loss", "regions")
# The end of the map of losses: cross-entropy in nats (a coin's guess of two classes is 0.69), mean squared error.
MOST_LOSS = {"classes": 2.0, "values": 0.25}
LOSS_MAP = "magma"
# How much of the prediction shows through regions.
MIXTURE = 0.12
# How much of its colour a hovered neuron's positive side takes.
LIT = 0.05
# Widths in pixels of a picture 720 high.
WIDTH = 2.0
# Snapshots are kept in arrays of at most this, far below what any adapter binds.
CHUNK_BYTES = 2**26
# Walls are numbered in twelve bits (wgsl/draw/boundary_pieces).
MOST_LANES = 4092


class Boundaries(Drawable):
    """Where each neuron of a network is zero, and the network's answer under that, for cameras above z = 0.

    net      Mlp
    origin   (inputs,), its input at world x = y = 0
    axes     (2, inputs), what a step of 1 along world x, and along world y, adds to it
    task     classes or values; None: classes for two outputs, for more than three, and where softmax is last

    Set at any time:
    background   none, prediction, target, loss or regions
    fade         from 0, the background as it is, to 1, none of it
    target       (H, W) or (H, W, 3) uint8, row 0 on top, or None; of two classes 0 to 127 is the first
    place        (low, high), (2,) each: the world rectangle that the target fills
    clip         (low, high), (2,) each: the world rectangle outside of which nothing is drawn; None for everywhere
    decision     (colour, opacity, width) of the line where the network changes its mind, or None
    hovered      the number of a neuron whose line stands out and whose positive side is lit, or None; the count of
                 neurons for the decision
    lit          how much of its colour that side takes

    Neurons are numbered through the hidden layers. A line is as wide as it says at every place and scale: a neuron's
    value over the length of its exact gradient is how far its line is away.

    Raises ShapeError for networks of no hidden layer, or of more neurons than can be told apart.
    """

    phase = "under"
    is_exact = True

    def __init__(self, net, *, origin=None, axes=None, task=None, name=None):
        super().__init__(name)
        self.background, self.fade, self.decision = "prediction", 0.0, None
        self.target, self.place = None, ((0.0, 0.0), (1.0, 1.0))
        self.hovered, self.lit, self.clip = None, LIT, None
        self._weights = self._history = self._image = self._held = self._samples = None
        self._arrays = {}
        self.show(net, origin=origin, axes=axes, task=task)
        layers = layer_styles(len(net.layers) - 1)
        sizes = net.shape.sizes[1:-1]
        self.styles(
            np.repeat([s.colour for s in layers], sizes, axis=0),
            dashes=[s.dash for s, n in zip(layers, sizes, strict=True) for _ in range(n)],
        )

    # What is shown.

    @property
    def neurons(self):
        """How many have boundaries: those of the hidden layers."""
        return sum(self.net.shape.sizes[1:-1])

    def show(self, net, *, origin=None, axes=None, task=None):
        """Takes another network; of the same shape it compiles nothing. What is not given stays, where it fits."""
        if len(net.layers) < 2:
            raise ShapeError(f"{net} has no hidden layer, so there are no boundaries of neurons to draw.")
        if 4 * Groups(net.shape).count > MOST_LANES:
            raise ShapeError(f"{net} has more than {MOST_LANES} neurons in hidden layers; draw a smaller one.")
        fits = getattr(self, "net", None) is not None and self.net.inputs == net.inputs
        if origin is not None or not fits:
            self.origin = np.zeros(net.inputs) if origin is None else np.asarray(origin, float)
        if axes is not None or not fits:
            self.axes = np.eye(net.inputs)[[0, min(1, net.inputs - 1)]] if axes is None else np.asarray(axes, float)
        if self.origin.shape != (net.inputs,) or self.axes.shape != (2, net.inputs):
            raise ShapeError(
                f"{net} needs an origin ({net.inputs},) and axes (2, {net.inputs}), not {self.origin.shape} and "
                f"{self.axes.shape}."
            )
        outputs, last = net.outputs, net.layers[-1].activation.name
        self.task = task or ("classes" if outputs == 2 or outputs > 3 or last == "softmax" else "values")
        self.net, self._snapshot = net, None

    def snapshots(self, history, run=0):
        """Takes a run of a history: its weights go to the GPU once, at the next picture; then `at` chooses.

        Plane and target are the history's.
        """
        domain = history.domain
        self.show(history.at(run, 0), origin=domain.origin, axes=domain.axes, task=history.task)
        self.target, self.place = history.target, (domain.low, domain.high)
        if self._history is None or self._history[:2] != (history, run):
            self._history, self._held = (history, run), None
        self.at(0)

    def at(self, snapshot):
        """Shows a snapshot of the run, by its number."""
        history, run = self._history
        self.net, self._snapshot = history.at(run, snapshot), snapshot

    def styles(self, colours, opacities=None, widths=None, dashes=None):
        """How each neuron's line looks.

        colours     (neurons, 3) linear RGB
        opacities   (neurons,), 0 hides; ones unless given
        widths      (neurons,) in pixels of a picture 720 high
        dashes      a tuple of lengths in line widths for each: mark, gap, mark, gap; () for a solid line

        Raises ShapeError for other counts than the network's, SettingError for dashes that cannot be.
        """
        count = self.neurons
        full = lambda given, value: np.full(count, value) if given is None else np.asarray(given, float)
        found = np.asarray(colours, float), full(opacities, 1.0), full(widths, WIDTH)
        dashes = [()] * count if dashes is None else [checked_dash(d) for d in dashes]
        if [x.shape for x in found] != [(count, 3), (count,), (count,)] or len(dashes) != count:
            raise ShapeError(
                f"{self.net} has {count} neurons in hidden layers; colours, opacities, widths and dashes are for "
                f"{[len(x) for x in (*found, dashes)]}."
            )
        self._styles = (*found, dashes)

    # Drawing.

    def prepare(self, frame, world):
        if self.background not in BACKGROUNDS:
            raise SettingError(f"The background is one of {', '.join(BACKGROUNDS)}, not {self.background}.")
        if len(self._styles[0]) != self.neurons:
            raise ShapeError(f"{self.net} has {self.neurons} neurons; the styles are for {len(self._styles[0])}.")
        self._bring_weights(frame.encoder)
        (x, y, _), pixel = frame.camera.target, self._pixel(frame)
        rows, unit = middle(self.net, self.origin + x * self.axes[0] + y * self.axes[1], self.axes, pixel)
        self._write("middle", rows)
        reach = self._write_lines(frame.scale * frame.grid)
        self._bring_target()
        self._write("node", self._node(frame, pixel, unit, reach))

    def _pixel(self, frame):
        """World units from one sample to the next."""
        half_width, _ = frame.camera.half_sizes(frame.size[0] / frame.size[1])
        return 2.0 * half_width / (frame.size[0] * frame.grid)

    def _write(self, name, data, usage="uniform"):
        held = self._arrays.get(name)
        if held is None or (held.dtype, held.count, held.usage) != (data.dtype, data.size, usage):
            self._arrays[name] = Array.of(data, usage)
        else:
            held.write(data)

    def _bring_weights(self, encoder):
        """The weights of the network in their buffer: copied from the history's, or written if it is another one."""
        binding, count = boundaries_bindings(self.net.shape)[0], layout(self.net.shape).count
        usage = "uniform" if binding.kind == "uniform" else "storage"
        held = self._weights
        if held is None or (held[0].count, held[0].usage) != (count * 4, usage):
            self._weights = held = [Array("f4", count * 4, usage), None]
        if self._snapshot is None:
            if held[1] is not self.net:
                held[0].write(pack(self.net))
        else:
            if self._held is None:
                self._held = _Held(*self._history)
            self._held.copy(encoder, self._snapshot, held[0])
        held[1] = self.net

    def _write_lines(self, scale):
        """Writes styles and reaches; returns the greatest reach, 0 where no line is shown."""
        colours, opacities, widths, dashes = self._styles
        colour, opacity, width = self.decision or ((0.0, 0.0, 0.0), 0.0, 0.0)
        styles, reaches = lines(
            np.vstack([colours, [colour]]),
            np.append(opacities, opacity),
            np.append(widths, width),
            [*dashes, ()],
            self.hovered,
            scale,
        )
        groups = Groups(self.net.shape)
        lanes, full = groups.places(self.net.shape), np.zeros(4 * groups.count + 4, STYLE.dtype)
        full[lanes] = styles
        squares = np.full(len(full), -1.0, np.float32)
        squares[lanes] = np.where(reaches > 0.0, reaches**2, -1.0)
        self._write("styles", full, "storage")
        self._write("reaches", squares)
        return max(0.0, float(reaches.max()))

    def _bring_target(self):
        image = np.zeros((1, 1), np.uint8) if self.target is None else self.target
        if self._image is None or (self._image[0] is not image and not (self.target is None is self._image[2])):
            full = np.full((*image.shape[:2], 4), 255, np.uint8)
            full[..., :3] = image if image.ndim == 3 else image[..., None]
            self._image = image, Texture.of(full), self.target

    def _node(self, frame, pixel, unit, reach):
        (x, y, _), theme = frame.camera.target, frame.theme.name
        tints = np.zeros((17, 4))
        found = region_colours(theme) if self.background == "regions" else class_colours(theme)
        tints[: len(found), :3] = found
        # Measured from a point of a lattice so coarse that the picture rarely meets another, and never far away.
        lattice = 8.0 * 2.0 ** math.ceil(math.log2(pixel * max(frame.size) * frame.grid))
        anchor = (round(x / lattice) * lattice - x) / pixel, (y - round(y / lattice) * lattice) / pixel
        lane = 0xFFFFFFFF if self.hovered is None else int(Groups(self.net.shape).places(self.net.shape)[self.hovered])
        colours = np.vstack([self._styles[0], [self.decision[0] if self.decision else (0.0, 0.0, 0.0)]])
        return NODE.new(
            tints=tints,
            first=self._clipped(frame)[:2],
            texels=self._texels(x, y, pixel),
            light=(*(colours[self.hovered] if self.hovered is not None else (0, 0, 0)), self.lit),
            anchor=anchor,
            unit=unit,
            reach=reach,
            fade=self.fade,
            mixture=MIXTURE,
            most_loss=MOST_LOSS[self.task],
            lit=lane,
            most=0xFFFFFFFF,
            # The last layer's lines bend none but the decision's.
            bending=Groups(self.net.shape).count if self.decision else Groups(self.net.shape).starts[-1],
        )

    def _clipped(self, frame):
        """(left, top, right, bottom): the samples of the picture that are drawn, those whose middle is in `clip`."""
        size = np.array(frame.size) * frame.grid
        if self.clip is None:
            return (0, 0, *size)
        (x, y, _), pixel = frame.camera.target, self._pixel(frame)
        (left, bottom), (right, top) = self.clip
        found = np.array([left - x, y - top, right - x, y - bottom]) / pixel + np.tile(size / 2, 2)
        # Rounded first: a corner that lies on a sample's middle must not be on both its sides.
        return tuple(int(n) for n in np.clip(np.ceil(np.round(found - 0.5, 6)), 0, np.tile(size, 2)))

    def _in_tile(self, frame):
        """(left, top, width, height): the samples of the tile that are drawn."""
        x, y, width, height = (n * frame.grid for n in frame.tile)
        left, top, right, bottom = self._clipped(frame)
        left, top = max(left - x, 0), max(top - y, 0)
        return left, top, max(0, min(right - x, width) - left), max(0, min(bottom - y, height) - top)

    def _texels(self, x, y, pixel):
        height, width = (1, 1) if self.target is None else self.target.shape[:2]
        if self.target is None:
            return -1.0, -1.0, 0.0, 0.0
        (left, bottom), (right, top) = self.place
        across, down = width / (right - left), height / (top - bottom)
        return (x - left) * across, (top - y) * down, pixel * across, pixel * down

    def fill(self, frame, world):
        shape = self.net.shape
        weights, middle_type = boundaries_bindings(shape)
        bindings = (
            FRAME_BINDING,
            weights,
            Binding("middle", "uniform", middle_type),
            Binding("reaches", "uniform", f"array<vec4f, {Groups(shape).count + 1}>"),
            Binding("styles", "read", ("array", STYLE)),
            Binding("node", "uniform", NODE),
            Binding("palette", "uniform", "array<vec4f, 64>"),
            Binding("target_image", "texture", "texture_2d<f32>"),
            Binding("samples", "write", "array<vec4f>"),
        )
        generated = {"bindings": declare(bindings), "boundaries": boundaries_module(shape, self.task)}
        kernel = Kernel(
            compose("draw/boundaries", generated),
            bindings,
            constants={"BACKGROUND": float(BACKGROUNDS.index(self.background))},
        )
        _, _, width, height = self._in_tile(frame)
        if not width or not height:
            return
        self._samples = grown(self._samples, "f4", frame.samples[0] * frame.samples[1] * 4)
        group = kernel.bind(
            frame=frame.uniforms,
            weights=self._weights[0],
            palette=palette_array(LOSS_MAP, "image"),
            target_image=self._image[1],
            samples=self._samples,
            **self._arrays,
        )
        kernel.dispatch(frame.encoder, group, (-(-width // 8), -(-height // 8)))

    def draw(self, frame, render_pass, world):
        bindings = (FRAME_BINDING, Binding("samples", "read", "array<vec4f>"))
        # What is not finite counts for nothing, which only a draw that replaces can say.
        covers = self.background in ("prediction", "regions") and self.fade == 0.0
        pipeline = Pipeline(
            compose("draw/samples", {"bindings": declare(bindings)}),
            bindings,
            Draw((frame.canvas.format,), blend="replace" if covers else "over", depth="keep"),
        )
        left, top, width, height = self._in_tile(frame)
        if width and height:
            render_pass.set_scissor_rect(left, top, width, height)
            pipeline.draw(render_pass, pipeline.bind(frame=frame.uniforms, samples=self._samples), 3)
            render_pass.set_scissor_rect(0, 0, *frame.samples)

    def pick(self, aim, world):
        x, y = float(aim.origin[0]), float(aim.origin[1])
        return Hit(self, (x, y, 0.0), float(aim.origin[2]), self.value(x, y))

    def value(self, x, y):
        """What the background shows of the network at a world point: of two classes the second's probability."""
        outputs = self.net((self.origin + x * self.axes[0] + y * self.axes[1])[None])[0]
        if self.task == "values":
            return float(outputs[0])
        if self.net.layers[-1].activation.rule.elementwise:
            outputs = np.exp(outputs - outputs.max())
            outputs = outputs / outputs.sum()
        return float(outputs[1] if len(outputs) == 2 else outputs.max())


class _Held:
    """All weights of a run of a history on the GPU, in as many arrays as it takes."""

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

    def copy(self, encoder, snapshot, array):
        """Records the copy of a snapshot's weights into an array."""
        chunk, k = divmod(snapshot, self.each)
        encoder.copy_buffer_to_buffer(self.arrays[chunk].buffer, k * self.size, array.buffer, 0, self.size)
