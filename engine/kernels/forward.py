"""A network of one image run on the GPU: every response of every node stays there."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from engine.errors import NetworkError, located, near
from engine.gpu.array import Array
from engine.gpu.channel_map import ChannelMap
from engine.gpu.device import device
from engine.gpu.passes import Encoder
from engine.kernels.layouts.operators import made
from engine.kernels.layouts.values import Values
from engine.network.convnet import ConvNet
from engine.network.graph.views import viewed
from engine.network.memory_plan import fused, homes, taken


def evaluate(
    net: ConvNet, image: np.ndarray, *, keep: str | Iterable[str] = (), variant: str | None = None
) -> dict[str, np.ndarray]:
    """The responses of a ConvNet: {name: (C, H, W) float32}, of all nodes that Forward(net, keep=keep) keeps."""
    return Forward(net, keep=keep, variant=variant).run(image)


class Forward:
    """A ConvNet, ready to be run on images.

    net       an engine.network.convnet.ConvNet
    keep      name or names of nodes whose own output is wanted although an activation follows; "all" for every node
    variant   one of `convolve.variants` for convolutions that see several channels; the adapter's best unless given

    An activation that is the only user of a sum (a convolution, a Dense, an Add, a product) is computed with it, in one
    step. The sums before it are then not stored: `shared` maps the node to the activation whose name has the result.
    `keep` prevents this.
    Nodes whose outputs are joined write them directly into the joined map, so that a Concat copies only inputs that
    begin at a channel that is not a multiple of four.

    Raises NetworkError for a name in keep that is no node, and for what the kernels refuse; DeviceLimitError where a
    layer is larger than what the adapter binds.
    """

    def __init__(self, net: ConvNet, *, keep: str | Iterable[str] = (), variant: str | None = None):
        self.net = net
        wanted = net.shapes if keep == "all" else [keep] if isinstance(keep, str) else keep
        self.shared = fused(net, [net.node(name).name for name in wanted])
        self._values = Values(net, homes(net, self.shared), variant)
        self._runs = 0
        self.kept = tuple(node.name for node in net.nodes if node.name not in self.shared)
        for node in net.nodes[1:]:
            if node.name not in self.shared:
                source, _ = taken(net, node, self.shared)
                with located(f"Node `{source.name}` ({source.kind}) of {net.name}: "):
                    made(self._values, source, node)

    def map(self, name: str) -> ChannelMap:
        """The ChannelMap of a node's output.

        Raises NetworkError for a name that is no node, and for one whose output is `shared`.
        """
        if name in self.shared:
            raise NetworkError(
                f"`{name}` of {self.net.name} is computed together with `{self.shared[name]}`, so its own output is "
                f"not kept. Ask for `{self.shared[name]}`, or keep it: Forward(net, keep=[{name!r}])."
            )
        if name not in self.kept:
            raise NetworkError(f"In {self.net.name}: {near(name, self.kept, noun='node')}")
        done = len(self._values.steps)
        found = self._values.map(name)
        if self._runs and done < len(self._values.steps):
            # It lay in numpy's order until now.
            with device().recording() as encoder:
                for step in self._values.steps[done:]:
                    step.record(encoder)
        return found

    def array(self, name: str) -> Array:
        """The Array that holds a node's output: of float32, four channels a vec4f, from vec4f number `first(name)` on.

        vec4f number first + (g H + y) W + x holds channels 4 g .. 4 g + 3 at (y, x), zeros past the last channel.
        """
        return self.map(name).array

    def first(self, name: str) -> int:
        """The vec4f of its array with which a node's output begins; 0 unless it is a part of a joined map."""
        return self.map(name).first

    def record(self, encoder: Encoder, image: np.ndarray | None = None) -> None:
        """Records one run; image (C, H, W), as net.preprocess gives it, or None for the last one again.

        The image is written at once, so several runs recorded in one encoder all use the last image.
        Raises ShapeError for an image of another shape.
        """
        if image is not None:
            self.map(self.net.input.name).write(image)
            self._runs += 1
        for step in self._values.steps:
            step.record(encoder)

    def responses(self, image: np.ndarray) -> "Responses":
        """Runs on an image and returns Responses of all that is kept; does not wait for the GPU."""
        with device().recording() as encoder:
            self.record(encoder, image)
        return Responses(self)

    def run(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Runs on an image and returns all that is kept, {name: (C, H, W) float32}; waits for the GPU."""
        return dict(self.responses(image))

    def read(self, name: str) -> np.ndarray:
        """(C, H, W) float32: a node's output, as computed last; waits for the GPU."""
        if name not in self.kept:
            return self.map(name).read()
        return viewed(self._values.stored(name).read(), self.net.last[name])


class Responses(Mapping[str, np.ndarray]):
    """{name: (C, H, W) float32} of all that a Forward keeps; each is read from the GPU when it is first asked for.

    Raises NetworkError for one that is first asked for after the network was run on another image.
    """

    def __init__(self, forward: Forward):
        self._forward, self._run = forward, forward._runs
        self._read: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._read:
            if name not in self._forward.kept:
                raise KeyError(name)
            if self._forward._runs != self._run:
                raise NetworkError(
                    f"`{name}` of {self._forward.net.name} was asked for after another image was run. Ask before, or "
                    "take a Forward for each image."
                )
            self._read[name] = self._forward.read(name)
        return self._read[name]

    # A Mapping compares its contents, which would read every map; Responses are compared as objects.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __iter__(self) -> Iterator[str]:
        return iter(self._forward.kept)

    def __len__(self) -> int:
        return len(self._forward.kept)
