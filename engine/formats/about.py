"""Information about a network besides its layers, in the metadata of safetensors and ONNX files.

classes      JSON, a list of texts, one for each channel of the last layer
preprocess   JSON, the fields of engine.network.preprocess.Preprocess
"""

import json
from collections.abc import Mapping
from typing import Any

from engine.errors import FileError, located
from engine.formats.files import short, size_text
from engine.network.preprocess import Preprocess

# Enough for 20,000 class names of fifty letters; JSON may take about twenty times its length in memory.
MAX_TEXT = 1 << 20


def entry(metadata: Mapping[str, str], key: str, kind: type, name: str) -> Any:
    """The JSON value of type `kind` under a key. Raises KeyError without the key, FileError for any other value."""
    text = metadata[key]
    if len(text) > MAX_TEXT:
        raise FileError(f"The `{key}` of {name} has {size_text(len(text))}; at most {size_text(MAX_TEXT)} are read.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"The `{key}` of {name} is not JSON ({short(error)}). Save it again.") from None
    if not isinstance(found, kind):
        raise FileError(f"The `{key}` of {name} is {short(found)}; it must be a JSON {kind.__name__}.")
    return found


def preprocess(metadata: Mapping[str, str], name: str) -> Preprocess:
    """The Preprocess of a file. Raises what `entry` raises, and FileError or NetworkError for wrong fields."""
    about = entry(metadata, "preprocess", dict, name)
    try:
        rows, columns = about.pop("size")
        if not (type(rows) is type(columns) is int):
            raise ValueError("a size of no whole numbers")
        mean, std = (tuple(map(float, about.pop(key))) for key in ("mean", "std"))
        with located(f"In {name}: "):
            return Preprocess((rows, columns), mean, std, scale=float(about.pop("scale", 1.0)), **about)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise FileError(
            f"The preprocess of {name} cannot be read; it must have size [rows, columns], and mean and std of each "
            "channel. Save it again."
        ) from None


def is_ours(metadata: Mapping[str, str], key: str, opening: str) -> bool:
    """Whether the text under a key begins as ours does; other programs use the same keys for other texts."""
    return metadata.get(key, "").lstrip()[:1] == opening
