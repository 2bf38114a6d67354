"""Networks from PyTorch's modules that are chains. They are recognised by their class names; torch is not imported."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.chain import SOFTPLUS_CUT, Affine, Apply, Linear, fold
from engine.formats.files import MAX_LAYERS, check_weights, short
from engine.formats.tensors.arrays import array_of, shape_of
from engine.network.activations import Activation
from engine.network.mlp import Mlp

ACCEPTED = (
    "Sequential, Linear, BatchNorm1d, Identity, Dropout, Flatten, ReLU, LeakyReLU, ELU, Softplus, GELU, SiLU, Tanh, "
    "Sigmoid, Sine, SineLayer, and Softmax last"
)

# Names of the attribute with a sine module's frequency.
FREQUENCIES = ("w0", "w_0", "omega", "omega_0", "omega0", "frequency")

# Enough for a thousand layers, each with its activation, dropout and normalisation, and for nested containers.
MAX_MODULES = 8 * MAX_LAYERS
MAX_DEPTH = 32


def from_module(module: Any, activations: Any = None) -> Mlp:
    """The network that a torch.nn.Sequential computes in eval(): without Dropout, BatchNorm1d with its running means.

    Raises NetworkError for a module that cannot be shown, naming its place, and if activations are given.
    """
    kind = type(module).__name__
    if isinstance(module, Mlp):
        return module
    if _base(module, "Sequential") is None and kind not in STEPS and kind not in SINE_LAYERS and kind != "Linear":
        raise NetworkError(_no_sequential(module, kind))
    if activations is not None:
        raise NetworkError(f"{kind} has its own activations, but `{short(activations)}` is given. Leave them out.")
    return fold(_steps(module, "", 0, [0]), f"the {kind}")


def _no_sequential(module, kind):
    children = getattr(module, "_modules", None)
    inner = [k for k, v in children.items() if _base(v, "Sequential")] if isinstance(children, Mapping) else []
    if inner:
        return f"{kind} computes in its own way. Give its Sequential: {', '.join(f'.{short(k)}' for k in inner[:4])}."
    if hasattr(module, "state_dict"):
        return f"{kind} is not a torch.nn.Sequential. Give one, or give its state_dict() and the activations."
    return f"An object of type {kind} is not a network. Give a path, a torch.nn.Sequential, a state dict or an Mlp."


def _base(module, name):
    """The class named `name` among the module's bases, if no subclass has overridden its forward; else None."""
    for base in type(module).__mro__:
        if base.__name__ == name:
            same = getattr(type(module), "forward", None) is getattr(base, "forward", None)
            return base if same else None
    return None


def _shape(value, where):
    shape = shape_of(value)
    if shape is None:
        raise NetworkError(f"{where} is a {type(value).__name__} without a shape; run the module first.")
    return shape


def _setting(module, where, name, default=None):
    """A number in an attribute of a module: a float, or a tensor of one element."""
    value = getattr(module, name, default)
    try:
        return float(value)
    except Exception:  # the conversion of other programs' objects may raise anything
        raise NetworkError(f"{where} has {name} = {short(value)}, which is not a number.") from None


def _parsed(text, where):
    try:
        return Apply(Activation.parse(text), where)
    except NetworkError as error:
        raise NetworkError(f"{where}: {error}") from None


def _linear(module, where):
    parameters = getattr(module, "_parameters", None) or {}
    if "weight_g" in parameters or "weight_orig" in parameters:
        raise NetworkError(f"{where} has a norm on its weight. Remove it first (torch.nn.utils.remove_weight_norm).")
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    shape = _shape(weight, f"The weight of {where}")
    if len(shape) != 2 or 0 in shape:
        raise NetworkError(f"The weight of {where} is {shape}; it must be (out, in).")
    check_weights(shape[0] * shape[1], where)
    bias = None if bias is None else array_of(bias, f"The bias of {where}")
    return Linear(array_of(weight, f"The weight of {where}"), bias, where)


def _batch_norm(module, where):
    if getattr(module, "running_mean", None) is None or getattr(module, "running_var", None) is None:
        raise NetworkError(f"{where} has no running mean: it depends on the batch. Train it with track_running_stats.")
    mean, var = (array_of(getattr(module, k), where).astype(float) for k in ("running_mean", "running_var"))
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    gain = np.ones_like(mean) if weight is None else array_of(weight, where).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = gain / np.sqrt(var + _setting(module, where, "eps", 1e-5))
    return [Affine(scale, (0.0 if bias is None else array_of(bias, where)) - mean * scale, where)]


