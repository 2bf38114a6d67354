"""Networks in PyTorch's files of weights: state dicts and checkpoints, opened by its loader that runs no code."""

import argparse
import importlib
import pickletools
import re
import struct
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import FileError
from engine.formats.files import opened, short, unzipped
from engine.formats.tensors.trees import from_tree
from engine.network.mlp import Mlp

# Letters of a class's name with its module.
MOST_NAME = 1000
# Pickles one after another at the beginning of a file that is no zip.
PICKLES = 5
ZIP_START = b"PK\3\4"  # older files are not zips

# What checkpoints keep beside the weights and nothing can be run by: settings, and numbers of numpy.
HARMLESS = (argparse.Namespace, np.dtype, np.dtypes.Float64DType, np.dtypes.Float32DType, np.dtypes.Int64DType)


def load(path: Path, activations: Any = None) -> Mlp:
    """The network in a .pt, .pth, .ckpt or .bin file with a state dict or a checkpoint in it; needs PyTorch."""
    with opened(path) as (stream, size):
        name = short(path.name)
        if stream.read(4) == ZIP_START:
            with unzipped(stream, size, name, "PyTorch") as archive:  # opening the zip checks its sizes
                if any(re.search("(^|/)code/", entry) for entry in archive.namelist()):
                    raise FileError(
                        f"{name} is a TorchScript program. Load it in Python: engine.load(torch.jit.load({name!r}), "
                        "example=a tensor of inputs)."
                    )
                for entry in archive.infolist():
                    if entry.filename.endswith("data.pkl"):
                        with archive.open(entry) as pickled:
                            _check_names(pickled, name)
        else:
            stream.seek(0)
            for _ in range(PICKLES):
                _check_names(stream, name)
        stream.seek(0)
        try:
            torch = importlib.import_module("torch")
        except ImportError:
            raise FileError(
                f"{name} needs PyTorch to be opened, which is not installed. Run `pip install torch`, or where it is "
                "installed save with safetensors.torch.save_file(model.state_dict(), 'net.safetensors')."
            ) from None
        try:
            with (
                warnings.catch_warnings(),
                torch.serialization.safe_globals([*HARMLESS, np.float64(0).__reduce__()[0]]),
            ):
                warnings.simplefilter("ignore")  # of old or damaged files; what matters is an exception
                found = torch.load(stream, map_location="cpu", weights_only=True)
        except Exception as error:  # torch's unpickler raises anything for damaged or malicious files
            raise FileError(_refusal(name, str(error))) from None
    if not isinstance(found, Mapping | list | tuple):
        raise FileError(f"{name} holds a {type(found).__name__}, not a state dict. Save model.state_dict().")
    return from_tree(found, activations, name)


def _check_names(pickled, name):
    """Refuses a pickle that names a class at length: PyTorch's refusal takes the square of its letters in time."""
    with suppress(ValueError, IndexError, UnicodeDecodeError, struct.error):  # a damaged one, which PyTorch refuses
        for opcode, given, _ in pickletools.genops(pickled):
            letters = len(str(given)) if opcode.name in ("GLOBAL", "INST") else 0
            if letters > MOST_NAME:
                raise FileError(f"{name} is damaged: it names a class of {letters:,} letters. Save or copy it again.")


def _refusal(name, error):
    found = re.search(r"GLOBAL ([\w.]+)", error)
    if found is None:
        return (
            f"{name} is not a state dict that can be read without running code ({short(error)}). "
            "Save with torch.save(model.state_dict(), path)."
        )
    return (
        f"{name} holds a {short(found[1])}, which cannot be read without running code. Where you trust it, load it "
        f"in Python: engine.load(torch.load({name!r}, weights_only=False)); engine.save_network stores that."
    )
