"""Makes an Mlp from named arrays, such as state dicts and weight files: finds each array's role, and the order."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.errors import FileError, NetworkError, NeurosceneError, ShapeError
from engine.formats.files import check_layers, check_weights, short
from engine.formats.tensors.arrays import NamedArray, to_float32
from engine.formats.tensors.norms import multiplied
from engine.network.activations import ACTIVATIONS, Activation, split
from engine.network.mlp import Mlp
from engine.network.units.mixed import LayerActivation, parse

# {name of an array of weights: True if stored as (in, out), as by Keras, Flax and scikit-learn; None if either way}
ROLES = {"weight": False, "weights": False, "w": False, "kernel": True, "kernels": True, "coefs": True, "a": True,
         "either": None}  # fmt: skip
BIASES = {"bias", "biases", "b", "intercepts"}
AT_END = re.compile(
    r"^(?P<layer>.*?)(?:[._/]?(?P<role>weights?|bias(?:es)?|kernels?)|[./](?P<letter>[wab]))(?::0)?$", re.IGNORECASE
)
AT_START = re.compile(
    r"^(?P<role>weights?|w|bias(?:es)?|b|kernels?|coefs|intercepts)[._\[-]?(?P<layer>\d+)\]?$", re.IGNORECASE
)
HAIKU = re.compile(r"(^|/)linear(_\d+)?/w$")  # Haiku's are (in, out)
# Arrays without names: numpy.savez' and those of lists.
PLAIN = re.compile(r"^(?:arr_\d+|(?P<list>\[\d+\]))$")

# Arrays that a network keeps and what is shown does not use: counts, and tables of codes that are inputs of it.
UNUSED = re.compile(r"(^|[./])(num_batches_tracked|lat_vecs|latents|latent_codes?|codes)([./]|$)", re.I)
# Recurrent layers', in PyTorch and Keras.
RECURRENT = re.compile(r"weight_[ih]h(_l\d+)?(_reverse)?$|recurrent_kernel$")
# Matrices of Fourier features, which act on the input before the first layer.
FOURIER = re.compile(r"(^|[./_])(B|fourier\w*|gaussian_matrix|freq\w*)$")

KEYS_READ = "0.weight and 0.bias, fc1.weight, layers.0.linear.weight, W0 and b0, weights_0 and biases_0"

# Characters of one layer's activations that are read.
MOST_TEXT = 1 << 16
# With up to this many kinds of names, every order of them is tried: 6! = 720.
MAX_KINDS = 6


@dataclass(frozen=True)
class _Layer:
    key: str
    weights: NamedArray
    bias: NamedArray | None
    columns_first: bool | None  # stored as (in, out); None: one or the other

    def sizes(self, transposed=False):
        """(out, in) of the matrix; transposed: of its transpose."""
        out, into = self.weights.shape
        return (into, out) if self.columns_first != transposed else (out, into)

    def bias_fits(self, transposed=False):
        return self.bias is None or _flat(self.bias.shape) == self.sizes(transposed)[0]


def arrays_of(net: Mlp) -> dict[str, np.ndarray]:
    """{name: array} of a network, as in the files that we write."""
    pairs = enumerate(net.layers)
    return {
        f"layers.{i}.{key}": x for i, layer in pairs for key, x in (("weight", layer.weights), ("bias", layer.bias))
    }


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key that puts layer2 before layer10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d{1,18})", text) if part]


def _flat(shape):
    """The length of a bias, which may be stored as (1, n); None for other shapes."""
    wide = [n for n in shape if n != 1]
    return None if len(shape) > 2 or len(wide) > 1 or not shape else (wide[0] if wide else 1)


def spread(given: Any, count: int, name: str) -> list[LayerActivation]:
    """One Activation per layer.

    given   text: one per layer as `tanh,5 sine(30) + 3 identity,identity`, where `relu,...,sigmoid` repeats relu as
            often as it takes, or one alone for all hidden layers with identity last; or a sequence, one per layer
    count   number of layers of weights
    """
    one = isinstance(given, str | LayerActivation)
    parts = split(str(given)) if one else list(given)
    parts = [p if isinstance(p, LayerActivation) else short(p, MOST_TEXT).strip() for p in parts[: count + 2]]
    if len(parts) == 1 < count and one:
        parts += ["...", "identity"]
    if "..." in parts:
        at = parts.index("...")
        if at == 0:
            raise NetworkError(f"Activations `{short(given)}`: ... repeats the one before it, and there is none.")
        parts[at : at + 1] = [parts[at - 1]] * (count - len(parts) + 1)
    parsed = [parse(p) for p in parts]
    if len(parsed) != count:
        raise ShapeError(f"{name} has {count} layers, but the activations are `{short(given)}`. Give one per layer.")
    return parsed


def assemble(
    entries: Mapping[str, NamedArray], activations: Any, name: str, *, called: str | None = None, ordered: bool = False
) -> Mlp:
    """The Mlp made of named arrays.

    entries       {name: NamedArray}
    activations   as for `spread`; None is an error, since weights alone do not determine the function
    name          of their file or object, for messages
    called        the network's own name, if it has one
    ordered       True if entries are in the order of the layers (a module's state dict), used if names do not tell

    Raises NetworkError for arrays that belong to no layer, ShapeError if the sizes of successive layers differ.
    """
    entries = multiplied(entries, name)
    marked = operations(entries)
    layers, transposed = _turned(_layers(entries, name), name, list(entries) if ordered else None)
    check_layers(len(layers), name)
    check_weights(sum(x.weights.shape[0] * (x.weights.shape[1] + 1) for x in layers), name)
    activations = marked if activations is None else activations
    if activations is None:
        raise NetworkError(_how_to_give(name, layers, transposed))
    activations = spread(activations, len(layers), name)
    weights = [to_float32(x.weights.read()) for x in layers]
    biases = [None if x.bias is None else to_float32(x.bias.read()).reshape(-1) for x in layers]
    weights = [w.T if x.columns_first != transposed else w for w, x in zip(weights, layers, strict=True)]
    net = Mlp(weights, biases, activations, name=name)
    net.name = short(called or name, 200)  # set last, since messages until here must name the file
    return net


def operations(entries: Mapping[str, NamedArray]) -> list[LayerActivation] | None:
    """The activation of each layer in a file that names its operations in order, such as 0001.relu._; else None."""
    names = [re.match(r"^\d+\.(\w+)\.\w+$", key) for key in sorted(entries, key=natural)]
    if not names or not all(names):
        return None
    found: list[str] = []
    for kind, _ in itertools.groupby((match[0].rpartition(".")[0], match[1]) for match in names if match):
        if kind[1] == "dense":
            found.append("identity")
        elif kind[1] != "squeeze_last":
            if not found or found[-1] != "identity" or kind[1] not in ACTIVATIONS:
                return None
            found[-1] = kind[1]
    return [Activation.parse(text) for text in found]


def _how_to_give(name, layers, transposed):
    """What to type where activations are missing, with this file's name."""
    likely = "sine(30)" if re.search("siren|sine", f"{name} {layers[0].key}", re.IGNORECASE) else "relu"
    says = f"{name} holds weights but does not say which activations lie between them. "
    others = f"with the right ones in place of {likely}: tanh, sine(30), or one per layer as tanh,tanh,sigmoid"
    if "." not in name or " " in name:
        return f'{says}Type engine.load(..., activations="{likely}"), {others}.'
    net = f"'{name}:{likely}'" if "(" in likely else f"{name}:{likely}"
    return f'{says}Write `{net}` in place of {name}, or engine.load("{name}", activations="{likely}"), {others}.'


def _layers(entries, name):
    """The layers among the entries, in natural order."""
    weights: dict[str, tuple[str, NamedArray, bool | None]] = {}
    biases: dict[str, tuple[str, NamedArray]] = {}
    if entries and all(PLAIN.match(key) for key in entries):
        # A matrix begins a layer, and a vector after it is its bias.
        for key in sorted(entries, key=natural):
            if len(entries[key].shape) == 2:
                weights[key] = (key, entries[key], None if key[0] == "[" else False)
                last = key
            elif len(entries[key].shape) == 1 and weights and last not in biases:
                biases[last] = (key, entries[key])
            else:
                raise NetworkError(
                    f"`{key}` of {name} is {short(entries[key].shape)}; after each matrix one bias is read."
                )
    else:
        for key, entry in entries.items():
            if not _is_used(key, entry, entries):
                continue
            role, layer = role_of(key)
            if role is None or (role not in BIASES and len(entry.shape) != 2):
                raise NetworkError(_not_a_layer(key, entry, name, entries))
            taken = (biases if role in BIASES else weights).get(layer)
            if taken:
                raise NetworkError(f"`{short(key)}` and `{short(taken[0])}` of {name} are the same layer's. Keep one.")
            if role in BIASES:
                biases[layer] = (key, entry)
            else:
                weights[layer] = (key, entry, ROLES[role])
    for layer, (key, entry) in biases.items():
        if layer not in weights:
            raise NetworkError(f"`{short(key)}` of {name} is a bias, but that layer has no weights. Save both.")
        if _flat(entry.shape) is None:
            raise ShapeError(f"`{short(key)}` of {name} is {short(entry.shape)}; a bias must be (out,).")
    if not weights:
        raise NetworkError(f"{name} holds no weights. Names that are read: {KEYS_READ}.")
    return [
        _Layer(key, entry, biases[layer][1] if layer in biases else None, columns_first)
        for layer, (key, entry, columns_first) in sorted(weights.items(), key=lambda item: natural(item[0]))
    ]


def role_of(key: str) -> tuple[str | None, str]:
    """(role, name of its layer) that the name of an array tells; (None, "") for any other name."""
    match = AT_START.match(key)
    if match is not None:
        return match["role"].lower(), match["layer"]
    match = AT_END.match(key)
    if match is None:
        return None, ""
    role = (match["role"] or match["letter"]).lower()
    return "kernel" if HAIKU.search(key) else "either" if role == "w" else role, match["layer"]


def _is_used(key, entry, entries):
    """False for arrays that the function of the layers does not depend on: empty ones, counts, tables of codes."""
    if 0 in entry.shape and role_of(key)[0] is None:
        return False
    if UNUSED.search(key):
        stem = key.rpartition(".")[0] or key
        return any(k != key and k.startswith(f"{stem}.") and not UNUSED.search(f".{k[len(stem) :]}") for k in entries)
    return True


def _not_a_layer(key, entry, name, entries):
    """The message about an array that does not belong to a fully connected layer."""
    stem = re.split(r"[./](?=[^./]*$)", key)[0]
    start = f"`{short(key)}` of {name} {short(tuple(entry.shape))}"
    siblings = {re.split(r"[./]", k)[-1] for k in entries if k.startswith(stem)}
    load_it = "Load the module itself, as engine.load(module, example=a tensor of inputs)."
    if key.endswith(("running_mean", "running_var")) or siblings & {"running_mean", "moving_mean"}:
        return f"{start} belongs to batch normalisation, whose place names do not tell. {load_it}"
    if key.endswith(("weight_g", "weight_v", "weight_orig", "weight_u")):
        return f"{start} belongs to a parametrized weight whose other parts are not there. Save all of them."
    if RECURRENT.search(key):
        return f"{start} belongs to a recurrent layer, which is not shown: its steps are not one function of a vector."
    if FOURIER.search(key):
        return f"{start} looks like Fourier features of the input, and names do not tell how they are used. {load_it}"
    if len(entry.shape) in (3, 4, 5) and key.lower().endswith(("weight", "kernel")):
        return f"{start} is a convolution's, whose stride names do not tell. {load_it}"
    if len(entry.shape) == 1 and key.lower().endswith(("weight", "scale")):
        return f"{start} is a normalisation's or PReLU's, whose place names do not tell. {load_it}"
    rest = f"Leave it out if nothing is computed from it. Names that are read: {KEYS_READ}."
    return f"{start} is not a layer's weights or bias. {rest}"


def _turned(layers, name, registered):
    """`_in_order` with matrices of which nothing says how they are stored turned the way that fits."""
    if all(x.columns_first is not None for x in layers):
        return _in_order(layers, name, registered)
    found, refusals = [], []
    for first in (False, True):
        try:
            turned = [x if x.columns_first is not None else replace(x, columns_first=first) for x in layers]
            found.append(_in_order(turned, name, registered, may_turn=False))
        except NeurosceneError as error:
            refusals.append(error)
    if not found:
        raise refusals[0]
    if len(found) > 1:
        raise NetworkError(
            f"Nothing tells whether the rows or the columns of the matrices of {name} are neurons. Name them "
            "0.weight, 1.weight, ... where rows are, 0.kernel, 1.kernel, ... where columns are."
        )
    return found[0]


def _follows(layers, transposed=False):
    sizes = [x.sizes(transposed) for x in layers]
    return all(a[0] == b[1] for a, b in itertools.pairwise(sizes)) and all(x.bias_fits(transposed) for x in layers)


def _in_order(layers, name, registered, may_turn=True):
    """(layers in the order in which they are applied, whether all are stored as (in, out)).

    Names of one kind (`fc1`, `fc2`) are ordered by their number. Different kinds (`hidden`, `out`) are ordered by
    their sizes, or by the order of registration in a module, if it is known.
    """
    kinds: dict[str, list[_Layer]] = {}
    for layer in layers:
        kinds.setdefault(re.split(r"\d", layer.key)[0] if re.search(r"\d", layer.key) else layer.key, []).append(layer)
    groups = list(kinds.values())
    all_orders = list(itertools.permutations(groups)) if len(groups) <= MAX_KINDS else [tuple(groups)]
    orders = [list(itertools.chain.from_iterable(order)) for order in all_orders]

    straight = [order for order in orders if _follows(order)]
    if len(straight) > 1 and registered:
        groups.sort(key=lambda group: min(registered.index(x.key) for x in group))
        straight = [x for x in ([*itertools.chain.from_iterable(groups)],) if _follows(x)] or straight
    if len(straight) > 1:
        keys = ", ".join(short(x.key, 40) for x in layers[:6])
        raise NetworkError(
            f"The order of the layers of {name} does not follow from names and sizes ({keys}). "
            "Number them in the order they are applied: 0.weight, 1.weight, ..."
        )
    if straight:
        return straight[0], False
    transposed = [order for order in orders if _follows(order, True)] if may_turn else []
    # Biases prove which axis of a matrix is `out`; without them a chain that fits transposed may be a wrong order.
    if len(transposed) == 1 and all(x.bias for x in layers) and not any(x.columns_first for x in layers):
        return transposed[0], True
    _refuse(layers, name, " Are rows and columns swapped?" if transposed else "")


def _refuse(layers, name, hint):
    """Raises ShapeError naming the first layer, in natural order, whose size differs from that of the one before."""
    before = None
    for layer in layers:
        out, into = layer.sizes()
        where = f"`{short(layer.key)}` of {name} is {layer.weights.shape}"
        form = "(in, out)" if layer.columns_first else "(out, in)"
        if before is not None and into != before:
            one = hint or (" Are rows and columns swapped?" if out == before else "")
            raise ShapeError(f"{where} as {form}, but the layer before it gives {before} values, not {into}.{one}")
        if not layer.bias_fits():
            one = hint or (" Are rows and columns swapped?" if layer.bias_fits(True) else "")
            raise ShapeError(f"{where} as {form}, but its bias is {layer.bias.shape}; it must be ({out},).{one}")
        before = out
    raise FileError(f"The layers of {name} do not follow on each other.")
