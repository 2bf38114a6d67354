"""SVG 1.1 with Inkscape's layers: named paths, text as text, millimetres as units, no dates."""

import base64
import io
import re

from PIL import Image

from engine.vector.page import Drawing, Group, Path, Raster, Words, number, points

# The reader's machine takes the first font that it has; the first three are equally wide, so layouts do not change.
FONTS = "Helvetica, Arial, Liberation Sans, Nimbus Sans, DejaVu Sans, sans-serif"
# SVG's defaults, which are written only to override an attribute of a group.
DEFAULTS = {"stroke": "none", "stroke-dasharray": "none", "stroke-opacity": "1", "fill-opacity": "1"}
# zlib's level for images, which are small.
PNG_LEVEL = 9
# Characters that XML 1.0 forbids: control characters and halves of surrogate pairs.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def encode(drawing: Drawing) -> bytes:
    """The bytes of the SVG file of a drawing."""
    out = _Lines()
    width, height = number(drawing.width_mm), number(drawing.height_mm)
    out.add('<?xml version="1.0" encoding="UTF-8"?>')
    out.open(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "xmlns:xlink": "http://www.w3.org/1999/xlink",
            "xmlns:inkscape": "http://www.inkscape.org/namespaces/inkscape",
            "width": f"{width}mm",
            "height": f"{height}mm",
            "viewBox": f"0 0 {width} {height}",
            "stroke-linejoin": "round",
            "fill-rule": "evenodd",
            "font-family": FONTS,
        },
    )
    out.texts(drawing.title, drawing.description)
    if drawing.background:
        page = {"id": out.unique("page"), "width": width, "height": height, "fill": drawing.background}
        out.add(f"<rect{_attributes(page)}/>")
    for part in drawing.children:
        _part(part, out, {})
    out.close("svg")
    return ("\n".join(out.lines) + "\n").encode()


class _Lines:
    """The lines of the file so far, indented, and the ids in use."""

    def __init__(self):
        self.lines: list[str] = []
        self.depth = 0
        self.taken: dict[str, int] = {}

    def add(self, text):
        self.lines.append(" " * self.depth + text)

    def open(self, tag, attributes):
        self.add(f"<{tag}{_attributes(attributes)}>")
        self.depth += 1

    def close(self, tag):
        self.depth -= 1
        self.add(f"</{tag}>")

    def texts(self, title, description=""):
        if title:
            self.add(f"<title>{escaped(title)}</title>")
        if description:
            self.add(f"<desc>{escaped(description)}</desc>")

    def unique(self, name):
        """An unused id of letters, digits, `-`, `_` and `.`, a letter first; with `-2`, `-3` ... if necessary."""
        base = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-") or "part"
        if not base[0].isalpha():
            base = f"part-{base}"
        found, count = base, self.taken.get(base, 1)
        while found in self.taken:
            count += 1
            found = f"{base}-{count}"
        self.taken[base] = count
        self.taken.setdefault(found, 1)
        return found


def _part(part, out, inherited):
    if type(part) not in WRITERS:
        raise TypeError(f"A drawing holds paths, words, rasters and groups, not {type(part).__name__}.")
    WRITERS[type(part)](part, out, inherited)


def _group(group, out, inherited):
    attributes = {"id": out.unique(group.name)}
    if group.label is not None:
        attributes |= {"inkscape:groupmode": "layer", "inkscape:label": group.label}
    shared = _shared(group)
    default = DEFAULTS | inherited
    out.open("g", attributes | {key: value for key, value in shared.items() if default.get(key) != value})
    out.texts(group.title)
    for part in group.children:
        _part(part, out, inherited | shared)
    out.close("g")


def _shared(group):
    """The style that all paths of a group have in common, written once, so that a person can edit it in one place."""
    if not group.children or not all(isinstance(part, Path) for part in group.children):
        return {}
    styles = [_style(part) for part in group.children]
    return {key: value for key, value in styles[0].items() if all(style.get(key) == value for style in styles)}


def _style(path):
    style = {"fill": path.fill or "none", "stroke": path.stroke or "none"}
    if path.stroke:
        style["stroke-width"] = number(path.width_mm)
        style["stroke-dasharray"] = " ".join(map(number, path.dash)) or "none"
        style["stroke-opacity"] = number(path.opacity)
    if path.fill:
        style["fill-opacity"] = number(path.opacity)
    return style


def _path(path, out, inherited):
    default = DEFAULTS | inherited
    style = {key: value for key, value in _style(path).items() if default.get(key) != value}
    attributes = _attributes({"id": out.unique(path.name)} | style | {"d": _outline(path)})
    if path.title:
        out.add(f"<path{attributes}><title>{escaped(path.title)}</title></path>")
    else:
        out.add(f"<path{attributes}/>")


def _outline(path):
    """The `d` attribute of a Path, in absolute coordinates, so that a person can find a place in it."""
    parts = []
    for line in path.polylines:
        first, *others = points(line)
        if path.closed and others and others[-1] == first:
            others.pop()
        parts.append("M" + first + ("L" + " ".join(others) if others else "") + ("Z" if path.closed else ""))
    return "".join(parts)


def _words(words, out, inherited):
    attributes = {"x": number(words.x), "y": number(words.y), "font-size": number(words.size_mm)}
    if words.weight != "normal":
        attributes["font-weight"] = words.weight
    if words.anchor != "start":
        attributes["text-anchor"] = words.anchor
    out.add(f"<text{_attributes(attributes | {'fill': words.colour})}>{escaped(words.text)}</text>")


def _raster(raster, out, inherited):
    stream = io.BytesIO()
    Image.fromarray(raster.pixels).save(stream, "PNG", compress_level=PNG_LEVEL)
    data = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    place = {key: number(getattr(raster, key)) for key in ("x", "y", "width", "height")}
    # Inkscape before 1.0 and many converters know only xlink:href; browsers know both.
    attributes = {"id": out.unique(raster.name)} | place | {"preserveAspectRatio": "none", "xlink:href": data}
    out.add(f"<image{_attributes(attributes)}/>")


def escaped(text: object) -> str:
    """Text escaped for XML."""
    text = UNWRITABLE.sub("\ufffd", str(text))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attributes(pairs):
    return "".join(f' {key}="{escaped(value).replace(chr(34), "&quot;")}"' for key, value in pairs.items())


WRITERS = {Group: _group, Path: _path, Words: _words, Raster: _raster}
