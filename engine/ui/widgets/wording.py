"""How names and settings are worded in the panel."""


def lines_of(setting):
    """What the panel says of a setting on hover: its doc, and what it takes."""
    doc = (setting.doc or "").strip()
    doc = doc[:1].upper() + doc[1:]
    doc = doc if not doc or doc.endswith((".", "?", "!")) else doc + "."
    return f"{doc} Takes {setting.taken()}.".strip()


def titled(text):
    """A name as a label: its first letter large."""
    return text[:1].upper() + text[1:]
