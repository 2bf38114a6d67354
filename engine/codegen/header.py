"""The comment at the top of a generated text: what it is, and from which shape, layout and settings it was made."""


def header(what: str, *facts: str) -> list[str]:
    """Its lines. The blank one after them keeps the comment in modules that leave out what it stands above."""
    return [f"// {what}", *(f"//   {fact}" for fact in facts), ""]
