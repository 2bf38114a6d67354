"""The interaction of activations: readings, pins, buttons for blocks, actions."""

import math

import numpy as np

import engine
from engine import Action, Reading
from scenes.activations.attention import Attending
from scenes.activations.blocks import typed
from scenes.activations.marks import Neuron

BUTTON = "#ffb347"
# Factor of the distance for a press of an arrow key.
STEP = 1.1


class ActivationsPanel(Attending):
    """Adds readings, pins, buttons and actions."""

    _hovered_block: tuple[int, int] | None = None

    # Picking.

    def neuron_of(self, hit: engine.Hit | None) -> Neuron | None:
        """The Neuron that a Hit belongs to, or None."""
        if hit is None or hit.node is not self._cloud or hit.part is None:
            return None
        block, *place = hit.part
        return Neuron(self.block_names[block], *place)

    def pointed(self, hit: engine.Hit | None) -> bool:
        before = self._pointed, self._pointed_patch
        self._pointed = self.neuron_of(hit)
        self._pointed_patch = self.patch_of(hit)
        return before != (self._pointed, self._pointed_patch)

    def pin(self, hit: engine.Hit | None) -> bool:
        if (patch := self.patch_of(hit)) is not None:
            before, text = self.token, f"{patch[0]} {patch[1]}"
            self.token = "" if text == before else text
            return True
        neuron, before = self.neuron_of(hit), self.neuron
        text = "" if neuron is None else self.written(neuron)
        self.neuron = "" if text == before else text
        return self.neuron != before

    def read(self, hit: engine.Hit) -> Reading | None:
        neuron = self.neuron_of(hit)
        if neuron is None:
            return self._read_picture(hit)
        if self._is_class(neuron):
            return None  # no card: its name is in the picture already
        title, rows, _ = self._card_of(neuron)
        return Reading(title, rows, hit.position)

    def _read_picture(self, hit):
        if hit is None or hit.node is not self._plane or hit.part is None:
            return None
        row, column = hit.part
        if self.takes_code:
            return None
        rows = ("row, column", f"{row}, {column}"), ("red, green, blue", ", ".join(map(str, self.seen[row, column])))
        return Reading("what is seen", rows, hit.position)

    # Data for the panel.

    def units(self) -> engine.Units | None:
        if self.alone.strip():
            return None
        labels, shapes = self.block_labels, self.convnet.shapes
        docs = tuple(
            f"{label}: {' x '.join(map(str, shapes[name]))}"
            for label, name in zip(labels, self.block_names, strict=True)
        )
        layer = engine.UnitLayer("Blocks", BUTTON, self.block_is_shown, (), docs)
        return engine.Units((layer,), self._put_shown, self._hover_block, self._hovered_block)

    def _put_shown(self, shown):
        names = [typed(label) for label, on in zip(self.block_labels, shown[0], strict=True) if on]
        self.shown = "all" if all(shown[0]) else ", ".join(names) or "none"

    def _hover_block(self, unit):
        self._hovered_block = unit

    def actions(self) -> list[Action]:
        return [
            Action("reveal", "blocks appear one after the other", lambda: self.go_to(0.0, play=True), key="v"),
            Action("next picture", "another picture is drawn", self._draw_another, key="n"),
            Action("unpin", "leaves the pinned neuron", self._unpin, key="u"),
            Action("nearer", "goes nearer", lambda: self._approach(1 / STEP), key="ArrowUp", group="camera"),
            Action("farther", "goes farther away", lambda: self._approach(STEP), key="ArrowDown", group="camera"),
        ]

    def _approach(self, factor):
        low, high = type(self).param.distance.bounds
        self.distance = min(max(self.distance * factor, low), high)

    def _draw_another(self):
        if self.takes_code:
            self.code = (self.code + 1) % 2**31
            return
        self.photo, self.image = "none", None
        self.seed = (self.seed + 1) % 2**31

    def _unpin(self):
        self.neuron = self.token = ""

    def remark(self) -> str | None:
        untold = (self.untold or self._lines_give()) if self.pinned and self.lines else None
        white = None if self.image is None else engine.white_of(self.image, self.white)[1]
        faint = self._boundless() or self._faint()
        parts = untold, white, self._code(), self.kind_remark(), self._unasked(), faint, self._small()
        return "; ".join(filter(None, parts)) or None

    def _code(self):
        """What is given to a network that takes no picture."""
        if not self.takes_code:
            return None
        count = self.convnet.input_shape[0]
        given = f"random ones are given (code={self.code}, spread={self.spread:g})"
        return f"the network takes no picture but {count} numbers: {given}"

    def _unasked(self):
        """Which settings have no effect without attention."""
        given = [name for name in ("token", "attending", "head") if getattr(self, name)]
        if not given or self.has_attention:
            return None
        return f"{', '.join(given)}: no effect, as {self.convnet.name} has no attention"

    def _lines_give(self):
        """How much of the pinned neuron's sum its lines tell."""
        made = self.made_of
        if made is None:
            return None
        # Responses are of single precision: what is less than that of the whole is none.
        least = 1e-5 * max(abs(made.all), abs(made.sum))
        other, offset = (part if abs(part) > least else 0.0 for part in (made.all - made.shown, made.offset))
        count = len(made.found)
        share = made.shown / made.sum if made.sum else -1.0
        part = f" ({100 * abs(share):.0f}%)" if 0.0 <= share <= 1.0 else ""
        return (
            f"the lines to {count} neuron{'s' * (count != 1)} give {made.shown:.3g} of {made.sum:.3g}{part}, other "
            f"neurons {other:.3g}, what is no neuron (biases) {offset:.3g}"
        )

    def _boundless(self):
        """Where neurons first have no number: neither these nor what follows can be drawn or believed."""
        if not self.stage.children:
            return None  # nothing is drawn yet
        return self.cached("boundless", (self.responses, self.block_names), self._count_boundless)

    def _count_boundless(self):
        wrong = {name: int(np.count_nonzero(~np.isfinite(self.responses[name]))) for name in self.block_names}
        first = next((name for name, count in wrong.items() if count), None)
        if first is None:
            return None
        count = f"{wrong[first]:,} of {self.responses[first].size:,}"
        return f"{count} neurons of {first} are nan or infinite for this input; what follows from them is no answer"

    def _faint(self):
        """How many neurons are too faint to be drawn, of those whose blocks are shown."""
        if not self.stage.children:
            return None  # nothing is drawn yet
        shown = zip(self.block_names, self.block_is_shown, strict=True)
        there = sum(math.prod(self.convnet.shapes[name]) for name, on in shown if on)
        drawn = self._cloud.count
        return f"{drawn:,} of {there:,} neurons are drawn; the others are too faint" if drawn < there else None

    def _small(self):
        if self.net is not None or self.network != "small":
            return None
        there = engine.downloaded_file("squeezenet") is not None
        how = "network=squeezenet" if there else "neuroscene download squeezenet"
        return f"a small SqueezeNet of {len(self.convnet.classes)} kinds; of 1,000: {how}"
