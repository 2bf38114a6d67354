"""PyTorch's modules as they compute: in eval() mode, everything left as it was, and compared with what was read."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from engine.errors import NetworkError, ShapeError
from engine.formats.files import check_weights, short

# PyTorch's wrapper classes, and the attribute that holds the wrapped module.
WRAPPERS = {"OptimizedModule": "_orig_mod", "DataParallel": "module", "DistributedDataParallel": "module"}
# Samples on which what was read is compared, and the difference allowed, of the largest value. Both sides compute in
# float64 from weights in float32, so that folded ones differ by 6e-8 each; sines of frequency 30 enlarge it most.
MOST_SAMPLES, SAME = 64, 1e-4
# The same where the module can only compute in its own float32 or less.
ROUGHLY_SAME = 2e-2


def unwrapped(model: Any) -> Any:
    """The module without the wrappers with which PyTorch compiles it or spreads it over devices."""
    while type(model).__name__ in WRAPPERS and hasattr(model, WRAPPERS[type(model).__name__]):
        model = getattr(model, WRAPPERS[type(model).__name__])
    return model


def is_module(thing: Any) -> bool:
    """True for a module of the PyTorch that is imported."""
    torch = sys.modules.get("torch")
    return torch is not None and hasattr(torch, "nn") and isinstance(thing, torch.nn.Module)


@contextmanager
def evaluating(module: Any) -> Iterator[Any]:
    """torch, while the module is in eval() mode; gradients, random numbers and modes stay as they were."""
    torch = importlib.import_module("torch")
    modes = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        with torch.no_grad(), torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield torch
    finally:
        for part, mode in modes:
            part.training = mode


@contextmanager
def normed_by(module: Any, samples: Any) -> Iterator[None]:
    """While it lasts, batch norms in train() mode have the mean and variance of these samples for their running ones.

    So the module in eval() computes what it does in train() on the samples, (N, ...), but for dropout.
    """
    torch = sys.modules.get("torch")
    if torch is None or samples is None or not is_module(module):
        yield
        return
    batch_norm = torch.nn.modules.batchnorm._BatchNorm
    norms = [p for p in module.modules() if isinstance(p, batch_norm) and p.training and p.running_var is not None]
    kept = [(p, p.momentum, dict(p.named_buffers(recurse=False))) for p in norms]
    counts: dict[Any, int] = {}
    hooks = [p.register_forward_pre_hook(lambda p, x: counts.update({p: x[0].numel() // x[0].shape[1]})) for p in norms]
    try:
        if norms:
            with evaluating(module):
                for part, _, buffers in kept:
                    part.training, part.momentum = True, 1.0
                    for key, x in buffers.items():  # a backward pass that is still to come needs its own unwritten
                        setattr(part, key, x.clone())
                module(*tensors(module, samples, torch))
                for part, count in counts.items():
                    # Running variances are of the population, those of a batch are not.
                    part.running_var *= (count - 1) / count
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for part, momentum, buffers in kept:
            part.momentum = momentum
            for key, x in buffers.items():
                setattr(part, key, x)


def check_state(module: Any, name: str) -> None:
    """Raises NetworkError for a module whose weights are not there yet, or are too many."""
    for key, parameter in [*module.named_parameters(), *module.named_buffers()]:
        if "Uninitialized" in type(parameter).__name__:
            raise NetworkError(f"`{short(key)}` of {name} has no shape yet. Run the module once on data, then load it.")
    check_weights(sum(parameter.numel() for parameter in module.parameters()), name)


def tensors(module: Any, example: Any, torch: Any) -> tuple[Any, ...]:
    """An example, or a tuple of several inputs, as tensors of the module's type on its device."""
    like = next((p for p in [*module.parameters(), *module.buffers()] if p.is_floating_point()), None)
    found = []
    for given in example if isinstance(example, tuple) else (example,):
        try:
            tensor = torch.as_tensor(given if hasattr(given, "detach") else np.asarray(given)).detach()
        except (TypeError, ValueError, RuntimeError) as error:
            raise ShapeError(f"example is a {type(given).__name__} that is no tensor ({short(error)}).") from None
        if like is not None:
            tensor = tensor.to(like.device, like.dtype if tensor.is_floating_point() else None)
        found.append(tensor)
    return tuple(found)


def evaluated(module: Any, example: Any) -> tuple[np.ndarray, float]:
    """(what a module gives for an example as float64, the difference allowed to what was read of it).

    It computes in float64 if its forward can, else in its own type. Of several outputs the first is given.
    """
    with evaluating(module) as torch:
        given = tensors(module, example, torch)
        state = [*module.named_parameters(), *module.named_buffers()]
        try:
            wide = {key: x.double() if x.is_floating_point() else x for key, x in state}
            doubles = tuple(x.double() if x.is_floating_point() else x for x in given)
            result, allowed = torch.func.functional_call(module, wide, doubles), SAME
        except Exception:  # a forward that makes float32 numbers of its own, or a program without these names
            result, allowed = module(*given), ROUGHLY_SAME
        while not hasattr(result, "detach"):
            result = next(iter(result.values() if isinstance(result, Mapping) else result))
        return result.detach().cpu().double().numpy(), allowed


def compare(found: Callable[..., np.ndarray], module: Any, example: Any, name: str) -> None:
    """Raises NetworkError unless a function gives what the module does, saying how far apart they are.

    found     takes the arrays of the example, (N, ...) float64
    example   what the module takes: an array of samples, or a tuple of several
    """
    arrays = example if isinstance(example, tuple) else (example,)
    try:
        truth, allowed = evaluated(module, example)
    except Exception as error:  # whatever a person's forward does
        shapes = ", ".join(str(tuple(np.shape(x))) for x in arrays)
        raise NetworkError(
            f"{name} cannot be run on samples {shapes}, so that it is not known whether it was read right: "
            f"{short(error, 160)}"
        ) from None
    # What the module got: an example is rounded to its type of numbers.
    mine = found(*(x.cpu().double().numpy() for x in tensors(module, example, importlib.import_module("torch"))))
    if mine.size != truth.size:
        raise NetworkError(f"{name} gives {truth.shape}, but what was read of it {mine.shape}. Export it as ONNX.")
    apart = np.abs(mine.reshape(truth.shape) - truth)
    largest = float(np.abs(truth[np.isfinite(truth)]).max(initial=0.0))
    if not np.all((apart <= allowed * largest + 1e-9) | (np.isnan(truth) & np.isnan(mine.reshape(truth.shape)))):
        raise NetworkError(
            f"What was read of {name} is not what it computes: on {len(truth)} samples they are up to "
            f"{float(np.nanmax(apart)):.3g} apart, of values up to {largest:.3g}."
        )
