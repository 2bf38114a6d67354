"""Graphs of PyTorch's modules that are chains of known ones, recognised by their class names; torch is not imported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from engine.errors import NetworkError, located
from engine.formats.files import MAX_LAYERS, check_layers, check_weights, short
from engine.formats.tensors.arrays import array_of, shape_of
from engine.network.graph import nodes
from engine.network.graph.builder import Builder, Chain
from engine.network.graph.graph import Graph

# Names of the attribute with a sine module's frequency.
FREQUENCIES = ("w0", "w_0", "omega", "omega_0", "omega0", "frequency")
# Enough for a thousand layers, each with its activation, dropout and normalisation, and for nested containers.
MAX_MODULES = 8 * MAX_LAYERS
MAX_DEPTH = 32
# Above this softplus(x) is x within float32's rounding: e^-15 is 3e-7.
SOFTPLUS_CUT = 15.0

# {class of a module: its activation, parameters from attributes in braces}
ACTIVATIONS = {
    "ReLU": "relu", "ReLU6": "clipped_relu(6)", "LeakyReLU": "leaky_relu({negative_slope})", "ELU": "elu({alpha})",
    "CELU": "celu({alpha})", "SELU": "selu", "SiLU": "silu", "Mish": "mish", "Tanh": "tanh", "Sigmoid": "sigmoid",
    "LogSigmoid": "log_sigmoid", "Softsign": "softsign", "Tanhshrink": "tanhshrink", "Hardsigmoid": "hard_sigmoid",
    "Hardswish": "hard_swish", "Hardtanh": "hardtanh({min_val},{max_val})", "Hardshrink": "hardshrink({lambd})",
    "Softshrink": "softshrink({lambd})", "Threshold": "threshold({threshold},{value})",
}  # fmt: skip
DEFAULTS = {"negative_slope": 0.01, "alpha": 1.0, "min_val": -1.0, "max_val": 1.0, "lambd": 0.5}
# Modules that do nothing in eval().
NOTHING = ("Identity", "Dropout", "Dropout1d", "AlphaDropout", "FeatureAlphaDropout")
# Names of modules that are a linear layer and its sine, as written by SIREN's authors and others.
SINE_LAYERS = ("SineLayer", "SirenLayer")


def chain(module: Any, name: str) -> Graph:
    """The Graph that a torch.nn.Sequential, nested or not, computes in eval().

    Raises NetworkError for a module that is not known, naming its place.
    """
    kind = type(module).__name__
    if not (base(module, "Sequential") or base(module, "Linear") or kind in STEPS or kind in SINE_LAYERS):
        raise NetworkError(_no_sequential(module, kind))
    parts = list(_parts(module, "", 0, [0]))
    steps = [_step(part, where) for part, where, _ in parts]
    widths = (width for part, where, _ in parts if (width := _width(part, where)) is not None)
    width = next(widths, None)
    if width is None:
        raise NetworkError(f"{name} has no linear layer; give a network with at least one matrix of weights.")
    check_layers(sum(1 for part, _, _ in parts if base(part, "Linear")), name)
    made = Chain(Builder(name), width)
    for step, (part, where, place) in zip(steps, parts, strict=True):
        made.label = place or short(type(part).__name__)
        step(made, part, where)
    return made.graph()


Step = Callable[[Chain, Any, str], None]


def _parts(module, place, depth, seen) -> Iterator[tuple[Any, str, str]]:
    """(module, where it is in words, its place) of each part that is no Sequential, in their order."""
    seen[0] += 1
    kind = short(type(module).__name__)
    where = f"module {short(place)} ({kind})" if place else kind
    if depth > MAX_DEPTH or seen[0] > MAX_MODULES:
        raise NetworkError(f"{where} is nested deeper than {MAX_DEPTH} or comes after {MAX_MODULES} modules.")
    if base(module, "Sequential") is None:
        yield module, where, place
        return
    children = getattr(module, "_modules", None)
    named = children.items() if isinstance(children, Mapping) else enumerate(module)
    for key, child in named:
        yield from _parts(child, f"{place}.{key}" if place else str(key), depth + 1, seen)


def _no_sequential(module, kind):
    if hasattr(module, "state_dict"):
        return f"{kind} computes in its own way, which its parts do not tell."
    return f"An object of type {kind} is not a network. Give a path, a module, a state dict, an estimator or an Mlp."


def base(module: Any, name: str) -> type | None:
    """The class named `name` among the module's bases, if no subclass has overridden its forward; else None."""
    for of in type(module).__mro__:
        if of.__name__ == name:
            same = getattr(type(module), "forward", None) is getattr(of, "forward", None)
            return of if same else None
    return None


def _width(module, where):
    """The width of its input, if the module tells it."""
    if type(module).__name__ in SINE_LAYERS:
        module = getattr(module, "linear", None)
    if base(module, "Linear"):
        return _matrix(module, where)[1]
    if type(module).__name__ == "BatchNorm1d":
        return (shape_of(getattr(module, "running_mean", None)) or (None,))[0]
    return None


def _step(module, where) -> Step:
    kind = type(module).__name__
    if base(module, "Linear"):
        return _linear
    if kind in SINE_LAYERS:
        return _sine_layer
    if kind in STEPS:
        return STEPS[kind]
    number = re.match(r"module (?:\w+\.)*(\d+) ", where)
    raise NetworkError(
        f"{where} cannot be shown{f' (number {number[1]} of its Sequential)' if number else ''}. Accepted: Sequential, "
        f"Linear, SineLayer, {', '.join(STEPS)}."
    )


