"""A convolutional network run on the GPU: every response of every node stays there."""

from collections.abc import Mapping

from engine.errors import NetworkError, near
from engine.gpu.channel_map import ChannelMap
from engine.gpu.device import device
from engine.kernels.convolve import MOST_ITERATIONS, Convolve, variants
from engine.kernels.dense import Dense
from engine.kernels.elementwise import Elementwise
from engine.kernels.pool import Pool
from engine.kernels.reshape import Reshape
from engine.kernels.softmax import Softmax
from engine.network import nodes
from engine.network.memory_plan import fused, homes, joined, taken


def evaluate(net, image, *, keep=(), variant=None):
    """The responses of a ConvNet: {name: (C, H, W) float32}, of all nodes that Forward(net, keep=keep) keeps."""
    return Forward(net, keep=keep, variant=variant).run(image)


class Forward:
    """A ConvNet, ready to be run on images.

    net       an engine.network.convnet.ConvNet
    keep      name or names of nodes whose own output is wanted although an activation follows; "all" for every node
    variant   one of `convolve.variants` for convolutions that see several channels; the adapter's best unless given

    An activation that is all that follows a convolution, a Dense, an Add or a Multiply is computed with it, in one
    step. The sums before it are then kept nowhere: `shared` says under whose name what became of them lies, and `keep`
    prevents it.
    Convolutions and others whose outputs are joined write them where the joined map has them, so that a Concat copies
    only what begins at a channel that is not a multiple of four.

    Raises NetworkError for a name in keep that is no node, and for what the kernels refuse; DeviceLimitError where a
    layer is larger than what the adapter binds.
    """

    def __init__(self, net, *, keep=(), variant=None):
        self.net, self.variant = net, variant
        wanted = net.shapes if keep == "all" else [keep] if isinstance(keep, str) else keep
        names = [net.node(name).name for name in wanted]
        self.shared = fused(net, names)
        self._maps = _laid(net, self.shared)
        self._images = {}
        self._runs = 0
        self._steps = [step for node in net.nodes[1:] if node.name in self._maps for step in self._made(node)]

    @property
    def kept(self):
        """Names of the nodes whose outputs are on the GPU, in the network's order."""
        return tuple(self._maps)

    def map(self, name):
        """The ChannelMap of a node's output: its shape, Array, and where in that it begins.

        Raises NetworkError for a name that is no node, and for one whose output is `shared`.
        """
        if name in self.shared:
            raise NetworkError(
                f"`{name}` of {self.net.name} is computed together with `{self.shared[name]}`, so its own output is "
                f"not kept. Ask for `{self.shared[name]}`, or keep it: Forward(net, keep=[{name!r}])."
            )
        if name not in self._maps:
            raise NetworkError(f"In {self.net.name}: {near(name, self.kept, noun='node')}")
        return self._maps[name]

    def array(self, name):
        """The Array that holds a node's output: of float32, four channels a vec4f, from vec4f number `first(name)` on.

        vec4f number first + (g H + y) W + x holds channels 4 g .. 4 g + 3 at (y, x), zeros past the last channel.
        """
        return self.map(name).array

    def first(self, name):
        """The vec4f of its array with which a node's output begins; 0 unless it is a part of a joined map."""
        return self.map(name).first

    def record(self, encoder, image=None):
        """Records one run; image (C, H, W), as net.preprocess gives it, or None for the last one again.

        An image is handed over at once, so of several records in one encoder all see the last image.
        Raises ShapeError for an image of another shape.
        """
        if image is not None:
            self._maps[self.net.nodes[0].name].write(image)
            self._runs += 1
        for step in self._steps:
            step.record(encoder)

    def responses(self, image):
        """All that is kept, for an image, as Responses; does not wait for the GPU."""
        encoder = device().encoder()
        self.record(encoder, image)
        device().submit(encoder)
        return Responses(self)

    def run(self, image):
        """All that is kept, for an image: {name: (C, H, W) float32}; waits for the GPU."""
        return dict(self.responses(image))

    def _made(self, node):
        """The steps that give a node's output."""
        output = self._maps[node.name]
        if isinstance(node, nodes.Concat):
            for key, channel in joined(self.net, node):
                source = self._maps[key]
                # Else it lies there already: no other part of the array that is written is read.
                if source.array is not output.array:
                    yield Reshape(source, output, channel)
            return
        source, names = taken(self.net, node, self.shared)
        sources = [self._maps[key] for key in names]
        activation = getattr(node, "activation", None)
        if isinstance(source, nodes.Convolution):
            yield from self._convolved(source, names[0], output, activation)
        elif isinstance(source, nodes.Dense):
            yield from self._dense(source, names[0], output, activation)
        elif isinstance(source, nodes.Add | nodes.Multiply | nodes.Elementwise):
            yield Elementwise(sources, output, activation, isinstance(source, nodes.Multiply))
        elif isinstance(source, nodes.Flatten):
            yield Reshape(sources[0], output)
        elif isinstance(source, nodes.Softmax):
            yield Softmax(sources[0], output)
        else:
            yield Pool(source, sources[0], output)

    def _dense(self, node, name, output, activation):
        """A layer of weights: on software drivers a convolution over one place, which has its weights in an image.

        On a core of llvmpipe 4096 outputs of 9216 inputs take 31 ms so, and 181 by the kernel for vectors.
        """
        if device().is_software and self.variant in (None, "lanes") and node.weights.shape[1] <= 4 * MOST_ITERATIONS:
            same = nodes.Convolution(node.name, node.inputs, node.weights[:, :, None, None], node.bias)
            if "lanes" in variants(same, self._maps[name], output):
                yield from self._convolved(same, name, output, activation)
                return
        yield Dense(node, self._maps[name], output, activation)

    def _convolved(self, node, name, output, activation):
        """A convolution, after the copy of its source as an image where nobody has made that before."""
        step = Convolve(node, self._maps[name], output, activation, variant=self.variant, image=self._images.get(name))
        if step.image is not None and name not in self._images:
            self._images[name] = step.image
            yield step.image
        yield step


class Responses(Mapping):
    """{name: (C, H, W) float32} of all that a Forward keeps; each is read from the GPU when it is first asked for.

    Raises NetworkError for one that is first asked for after the network was run on another image.
    """

    def __init__(self, forward):
        self._forward, self._run, self._read = forward, forward._runs, {}

    def __getitem__(self, name):
        if name not in self._read:
            if name not in self._forward.kept:
                raise KeyError(name)
            if self._forward._runs != self._run:
                raise NetworkError(
                    f"`{name}` of {self._forward.net.name} was asked for after another image was run. Ask before, or "
                    "take a Forward for each image."
                )
            self._read[name] = self._forward.map(name).read()
        return self._read[name]

    # A Mapping compares all that it holds, which would read every map; these are told apart as objects.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __iter__(self):
        return iter(self._forward.kept)

    def __len__(self):
        return len(self._forward.kept)


def _laid(net, together):
    """{name: ChannelMap} of all that is kept."""
    found, places = {}, homes(net, together)
    for name, (owner, channel) in reversed(places.items()):
        if owner not in found:
            found[owner] = ChannelMap(net.shapes[owner])
        whole = found[owner]
        found[name] = whole if name == owner else whole.part(channel, net.shapes[name][0])
    return {name: found[name] for name in net.shapes if name in found}
