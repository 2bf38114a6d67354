"""What an ONNX file declares of its inputs and outputs: their types, their shapes, and the axes it leaves open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from engine.diagnostics import log
from engine.errors import NetworkError, near
from engine.formats.files import short
from engine.formats.onnx.model import FLOATS

# Numbers of TensorProto.DataType that an input may have; images may be bytes.
NUMBERS = {*FLOATS.values(), 2, 3, 4, 5, 6, 7, 12, 13}
# Kinds of nodes that an input of vectors may go through before its weights, none of which changes its axes.
ON_EACH = {"Identity", "Cast", "Dropout", "Add", "Sub", "Mul", "Div", "Neg", "Clip", "BatchNormalization", "Scaler"}

Open = tuple[int | None, ...]
SIZE_TEXT = re.compile(r"\d{1,7}(x\d{1,7}){0,3}")


def asked(text: str | None, name: str) -> tuple[str | None, tuple[int, ...] | None]:
    """(output, size) of `output=NAME`, `size=HxW` or both with a comma, as a text after a path has them; or None.

    Raises NetworkError for any other text; name: the file's.
    """
    found: dict[str, str] = {}
    for part in (text or "").split(",") if text else ():
        key, _, value = part.partition("=")
        if key not in ("output", "size") or not value or (key == "size" and not SIZE_TEXT.fullmatch(value)):
            raise NetworkError(
                f"{name} has its own activations, but `{short(text)}` is given. Leave them out; what may stand after "
                "its path is output=NAME or size=HxW."
            )
        found[key] = value
    size = found.get("size")
    return found.get("output"), None if size is None else tuple(map(int, size.split("x")))


def chosen(graph: Any, name: str, output: str | None) -> str:
    """The name of the output of a GraphProto that is read: the given one, or the first of floats.

    Others are named in the log. Raises NetworkError for an unknown name, and if no output is of floats.
    """
    made = {key for node in graph.node for key in node.output if key}
    if output is not None:
        if output not in made:
            outputs = [x.name for x in graph.output]
            raise NetworkError(f"In {name}: {near(short(output), outputs, noun='output')}")
        return output
    floats = [x.name for x in graph.output if x.name in made and _is_float(x)]
    if not floats:
        # Classifiers of scikit-learn give their scores as a list of mappings by class.
        maps = {key: node.input[0] for node in graph.node if node.op_type == "ZipMap" for key in node.output}
        floats = [maps[x.name] for x in graph.output if x.name in maps]
    if not floats and (scores := _scores(graph)):
        log.warning("%s: the scores `%s` are shown, of which it gives the largest's place.", name, short(scores, 30))
        return scores
    if not floats:
        names = ", ".join(short(x.name, 30) for x in graph.output[:6])
        raise NetworkError(
            f"{name} has no output of floats, but {names or 'none'}. Choose the scores before it by output=NAME (on "
            "the command line FILE:output=NAME); any value of the graph can be named."
        )
    others = [short(x.name, 30) for x in graph.output if x.name not in (floats[0],)]
    if others and len(graph.output) > 1:
        log.warning(
            "%s: output %s is shown; it also has %s (choose by FILE:output=NAME).",
            name, short(floats[0], 30), ", ".join(others[:8]),
        )  # fmt: skip
    return floats[0]


def _scores(graph):
    """What the first output is the place of the largest of, or None."""
    made = {key: node for node in graph.node for key in node.output if key}
    node = made.get(graph.output[0].name) if graph.output else None
    for _ in graph.node:
        if node is None or node.op_type not in ("Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape"):
            break
        node = made.get(node.input[0])
    return node.input[0] if node is not None and node.op_type == "ArgMax" and node.input[0] in made else None


def _is_float(info):
    kind = info.type.tensor_type.elem_type if info.type.HasField("tensor_type") else -1
    return (
        kind in FLOATS.values() or (kind == 0 and not info.type.HasField("sequence_type")) or not info.HasField("type")
    )


def declared(info: Any) -> Open | None:
    """The shape of a ValueInfoProto, None for open axes; None if it declares none."""
    if not (info.type.HasField("tensor_type") and info.type.tensor_type.HasField("shape")):
        return None
    dims = info.type.tensor_type.shape.dim
    return tuple(x.dim_value if x.HasField("dim_value") and x.dim_value > 0 else None for x in dims)


class Sizes:
    """The shapes of a file's inputs.

    size   for the axes that it leaves open apart from the batch, in their order; (H, W) of an image
    """

    def __init__(self, graph: Any, name: str, size: Sequence[int] | None):
        self.name, self.size, self.graph = name, None if size is None else tuple(map(int, size)), graph
        stored = {proto.name for proto in graph.initializer}
        self.inputs = [x for x in graph.input if x.name not in stored]
        self._stored = {proto.name: proto for proto in graph.initializer}

    def batch(self, wanted: str) -> int:
        """The batch above 1 that inputs have throughout, or 1.

        A first axis of a fixed length is one if the output has it too, or if its shape is open or not declared and the
        input is of vectors or images.
        """
        output = next((declared(x) for x in self.graph.output if x.name == wanted), None)
        found = set()
        for info in self.inputs:
            dims = declared(info)
            if dims and len(dims) > 1 and dims[0] is not None and dims[0] > 1:
                same = output[0] == dims[0] if output and output[0] is not None else len(dims) in (2, 4)
                found.add(dims[0] if same else 1)
        return found.pop() if len(found) == 1 else 1

    def agree(self, wanted: str, dims: tuple[int, ...]) -> bool:
        """Whether an output's shape for a batch of 1 is the declared one but for the batch."""
        output = next((declared(x) for x in self.graph.output if x.name == wanted), None)
        if output is None:
            return dims[:1] == (1,)
        return (
            len(dims) == len(output)
            and dims[:1] == (1,)
            and all(m in (None, n) for n, m in zip(dims[1:], output[1:], strict=True))
        )

    def dims(self, info: Any, batch: int) -> tuple[int, ...]:
        """The whole shape of an input; batch: a fixed batch that becomes 1."""
        where = f"The input `{short(info.name)}` of {self.name}"
        if not info.type.HasField("tensor_type") or info.type.tensor_type.elem_type not in NUMBERS | {0}:
            raise NetworkError(f"{where} is not a tensor of numbers, which alone can be shown.")
        known = declared(info)
        kind, width = self._weights(info.name)
        if known is None:
            known = (1, width) if kind == "vector" else (1, None, None, None)
        dims = list(known)
        if len(dims) > 1 and dims[0] in (None, batch):
            dims[0] = 1
        if width is not None and kind == "vector" and dims and dims[-1] is None:
            dims[-1] = width
        if width is not None and kind == "image" and len(dims) == 4 and dims[1] is None:
            dims[1] = width
        written = f"({', '.join('?' if n is None else str(n) for n in known)})"
        return tuple(self._filled(dims, where, written))

    def _filled(self, dims, where, written):
        """The shape with the given size in the open axes."""
        free = [i for i, n in enumerate(dims) if n is None]
        if self.size is not None and len(dims) > 2:
            places = free or _image_axes(dims)
            given = [dims[i] for i in places]
            if len(places) != len(self.size) or any(n not in (None, m) for n, m in zip(given, self.size, strict=True)):
                of = f"{len(free)} open sizes" if free else "fixed sizes"
                raise NetworkError(f"{where} is {written}, with {of}; the file cannot be run at {self.size}.")
            for i, n in zip(places, self.size, strict=True):
                dims[i] = n
            free = []
        if free:
            like = "HW" if len(free) == 2 else "N" * len(free)
            raise NetworkError(
                f"{where} is {written}; its sizes must be known. Give size=({', '.join(like)}), on the command line "
                f"FILE:size={'x'.join(like)}, or export fixed ones."
            )
        if any(not 0 < n < 1 << 31 for n in dims):
            raise NetworkError(f"{where} is {written}; its sizes must be above 0.")
        return dims

    def _weights(self, source: str) -> tuple[str, int | None]:
        """("vector" or "image", the width of the weights) that an input meets first; ("", None) if it meets none."""
        for node in self._after(source):
            stored = self._stored.get(node.input[1]) if len(node.input) > 1 else None
            if node.op_type in ("Gemm", "MatMul") and stored is not None and len(stored.dims) == 2:
                turned = any(a.name == "transB" and a.i for a in node.attribute)
                return "vector", stored.dims[1 if turned else 0]
            if node.op_type == "Conv" and stored is not None and len(stored.dims) > 2:
                groups = next((a.i for a in node.attribute if a.name == "group"), 1)
                return "image", stored.dims[1] * groups
        return "", None

    def _after(self, source: str) -> Iterator[Any]:
        """The nodes that take an input, also through others that do not change its axes."""
        names = {source}
        for node in self.graph.node:
            if node.input and names & set(node.input):
                yield node
                if node.op_type in ON_EACH:
                    names.update(node.output)


def _image_axes(dims):
    """The axes of rows and columns of an image, which may have its channels last."""
    if len(dims) == 4:
        last = dims[3] in (1, 3, 4) and dims[1] not in (1, 3, 4)
        return [1, 2] if last else [2, 3]
    return [len(dims) - 2, len(dims) - 1]
