"""What a node of an ONNX graph is called where a person reads it: by the module of their model it came from."""

import re
from typing import Any

# What PyTorch's newer exporter writes of the modules round a node, as lists in Python's spelling, the node's own last.
SCOPES, CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
QUOTED = re.compile(r"'([^']*)'")
LONGEST = 4000  # letters of such a list that are read
WEIGHTED = ("Conv", "Gemm", "MatMul")


def label(proto: Any) -> str:
    """A NodeProto's name for people.

    PyTorch's newer exporter calls a node `node_conv2d_3`. The weights keep their module's name, which is the better one
    (layer1.0.conv2), as is that of a module that is an activation or a pool (layer1.0.act); what a module computes
    besides is called after both (layer1.0/add). The older exporter writes the modules' path, each name after those it
    begins with: /layer1/layer1.0/conv2/Conv becomes layer1.0/conv2/Conv.
    """
    lists = {x.key: QUOTED.findall(x.value[:LONGEST]) for x in proto.metadata_props if x.key in (SCOPES, CLASSES)}
    if len(lists.get(SCOPES, ())) < 2:
        return _path(proto.name or (proto.output[0] if proto.output else ""))
    if proto.op_type in WEIGHTED and len(proto.input) > 1 and proto.input[1].endswith(".weight"):
        return proto.input[1].removesuffix(".weight")
    module, kind = lists[SCOPES][-2], proto.op_type.lower()
    owner = lists[CLASSES][-2] if len(lists.get(CLASSES, ())) > 1 else ""
    if module and owner.startswith("torch.nn.modules.") and ".container." not in owner:
        return module
    return f"{module}/{kind}" if module else kind


def _path(name):
    parts = [part for part in name.split("/") if part]
    after = [*parts[1:], ""]
    return "/".join(a for a, b in zip(parts, after, strict=True) if not b.startswith(f"{a}."))
