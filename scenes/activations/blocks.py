"""The settings of activations, and the choice of blocks of the network that are shown."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

import engine
from engine import BlockLayout, Choice, Number, SettingError, Switch, Text, cloud_layout, in_group, short_names
from scenes.activations.answers import AS_FOUND, Answering

# The most heads of an attention that stand side by side in a block, and the places between them.
SIDE_BY_SIDE, BETWEEN = 8, 6


class ActivationsBlocks(Answering):
    """An Answering and the choice of its nodes that are shown, the blocks."""

    with in_group("shown"):
        blocks = Choice(
            ["original", "stages", "all"],
            doc="the original's choice, where the network is a step further, or every layer",
        )  # fmt: skip
        arrangement = Choice(
            [AS_FOUND, "row", "u"],
            doc="blocks in a row, or down and up by resolution as where skips pass lower ones by",
        )
        shown = Text("all", doc="blocks that are shown, by name: all, or `fire2, fire3`")
        alone = Text("", label="one alone", doc="the name of a block to be seen in close-up, as fire4")
        neuron = Text("", doc="pinned: block, channel, row, column, as `fire4 17 9 12`; a click does it")

    with in_group("how"):
        lines = Switch(
            True, label="who moved it", when=lambda s: bool(s.neuron),
            doc="lines from the pinned neuron to what raised it (orange) or held it back (blue)",
        )  # fmt: skip
        normalise = Choice(
            ["block", "channel", "shared"],
            doc="what responses are measured by: their block, their channel, or all blocks",
        )  # fmt: skip
        look = Choice(
            ["framed", "original"],
            doc="blocks in frames, told apart from left to right; or as the original program has them",
        )  # fmt: skip
        exposure = Number(
            0.0, bounds=(0.0, 100.0), softbounds=(0.0, 8.0), when=lambda s: s.look == "framed",
            doc="factor of all dots' opacity; 0 finds the one for this picture",
        )  # fmt: skip
        dots = Number(1.0, bounds=(0.1, 10.0), softbounds=(0.4, 3.0), doc="size of the dots")
        front = Switch(True, label="the picture", doc="what is seen, before the first block")
        labels = Switch(True, doc="the blocks' names")
        answers = Switch(True, doc="the five likeliest classes, or what the output is")
        key = Switch(True, label="legend", doc="what the colours mean")

    with in_group("time"):
        reveal = Switch(True, doc="blocks appear one after the other")
        turn = Number(
            12.0, bounds=(-360.0, 360.0), softbounds=(-45, 45), unit="deg/s", doc="how quickly all of it turns"
        )

    with in_group("camera"):
        azimuth = Number(30.0, bounds=(-360, 360), unit="deg", doc=engine.SpaceScene.param.azimuth.doc)
        altitude = Number(14.0, bounds=(-89.9, 89.9), unit="deg", doc=engine.SpaceScene.param.altitude.doc)

    @property
    def block_names(self) -> tuple[str, ...]:
        """Names of the nodes that are shown, in order."""
        net = self.convnet
        return self.cached("blocks", (net, self.blocks, self.alone, self.kind), self._chosen)

    def _chosen(self):
        net = self.convnet
        if self.blocks == "original":
            names = engine.u_blocks(net) or engine.squeezenet_blocks(net)
        elif self.blocks == "stages":
            names = engine.u_blocks(net) or engine.stages(net)
        else:
            names = tuple(name for name in net.shown if name in self.forward.kept)
            if self.kind.kind == "classes" and net.output.name not in names:
                names = (*names, net.output.name)  # it only moves the last layer's numbers
        if not names:
            raise SettingError(f"{net.name}: no layer computes anything from its input, so there is no neuron to show.")
        if not self.alone.strip():
            return names
        # Any node can be shown alone, even one that the choice of blocks leaves out.
        return (self.node_called(self.alone.strip(), names),)

    # Tokens.

    @property
    def _tokens(self):
        """({node: TokenGrid}, Attentions) of the network."""
        return self.cached("tokens", (self.convnet,), lambda: engine.tokens(self.convnet))

    @property
    def attentions(self) -> tuple[engine.Attention, ...]:
        """Where the network's tokens look at one another, in order."""
        return self._tokens[1]

    def grid_of(self, node: str) -> engine.TokenGrid | None:
        """How a node's tokens stand on the picture; None if it has none in order."""
        return self._tokens[0].get(node)

    def block_shape(self, node: str) -> tuple[int, int, int]:
        """(channels, rows, columns) in which a node stands: of tokens the patches' grid."""
        grid, shape = self.grid_of(node), self.convnet.shapes[node]
        return shape if grid is None else (shape[0], grid.rows, grid.columns)

    def on_patches(self, names: Sequence[str], layouts: Sequence[BlockLayout]) -> list[BlockLayout]:
        """Layouts of `block_shape`s, with tokens on the patches' places and an attention's heads side by side."""
        attending, found = {a.node for a in self.attentions}, []
        for name, layout in zip(names, layouts, strict=True):
            grid = self.grid_of(name)
            layout = layout if grid is None else replace(layout, tokens=(grid.columns, grid.added))
            found.append(side_by_side(layout, self.convnet.shapes[name]) if name in attending else layout)
        return found

    @property
    def is_u(self) -> bool:
        """Whether the blocks go down and up by resolution."""
        if self.arrangement == AS_FOUND:
            return bool(self.skips)
        return self.arrangement == "u"

    @property
    def skips(self) -> tuple[tuple[int, int], ...]:
        """(number of the block where it begins, number of that where it ends) of each skip past lower resolutions."""
        net, names = self.convnet, self.block_names
        return self.cached("skips", (net, names), lambda: engine.joined_by_skips(net, names))

    def node_called(self, text: str, names: Sequence[str]) -> str:
        """The name of the node that a person's text means. Raises SettingError for no such node."""
        known = self._called(names)
        if text not in known:
            there = {*short_names(names), *get_close_matches(text, known)}
            raise SettingError(f"{self.convnet.name}: " + engine.near(text, there, noun="block"))
        return known[text]

    def is_node(self, text: str) -> bool:
        """Whether a text is the name of a node."""
        return text in self._called(self.block_names)

    def _called(self, names):
        """{what a node may be called: its name}"""
        kept = self.forward.kept[1:]
        known = dict(zip(short_names(kept), kept, strict=True)) | dict(zip(short_names(names), names, strict=True))
        known |= {name: name for name in kept}
        # The last is called so too, whatever a file calls it.
        last = self.convnet.output.name
        known = {"output": last} | ({"prob": last} if self.kind.kind == "classes" else {}) | known
        return {typed(name): node for name, node in known.items()} | known

    @property
    def block_labels(self) -> tuple[str, ...]:
        """The blocks' labels, in order."""
        return short_names(self.block_names)

    @property
    def block_is_shown(self) -> tuple[bool, ...]:
        """For each block whether it is shown. Raises SettingError for an unknown name."""
        names, text = self.block_names, self.shown.strip()
        if self.alone.strip() or text == "all":
            return (True,) * len(names)
        wanted = [part.strip() for part in text.split(",") if part.strip() and part.strip() != "none"]
        found = {self.node_called(part, names) for part in wanted}
        return tuple(name in found for name in names)


def typed(name: str) -> str:
    """A node's name as it stands among others and before numbers: without commas, and with single spaces."""
    return " ".join(name.replace(",", " ").split())


def side_by_side(layout: BlockLayout, shape: tuple[int, int, int]) -> BlockLayout:
    """The layout of an attention's (heads, queries, keys): each head a sheet beside the other, as wide as `layout`."""
    heads, rows, columns = shape
    if heads > SIDE_BY_SIDE:
        return layout
    places = heads * (columns + BETWEEN) - BETWEEN - 1
    step = max(layout.size[0], layout.size[1]) / max(places, rows - 1, 1) or cloud_layout.SPACING
    size = (places * step, (rows - 1) * step, 0.0)
    middle = layout.origin[0] + layout.size[0] / 2, layout.origin[1] - layout.size[1] / 2
    wide = replace(
        layout,
        step=step,
        split=(heads, 1),
        jitter=0.0,
        offset=((columns + BETWEEN) * step, 0.0),
        size=size,
        grid=(0, 0),
    )
    return wide.at(*middle, layout.origin[2])
