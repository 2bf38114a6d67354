"""Parts of generated texts: the comment at the top, functions, indented lines."""

from collections.abc import Iterable, Iterator


def header(what: str, *facts: str) -> list[str]:
    """The comment at the top of a text: what it is, and from which shape, layout and settings it was made.

    The blank line after it keeps it in modules that leave out what it stands above.
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
