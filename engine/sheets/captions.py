"""The labels of a setting's values on a sheet: short, with few digits, and all different."""

from pathlib import Path
from typing import Any

from engine.formats.load_mlp import split_path
from engine.scene.settings import Integer, Number, Switch


def labelled(setting: Any, values: list[Any]) -> list[str]:
    """A short text for each value, with enough digits for all to be different."""
    if isinstance(setting, Switch):
        return ["on" if value else "off" for value in values]
    if isinstance(setting, Integer):
        return [str(value) for value in values]
    if setting is None or isinstance(setting, Number):
        return [text.lstrip("-") if float(text) == 0 else text for text in _few_digits(values)]
    return [" ".join(str(value).split()) for value in values]


def network_labels(nets: list[Any]) -> list[str]:
    """Names of files without their ending; where names are equal, with the folder or a number.

    nets   paths, networks, or None
    """

    def label(net: Any, with_folder: bool) -> str:
        if not isinstance(net, str | Path):
            return "the scene's own" if net is None else getattr(net, "name", None) or str(net)
        path = Path(split_path(str(net))[0])
        return f"{path.parent.name}/{path.stem}" if with_folder else path.stem

    labels = [label(net, False) for net in nets]
    if len(set(labels)) < len(labels):
        labels = [label(net, True) for net in nets]
    if len(set(labels)) < len(labels):
        labels = [f"{label} {k}" for k, label in enumerate(labels, 1)]
    return labels


def _few_digits(values: list[float]) -> list[str]:
    """Numbers as texts: equally many decimals if evenly spaced; else three digits, or more if needed to differ."""
    different = sorted(set(values))
    gaps = [b - a for a, b in zip(different, different[1:], strict=False)]
    even = not gaps or max(gaps) - min(gaps) <= 1e-6 * max(gaps)
    largest = max(abs(value) for value in values)
    if even and 1e-4 <= largest < 1e7:
        finest = min(gaps, default=largest or 1.0)
        for decimals in range(0, 8):
            # A label may differ from its value by at most a twentieth of the smallest step.
            if all(abs(value - round(value, decimals)) <= 0.05 * finest for value in values):
                return [f"{value:.{decimals}f}" for value in values]
    for digits in range(3, 17):
        texts = [_shortest(value, digits) for value in values]
        if len(set(texts)) == len(different):
            return _aligned(texts, different)
    return [repr(value) for value in values]


def _aligned(texts: list[str], different: list[float]) -> list[str]:
    """The texts with equally many decimals if that makes none much longer: 0.5, 0.707, 1 as 0.500, 0.707, 1.000."""
    low, high = sorted((abs(different[0]), abs(different[-1])))
    if any("e" in text for text in texts) or high > 10.0 * low or different[0] * different[-1] <= 0.0:
        return texts
    decimals = max(len(text.partition(".")[2]) for text in texts)
    return [
        text + ("" if "." in text or not decimals else ".") + "0" * (decimals - len(text.partition(".")[2]))
        for text in texts
    ]


def _shortest(value: float, digits: int) -> str:
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        power = int(exponent)
        # 40000 is hardly longer than 4e+04, and easier to read.
        return f"{float(text):.0f}" if 0 <= power <= 6 else f"{mantissa}e{power}"
    return text
