"""What the output of a vision network is, by its graph and shape: classes, a picture, a map of places, or values."""

from dataclasses import dataclass, replace

from engine.errors import NetworkError
from engine.network.convnet import MOVING, ConvNet
from engine.network.graph import nodes as kinds
from engine.network.graph.graph import free_name
from engine.network.graph.nodes import GraphNode

# Ends of a network whose values lie between two numbers, and those without negative values, which are features.
BETWEEN = {
    "tanh": (-1.0, 1.0), "hardtanh(-1,1)": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0),
    "clipped_relu(1)": (0.0, 1.0), "hardtanh(0,1)": (0.0, 1.0),
}  # fmt: skip
FEATURES = ("relu", "clipped_relu", "gelu", "silu", "hard_swish", "elu", "leaky_relu", "softplus", "mish")
# The most classes of a map of scores without names (ADE20K has 150), and how much smaller than the picture it may be.
MOST_CLASSES, COARSE = 151, 8


@dataclass(frozen=True)
class OutputKind:
    """What an output is, one of KINDS, and the reason in words.

    classes   a probability for each class: a softmax, or the scores of classes that have names
    picture   a picture of three channels or one
    labels    a score for each class at each place of the input picture
    map       one number for each place of the input picture
    values    numbers of which nothing else is known: embeddings, regressions, features, boxes
    """

    kind: str
    why: str


# {kind: (what it needs in words, whether an output (C, H, W) has it)}
KINDS = {
    "classes": ("a vector of two or more numbers", lambda c, h, w: c > 1 and h == w == 1),
    "picture": ("three channels or one, of several places", lambda c, h, w: c in (1, 3) and min(h, w) > 1),
    "labels": ("several channels of several places", lambda c, h, w: c > 1 and min(h, w) > 1),
    "map": ("one channel of several places", lambda c, h, w: c == 1 and min(h, w) > 1),
    "values": ("any numbers", lambda c, h, w: True),
}


def ending(net: ConvNet) -> GraphNode:
    """The last node that computes: the output, or what it moves or resizes."""
    node = net.output
    while isinstance(node, MOVING | kinds.Resize) and net.taken(node):
        node = net.node(net.taken(node)[0])
    return node


def between(net: ConvNet) -> tuple[float, float] | None:
    """(least, greatest) value of the output if the last node that computes says so, else None."""
    node = ending(net)
    return BETWEEN.get(str(node.activation)) if isinstance(node, kinds.Elementwise) else None


def takes_code(net: ConvNet) -> bool:
    """Whether the input is a vector, as a generator's."""
    return max(net.input_shape[1:]) == 1


def output_kind(net: ConvNet, wanted: str | None = None) -> OutputKind:
    """The OutputKind of a network; wanted: the kind that a person says it is.

    Decided by the shape of the output, the node it ends with, whether classes are named, and what the input is; what is
    not evident is `values`. Raises NetworkError for a wanted kind that does not fit the shape.
    """
    channels, rows, columns = shape = net.shapes[net.output.name]
    if wanted is not None:
        needs, fits = KINDS[wanted]
        if not fits(*shape):
            raise NetworkError(f"for {wanted} it takes {needs}; {net.name} gives {channels} x {rows} x {columns}.")
        return OutputKind(wanted, "as it is said to be")
    end = ending(net)
    is_softmax = isinstance(end, kinds.Softmax)
    if rows == columns == 1:
        if is_softmax and channels > 1:
            return OutputKind("classes", "it ends in a softmax")
        if net.classes and channels > 1 and not is_positive(end):
            return OutputKind("classes", "softmax of the outputs, since they have names of classes")
        return OutputKind("values", "a vector without a softmax or names of classes")
    if min(rows, columns) == 1:
        return OutputKind("values", "rows of numbers; a detector's boxes are not drawn")
    return _of_map(net, end, shape)


def _of_map(net, end, shape):
    channels, rows, columns = shape
    if channels > 1 and (isinstance(end, kinds.Softmax) or net.classes):
        return OutputKind("labels", "a score for each class at each place")
    if is_positive(end):
        return OutputKind("values", f"maps that end in {end.activation}")
    if takes_code(net):
        fits = channels in (1, 3)
        return OutputKind("picture", "made of a code") if fits else OutputKind("values", f"{channels} channels")
    into, height, width = net.input_shape
    whole = rows * COARSE >= height and columns * COARSE >= width
    larger = rows % height == columns % width == 0
    if channels == 3 and larger and (into == 3 or between(net)):
        return OutputKind("picture", "three channels at each pixel")
    if channels == 1 and whole:
        return OutputKind("map", "one number at each place")
    if 1 < channels <= MOST_CLASSES and whole:
        return OutputKind("labels", "a few numbers at each place, taken as scores of classes")
    return OutputKind("values", "maps of features")


def is_positive(end: GraphNode) -> bool:
    """Whether a node is an activation as those between layers, whose values are features and no scores."""
    if not isinstance(end, kinds.Elementwise):
        return False
    return end.activation.name in FEATURES and str(end.activation) not in BETWEEN


def with_probabilities(net: ConvNet) -> ConvNet:
    """The ConvNet with a softmax added, if it gives a number for each of several classes and does not end in one.

    A log softmax at its end becomes a softmax.
    """
    channels, *size = net.shapes[net.output.name]
    end = ending(net)
    if size != [1, 1] or channels == 1 or (isinstance(end, kinds.Softmax) and not end.log):
        return net
    if isinstance(end, kinds.Softmax):
        graph = net.graph.changed({end.name: replace(end, log=False)})
    else:
        name = free_name("prob", net.graph.dims)
        softmax = kinds.Softmax(name, (net.output.name,), net.graph.dims[net.output.name].index(channels))
        graph = net.graph.changed({}, outputs=[name], more=[softmax])
    return ConvNet(graph, name=net.name, classes=net.classes, preprocess=net.preprocess)
