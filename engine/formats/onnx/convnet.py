"""ONNX files with a network of an image: its graph, simplified, and what the file says of classes and photos."""

from collections.abc import Callable, Sequence
from pathlib import Path

from engine.formats import about
from engine.formats.onnx.declared import asked
from engine.formats.onnx.model import read
from engine.formats.onnx.reader import graph_of
from engine.network.convnet import ConvNet, channels_first
from engine.network.graph.nodes import GraphNode
from engine.network.graph.passes.simplify import simplified
from engine.network.preprocess import Preprocess


def load(
    path: Path,
    written: str | None = None,
    *,
    size: tuple[int, int] | None = None,
    classes: Sequence[str] = (),
    preprocess: Preprocess | None = None,
    output: str | None = None,
    known: Callable[[Sequence[GraphNode]], Preprocess | None] = lambda nodes: None,
) -> ConvNet:
    """The ConvNet in an .onnx file; written: a text after its path, as `asked` reads it.

    size         (H, W) of the input if the file leaves them open; None: the preprocess' size, if it has one
    classes      texts, one for each output channel; (): the metadata's, if it has any
    preprocess   None: the metadata's; else the result of `known` for the nodes; else ConvNet's default
    output       the name of an output; None: the first of floats

    Raises NetworkError naming the first node that cannot be read.
    """
    name, model = read(path)
    said, wanted = asked(written, name)
    output = output or said
    if size is None and wanted is not None:
        size = (wanted[0], wanted[-1])
    metadata = {x.key: x.value for x in model.proto.metadata_props}
    if not classes and about.is_ours(metadata, "classes", "["):
        classes = about.entry(metadata, "classes", list, name)
    if preprocess is None and about.is_ours(metadata, "preprocess", "{"):
        preprocess = about.preprocess(metadata, name)
        preprocess = preprocess if size is None else preprocess.sized(size)
    size = preprocess.size if size is None and preprocess is not None else size
    graph = simplified(channels_first(graph_of(model, name, size=size, output=output)))
    net = ConvNet(graph, classes=classes, preprocess=preprocess)
    authors = known(net.nodes) if preprocess is None else None
    return net if authors is None else net.changed(preprocess=authors)
