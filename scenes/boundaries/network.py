"""The base of boundaries: where the history of a training comes from."""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

import engine
from engine import Choice, HeldInputs, Integer, Number, Recipe, SettingError, Switch, Text, in_group

# Four runs that `neuroscene train` recorded; docs/boundaries.md has the command.
SHIPPED = "bottle.safetensors"
# The activations that the training kernel supports.
LEARNING = [name for name in ("relu", "leaky_relu", "tanh", "sine", "gelu", "silu") if name in engine.ACTIVATIONS]
TASKS = ["black and white", "grey", "colour"]
# The longest training for pictures and films off the screen; longer ones should use `neuroscene train`.
MOST_STEPS = 200_000


@cache
def shipped() -> engine.History:
    """The included History."""
    return engine.history_from_bytes(files("scenes").joinpath("data", SHIPPED).read_bytes(), SHIPPED)


class TrainedNetwork(engine.FlatScene):
    """A scene with a History: the included or a recorded one, a single network, or a training that runs now."""

    with in_group("shown"):
        history = engine.Recorded(None, doc="a recorded training; none shows the one that comes along")
        image = engine.Image(None, doc="an image to learn now, before your eyes")
        training = engine.Unfinished(None, doc="a training that was saved, to go on with")
        net = engine.Network(None, doc="one network instead of a training")

    with in_group("how", when=lambda s: s.begins):
        seed = Integer(0, bounds=(0, 2**31 - 1), doc="of the first run; the others count on")
        task = Choice(TASKS, doc="what is learnt of the image")
        white = Integer(
            0, bounds=(0, 65535), when=lambda s: s.image is not None and s.image.dtype == np.uint16,
            doc="the value of white in an image of 16 bits; 0 finds it",
        )  # fmt: skip
        hidden = Text("16, 16, 16", doc="neurons of each hidden layer, by commas")
        activation = Choice(LEARNING, doc="of the hidden layers")
        steps = Integer(1_280_000, bounds=(1, 10**9), doc="of the whole training")
        batch = Integer(128, bounds=(0, 1024), doc="pixels a step; 0 takes them all")
        learning_rate = Number(
            1e-3, bounds=(1e-6, 1.0), softbounds=(1e-4, 1e-1), doc="at the start; it falls to 0 along a cosine"
        )
        runs = Integer(2, bounds=(1, 16), doc="trained side by side, a seed each")
    with in_group("time", when=lambda s: s.trains):
        pause = Switch(False, doc="lets the training rest")

    with in_group("shown"):
        with in_group(when=lambda s: s.is_wide):
            x_input = Integer(1, bounds=(1, 4096), doc="which input goes to the right")
            y_input = Integer(2, bounds=(1, 4096), doc="which input goes upwards")
            rest = HeldInputs()
        with in_group(when=lambda s: s.net is not None):
            low = Number(
                0.0, bounds=(-1e6, 1e6), softbounds=(-5, 5), doc="of the inputs, at the left and at the bottom"
            )
            high = Number(1.0, bounds=(-1e6, 1e6), softbounds=(-5, 5), doc="of the inputs, at the right and at the top")
            upwards = Text(
                "", label="limits upwards", doc="of the input upwards, if they are others: `0, 200`; drawn as a square"
            )  # fmt: skip

    # True once a window has called `work`, which trains for a short time in each frame.
    _is_live = False

    # Where the history comes from.

    def shown_data(self, name: str) -> Any:
        return {"history": self.record, "training": self.trainer if self.trains else None}.get(name)

    @property
    def trains(self) -> bool:
        """True if the history comes from a training that runs in this scene."""
        return (self.image is not None or self.training is not None) and self.history is None and self.net is None

    @property
    def begins(self) -> bool:
        """True if that training is begun here, by the recipe of the settings."""
        return self.trains and self.training is None

    @property
    def is_wide(self) -> bool:
        """True if the network has more than two inputs, and is shown on a plane through them."""
        source = self.net.shape if self.net is not None else self.history.shape if self.history is not None else None
        return source is not None and source.sizes[0] > 2

    @property
    def record(self) -> engine.History:
        """The present History."""
        if self.net is not None:
            made_from = self.net, self.low, self.high, self.upwards, self.x_input, self.y_input, self.rest
            return self.cached("network", made_from, self._of_network)
        if self.history is not None:
            if not self.is_wide:
                return self.history
            key = self.history, self.x_input, self.y_input, self.rest
            return self.cached("plane", key, self._along_plane)
        if not self.trains:
            return shipped()
        taken = int(np.searchsorted(self.trainer.snapshot_steps, self.trainer.step, side="right"))
        return self.cached("record", (self.trainer, taken), self.trainer.history)

    def _of_network(self):
        if not self.low < self.high:
            raise SettingError(f"low={self.low:g}, high={self.high:g}: low must be below high.")
        low, high = np.full(2, self.low), np.full(2, self.high)
        domain = self._plane(self.net.inputs, low, high)
        if self.upwards.strip():
            domain = _stretched(domain, *self._upwards())
        return engine.History.of(self.net, domain, task=_task(self.net))

    def _upwards(self):
        """(low, high) of the input upwards."""
        try:
            low, high = (float(word) for word in self.upwards.split(","))
        except ValueError:
            low = high = 0.0
        if not low < high or not max(abs(low), abs(high)) <= 1e6:
            raise SettingError(f"upwards={self.upwards}: it takes two numbers, the lower first, as in -1, 200.")
        return low, high

    def _along_plane(self):
        domain = self.history.domain
        # The plane of the recorded history, unless another one is set.
        if (self.x_input, self.y_input, self.rest.strip()) == (1, 2, ""):
            return self.history
        return replace(self.history, domain=self._plane(domain.origin.size, domain.low, domain.high), target=None)

    def _plane(self, inputs, low, high):
        x, y = self.x_input - 1, self.y_input - 1
        if inputs == 1:
            return engine.Domain.plane(1, low, high, x=0, y=0)
        if inputs == 2 and not self.is_wide:
            x, y = 0, 1
        if max(x, y) >= inputs or x == y:
            raise SettingError(f"x_input={x + 1}, y_input={y + 1}: a plane takes two of the inputs 1 to {inputs}.")
        return engine.Domain.plane(inputs, low, high, x=x, y=y, rest=self._rest(inputs, (x, y)))

    def remark(self) -> str | None:
        source = self.history if self.net is None else self.net
        return engine.missing_inputs(self.rest, source.shape.sizes[0] - 2) if source and self.is_wide else None

    def _rest(self, inputs, taken):
        values, others = np.zeros(inputs), [k for k in range(inputs) if k not in taken]
        key = self.rest, len(others)
        values[others] = self.cached("rest", key, lambda: engine.held_inputs(*key))
        return values

    def moment_of(self, snapshot: int) -> engine.History:
        """A History of all runs with a single snapshot of the record."""
        record, here = self.record, slice(snapshot, snapshot + 1)
        return replace(record, steps=record.steps[here], weights=record.weights[:, here], losses=record.losses[:, here])

    def state(self, clock: engine.Clock | None = None, *, weights_limit: float = 2**20) -> dict[str, Any]:
        state = super().state(clock, weights_limit=weights_limit)
        if "history" not in state["settings"] or (self.trains and (self._is_live or self.training is not None)):
            # A history that is too long to be stored, or still growing: storing the snapshot shown is enough.
            snapshot = self.snapshot_at(clock.time if clock else 0.0)
            data = engine.history_to_bytes(self.moment_of(snapshot))
            if len(data) <= weights_limit:
                state["settings"]["history"] = {"history": data.hex()}
        return state

    # Training.

    @property
    def trainer(self) -> engine.Trainer:
        """The Trainer read from a file, or one for the image and the recipe of the settings."""
        if self.training is not None:
            return self.training
        key = (self.image, self.white, self.task, self.hidden, self.activation, self.steps, self.batch,
               self.learning_rate, self.seed, self.runs)  # fmt: skip
        return self.cached("trainer", key, self._new_trainer)

    def _new_trainer(self):
        task = "classes" if self.task == TASKS[0] else "values"
        data = engine.ImageData.from_image(self.image, task=task, colour=self.task == "colour", white=self.white)
        sizes = (2, *self._hidden(), data.outputs)
        recipe = Recipe(sizes, self.activation, task=task, steps=self.steps, batch=self.batch, rate=self.learning_rate)
        seeds = tuple(range(self.seed, self.seed + self.runs))
        return engine.Trainer(data.points, data.targets, recipe, seeds, domain=data.domain, target=data.target)

    def _hidden(self):
        words = [word.strip() for word in self.hidden.replace("-", ",").split(",") if word.strip()]
        widths = tuple(engine.whole_number(word) or 0 for word in words)
        if not widths or not all(0 < width <= 64 for width in widths):
            raise SettingError(f"hidden={self.hidden}: it takes neurons of each hidden layer, as in 16, 16, 16.")
        return widths

    def snapshot_at(self, time: float) -> int:
        """The number of the snapshot shown at a time."""
        raise NotImplementedError

    def work(self, seconds: float) -> bool:
        self._is_live = True
        if not self.trains or self.pause:
            return False
        if not self.trainer.is_done:
            self.trainer.work(seconds)
        return not self.trainer.is_done

    def trained_to(self, snapshot: int) -> None:
        """Trains until a snapshot of the schedule is recorded; in a live view it does nothing, since `work` trains."""
        if self._is_live or not self.trains:
            return
        planned = self.trainer.snapshot_steps
        step = int(planned[min(snapshot, len(planned) - 1)])
        if step - self.trainer.step > MOST_STEPS:
            raise SettingError(
                f"To show step {step:,} the network is trained there first, which goes up to {MOST_STEPS:,} for a "
                "picture. Train with `neuroscene train`, and give its file to --history."
            )
        if step > self.trainer.step:
            self.trainer.advance(step - self.trainer.step)

    def restart_training(self) -> None:
        """Trains again from the same initial weights; if nothing is being trained, begins with the image shown."""
        if self.trains:
            self.trainer.restart()
            return
        target = self.record.target
        if target is None:
            raise SettingError("There is no image to train on: give one with the setting image, or --image.")
        self.param.update(history=None, net=None, training=None, image=target)

    def step_training(self) -> None:
        """Trains one step, then pauses."""
        if not self.trains:
            raise SettingError("Nothing is being trained; give an image to learn, or begin with Train.")
        self.pause = True
        if not self.trainer.is_done:
            self.trainer.advance(1)


def _stretched(domain, low, high):
    """The Domain with other limits upwards in the same square: world y is no longer the input itself."""
    rate = (high - low) / (domain.high[1] - domain.low[1])
    axes = domain.axes * [[1.0], [rate]]
    return engine.Domain(domain.origin + domain.axes[1] * (low - rate * domain.low[1]), axes, domain.low, domain.high)


def _task(net):
    last = str(net.layers[-1].activation)
    return "classes" if net.outputs == 2 or net.outputs > 3 or "softmax" in last else "values"
