"""Networks from PyTorch's modules: chains by the class names of their parts, without torch; others by torch.export.

Whatever is read is compared with what the module computes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from engine.errors import NetworkError, NeurosceneError
from engine.formats.files import short
from engine.formats.tensors.trees import from_tree
from engine.formats.torch.chain import chain
from engine.formats.torch.exported import Exported
from engine.formats.torch.running import MOST_SAMPLES, check_state, compare, is_module, unwrapped
from engine.network.graph.lowering.layers import as_mlp
from engine.network.graph.passes.simplify import simplified
from engine.network.mlp import Mlp

# Widths that are tried where no example is given: those of the first linear layers, of which one is the input's.
MOST_WIDTHS = 8
# Times that a network is compared on random numbers of an example's shape, beside the example itself.
ROUNDS = 3


class ModuleReader:
    """A module as a network, for whatever its weights are now: `net()`.

    module        of PyTorch, or one that is called like one of its own
    example       a tensor or array (N, inputs) that the module takes, or a tuple of several; None: samples of the width
                  of a linear layer
    activations   for names and sizes alone, where forward cannot be read; None: these are refused

    The first way that gives what the module computes is used: the chain of its parts, its exported graph, its names.

    Raises NetworkError or ShapeError if there is none.
    """

    def __init__(self, module: Any, example: Any = None, activations: Any = None):
        self.module = unwrapped(module)
        self.name = f"the {short(type(self.module).__name__)}"
        self.example, self.activations = example, activations
        real = is_module(self.module)
        if real:
            check_state(self.module, self.name)
        refused: list[NeurosceneError] = []
        for way in self._ways(real):
            try:
                self.net = way()
                net = self.net()
                if real:
                    self._check(net)
            except NeurosceneError as error:
                refused.append(error)
                continue
            if self.net == self._chain and activations is not None:
                kind = short(type(self.module).__name__)
                raise NetworkError(
                    f"{kind} has its own activations, but `{short(activations)}` is given. Leave them out."
                )
            return
        raise self._refusal(refused, real)

    def _ways(self, real: bool) -> Iterator[Callable[[], Callable[[], Mlp]]]:
        """Functions that make a function that gives the network, likeliest first."""
        yield lambda: self._chain
        if real:
            for example in self._examples():
                yield functools.partial(self._exported, example)
        if self.activations is not None and hasattr(self.module, "state_dict"):
            yield lambda: self._named

    def _chain(self) -> Mlp:
        return as_mlp(simplified(chain(self.module, self.name)))

    def _exported(self, example: Any) -> Callable[[], Mlp]:
        program = Exported(self.module, example)
        if self.example is None:
            self.example = example
        return lambda: as_mlp(simplified(program.graph()))

    def _named(self) -> Mlp:
        return from_tree(self.module.state_dict(), self.activations, self.name)

    def _examples(self) -> list[Any]:
        if self.example is not None:
            arrays = self.example if isinstance(self.example, tuple) else (self.example,)
            if all(np.ndim(x) == 3 for x in arrays):
                # Batches of points (B, N, 3), of which each is computed by itself, or else of sequences.
                points = tuple(x[:1, :1] for x in arrays)
                return [points if isinstance(self.example, tuple) else points[0], self.example]
            return [self.example]
        widths = [getattr(part, "in_features", None) for part in self.module.modules()]
        given = dict.fromkeys(width for width in widths if isinstance(width, int) and width > 0)
        return [_points(width) for width in list(given)[:MOST_WIDTHS]]

    def _check(self, net: Mlp) -> None:
        """Raises NetworkError if the network is not what the module computes."""
        example = self.example if self.example is not None else _points(net.inputs)
        is_tuple = isinstance(example, tuple)
        arrays = tuple(x[:MOST_SAMPLES] if np.ndim(x) > 1 else x for x in (example if is_tuple else (example,)))
        points = all(np.ndim(x) == 3 for x in arrays) and sum(x.shape[2] for x in arrays) == net.inputs
        if points:
            arrays = tuple(x[:4, :MOST_SAMPLES] for x in arrays)

        def found(*given):
            whole = [x.reshape(-1, x.shape[2]) if points else x.reshape(len(x) if x.ndim > 1 else 1, -1) for x in given]
            return net(np.concatenate(whole, axis=1))

        compare(found, self.module, arrays if is_tuple else arrays[0], self.name)
        if self.example is not None:
            # An example of zeros, as for an export, tells little: other numbers of its shape do.
            rng = np.random.default_rng(1)
            for _ in range(ROUNDS):
                others = tuple(rng.uniform(-1, 1, np.shape(x)) for x in arrays)
                compare(found, self.module, others if is_tuple else others[0], self.name)

    def _refusal(self, refused: list[NeurosceneError], real: bool) -> NeurosceneError:
        """What to say where no way is right: of a module with an example, why its graph cannot be shown."""
        examples = len(self._examples()) if real else 0
        error = refused[-1] if self.activations is not None or not examples else refused[examples]
        advice = ""
        if real and self.example is None and not (examples and "torch.export" not in str(error)):
            advice = (
                " Give an example of its inputs: engine.load(model, example=torch.zeros(1, 3)), or a tuple of several."
            )
        elif self.activations is None and self._reads_by_names():
            advice = " If its layers are a plain chain, give their activations, as in activations='relu'."
        stop = "" if not advice or str(error).endswith(".") else "."
        return type(error)(f"{error}{stop}{advice}")

    def _reads_by_names(self) -> bool:
        """Whether its names and sizes tell its layers, so that activations are all that is missing."""
        try:
            from_tree(self.module.state_dict(), "relu", self.name)
        except Exception:  # the object may be of any kind
            return False
        return True


def from_module(module: Any, activations: Any = None, example: Any = None) -> Mlp:
    """The network that a module computes in eval(): without Dropout, batch norms with their running means.

    activations   for a module whose forward cannot be read, but its names and sizes

    Raises NetworkError for a module that cannot be shown, and if activations are given beside its own.
    """
    return ModuleReader(module, example, activations).net()


def _points(width: int) -> np.ndarray:
    """Samples to compare on: round 0, the same each time."""
    return np.random.default_rng(0).uniform(-1, 1, (MOST_SAMPLES, width))
