"""The panel of boundaries: its timeline, buttons for neurons, the network's diagram, the findings."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

import engine
from engine import parts
from scenes.boundaries.picture import BoundariesPicture, names_of

# Colours for the curves of runs, different from the layers' colours.
RUNS = ("#b48ead", "#d0a15c", "#7f9fbf", "#8fae8b", "#c77d7d", "#9a8fc0")
# The most hidden neurons for which the regions of the snapshot shown are counted, in a few milliseconds.
COUNTED = 64
# Points a side of the grid on which dead neurons are found.
SAMPLED = 24
# What is said of a unit that has no boundary anywhere, and no button.
PASSES = "passes its sum on"
# Colours of a background that differ by less, of 255, are told as one.
EVEN = 32.0
REGIONLESS = (
    "background=regions: this network has no linear regions, since its activations are curved; a picture fills the "
    "cells where the same neurons are positive, a drawing none"
)


class BoundariesPanel(BoundariesPicture):
    """Adds the parts of the panel."""

    # Time.

    def timeline(self) -> engine.Timeline:
        record = self.record
        key = (record, self.shown_run, self.together, self.rate, self.spacing, self.log_loss, self._hint(), self.curves,
               self.trains and self.trainer.is_done, len(self._findings or ()))  # fmt: skip
        return self.cached("timeline", key, self._timeline)

    def _timeline(self):
        record = self.record
        curves = self._motion(record) if self.curves == "motion" else self._losses(record)
        marks = [(f.snapshot, f.title) for f in self._findings or ()]
        return engine.Timeline(
            record.steps, self.times, tuple(curves), tuple(marks), hint=self._hint(),
            spacing=self.spacing, set_spacing=lambda text: setattr(self, "spacing", text),
            log_values=self.log_loss, set_log_values=lambda on: setattr(self, "log_loss", on),
            is_growing=self.trains and not self.trainer.is_done, value_name=self.curves,
        )  # fmt: skip

    def _losses(self, record):
        return [
            engine.TimeCurve(name, losses, RUNS[k % len(RUNS)], wide=self.together or k == self.shown_run)
            for k, (name, losses) in enumerate(zip(record.names, record.losses, strict=True))
        ]

    def _motion(self, record):
        """TimeCurves of how far boundaries move in a step, in the domain's units: by biases, by weights (wide)."""
        if record.snapshots < 2:
            return []
        found = self.cached("motion", (record, self.shown_run), lambda: engine.boundary_motion(record, self.shown_run))
        styles = self.styles_of(len(record.shape.sizes) - 2)
        curves = []
        for by, table, wide in (("biases", found.biases, False), ("weights", found.weights, True)):
            for k, style in enumerate(styles):
                values = np.append(np.nan, table[:, k])
                # A layer that does not move has no place on a logarithmic axis.
                values[values <= 0.0] = np.nan
                curves.append(engine.TimeCurve(f"layer {k + 1}, {by}", values, style.css, wide))
        return curves

    def _hint(self):
        """The step, the loss and the number of regions of the snapshot shown."""
        record, snapshot = self.record, min(self._snapshot, self.record.snapshots - 1)
        return self.cached("hint", (record, self.shown_run, snapshot), lambda: self._describe(record, snapshot))

    def _describe(self, record, snapshot):
        loss = record.losses[self.shown_run, snapshot]
        words = [f"step {record.steps[snapshot]:,}"] + ([] if np.isnan(loss) else [f"loss {loss:.4f}"])
        if engine.has_linear_regions(record.shape) and sum(record.shape.sizes[1:-1]) <= COUNTED:
            found = engine.linear_regions(record.at(self.shown_run, snapshot), record.domain, decision=False)
            words.append(f"{found.count:,} regions")
        return "  ·  ".join(words)

    # Neurons.

    def units(self) -> engine.Units:
        key = self.network_of(self.shown_run), self.neurons, self.colours, self.background, self.theme, self._hovered
        return self.cached("units", key, self._units)

    def _units(self):
        net = self.network_of(self.shown_run)
        sizes = net.shape.sizes[1:-1]
        dead = self.cached("dead", (net,), lambda: self._dead(net))
        layers = []
        for k, (style, shown, words) in enumerate(
            zip(self.styles_of(len(sizes)), engine.read_units(self.neurons, sizes), dead, strict=True), 1
        ):
            docs = [f"layer {k}, neuron {n}{': ' + word if word else ''}" for n, word in enumerate(words, 1)]
            on, dim, passes = map(bool, shown), map(bool, words), (word == PASSES for word in words)
            layers.append(engine.UnitLayer(f"Layer {k}", style.css, tuple(on), tuple(dim), tuple(docs), tuple(passes)))
        return engine.Units(tuple(layers), self.write_neurons, self._hover, self._hovered)

    def _dead(self, net):
        """For each hidden layer, a text for each neuron: why it has no boundary here, or an empty one."""
        h, words = self.record.domain.inputs(engine.domain_grid(self.record.domain, SAMPLED, SAMPLED)), []
        for layer in net.layers[:-1]:
            z = h @ layer.weights.T.astype(float) + layer.bias
            each = engine.boundary_places(layer.activation, z.shape[1])
            words.append([_state(z[:, k], some) for k, some in enumerate(each)])
            h = layer.activation.value(z)
        return words

    def remark(self) -> str | None:
        record, said = self.record, [super().remark()]
        if self.run > record.runs and not self.together:
            said.append(f"run={self.run}: there are {record.runs}, and the last is shown")
        net = self.network_of(self.shown_run)
        if self.background == "regions" and not engine.has_linear_regions(net.shape):
            said.append(REGIONLESS)
        if self.background == "prediction" and self.cached("even", (net, record), lambda: self._is_even(net)):
            said.append("the network answers nearly the same everywhere, so the background has one colour")
        words = [word for layer in self.cached("dead", (net,), lambda: self._dead(net)) for word in layer]
        if none := sum(word not in ("", PASSES) for word in words):
            said.append(f"{none} of {len(words)} neurons have no boundary here")
        return "; ".join(filter(None, said)) or None

    def _is_even(self, net):
        """Whether the background of a prediction is of one colour, as before a training."""
        domain, task = self.record.domain, self.record.task
        sums = parts.sums(net)(domain.inputs(engine.domain_grid(domain, SAMPLED, SAMPLED)))
        return bool(np.ptp(engine.prediction_colours(sums, net, task, "paper"), axis=0).max() < EVEN)

    def _hover(self, unit):
        self._hovered = unit

    def diagram(self) -> engine.Diagram:
        record, net = self.record, self.network_of(self.shown_run)
        return self.cached("diagram", (net,), lambda: engine.Diagram(net, *_few(names_of(record))))

    # Findings.

    @property
    def _findings(self):
        """The findings in the run shown; None while they are being searched, or if they are not searched."""
        record = self.record
        if self.trains or record.snapshots < 2:
            return None
        found = self.cached("findings", (record, self.shown_run), lambda: self._look(record, self.shown_run))
        if not self._is_live:
            # A picture waits for the search; a window does not.
            return found.result()
        return found.result() if found.done() else None

    def _look(self, record, run):
        pool = ThreadPoolExecutor(1, thread_name_prefix="findings")
        future = pool.submit(engine.findings, record, run)
        pool.shutdown(wait=False)
        return future

    def listing(self) -> engine.Listing:
        key = (self.record, self.shown_run, self._findings)
        return self.cached("listing", key, self._listing)

    def _listing(self):
        found = self._findings
        rows = tuple(
            engine.ListingRow(f.title, f.text, lambda f=f: self._visit(f), lambda on, f=f: self._point(f, on))
            for f in found or ()
        )
        empty = "a training that was recorded has them" if found is None else "none"
        return engine.Listing("Findings", rows, "looking ..." if found is None and self.record.snapshots > 1 else empty)

    def _visit(self, finding):
        """Goes to a finding's moment and shows its neurons."""
        if finding.neurons:
            shown = [np.zeros(n, bool) for n in self.record.shape.sizes[1:-1]]
            for layer, unit in finding.neurons:
                shown[layer][unit] = True
            self.write_neurons(shown)
        self.go_to(float(self.times[finding.snapshot]))

    def _point(self, finding, on):
        self._hovered = finding.neurons[0] if on and finding.neurons else None


def _state(z, places):
    """Why a unit with these sums has no boundary on the domain, or an empty text."""
    if not places:
        return PASSES
    sides = sum(z > place for place in places)
    if sides.min() < sides.max():
        return ""
    return "active everywhere" if sides[0] else "active nowhere"


def _few(names, most=8):
    """The names, or none where there are too many to be written."""
    return tuple(words if len(words) <= most else () for words in names)