def _softplus(module, where):
    beta, threshold = _setting(module, where, "beta", 1.0), _setting(module, where, "threshold", 20.0)
    if not beta > 0 or threshold < SOFTPLUS_CUT:
        raise NetworkError(
            f"{where} has beta {beta:g}, threshold {threshold:g}; beta > 0 and threshold >= {SOFTPLUS_CUT:g} are shown."
        )
    apply = _parsed("softplus", where)
    if beta == 1:
        return [apply]
    scaled = [Affine(np.float64(k), np.float64(0), where) for k in (beta, 1 / beta)]
    return [scaled[0], apply, scaled[1]]


def _gelu(module, where):
    approximate = getattr(module, "approximate", "none")
    if approximate != "none":
        given = short(approximate)
        raise NetworkError(f"{where} is GELU(approximate={given!r}), another function: only the exact GELU is shown.")
    return [_parsed("gelu", where)]


def _softmax(module, where):
    axis = getattr(module, "dim", None)
    if axis not in (None, -1, 1):
        raise NetworkError(f"{where} is a softmax over axis {short(axis)}; only over the outputs (dim=-1) is shown.")
    return [_parsed("softmax", where)]


def _flatten(module, where):
    if getattr(module, "start_dim", 1) != 1 or getattr(module, "end_dim", -1) != -1:
        raise NetworkError(f"{where} flattens other axes than all but the first; only Flatten() is shown.")
    return []


def _sine(module, where):
    name = next((name for name in FREQUENCIES if hasattr(module, name)), None)
    if name is None:
        raise NetworkError(f"{where} does not say its frequency; it needs an attribute {' or '.join(FREQUENCIES)}.")
    frequency = _setting(module, where, name)
    if frequency < 0:
        return [Affine(np.float64(-1), np.float64(0), where), _parsed(f"sine({-frequency!r})", where)]
    return [_parsed(f"sine({frequency!r})", where)]


def _sine_layer(module, where):
    linear = getattr(module, "linear", None)
    if linear is None or _base(linear, "Linear") is None:
        raise NetworkError(f"{where} has no `linear` that is a torch.nn.Linear. Give a Sequential of Linear and Sine.")
    return [_linear(linear, where), *_sine(module, where)]


def _named(name):
    return lambda module, where: [_parsed(name, where)]


def _with(name, attribute, default):
    return lambda module, where: [_parsed(f"{name}({_setting(module, where, attribute, default)!r})", where)]


STEPS = {
    **dict.fromkeys(("Identity", "Dropout", "Dropout1d", "AlphaDropout", "FeatureAlphaDropout"), lambda *_: []),
    "Flatten": _flatten,
    "BatchNorm1d": _batch_norm,
    "ReLU": _named("relu"),
    "LeakyReLU": _with("leaky_relu", "negative_slope", 0.01),
    "ELU": _with("elu", "alpha", 1.0),
    "Softplus": _softplus,
    "GELU": _gelu,
    "SiLU": _named("silu"),
    "Tanh": _named("tanh"),
    "Sigmoid": _named("sigmoid"),
    "Softmax": _softmax,
    "Sine": _sine,
}

# Names of modules that are a linear layer and its sine, as written by SIREN's authors and others.
SINE_LAYERS = ("SineLayer", "SirenLayer")


def _steps(module, place, depth, seen):
    """The steps of a module; `place` is its path of names in PyTorch's form."""
    seen[0] += 1
    kind = type(module).__name__
    where = f"module {short(place)} ({short(kind)})" if place else short(kind)
    if depth > MAX_DEPTH or seen[0] > MAX_MODULES:
        raise NetworkError(f"{where} is nested deeper than {MAX_DEPTH} or comes after {MAX_MODULES} modules.")
    if _base(module, "Sequential"):
        children = getattr(module, "_modules", None)
        named = children.items() if isinstance(children, Mapping) else enumerate(module)
        inner = [(f"{place}.{k}" if place else str(k), child) for k, child in named]
        steps = [step for k, child in inner for step in _steps(child, k, depth + 1, seen)]
        check_weights(sum(s.weights.size for s in steps if isinstance(s, Linear)), where)
        return steps
    if _base(module, "Linear"):
        return [_linear(module, where)]
    if kind in SINE_LAYERS:
        return _sine_layer(module, where)
    if kind in STEPS:
        return STEPS[kind](module, where)
    number = re.match(r"\d+$", place.rpartition(".")[2])
    raise NetworkError(
        f"{where} cannot be shown{f' (number {number[0]} of its Sequential)' if number else ''}. Accepted: {ACCEPTED}."
    )
