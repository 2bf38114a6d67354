"""Transparent dots, drawn by compute shaders: sorted by depth and into bins of 8 x 8 samples, then blended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.matmul.product import image_height
from engine.gpu.array import Array, grown
from engine.gpu.bindings import TABLE, Binding
from engine.gpu.device import device
from engine.gpu.kernel import Kernel, spread
from engine.gpu.passes import Encoder
from engine.gpu.structs import struct
from engine.gpu.texture import Texture
from engine.kept import kept
from engine.kernels.prefix_sums import PrefixSums
from engine.kernels.radix_sort import RadixSort
from engine.kernels.select_neurons import FAINT, NEURON

VIEW = struct(
    "SplatUniform",
    transform="mat4x4f",  # the dots' space to the whole picture's clip space
    size="vec2f",  # the whole picture, samples
    offset="vec2f",  # the part's first sample in it
    corner="vec2f",  # the part's first sample in the textures
    tile="vec2f",  # the part, samples
    point="vec2f",  # the point to look at, in samples of the whole picture
    bins="vec2u",  # across and down
    lit="vec4u",  # vec4f of the cloud from x to before y, component z: what is not dimmed
    shade="vec4f",  # linear colour that dots take with depth in their block; w: how far at its end
    dimmed="f32",  # opacity of all others
    faint="f32",  # what is less opaque is not drawn
    exposure="f32",  # factor of all opacities, before they end at 1
    opacity_power="f32",  # exponent of the light that a dot lets through
    first="u32",  # number of the first neuron in the list
    slot="u32",  # where its dot is stored
    count="u32",
    entries="u32",  # in the lists of all bins
    low="f32",  # depths between which keys differ
    high="f32",
    spread="f32",  # samples of radius that a size of 1 has, at distance 1 where it shrinks with it
    perspective="f32",
    near="f32",
    far="f32",
)
VIEW_BINDING = Binding("view", "uniform", VIEW)
NEURONS = Binding("neurons", "read", ("array", NEURON))
# Two a block: its opacity (0 hides it), how much of it has appeared, its size; and z of its front, 1 / its depth, then
# its least depth along the view, 1 / the range of these.
FACTORS = Binding("factors", "read", "array<vec4f>")
PLACE = (
    VIEW_BINDING, NEURONS, FACTORS, Binding("palette", "uniform", "array<vec4f, 128>"),
    Binding("dots", "write", "array<vec4f>"), Binding("colours", "write", "array<vec2u>"),
    Binding("keys", "write", "array<u32>"), Binding("order", "write", "array<u32>"),
)  # fmt: skip
DOTS = Binding("dots", "storage_texture", TABLE)
LIST = (
    VIEW_BINDING, DOTS, Binding("order", "read", "array<u32>"),
    Binding("counts", "write", "array<u32>"), Binding("spans", "write", "array<vec2u>"),
    Binding("bins", "write", "array<u32>"), Binding("list", "write", "array<u32>"),
)  # fmt: skip
BLEND = (
    VIEW_BINDING, Binding("bins", "read", "array<u32>"), Binding("list", "read", "array<u32>"),
    DOTS, Binding("colours", "storage_texture", "texture_storage_2d<rg32uint, read>"),
    Binding("depth_map", "texture", "texture_depth_2d"),
    Binding("picture", "storage_texture", "texture_storage_2d<rgba16float, write>"),
)  # fmt: skip
FIND = (VIEW_BINDING, NEURONS, FACTORS, Binding("found", "write", "array<vec2u>"))
Numbers = Sequence[float] | np.ndarray
BIN = 8
WORKGROUP = 64
# Bits of a depth's key; the shader has their number too.
DEPTH_BITS = 24
MOST_BINS = 2**16
# Entries of lists that are made at once: 64 MiB with what sorting takes.
MOST_ENTRIES = 2**22
NONE = 0xFFFFFFFF
# Texels in a row of the images of dots and colours; the shader has their number too.
ROW = 8192
IMAGES = {"dots": "rgba32float", "colours": "rg32uint"}


@dataclass(frozen=True)
class SplatView:
    """The camera, and the part of the picture that is drawn.

    transform     (4, 4) the dots' space to the picture's clip space
    size          (width, height) of the picture in samples
    offset, tile  the part's first sample, and its size in samples
    spread        samples of radius that a size of 1 has; at distance 1 in perspective
    perspective   False for an orthographic camera
    near, far     of the camera
    low, high     depths between which dots are sorted, in 2^24 steps; beyond them dots keep the list's order
    corner        the part's first sample in the textures that hold it
    lit           (first, end, component) of the dots that `dimmed` spares: vec4f of the cloud, and which of its four
    dimmed        opacity of all others, 1 to dim none
    faint         what is less opaque is not drawn
    exposure      factor of all opacities, which end at 1
    shade         (4,): a linear colour, and how far a dot takes it that is farthest in its block, 0 to 1
    opacity_power exponent of the light that a dot lets through: 1 for light, more on white, where colours that
                  are added linearly look paler
    """

    transform: np.ndarray
    size: tuple[int, int]
    offset: tuple[int, int]
    tile: tuple[int, int]
    spread: float
    perspective: bool
    near: float
    far: float
    low: float
    high: float
    corner: tuple[int, int] = (0, 0)
    lit: tuple[int, int, int] = (0, 0, 0)
    dimmed: float = 1.0
    faint: float = FAINT
    exposure: float = 1.0
    shade: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    opacity_power: float = 1.0

    @property
    def bins(self) -> tuple[int, int]:
        """Across and down."""
        return -(-self.tile[0] // BIN), -(-self.tile[1] // BIN)

    def halves(self) -> "tuple[SplatView, SplatView]":
        """Two views of half the part each; of whole bins, cut across the longer side."""
        across = self.bins[0] >= self.bins[1]
        (x, y), (w, h), (left, top) = self.offset, self.tile, self.corner
        n = (self.bins[0 if across else 1] + 1) // 2 * BIN
        dx, dy = (n, 0) if across else (0, n)
        first = (n, h) if across else (w, n)
        return replace(self, tile=first), replace(
            self, offset=(x + dx, y + dy), corner=(left + dx, top + dy), tile=(w - dx, h - dy)
        )

    def uniform(self, **more: object) -> np.ndarray:
        """As the struct that shaders read, with the fields that change from one dispatch to the next."""
        return VIEW.new(
            transform=np.asarray(self.transform).T, size=self.size, offset=self.offset, corner=self.corner,
            tile=self.tile, bins=self.bins, low=self.low, high=self.high,
            spread=self.spread, perspective=float(self.perspective), near=self.near, far=self.far,
            lit=(*self.lit, 0), shade=self.shade, dimmed=self.dimmed, faint=self.faint,
            exposure=self.exposure,
            opacity_power=self.opacity_power, **more,
        )  # fmt: skip


@dataclass(frozen=True)
class Dots:
    """The dots to be drawn.

    neurons   Array of NEURON
    ranges    [(first, count)] of those that are drawn, in order
    factors   Array of vec4f, two a block; see FACTORS
    palette   uniform Array of 128 vec4f: colours of tones 0 to 1, and of 2 to 3; not needed to find one
    """

    neurons: Array
    ranges: list[tuple[int, int]]
    factors: Array
    palette: Array | None = None

    @property
    def count(self) -> int:
        """How many dots are drawn."""
        return sum(count for _, count in self.ranges)


class Splatting:
    """Draws and finds dots; its arrays are used again for the next picture.

    A picture's dots are placed once, and then drawn part by part. In each sample the nearest 60,000 dots of its bin
    of 8 x 8 samples are blended, front to back. Their order is right to 2^-24 of the depths between `low` and `high`;
    dots that are closer together in depth keep the list's order.
    """

    def __init__(self):
        self._arrays: dict[str, Array] = {}
        self._sums, self._by_depth, self._by_bin = PrefixSums(), RadixSort(), RadixSort()
        self._placed = 0
        self._images: dict[str, Texture] = {}
        self.picture: Texture | None = None

    def _grown(self, count, **dtypes):
        """The arrays of these names, with room for `count` items."""
        for name, dtype in dtypes.items():
            self._arrays[name] = grown(self._arrays.get(name), dtype, count)
        return [self._arrays[name] for name in dtypes]

    def _prepared(self, file, bindings, workgroups, *, entry="main", **resources):
        """A Dispatch of the arrays that the bindings name, and of other resources."""
        own = {b.name: self._arrays[b.name] for b in bindings if b.name not in resources}
        return _kernel(file, bindings, entry).prepared(spread(workgroups), **own, **resources)

    def place(self, encoder: Encoder, view: SplatView, dots: Dots) -> None:
        """Places Dots in the whole picture and sorts them by depth. The view's part does not matter here."""
        self._placed, slot = dots.count, 0
        keys, order = self._grown(max(1, dots.count), keys="u4", order="u4")
        rows = -(-max(1, dots.count) // ROW)
        self._grown(rows * ROW, dots="4f4", colours="2u4")
        given = {"neurons": dots.neurons, "factors": dots.factors, "palette": dots.palette}
        for first, count in dots.ranges:
            if count:
                uniform = view.uniform(first=first, slot=slot, count=count)
                groups = -(-count // WORKGROUP)
                self._prepared("splat_place", PLACE, groups, view=uniform, **given).record(encoder)
            slot += count
        for name, format in IMAGES.items():
            image = self._images.get(name)
            if image is None or image.size[1] < rows:
                image = self._images[name] = Texture((ROW, image_height(rows)), format, "STORAGE_BINDING")
            array = self._arrays[name]
            source = {"buffer": array.buffer, "bytes_per_row": array.dtype.itemsize * ROW, "rows_per_image": rows}
            encoder.copy_buffer_to_texture(source, {"texture": image.handle}, (ROW, rows, 1))
        _, self._ordered = self._by_depth.record(encoder, keys, order, self._placed, DEPTH_BITS)

    def draw(self, encoder: Encoder, view: SplatView, depth: Texture) -> Encoder:
        """Blends the placed dots into `picture`, a texture of premultiplied linear colours, hidden by solid surfaces.

        view    that of `place`, with the part that is drawn
        depth   Texture depth32float of the part's samples

        Submits the encoder, since it waits for the lists' lengths; returns a new one.
        """
        parts = [view]
        while parts:
            part = parts.pop()
            device().submit(encoder)
            encoder, entries = device().encoder(), self.count(part)
            # A bin alone has no more entries than there are dots.
            if part.bins != (1, 1) and (entries > MOST_ENTRIES or np.prod(part.bins) > MOST_BINS):
                parts.extend(reversed(part.halves()))
                continue
            self.enter(encoder, part, entries)
            self.blend(encoder, part, entries, depth)
        return encoder

    def count(self, view: SplatView) -> int:
        """How many entries the lists of a part's bins have together. Waits."""
        if not self._placed:
            return 0
        counts, _ = self._grown(self._placed, counts="u4", spans="2u4")
        self._grown(1, bins="u4", list="u4")
        with device().recording() as encoder:
            self._list(encoder, "count", view.uniform(count=self._placed))
            sums, last = self._sums.record(encoder, counts, self._placed)
        return int(sums.read(1, last)[0])

    def enter(self, encoder: Encoder, view: SplatView, entries: int) -> None:
        """Makes the bins' lists, once their entries are counted: one array, sorted by bin, then by depth."""
        # To grow, an array is made anew, which costs a little: so a quarter more than needed is allocated.
        short = "list" not in self._arrays or self._arrays["list"].count < entries
        bins, dots = self._grown(entries * 5 // 4 if short else 0, bins="u4", list="u4")
        if entries:
            self._list(encoder, "enter", view.uniform(count=self._placed, entries=entries))
        bits = int(np.prod(view.bins) - 1).bit_length()
        self._sorted = self._by_bin.record(encoder, bins, dots, entries, bits)

    def _list(self, encoder, entry, uniform):
        groups = -(-self._placed // WORKGROUP)
        self._prepared(
            "splat_list", LIST, groups, entry=entry, view=uniform, order=self._ordered, dots=self._images["dots"]
        ).record(encoder)

    def blend(self, encoder: Encoder, view: SplatView, entries: int, depth: Texture) -> None:
        """Blends the lists into `picture`, once they are made."""
        if self.picture is None or self.picture.size != depth.size:
            self.picture = Texture(depth.size, "rgba16float", "STORAGE_BINDING|TEXTURE_BINDING")
        bins, order = self._sorted
        across, down = view.bins
        self._prepared(
            "splat_blend", BLEND, -(-across * down // BIN), view=view.uniform(entries=entries), bins=bins, list=order,
            depth_map=depth, picture=self.picture, **self._images,
        ).record(encoder)  # fmt: skip

    def find(self, view: SplatView, dots: Dots, point: Sequence[float]) -> int | None:
        """The number in the list of the frontmost dot whose disc holds a point of the picture, or None; waits.

        A dot's disc is as wide as it is drawn at half its edge's opacity, and one sample at least.
        """
        best = (NONE, NONE)
        for first, count in dots.ranges:
            if count:
                groups = -(-count // (WORKGROUP * WORKGROUP))
                (found,) = self._grown(groups, found="2u4")
                uniform = view.uniform(first=first, count=count, point=point)
                kernel = _kernel("splat_find", FIND, "main")
                kernel.run(groups, view=uniform, neurons=dots.neurons, factors=dots.factors, found=found)
                best = min(best, *map(tuple, found.read(groups).reshape(-1, 2).tolist()))
        return None if best[0] == NONE else best[1]


@kept
def _kernel(name, bindings, entry):
    return Kernel.of(f"kernels/{name}", bindings, entry=entry)


def factors_of(
    opacity: Numbers, appeared: Numbers, size: Numbers, fronts: Numbers, depths: Numbers, extents: ArrayLike = ()
) -> np.ndarray:
    """(2 blocks, 4) float32 from sequences of one number per block, and of two in `extents`: see FACTORS."""
    table = np.zeros((len(opacity), 2, 4), np.float32)
    table[:, 0, :3] = np.stack([opacity, appeared, size], axis=1)
    table[:, 1, 0], table[:, 1, 1] = fronts, [1 / d if d > 0 else 0 for d in depths]
    if len(seen := np.reshape(np.asarray(extents, float), (-1, 2))):
        table[:, 1, 2], table[:, 1, 3] = seen[:, 0], 1 / np.maximum(seen[:, 1] - seen[:, 0], 1e-30)
    return table.reshape(-1, 4)


def palette_of(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(128, 4) float32 from two (64, 3) tables of linear colours: for tones 0 to 1, and for 2 to 3."""
    return np.concatenate([np.concatenate([first, second]), np.ones((128, 1))], axis=1).astype(np.float32)


def find(neurons: np.ndarray, view: SplatView, factors: np.ndarray, point: Sequence[float]) -> int | None:
    """The number of the frontmost of NEURON items whose disc holds a point of the picture, or None; waits."""
    return Splatting().find(view, Dots(_listed(neurons), [(0, len(neurons))], Array.of(factors)), point)


def splat(
    neurons: np.ndarray, view: SplatView, factors: np.ndarray, palette: np.ndarray, depth: float | None = None
) -> np.ndarray:
    """(H, W, 4): a part of a picture of NEURON items, premultiplied; waits for the GPU.

    factors   (2 blocks, 4), see `factors_of`
    palette   (128, 4), see `palette_of`
    depth     of a solid surface that hides the dots behind it, as a depth buffer holds it; none unless given
    """
    splatting, encoder = Splatting(), device().encoder()
    solid = Texture(view.tile, "depth32float")
    encoder.begin_render_pass(
        color_attachments=[],
        depth_stencil_attachment={
            "view": solid.view, "depth_load_op": "clear", "depth_store_op": "store",
            "depth_clear_value": 1.0 if depth is None else float(depth),
        },
    ).end()  # fmt: skip
    dots = Dots(_listed(neurons), [(0, len(neurons))], Array.of(factors), Array.of(palette, "uniform"))
    splatting.place(encoder, view, dots)
    encoder = splatting.draw(encoder, view, solid)
    device().submit(encoder)
    assert splatting.picture is not None  # it is drawn
    return splatting.picture.read().astype(float)


def _listed(neurons):
    return Array.of(neurons) if len(neurons) else Array(NEURON.dtype, 1)
