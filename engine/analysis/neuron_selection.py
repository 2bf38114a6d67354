"""Which hidden neurons are meant, as people write it: `all`, `2`, `3.2, 3.6`."""

from collections.abc import Iterable, Sequence

import numpy as np

from engine.errors import SettingError


def read_units(text: str, sizes: Iterable[int]) -> list[np.ndarray]:
    """Which neurons a text names: for each hidden layer a (neurons,) bool array, in a list.

    text    `all`, `none`, or layers and neurons with commas between: `1` is all of layer 1, `3.2` neuron 2 of layer 3,
            `3.2-5` four of them; a leading `-` takes away: `all, -3.2`. Counted from 1
    sizes   neurons in each hidden layer

    Layers and neurons that the network does not have are ignored. Raises SettingError for other texts.
    """
    shown = [np.zeros(size, bool) for size in sizes]
    for word in text.replace(";", ",").split(","):
        word = word.strip().lower()
        if not word or word == "none":
            continue
        value = not word.startswith("-")
        word = word.removeprefix("-").strip()
        if word == "all":
            for layer in shown:
                layer[:] = value
            continue
        layer, first, last = _read_word(word, text)
        if layer < len(shown):
            shown[layer][slice(first, last)] = value
    return shown


def _read_word(word, text):
    """(layer, first, end) from 0; end is None for the whole layer."""
    layer, dot, units = word.partition(".")
    first, dash, last = units.partition("-")
    parts = [layer, *([first] if dot else []), *([last] if dash else [])]
    if not all(part.strip().isdecimal() and len(part) < 6 and int(part) > 0 for part in parts):
        raise SettingError(
            f"neurons={text}: `{word}` is none of: all, none, a layer as 2, a neuron as 3.2, a range as 3.2-5."
        )
    if not dot:
        return int(layer) - 1, 0, None
    return int(layer) - 1, int(first) - 1, int(last) if dash else int(first)


def write_units(shown: Sequence[Sequence[bool] | np.ndarray]) -> str:
    """A short text that `read_units` reads as these bools, one sequence for each hidden layer."""
    counts = [int(np.sum(layer)) for layer in shown]
    if not any(counts):
        return "none"
    if counts == [len(layer) for layer in shown]:
        return "all"
    words = []
    for number, layer in enumerate(shown, 1):
        if np.all(layer):
            words.append(f"{number}")
            continue
        edges = np.flatnonzero(np.diff([0, *np.asarray(layer, int), 0]))
        for first, end in edges.reshape(-1, 2):
            words.append(f"{number}.{first + 1}" + (f"-{end}" if end > first + 1 else ""))
    return ", ".join(words)
