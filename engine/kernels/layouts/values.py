"""The outputs of a network's nodes on the GPU, each in the layouts that are asked for."""

from collections.abc import Mapping
from math import prod

from engine.gpu.channel_map import ChannelMap, MapStep
from engine.gpu.layout.stored import Stored
from engine.kernels import move
from engine.kernels.convolve import MapImage
from engine.network.convnet import ConvNet
from engine.network.graph.nodes import Constant
from engine.network.graph.views import view_of, viewed


class Values:
    """Where outputs lie, and the steps that compute them.

    net       a ConvNet
    homes     as of engine.network.memory_plan
    variant   as for Forward

    An output lies as a map, with its channels first or last, in numpy's order, or both. What is asked for in a layout
    that is not there yet is copied, once: the copy is a step before those that need it.
    """

    def __init__(self, net: ConvNet, homes: Mapping[str, tuple[str, int]], variant: str | None):
        self.net, self.homes, self.variant = net, homes, variant
        self.steps: list[MapStep] = []
        self.images: dict[ChannelMap, MapImage] = {}
        self._flat: dict[str, Stored] = {}
        self._maps: dict[tuple[str, bool], Stored] = {}
        self._owned: dict[str, ChannelMap] = {}
        self.new_map(net.input.name)

    def dims(self, name: str) -> tuple[int, ...]:
        return self.net.graph.dims[name]

    def last(self, name: str, asked: bool | None = None) -> bool:
        """Whether a node's map has the last axis as channels, unless something else is asked for."""
        return self.net.last[name] if asked is None else asked or len(self.dims(name)) <= 2

    def constant(self, name: str) -> Constant | None:
        """The node, if it is a constant."""
        node = self.net.node(name)
        return node if isinstance(node, Constant) else None

    # What is there.

    def found(self, name: str, last: bool | None = None) -> Stored | None:
        """The map of a node, or None if it does not lie as one; last None: any."""
        kinds = (
            [self.last(name, last)] if last is not None else sorted((True, False), key=lambda k: k != self.last(name))
        )
        return next((self._maps[name, kind] for kind in kinds if (name, kind) in self._maps), None)

    def stored(self, name: str) -> Stored:
        """A node's output in a layout that it has already."""
        return self.found(name) or self.flat(name)

    # What is asked for.

    def map(self, name: str, last: bool | None = None) -> ChannelMap:
        """The map of a node's output."""
        return self.mapped(name, last).map  # type: ignore[return-value]

    def mapped(self, name: str, last: bool | None = None) -> Stored:
        """`map`, with its shape."""
        last = self.last(name, last)
        if (name, last) in self._maps:
            return self._maps[name, last]
        constant, dims = self.constant(name), self.dims(name)
        if constant is not None:
            return self.put(name, Stored.mapped(dims, ChannelMap.of(viewed(constant.array, last)), last))
        before = self.found(name) or self._flat[name]
        if before.map is not None and before.map.places == 1 and view_of(dims, last) == before.map.shape:
            return self.put(name, Stored.mapped(dims, before.map, last))
        new = self.new_map(name, last)
        self.steps += move.copied(before, new)
        return new

    def flat(self, name: str) -> Stored:
        """A node's output in numpy's order."""
        if name not in self._flat:
            constant, before = self.constant(name), self.found(name)
            if constant is not None:
                self._flat[name] = Stored.of(constant.array)
            elif before is not None and before.map.places == 1 and self.is_alone(name):  # type: ignore[union-attr]
                # A vector lies in the same order.
                self._flat[name] = Stored(before.dims, before.array, before.first)
            else:
                self._flat[name] = Stored.new(self.dims(name))
                self.steps += move.copied(before, self._flat[name])  # type: ignore[arg-type]
        return self._flat[name]

    # What is made.

    def new_map(self, name: str, last: bool | None = None) -> Stored:
        """Memory for the map of a node's output: a part of a joined map if it has its home there."""
        last = self.last(name, last)
        shape = view_of(self.dims(name), last)
        if last != self.last(name):
            return self.put(name, Stored.mapped(self.dims(name), ChannelMap(shape), last))
        owner, channel = self.homes[name]
        if owner not in self._owned:
            self._owned[owner] = ChannelMap(self.net.shapes[owner])
        whole = self._owned[owner]
        return self.put(
            name, Stored.mapped(self.dims(name), whole if owner == name else whole.part(channel, shape[0]), last)
        )

    def new_flat(self, name: str) -> Stored:
        """Memory for a node's output in numpy's order."""
        return self.put(name, Stored.new(self.dims(name)))

    def new_like(self, name: str, source: Stored) -> Stored:
        """Memory for a node's output in the layout of a source."""
        return self.new_flat(name) if source.map is None else self.new_map(name, source.last)

    def put(self, name: str, stored: Stored) -> Stored:
        """Notes where a node's output lies."""
        if stored.map is None:
            self._flat[name] = stored
        else:
            self._maps[name, stored.last] = stored
        return stored

    def is_alone(self, name: str) -> bool:
        """Whether a node's output has its memory for itself, so that others may read it under another name."""
        return self.homes.get(name, (name, 0))[0] == name

    def alias(self, name: str, before: Stored | None, last: bool) -> bool:
        """Lets a node's output be the map `before`, if it has the same channels and as many places and may be shared.

        last      whether the output has its channels last
        returns   whether it is so
        """
        channels, *places = view_of(self.dims(name), last)
        if before is None or before.map is None or (channels, prod(places)) != (before.map.shape[0], before.map.places):
            return False
        shared = ChannelMap((channels, *places), before.array, before.map.first)
        self.put(name, Stored.mapped(self.dims(name), shared, last))
        return True
