"""Parts of generated texts: the comment at the top, functions, indented lines."""

import itertools
from collections.abc import Iterable, Iterator


def header(what: str, *facts: str) -> list[str]:
    """The comment at the top of a text: what it is, and from which shape, layout and settings it was made.

    The blank line after it keeps it in modules from which the declaration below it is left out.
    """
    return [f"// {what}", *(f"//   {fact}" for fact in facts), ""]


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Lines four spaces to the right."""
    for line in lines:
        yield f"    {line}"


def function(head: str, lines: Iterable[str]) -> Iterator[str]:
    """The lines of a WGSL function, from what comes between `fn` and its brace, and its statements."""
    yield f"fn {head} {{"
    yield from indented(lines)
    yield "}"
    yield ""


def each(*texts: str, **names: object) -> Iterator[str]:
    """The texts with {name} replaced, for every combination of the names that are ranges; the last goes fastest."""
    ranges = {name: value for name, value in names.items() if isinstance(value, range)}
    for values in itertools.product(*ranges.values()):
        known = names | dict(zip(ranges, values, strict=True))
        yield from (text.format(**known) for text in texts)


def fours(names: Iterable[str], fill: str | None = None) -> Iterator[tuple[int, list[str], str]]:
    """(number of the first, up to four names, the four numbers of a vec4f); filled with `fill`, or the last again."""
    every = list(names)
    for at in range(0, len(every), 4):
        some = every[at : at + 4]
        yield at, some, ", ".join([*some, *[some[-1] if fill is None else fill] * (4 - len(some))])
