"""ONNX files with a convolutional network: the graph is read node by node, by the rules in `maps`."""

from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path

from engine.errors import NetworkError
from engine.formats import about
from engine.formats.files import short
from engine.formats.onnx.graph import evaluated, only_input
from engine.formats.onnx.maps import RULES
from engine.formats.onnx.model import read
from engine.formats.onnx.sketch import TO_CHANNELS_FIRST, ChannelsLast, Sketch, Wire
from engine.network import nodes as maps
from engine.network.convnet import ConvNet
from engine.network.graph import nodes as whole
from engine.network.graph.nodes import GraphNode
from engine.network.preprocess import Preprocess


def load(
    path: Path,
    *,
    size: tuple[int, int] | None = None,
    classes: Sequence[str] = (),
    preprocess: Preprocess | None = None,
    known: Callable[[list[GraphNode]], Preprocess | None] = lambda nodes: None,
) -> ConvNet:
    """The ConvNet in an .onnx file.

    size         (H, W) of the input if the file leaves them open; None: the preprocess' size, if it has one
    classes      texts, one for each output channel; (): the metadata's, if it has any
    preprocess   None: the metadata's; else the result of `known` for the nodes; else ConvNet's default

    Raises NetworkError naming the first node that cannot be shown.
    """
    name, model = read(path)
    graph = model.graph
    source = only_input(graph, name)
    metadata = {x.key: x.value for x in model.metadata_props}
    if not classes and about.is_ours(metadata, "classes", "["):
        classes = about.entry(metadata, "classes", list, name)
    if preprocess is None and about.is_ours(metadata, "preprocess", "{"):
        preprocess = about.preprocess(metadata, name)
        preprocess = preprocess if size is None else preprocess.sized(size)
    opset = max((x.version for x in model.opset_import if x.domain in ("", "ai.onnx")), default=1)
    sketch = Sketch(name, opset)
    size = preprocess.size if size is None and preprocess is not None else size
    last = _is_channels_last(graph, source.name)
    image = sketch.input(short(source.name, 60), _declared(source, name, size, last))
    end = evaluated(graph, ChannelsLast(image) if last else image, RULES, name)
    if not isinstance(end, Wire):
        raise NetworkError(f"The output of {name} does not depend on its input.")
    nodes = _whole(sketch.finished(end))
    return ConvNet(nodes, name=name, classes=classes, preprocess=preprocess or known(nodes))


def _is_channels_last(graph, source):
    """Whether a file's input is (1, H, W, C), since its first node transposes it."""
    return any(
        node.op_type == "Transpose"
        and list(node.input) == [source]
        and any(a.name == "perm" and tuple(a.ints) == TO_CHANNELS_FIRST for a in node.attribute)
        for node in graph.node
    )


def _declared(value_info, name, size, last):
    """(C, H, W) or (n,) of the input without the batch; last: True if the file has channels last."""
    where = f"The input `{short(value_info.name)}` of {name}"
    if not (value_info.type.HasField("tensor_type") and value_info.type.tensor_type.HasField("shape")):
        raise NetworkError(f"{where} has no shape. Export the file with a fixed input size.")
    dims = [x.dim_value if x.HasField("dim_value") else None for x in value_info.type.tensor_type.shape.dim]
    written = f"({', '.join('?' if n is None else str(n) for n in dims)})"
    if len(dims) not in (2, 4):
        raise NetworkError(f"{where} is {written}; an image (1, C, H, W) or a vector (1, n) is accepted.")
    if dims[0] not in (None, 0, 1):
        raise NetworkError(f"{where} is {written}, a batch of {dims[0]}; export it with a batch of 1 or a free one.")
    if last and len(dims) == 4:
        dims = [dims[0], dims[3], *dims[1:3]]
    if len(dims) == 4 and size is not None:
        if any(n not in (None, int(m)) for n, m in zip(dims[2:], size, strict=True)):
            raise NetworkError(f"{where} is {written}; the file cannot be run at {tuple(size)}.")
        dims[2:] = map(int, size)
    if any(n is None or n < 1 for n in dims[1:]):
        raise NetworkError(f"{where} is {written}; its sizes must be known. Give size=(H, W), or export fixed ones.")
    return tuple(dims[1:])


def _whole(nodes):
    """The same nodes over whole shapes: maps (1, C, H, W) and vectors (1, n), with a Reshape between them."""
    made: list[GraphNode] = []
    dims: dict[str, tuple[int, ...]] = {}
    vectors: dict[tuple[str, bool], str] = {}

    def seen(key, vector):
        """The name of a node as a vector, or as a map."""
        if (len(dims[key]) == 2) == vector:
            return key
        if (key, vector) not in vectors:
            name = f"{key} as a {'vector' if vector else 'map'}"
            put(whole.Reshape(name, (key,), dims[key][:2] if vector else (*dims[key], 1, 1)))
            vectors[key, vector] = name
        return vectors[key, vector]

    def put(node):
        made.append(node)
        dims[node.name] = node.shape(*(dims[key] for key in node.inputs))

    for node in nodes:
        name, inputs, kind = node.name, node.inputs, type(node).__name__
        if isinstance(node, maps.Input):
            put(whole.Input(name, (), (1, *node.size) if max(node.size[1:]) > 1 else (1, node.size[0])))
            continue
        vector = isinstance(node, maps.Dense) or all(len(dims[key]) == 2 for key in inputs)
        if isinstance(node, maps.Flatten):
            size = whole.Reshape(name, inputs, (1, prod(dims[inputs[0]])))
            put(size)
            continue
        inputs = tuple(seen(key, vector and not isinstance(node, maps.Convolution)) for key in inputs)
        if isinstance(node, maps.GlobalAveragePool):
            put(whole.Reduce(name, inputs, "mean", (2, 3)))
        else:
            fields = {key: value for key, value in vars(node).items() if key not in ("name", "inputs")}
            put(getattr(whole, kind)(name, inputs, **fields))
    return made
