"""Attention in activations: which tokens a chosen one looks at, over the picture, as lines and head by head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import engine
from engine import Integer, NeurosceneError, SettingError, Text, in_group
from scenes.activations.marks import UNKNOWN, ActivationsMarks, Neuron

# The most tokens to which lines lead; how much of the picture the least and the largest weight cover; lines' colour.
MOST, COVER = 24, (0.2, 0.75)
LINE = np.array(engine.linear_rgb("#ffd98a"))
# The most heads on a card.
ON_CARD = 12


@dataclass(frozen=True, eq=False)
class Look:
    """What one token looks at.

    attention   which
    query       number of the token's patch, or of an added token
    patches     (heads, rows, columns) weights; added (heads, added tokens)
    """

    attention: engine.Attention
    query: int
    patches: np.ndarray
    added: np.ndarray


class Attending(ActivationsMarks):
    """Draws the attention of a chosen token."""

    with in_group("shown"), in_group(when=lambda s: s.has_attention):
        token = Text(
            "", doc="whose attention is drawn: class, or a patch's row and column as `5 7`; else the pinned one's"
        )
        attending = Integer(
            0, bounds=(0, 10_000), label="attention",
            doc="which one, from 1 on; 0: that of the pinned neuron's block, or the last",
        )  # fmt: skip
        head = Integer(0, bounds=(0, 4096), doc="which head, from 1 on; 0: the mean of all")

    _pointed_patch: tuple[int, int] | None = None  # (row, column) of the patch under the pointer

    @property
    def has_attention(self) -> bool:
        """Whether the network has attention over the picture's patches."""
        try:
            return bool(self.attentions)
        except NeurosceneError:
            return False

    # Which token, and what it looks at.

    @property
    def look_at(self) -> Look | None:
        """What the chosen token looks at: that of `token`, else the one under the pointer or of the pinned neuron."""
        if not self.attentions:
            return None
        chosen = self._chosen_token()
        if chosen is None:
            return None
        key = self.responses, *chosen
        return self.cached("look", key, lambda: self._look(*chosen))

    def _look(self, attention, query):
        try:
            patches, added = attention.looks(self.responses[attention.node], query)
        except KeyError:
            return None
        return Look(attention, query, patches, added)

    def _chosen_token(self):
        """(Attention, number of the token), or None."""
        text = self.token.strip()
        if text:
            attention = self._attention_of(None)
            return attention, self._read_token(text, attention)
        if self._pointed_patch is not None:
            attention = self._attention_of(None)
            row, column = self._pointed_patch
            return attention, row * attention.query_grid[1] + column
        marked = self.marked
        if marked is None:
            return None
        grid, shape = self.grid_of(marked.node), self.convnet.shapes[marked.node]
        attention = self._attention_of(marked.node)
        if grid is not None and (grid.rows, grid.columns) == attention.query_grid:
            return attention, grid.number(marked.row)
        if shape[1:] == attention.query_grid:
            return attention, marked.row * shape[2] + marked.column
        return None

    def _attention_of(self, node):
        """The Attention of the setting, else the last before a node, else the last."""
        every = self.attentions
        if self.attending:
            if self.attending > len(every):
                there = f"{len(every)} attention{'s' * (len(every) > 1)}"
                raise SettingError(f"attending={self.attending}: {self.convnet.name} has {there}.")
            return every[self.attending - 1]
        order = {n.name: i for i, n in enumerate(self.convnet.nodes)}
        before = [a for a in every if node is None or order[a.node] <= order[node]]
        return before[-1] if before else every[0]

    def _read_token(self, text, attention):
        rows, columns = attention.query_grid
        first, *more = text.replace(",", " ").split() or ("",)
        numbers = [engine.whole_number(word) for word in (first, *more)]
        if first == "class" and len(numbers) <= 2:
            number = 1 if len(numbers) == 1 else numbers[1]
            if number and number <= attention.added:
                return engine.ADDED_TOKEN + 1 - number
        elif len(numbers) == 2:
            row, column = numbers
            if row is not None and column is not None and row < rows and column < columns:
                return row * columns + column
        classes = ", or class" if attention.added else ""
        raise SettingError(
            f"token={text}: it takes a row and a column of {rows} x {columns} patches, from 0 on{classes}."
        )

    def patch_of(self, hit: engine.Hit | None) -> tuple[int, int] | None:
        """(row, column) of the patch of the picture that a Hit is on; None of a network without attention."""
        if hit is None or hit.node is not self._plane or hit.part is None or not self.has_attention:
            return None
        (height, width), (rows, columns) = self.seen.shape[:2], self._attention_of(None).query_grid
        return hit.part[0] * rows // height, hit.part[1] * columns // width

    def token_words(self, number: int, grid: tuple[int, int]) -> str:
        """A token in words."""
        if number >= 0:
            return f"patch {number // grid[1]}, {number % grid[1]}"
        return "class token" if number == engine.ADDED_TOKEN else f"added token {engine.ADDED_TOKEN - number + 1}"

    def _weights(self, look):
        """(rows, columns): the weights of the head that is shown."""
        heads = len(look.patches)
        if self.head > heads:
            raise SettingError(f"head={self.head}: this attention has {heads} head{'s' * (heads > 1)}.")
        return look.patches.mean(axis=0) if self.head == 0 else look.patches[self.head - 1]

    # What is drawn.

    def build_marks(self, root: engine.Node, stage: engine.Node) -> None:
        super().build_marks(root, stage)
        self._looks = root.add(engine.Lines(name="what a token looks at", width=1.6))
        self._looker = root.add(engine.Lines(name="the token", width=2.5))
        self._drawn_look: tuple | None = None

    def update_marks(self) -> None:
        super().update_marks()
        look = self.look_at
        drawn = look, self.head, self._plane.visible, self._placed
        if self._drawn_look != drawn:
            self._drawn_look = drawn
            self._looks.set(*(self._look_lines(look) if look else ((), (1, 1, 1, 1))))
            self._looker.set(self._patch_frame(look), (*engine.FRAMED, 1.0))

    @property
    def in_front(self) -> np.ndarray:
        """(H, W, 3) uint8: the seen picture, under the weights of the chosen token."""
        look = self.look_at
        if look is None:
            return self.seen
        return self.cached("in front", (look, self.head, self.seen), lambda: self._under(self._weights(look)))

    def _under(self, weights):
        height, width = self.seen.shape[:2]
        part = weights / (weights.max() or 1.0)
        rows, columns = (np.arange(n) * m // n for n, m in zip((height, width), weights.shape, strict=True))
        part = part[np.ix_(rows, columns)][..., None]
        colours = engine.srgb(engine.map_colours("viridis", "image", part[..., 0]))
        cover = COVER[0] + (COVER[1] - COVER[0]) * part
        mixed = self.seen / 255.0 * (1 - cover) + colours * cover
        return np.rint(255 * mixed).astype(np.uint8)

    def _patch_frame(self, look):
        """The segments of a frame round the token's patch on the picture."""
        if look is None or look.query < 0 or not self._plane.visible:
            return ()
        grid = look.attention.query_grid
        corners = [self._patch_corner(look.query, grid, down, right) for down, right in SQUARE]
        return [(corners[k], corners[(k + 1) % 4]) for k in range(4)]

    def _patch_corner(self, number, grid, down, right):
        (rows, columns), (height, width) = grid, self.seen.shape[:2]
        row, column = divmod(number, columns)
        return self._on_picture((row + down) * height / rows, (column + right) * width / columns)

    def _look_lines(self, look):
        """(segments, colours) from the token to those it looks at most, in the block before the attention."""
        weights = self._weights(look).ravel()
        keys = [int(k) for k in np.argsort(-weights, kind="stable")[:MOST] if weights[k] > 0]
        attention = look.attention
        before, after = self._blocks_about(attention)
        start = self._token_place(after, look.query, attention.query_grid)
        ends = [(k, self._token_place(before, k, attention.grid)) for k in keys]
        found = [(start, end, weights[k]) for k, end in ends if start is not None and end is not None]
        if not found:
            return (), (1, 1, 1, 1)
        colours = np.ones((len(found), 4)) * (*LINE, 1.0)
        colours[:, 3] = np.array([w for _, _, w in found]) / weights.max()
        return [(a, b) for a, b, _ in found], colours

    def _blocks_about(self, attention):
        """Numbers of the last block before an attention of tokens that are looked at, and of the first after it of
        those that look; None for the picture."""
        order = {n.name: i for i, n in enumerate(self.convnet.nodes)}
        at, names = order[attention.node], self.block_names
        before = [k for k, n in enumerate(names) if order[n] < at and self._grid_at(n) == attention.grid]
        after = [k for k, n in enumerate(names) if order[n] > at and self._grid_at(n) == attention.query_grid]
        return (before[-1] if before else None), (after[0] if after else None)

    def _grid_at(self, name):
        grid = self.grid_of(name)
        return self.convnet.shapes[name][1:] if grid is None else (grid.rows, grid.columns)

    def _token_place(self, block, number, grid):
        """(3,) where a token stands: the middle of its channels in a block, or its patch on the picture; or None."""
        if block is None:
            is_there = number >= 0 and self._plane.visible
            return self._patch_corner(number, grid, 0.5, 0.5) if is_there else None
        name = self.block_names[block]
        tokens, channels = self.grid_of(name), self.convnet.shapes[name][0]
        if tokens is not None:
            return self._cloud.spot(block, channels // 2, tokens.row(number), 0)
        return self._cloud.spot(block, channels // 2, *divmod(number, grid[1])) if number >= 0 else None

    # The card.

    def _card_of(self, neuron: Neuron | None) -> tuple:
        title, rows, images = super()._card_of(neuron)
        look = self.look_at
        if look is None:
            return title, rows, images
        more_rows, image = self.cached("look card", (look,), lambda: self._look_card(look))
        words = self.token_words(look.query, look.attention.query_grid)
        return title or f"attention of {words}", (*rows, *more_rows), (*images, image)

    def _look_card(self, look):
        heads = look.patches[:ON_CARD]
        columns = min(len(heads), 4 if len(heads) > 3 else len(heads))
        most = heads.max() or 1.0
        height, width = heads.shape[1:]
        lines = -(-len(heads) // columns)
        gap = max(1, height // 8)
        whole = np.full((lines * (height + gap) - gap, columns * (width + gap) - gap), np.nan)
        for k, head in enumerate(heads):
            y, x = k // columns * (height + gap), k % columns * (width + gap)
            whole[y : y + height, x : x + width] = head / most
        colours = engine.srgb(engine.map_colours("viridis", "image", np.nan_to_num(whole)))
        colours[np.isnan(whole)] = UNKNOWN
        pixels = np.rint(255 * colours).astype(np.uint8)
        of = (
            f"{len(heads)} of " * (len(heads) < len(look.patches)) + f"{len(look.patches)} head{'s' * (len(heads) > 1)}"
        )
        number = [a.node for a in self.attentions].index(look.attention.node) + 1
        rows = [("attention", f"{number} of {len(self.attentions)}")]
        rows += [
            (f"to the {self.token_words(engine.ADDED_TOKEN - k, look.attention.grid)}", f"{100 * part:.1f}%")
            for k, part in enumerate(look.added.mean(axis=0))
        ]
        return tuple(rows), engine.InsetImage(pixels, f"{of}, 0 to {most:.2g}")


# Corners of a square: down and right of its upper left one.
SQUARE = ((0, 0), (0, 1), (1, 1), (1, 0))