def _setting(module, where, name, default=None):
    """A number in an attribute of a module: a float, or a tensor of one element."""
    value = getattr(module, name, default)
    try:
        return float(value)
    except Exception:  # the conversion of other programs' objects may raise anything
        raise NetworkError(f"{where} has {name} = {short(value)}, which is not a number.") from None


def _matrix(module, where):
    shape = shape_of(getattr(module, "weight", None))
    if shape is None:
        raise NetworkError(f"The weight of {where} is without a shape; run the module first.")
    if len(shape) != 2 or 0 in shape:
        raise NetworkError(f"The weight of {where} is {shape}; it must be (out, in).")
    check_weights(shape[0] * shape[1], where)
    return shape


def _applied(made, text, where):
    with located(f"{where}: "):
        made.add(nodes.Elementwise, activation=text)


def _linear(made, module, where):
    parameters = getattr(module, "_parameters", None) or {}
    if "weight_g" in parameters or "weight_orig" in parameters:
        raise NetworkError(f"{where} has a norm on its weight, which is computed when the module is run.")
    _matrix(module, where)
    bias = getattr(module, "bias", None)
    made.add(
        nodes.Dense,
        weights=array_of(module.weight, f"The weight of {where}"),
        bias=None if bias is None else array_of(bias, f"The bias of {where}"),
    )


def _batch_norm(made, module, where):
    if getattr(module, "running_mean", None) is None or getattr(module, "running_var", None) is None:
        raise NetworkError(f"{where} has no running mean: it depends on the batch. Train it with track_running_stats.")
    mean, var = (array_of(getattr(module, k), where).astype(float) for k in ("running_mean", "running_var"))
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    gain = np.ones_like(mean) if weight is None else array_of(weight, where).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = gain / np.sqrt(var + _setting(module, where, "eps", 1e-5))
    made.affine(scale, (0.0 if bias is None else array_of(bias, where)) - mean * scale)


def _layer_norm(made, module, where):
    gain, bias = (getattr(module, key, None) for key in ("weight", "bias"))
    width = made.value.dims[-1]
    made.add(
        nodes.Normalise,
        gain=np.ones(width) if gain is None else array_of(gain, where),
        bias=np.zeros(width) if bias is None else array_of(bias, where),
        axes=(1,),
        epsilon=_setting(module, where, "eps", 1e-5),
    )


def _prelu(made, module, where):
    made.add(nodes.Prelu, slopes=array_of(getattr(module, "weight", None), f"The weight of {where}"))


def softplus(beta: float, threshold: float) -> str:
    """The activation of PyTorch's softplus, which is its argument past a threshold of beta x.

    Raises NetworkError with the reason for parameters with which it is another function.
    """
    if not beta > 0 or threshold < SOFTPLUS_CUT:
        cut = f"{SOFTPLUS_CUT:g}"
        raise NetworkError(f"it has beta {beta:g}, threshold {threshold:g}; beta > 0 and threshold >= {cut} are shown")
    return f"softplus({beta!r})"


def _softplus(made, module, where):
    with located(f"{where}: "):
        text = softplus(_setting(module, where, "beta", 1.0), _setting(module, where, "threshold", 20.0))
    _applied(made, text, where)


def _gelu(made, module, where):
    _applied(made, "gelu" if getattr(module, "approximate", "none") == "none" else "gelu_tanh", where)


def _softmax(log):
    def step(made, module, where):
        axis = getattr(module, "dim", None)
        if axis not in (None, -1, 1):
            raise NetworkError(f"{where} is a softmax over axis {short(axis)}; over the outputs (dim=-1) is shown.")
        made.add(nodes.Softmax, axis=1, log=log)

    return step


def _flatten(made, module, where):
    if getattr(module, "start_dim", 1) != 1 or getattr(module, "end_dim", -1) != -1:
        raise NetworkError(f"{where} flattens other axes than all but the first; only Flatten() is shown.")


def _sine(made, module, where):
    name = next((name for name in FREQUENCIES if hasattr(module, name)), None)
    if name is None:
        raise NetworkError(f"{where} does not say its frequency; it needs an attribute {' or '.join(FREQUENCIES)}.")
    frequency = _setting(module, where, name)
    if frequency < 0:
        made.affine(-1.0)
    _applied(made, f"sine({abs(frequency)!r})", where)


def _sine_layer(made, module, where):
    linear = getattr(module, "linear", None)
    if linear is None or base(linear, "Linear") is None:
        raise NetworkError(f"{where} has no `linear` that is a torch.nn.Linear. Give a Sequential of Linear and Sine.")
    _linear(made, linear, where)
    _sine(made, module, where)


def _rrelu(made, module, where):
    ends = [_setting(module, where, key, default) for key, default in (("lower", 1 / 8), ("upper", 1 / 3))]
    _applied(made, f"leaky_relu({sum(ends) / 2!r})", where)


def _named(text):
    def step(made, module, where):
        keys = re.findall(r"\{(\w+)\}", text)
        _applied(
            made, text.format(**{key: repr(_setting(module, where, key, DEFAULTS.get(key))) for key in keys}), where
        )

    return step


STEPS: dict[str, Step] = {
    **{kind: _named(text) for kind, text in ACTIVATIONS.items()},
    **dict.fromkeys(NOTHING, lambda made, module, where: None),
    "Flatten": _flatten,
    "BatchNorm1d": _batch_norm,
    "LayerNorm": _layer_norm,
    "PReLU": _prelu,
    "RReLU": _rrelu,
    "Softplus": _softplus,
    "GELU": _gelu,
    "Softmax": _softmax(False),
    "LogSoftmax": _softmax(True),
    "Sine": _sine,
}
