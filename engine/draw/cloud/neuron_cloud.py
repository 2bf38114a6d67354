"""Every neuron of a convolutional network as a dot in space, coloured by its response."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from engine.draw.cloud.cloud_layout import RADIUS, BlockLayout
from engine.draw.colour import palette
from engine.draw.drawable import Aim, Drawable, Hit
from engine.draw.frame import Frame, Theme
from engine.draw.node import transformed
from engine.draw.program import Program
from engine.errors import SettingError, ShapeError, near
from engine.gpu.array import Array
from engine.gpu.channel_map import ChannelMap, groups_of
from engine.gpu.device import device
from engine.gpu.passes import render_pass
from engine.kept import once
from engine.kernels.block_statistics import OVER, BlockStatistics
from engine.kernels.select_neurons import FAINT, LOOKS, NeuronSelection
from engine.kernels.splat import Dots, Splatting, SplatView, factors_of, palette_of
from engine.view.camera import Camera

# Factor of the opacity of all other neurons while a channel is lit.
DIMMED = 0.12
# On paper opacities are raised to sRGB's power, to look as if encoded colours were mixed, as the original program does.
PAPER_POWER = 2.2
PROGRAM = Program("draw/neuron_cloud", picture="texture_2d<f32>")


@dataclass(frozen=True)
class Block:
    """The neurons of one node of the network.

    name     its name in readings
    shape    (channels, rows, columns)
    layout   their places; `cloud_layout.lay_out` makes the layouts of a whole network
    look     "features" (coloured by deviations from the mean), "pooled" (an average pool) or "classes" (probabilities)
    array    engine.gpu.array.Array of the node's output: vec4f number first + (g rows + y) columns + x holds channels
             4 g to 4 g + 3 at (y, x), zeros after the last channel
    first    number of its first vec4f in `array`
    """

    name: str
    shape: tuple[int, int, int]
    layout: BlockLayout
    look: str
    array: Array
    first: int = 0


class NeuronCloud(Drawable):
    """Blocks of neurons as dots, sorted by depth for every camera, and hidden by solid things in front.

    over        where mean and deviation are taken: in each "block", each "channel", or over all blocks ("shared")
    opacity     a number, or one for each block: 0 hides it, more than 1 shows fainter neurons
    appeared    likewise, 0 to 1: dots appear in a wave from the block's front to its back
    size        likewise, a factor of the dots' size
    exposure    factor of all opacities before they end at 1: more than 1 shows fainter neurons
    threshold   dots of less opacity than this are not drawn
    shade       0 to 1: how far a dot takes the background's colour that is farthest in its block from the eye
    palette     None for the theme's own, or two (64, 3) tables of linear colours: of responses by their distance from
                the mean, 0 to 8 deviations, and of classes by their probability
    highlight   None, or (block, channel) that stays bright while all others are dimmed

    Raises SettingError and ShapeError for wrong values, when the picture is made.
    """

    phase = "cloud"
    # A smaller picture would not be faster: placing and sorting the dots takes as long.
    coarsest = 0.5

    def __init__(self, *, name: str | None = None):
        super().__init__(name)
        self.over, self.threshold = "block", FAINT
        self.palette: tuple[np.ndarray, np.ndarray] | None = None
        self.highlight: tuple[int, int] | None = None
        self.opacity: ArrayLike = 1.0
        self.appeared: ArrayLike = 1.0
        self.size: ArrayLike = 1.0
        self.shade, self.exposure = 0.0, 1.0
        self.blocks: tuple[Block, ...] = ()
        self._placed: tuple | None = None
        self._forget()

    def _forget(self):
        self._statistics: BlockStatistics | None = None
        self._selection: NeuronSelection | None = None
        self._measured: str | None = None
        self._chosen: tuple[np.ndarray, float] | None = None

    # What is shown.

    def show(self, given: Iterable[Block]) -> None:
        """Shows other blocks; arrays made for the same shapes and layouts are reused."""
        blocks = tuple(given)
        for block in blocks:
            if block.look not in LOOKS:
                raise SettingError(f"{self.name}: {near(block.look, LOOKS, noun='look')}")
            needed = block.first + groups_of(block.shape[0]) * block.shape[1] * block.shape[2]
            if block.array.nbytes < 16 * needed:
                raise ShapeError(
                    f"{self.name}: block {block.name} of shape {block.shape} ends at vec4f {needed} of its array, "
                    f"which has {block.array.nbytes // 16}. Is `first` right?"
                )
        form = lambda bs: [(b.shape, b.layout, b.look) for b in bs]
        if form(blocks) != form(self.blocks):
            self._forget()
        self.blocks = blocks
        self.changed()

    def changed(self) -> None:
        """To be called when responses in the arrays have changed: the next picture measures and selects again."""
        self._measured = self._chosen = None

    # Queries.

    @property
    def count(self) -> int:
        """The number of visible neurons in blocks that are not hidden; waits for the GPU."""
        return sum(n for _, n in self._ranges()) if self._select() else 0

    def statistics(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """[((C,), (C,))]: the mean and deviation used for each channel of each block; waits for the GPU."""
        return self._measure().read() if self.blocks else []

    def place(self, block: int, channel: int, row: int, column: int) -> np.ndarray:
        """(3,) a neuron's place in the world."""
        return transformed(self._world(), self.spot(block, channel, row, column))

    def spot(self, block: int, channel: int, row: int, column: int) -> np.ndarray:
        """(3,) a neuron's place in the node's space."""
        b = self.blocks[block]
        _, height, width = b.shape
        number = 4 * (self._firsts()[block] + (channel // 4 * height + row) * width + column) + channel % 4
        return b.layout.positions(channel, row, column, number)

    def _world(self):
        world, node = self.transform, self.parent
        while node is not None:
            world, node = node.transform @ world, node.parent
        return world

    def _firsts(self):
        """The number of each block's first vec4f in the cloud."""
        counts = [groups_of(b.shape[0]) * b.shape[1] * b.shape[2] for b in self.blocks]
        return np.cumsum([0, *counts])[:-1].tolist()

    # Measuring and selecting, when something has changed.

    def _maps(self):
        return [ChannelMap(b.shape, b.array, b.first) for b in self.blocks]

    def _each(self, what):
        """(blocks,) float64 of opacity, appeared or size."""
        value = np.asarray(getattr(self, what), float)
        try:
            return np.broadcast_to(value, len(self.blocks))
        except ValueError:
            raise ShapeError(
                f"{self.name}: {what} is a number or one for each of {len(self.blocks)} blocks, not {value.shape}."
            ) from None

    def _measure(self):
        """The BlockStatistics of the present responses."""
        if self._measured != self.over:
            if self.over not in OVER:
                raise SettingError(f"{self.name}: {near(self.over, OVER, noun='normalisation')}")
            self._statistics = self._statistics or BlockStatistics([b.shape for b in self.blocks])
            encoder = device().encoder()
            self._statistics.record(encoder, self._maps(), self.over)
            device().submit(encoder)
            self._measured, self._chosen = self.over, None
        return self._statistics

    def _select(self):
        """Brings the list of visible neurons up to date; True if any block is visible."""
        shown = self._each("opacity") > 0
        if not shown.any():
            return False
        table = self._measure().table
        faint = self._faint()
        if self._chosen is None or self._chosen[1] > faint or (shown & ~self._chosen[0]).any():
            if self._selection is None:
                shapes, layouts, looks = zip(*((b.shape, b.layout, b.look) for b in self.blocks), strict=True)
                self._selection = NeuronSelection(shapes, layouts, looks)
            encoder, maps = device().encoder(), self._maps()
            self._selection.record_count(encoder, maps, table, which=shown, faint=faint)
            device().submit(encoder)
            self._starts, encoder = self._selection.starts(), device().encoder()
            self._selection.record_choice(encoder, maps, table, self._starts)
            device().submit(encoder)
            self._chosen = shown, faint
        return True

    def _faint(self):
        """The least opacity of a neuron that is visible after multiplication by the largest factors."""
        return self.threshold / (max(1.0, float(self._each("opacity").max())) * self.exposure)

    def _ranges(self):
        """[(first, count)]: ranges in the list of visible neurons, each of neighbouring visible blocks."""
        found: list[tuple[int, int]] = []
        for k in np.flatnonzero((self._each("opacity") > 0) & (self._each("appeared") > 0)):
            first, end = int(self._starts[k]), int(self._starts[k + 1])
            if found and sum(found[-1]) == first:
                first = found.pop()[0]
            found.append((first, end - first))
        return found

    # The picture.

    def prepare(self, frame: Frame, world: np.ndarray) -> None:
        self._refresh(frame.camera, world)
        self._placed = None

    def _refresh(self, camera, world):
        """Brings list and looks on the GPU up to date; True if there is anything to draw."""
        if not self._select():
            return False
        fronts = [b.layout.origin[2] for b in self.blocks]
        deep = [b.layout.size[2] for b in self.blocks]
        size = self._each("size") * [b.layout.dot for b in self.blocks]
        extents = self._depths(camera, world)
        # A plane has no back.
        extents[[b.layout.size[2] == 0.0 for b in self.blocks], 1] = np.inf
        data = factors_of(self._each("opacity"), self._each("appeared"), size, fronts, deep, extents)
        self._factors = self.upload("factors", data)
        return bool(self._ranges())

    def draw_cloud(self, frame: Frame, world: np.ndarray) -> None:
        if not self._each("opacity").any() or not self._ranges():
            return
        samples, offset = frame.size_samples, frame.tile_samples[:2]
        power = PAPER_POWER if frame.theme.shade == "paper" else 1.0
        view = self.view(frame.camera, world, samples, offset, frame.samples, power)
        view = replace(view, shade=(*frame.theme.background, self.shade))
        # Dots are placed once a picture, or again if another picture was drawn between its tiles.
        if self._placed != (frame.camera, samples, frame.theme):
            table = self.upload("palette", palette_of(*(self.palette or theme_palette(frame.theme))), "uniform")
            self._splatter.place(frame.encoder, view, self._dots(table))
            self._placed = frame.camera, samples, frame.theme
        frame.encoder = self._splatter.draw(frame.encoder, view, frame.depth)
        step = render_pass(frame.encoder, "cloud", frame.canvas.view)
        PROGRAM.draw(frame, step, 3, picture=self._splatter.picture)
        step.end()

    @once
    def _splatter(self):
        return Splatting()

    def _dots(self, palette=None):
        assert self._selection is not None
        return Dots(self._selection.chosen, self._ranges(), self._factors, palette)

    def view(
        self, camera: Camera, world: np.ndarray, size: tuple[int, int], offset: tuple[int, int],
        tile: tuple[int, int], power: float = 1.0,
    ) -> SplatView:  # fmt: skip
        """The SplatView of a part of a picture of `size` samples; see PAPER_POWER."""
        transform = camera.projection(size[0] / size[1]) @ camera.view() @ world
        low, high = self._span(camera, world)
        scale = abs(np.linalg.det(world[:3, :3])) ** (1 / 3)
        spread = RADIUS * scale * size[1] / 2 / camera.half_sizes(size[0] / size[1])[1]
        return SplatView(
            transform, size, offset, tile, spread, not camera.is_orthographic, camera.near, camera.far, low, high,
            lit=self._lit(), dimmed=1.0 if self.highlight is None else DIMMED, faint=self.threshold,
            exposure=self.exposure, opacity_power=power,
        )  # fmt: skip

    def _depths(self, camera, world):
        """(blocks, 2): the least and the greatest depth of each block's neurons along the view."""
        corners = np.array([b.layout.corners(b.layout.jitter) for b in self.blocks])
        depths = (corners @ world[:3, :3].T + world[:3, 3] - camera.eye) @ camera.forward
        return np.stack([depths.min(axis=1), depths.max(axis=1)], axis=1)

    def _span(self, camera, world):
        """(least, greatest) depth of all neurons between which they are sorted."""
        depths = self._depths(camera, world)
        low = max(camera.near, float(depths.min()))
        return low, max(min(camera.far, float(depths.max())), low * (1 + 1e-6) + 1e-9)

    def _lit(self):
        """(first, end, component) as in SplatView.lit."""
        if self.highlight is None:
            return 0, 0, 0
        block, channel = self.highlight
        if not (0 <= block < len(self.blocks) and 0 <= channel < self.blocks[block].shape[0]):
            raise SettingError(f"{self.name}: there is no channel {channel} of block {block} to be lit.")
        pixels = self.blocks[block].shape[1] * self.blocks[block].shape[2]
        first = self._firsts()[block] + channel // 4 * pixels
        return first, first + pixels, channel % 4

    def pick(self, aim: Aim, world: np.ndarray) -> Hit | None:
        """The neuron whose dot is in front at a pixel's centre, in a picture of one sample a pixel."""
        # The state that the next picture will show is used.
        if aim.camera is None or not self._refresh(aim.camera, world):
            return None
        view = self.view(aim.camera, world, aim.size, (0, 0), aim.size)
        point = (aim.x + 0.5, aim.y + 0.5)
        found = self._splatter.find(view, self._dots(), point)
        if found is None:
            return None
        neuron = self._dots().neurons.read(1, found)
        block, part = self._part(int(neuron["number"][0]))
        position = transformed(world, neuron["place"][0, :3].astype(float))
        along = float(np.dot(position - aim.camera.eye, aim.camera.forward)) / float(
            np.dot(aim.direction, aim.camera.forward)
        )
        return Hit(self, tuple(position), along, float(neuron["place"][0, 3]), part=(block, *part))

    def _part(self, number):
        """(block, (channel, row, column)) of the neuron with a number."""
        vector, component = divmod(number, 4)
        block = int(np.searchsorted(self._firsts(), vector, side="right")) - 1
        _, height, width = self.blocks[block].shape
        group, pixel = divmod(vector - self._firsts()[block], height * width)
        return block, (4 * group + component, *divmod(pixel, width))


def theme_palette(theme: Theme) -> tuple[np.ndarray, np.ndarray]:
    """The colour tables of a Theme: (for responses, for classes), each (64, 3)."""
    return palette("responses", theme.maps), palette("probabilities", theme.maps)
