"""The rules: what each kind of node means, a function for each, by domain."""

from engine.formats.onnx.node import OnnxNode, Result, Rules
from engine.formats.onnx.rules.arithmetic import ARITHMETIC
from engine.formats.onnx.rules.constants import CONSTANTS
from engine.formats.onnx.rules.dense import DENSE
from engine.formats.onnx.rules.fused import ATTENTION, MICROSOFT
from engine.formats.onnx.rules.layout import LAYOUT
from engine.formats.onnx.rules.learned import LEARNED
from engine.formats.onnx.rules.norms import NORMS
from engine.formats.onnx.rules.quantised import LINEAR, QUANTISED
from engine.formats.onnx.rules.resize import RESIZE
from engine.formats.onnx.rules.windows import WINDOWS


def _if(node: OnnxNode) -> list[Result]:
    """The branch that a constant condition takes."""
    condition = node.need(0).array
    if condition is None:
        raise node.refusal("which branch it takes depends on the network's input; a network of one form can be shown")
    attribute = node.attributes["then_branch" if condition.all() else "else_branch"]
    return [*node.scope.branch(attribute.g)]


RULES: dict[str, Rules] = {
    "": {
        **ARITHMETIC, **LAYOUT, **CONSTANTS, **WINDOWS, **RESIZE, **DENSE, **NORMS, **ATTENTION, **QUANTISED,
        "If": _if,
    },
    "ai.onnx.ml": LEARNED,
    "com.microsoft": MICROSOFT | LINEAR,
}  # fmt: skip

STEPS = (
    "it runs steps one after another, of which the number or the memory is its own; networks without loops can be shown"
)
CHOICE = "it chooses by what the network computes, so its output is no function that can be shown as a picture"
RANDOM = "it draws random numbers; export the model in eval()"
# What is said of kinds that are known and not read.
REFUSED = {
    **dict.fromkeys(("Loop", "Scan", "LSTM", "GRU", "RNN", "SequenceMap"), STEPS),
    **dict.fromkeys(("NonMaxSuppression", "TopK", "Hardmax", "Unique", "Compress"), CHOICE),
    **dict.fromkeys(
        ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"), RANDOM
    ),
    **dict.fromkeys(
        ("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"), "trees are no network of layers"
    ),
}
