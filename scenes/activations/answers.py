"""What the network of activations answers: classes, a picture, a map over the picture, or values."""

import colorsys
import math

import numpy as np

import engine
from engine import Choice, NetworkError, NeurosceneError, Number, Rank, SettingError, in_group
from scenes.activations.network import SeenNetwork

AS_FOUND = "as found"
# How many classes or values are named.
TOP = 5
# The colours of the first classes of a map (Okabe and Ito 2008); of further ones, hues a golden angle apart.
CLASSES = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#0072b2")
GOLDEN = 0.381966
# Linear colours of what is above 0, as of neurons that raised a response, and of what is below.
RAISED, HELD = engine.linear_rgb("#ff9d3c"), engine.linear_rgb("#5aa9ff")
# Names of a class that is not painted over the picture.
NOTHING = ("background", "none", "nothing", "other", "void", "unlabeled", "unlabelled")


class Answering(SeenNetwork):
    """A SeenNetwork and what its output means."""

    with in_group("shown"):
        output = Choice(
            [AS_FOUND, *engine.OUTPUT_KINDS], label="the output is",
            doc="classes, a picture, labels of places, a map of one number a place, or values; found from the network",
        )  # fmt: skip
        overlay = Number(
            0.6, bounds=(0.0, 1.0), when=lambda s: s.lies_over_picture,
            doc="opacity of the network's map over the picture",
        )  # fmt: skip

    @property
    def lies_over_picture(self) -> bool:
        """Whether the output is shown over the picture."""
        try:
            return self.kind.kind in ("labels", "map")
        except NeurosceneError:
            return False  # the next picture reports the error

    @property
    def kind(self) -> engine.OutputKind:
        """What the output is. Raises SettingError if it cannot be what `output` says."""
        net = self.plain
        return self.cached("kind", (net, self.output), lambda: self._kind(net))

    def _kind(self, net):
        try:
            return engine.output_kind(net, None if self.output == AS_FOUND else self.output)
        except NetworkError as error:
            raise SettingError(f"output={self.output}: {error}") from None

    @property
    def convnet(self) -> engine.ConvNet:
        """The network; if its outputs are scores of classes, with a softmax behind them."""
        net = self.plain

        def made():
            return engine.with_probabilities(net) if self.kind.kind == "classes" else net

        return self.cached("convnet", (net, self.output), made)  # which say the kind, and are asked for more quickly

    @property
    def probabilities(self) -> np.ndarray | None:
        """(classes,): the probabilities of the last node, or None for a network without them."""
        return self.answer.astype(float).ravel() if self.kind.kind == "classes" else None

    @property
    def answer(self) -> np.ndarray:
        """(C, H, W): the responses of the output."""
        return self.responses[self.convnet.output.name]

    @property
    def output_image(self) -> tuple[np.ndarray, str] | None:
        """((H, W, 3) uint8, words): the output as a picture, or laid over the one that is seen; None for vectors."""
        kind = self.kind.kind
        if kind in ("classes", "values"):
            return None
        key = self.responses, self.seen, kind, self.overlay, self.names
        return self.cached("output image", key, lambda: self._output_image(kind))

    def _output_image(self, kind):
        answer = self.answer.astype(float)
        if kind == "picture":
            unit, words = self._of_unit(answer)
            prepare = self.convnet.preprocess
            unit = unit[::-1] if prepare and prepare.order == "bgr" and len(unit) == 3 else unit
            return _bytes(np.broadcast_to(unit, (3, *unit.shape[1:])).transpose(1, 2, 0)), words
        if kind == "labels":
            number, known = answer.argmax(axis=0), ~np.isnan(answer).any(axis=0)
            colours = np.array([class_colour(k) for k in range(len(answer))])[number]
            painted = np.array([self.class_name(k).lower() not in NOTHING for k in range(len(answer))])[number] & known
            if engine.output_range(self.convnet) == (0.0, 1.0):
                # Each class has a score of its own, as in a detector: as strong as the largest.
                return self._over(
                    engine.srgb(colours), painted * np.nan_to_num(answer.max(axis=0))
                ), "as strong as the largest"
            return self._over(engine.srgb(colours), painted), "the largest score at each place"
        unit, words = self._of_unit(answer)
        colours = engine.srgb(engine.map_colours("viridis", "image", unit[0]))
        return self._over(colours, ~np.isnan(answer[0])), words

    def _of_unit(self, answer):
        """(the answer from 0 to 1, 0 where it is no number; what that means in words)."""
        said = engine.output_range(self.convnet)
        low, high = said or finite_span(answer)
        words = f"from {low:.3g} to {high:.3g}" if np.isfinite(answer).any() else "no numbers"
        return unit(answer, low, high), words

    def _over(self, colours, cover):
        """The seen picture with colours (h, w, 3) over it, each place an even rectangle."""
        if self.takes_code:
            return _bytes(colours)
        rows, columns = ((np.arange(n) + 0.5) * m / n for n, m in zip(self.seen.shape[:2], cover.shape, strict=True))
        at = np.ix_(rows.astype(int), columns.astype(int))
        part = self.overlay * cover[at][..., None]
        return _bytes(self.seen / 255.0 * (1 - part) + colours[at] * part)

    @property
    def ranks(self) -> tuple[tuple[Rank, ...], str]:
        """(the likeliest classes, the classes of most places, or the largest values; the title above them)."""
        key = self.responses, self.kind, self.names
        return self.cached("ranks", key, self._ranks)

    def _ranks(self):
        kind, name, answer = self.kind.kind, self.convnet.name, self.answer.astype(float)
        if kind == "classes":
            order = np.argsort(-answer.ravel(), kind="stable")[:TOP]
            return tuple(_rank(self.class_name(int(k)), float(answer.ravel()[k])) for k in order), name
        if kind == "labels":
            known = answer.argmax(axis=0)[~np.isnan(answer).any(axis=0)]
            counts = np.bincount(known, minlength=len(answer)) / answer[0].size
            largest = [int(k) for k in np.argsort(-counts, kind="stable")[:TOP] if counts[k] > 0]
            return tuple(Rank(self.class_name(k), counts[k], colour=class_colour(k)) for k in largest), name
        if kind != "values":
            return (), name
        norm = float(np.linalg.norm(answer))
        order = np.argsort(-abs(answer), axis=None, kind="stable")[:TOP]
        most = float(abs(answer).max()) or 1.0
        places = [np.unravel_index(k, answer.shape) for k in order]
        found = [(p, float(answer[p]), HELD if answer[p] < 0 else RAISED) for p in places]
        ranks = [Rank(self._coordinate(p), _share(abs(v) / most), f"{v:.4g}", colour) for p, v, colour in found]
        return tuple(ranks), f"{name}: largest by size, norm {norm:.3g}"

    def _coordinate(self, place):
        channel, row, column = map(int, place)
        name = self.convnet.classes[channel] if self.convnet.classes else f"{channel}"
        if self.answer.shape[1:] == (1, 1):
            return name if self.convnet.classes else f"output {name}"
        return f"{name} at {row}, {column}" if self.answer.shape[2] > 1 else f"{name} of row {row}"

    def kind_remark(self) -> str | None:
        """What the output is taken to be, where that is not evident."""
        kind = self.kind
        if self.net is None or kind.why == "it ends in a softmax":
            return None
        channels, *size = self.plain.shapes[self.plain.output.name]
        if kind.kind == "values" and size == [1, 1]:
            if channels == 1:
                return None
            return f"the outputs are shown as values ({kind.why}); output=classes makes probabilities of them"
        words = self.output_image[1] if self.output_image else ""
        return f"the output is shown as {kind.kind} ({kind.why}{', ' + words if words else ''})"


def class_colour(number: int) -> tuple[float, float, float]:
    """Linear RGB of a class of a map."""
    if number < len(CLASSES):
        return engine.linear_rgb(CLASSES[number])
    value = (0.95, 0.7)[number % 2]
    red, green, blue = colorsys.hsv_to_rgb(number * GOLDEN % 1.0, 0.65, value)
    return engine.linear_rgb("#" + "".join(f"{round(255 * v):02x}" for v in (red, green, blue)))


def finite_span(values: np.ndarray) -> tuple[float, float]:
    """(least, largest) of the finite numbers; (0, 0) without any."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def unit(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values from 0 at low to 1 at high and beyond; 0 for what is no number."""
    return np.nan_to_num(np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0))


def _bytes(unit):
    return np.ascontiguousarray(np.rint(np.clip(unit, 0.0, 1.0) * 255.0).astype(np.uint8))


def _rank(name, part):
    return Rank(name, part) if math.isfinite(part) else Rank(name, 0.0, f"{part:g}")


def _share(part):
    """A part of a bar; none of a number that is nan or infinite."""
    return part if math.isfinite(part) else 0.0
