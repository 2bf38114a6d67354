"""The reading of boundaries at a place: the output, the active units, the linear map, the nearest boundary."""

import numpy as np

import engine
from engine import Reading
from scenes.boundaries.picture import BoundariesPicture, names_of

# A boundary this close to the pointer counts as under it, relative to the picture's extent.
NEAR = 0.012


class BoundariesReading(BoundariesPicture):
    """Adds the readings at a place."""

    def _here(self, position):
        """(run, its domain) of the tile nearest to a world point."""
        middles = np.array([(d.low + d.high) / 2 for d in self._domains])
        tile = int(np.argmin(((middles - position[:2]) ** 2).sum(1)))
        return tile if self.together else self.shown_run, self._domains[tile]

    def read(self, hit: engine.Hit) -> Reading | None:
        if hit.position is None or not self._nodes:
            return None
        record, point = self.record, np.array(hit.position[:2])
        run, domain = self._here(point)
        net = self.network_of(run)
        here = engine.local_map(net, domain, point)
        inputs = domain.inputs([point])[0]
        names, outputs = names_of(record)
        rows = [("output", _written(_answer(record, here), outputs)), *self._nearest_row(net, domain, here, point)]
        for k, (active, places) in enumerate(zip(here.active, here.places, strict=True), 1):
            bends = active[[bool(some) for some in places]]
            rows.append((f"layer {k}: {int(bends.sum())} of {bends.size} active", _bits(bends)))
        if engine.has_linear_regions(net.shape) and len(inputs) == 2:
            # The slope is taken along the inputs; of two logits, the difference decides the class.
            slope, value, outs = here.jacobian @ np.linalg.inv(domain.axes.T), here.logits, outputs
            if record.task == "classes" and len(value) == 2:
                slope, value, outs = slope[1:] - slope[:1], value[1:] - value[:1], (f"{outs[1]} - {outs[0]}",)
            maps = zip(outs[:3], slope, value, strict=False)
            rows += [(name, _affine(s, v - s @ inputs, names)) for name, s, v in maps]
        title = ", ".join(f"{name} {v:.4g}" for name, v in zip(names, inputs[:4], strict=False))
        return Reading(title, tuple(rows), hit.position)

    def pointed(self, hit: engine.Hit | None) -> bool:
        before, self._hovered = self._hovered, None
        if hit is not None and hit.position is not None and self._nodes:
            point = np.array(hit.position[:2])
            run, domain = self._here(point)
            net = self.network_of(run)
            distance, unit = self._nearest(net, domain, engine.local_map(net, domain, point), point)
            self._hovered = unit if distance < NEAR * self.extent else None
        return self._hovered != before

    def _nearest(self, net, domain, here, point):
        """(distance in the picture, (layer, unit)) of the boundary nearest to a point; (inf, None) without any."""
        if not engine.has_linear_regions(net.shape):
            return here.nearest()
        distance, number = self.partition(net, domain).nearest(point, among=self._among(net))
        return distance, None if number is None else _unit(number, net.shape.sizes[1:-1])

    def _nearest_row(self, net, domain, here, point):
        distance, unit = self._nearest(net, domain, here, point)
        if unit is None:
            return []
        scale = (self.record.domain.high - self.record.domain.low).max() / (domain.high - domain.low).max()
        return [("nearest", f"layer {unit[0] + 1}, neuron {unit[1] + 1}: {distance * scale:.4g} away")]

    def _among(self, net):
        """(neurons,): the neurons whose boundaries are shown; all if none are."""
        shown = np.concatenate(engine.read_units(self.neurons, net.shape.sizes[1:-1]))
        return np.append(shown if shown.any() else np.ones_like(shown), False)

    def partition(self, net: engine.Mlp, domain: engine.Domain) -> engine.Partition:
        """The exact Partition of the domain's rectangle; computed once for each network."""
        return self.cached("partition", (net, domain), lambda: engine.linear_regions(net, domain))


def _unit(number, sizes):
    """(layer, unit) of the neuron with a number; None for the decision."""
    ends = np.cumsum(sizes)
    layer = int(np.searchsorted(ends, number, side="right"))
    return None if layer == len(sizes) else (layer, int(number - (ends[layer] - sizes[layer])))


def _answer(record, here):
    """The probabilities of classes, or the outputs."""
    if record.task != "classes" or str(record.shape.activations[-1]) not in ("identity", "log_softmax"):
        return here.outputs
    e = np.exp(here.logits - here.logits.max())
    return e / e.sum()


def _written(values, names, most=4):
    return ", ".join(f"{name} {v:.4f}" for name, v in zip(names[:most], values, strict=False))


def _bits(active, most=24):
    text = "".join("1" if a else "0" for a in active[:most])
    return " ".join(text[k : k + 4] for k in range(0, len(text), 4)) + ("..." if len(active) > most else "")


def _affine(slope, offset, names):
    words = f"{slope[0]:.4g} {names[0]}"
    for value, name in ((slope[1], f" {names[1]}"), (offset, "")):
        words += f" {'-' if value < 0 else '+'} {abs(value):.4g}{name}"
    return words
