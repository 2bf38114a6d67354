"""PDF 1.7 (ISO 32000-1) of one page: paths, text, images, layers as optional content, no dates.

Written without a library, since such a page needs only a few kinds of objects, and libraries add dates and fonts.
Every PDF reader has Helvetica or a replacement, so text stays text, and no font is embedded.
"""

import unicodedata
import zlib

import numpy as np
from PIL import ImageColor

from engine.vector.page import POINT_MM, Drawing, Group, Path, Raster, Words, number, points

# Signs that Helvetica has and WinAnsiEncoding has not (Adobe's standard Latin set), given the codes 1 and on.
SIGNS = {"−": "minus", "≤": "lessequal", "≥": "greaterequal", "≠": "notequal", "√": "radical", "∂": "partialdiff",
         "∑": "summation", "∆": "Delta"}  # fmt: skip
CODES = {sign: code for code, sign in enumerate(SIGNS, start=1)}
# Greek letters that look like signs.
ALIKE = {"Δ": "∆", "Σ": "∑"}
FONTS = {"normal": "Helvetica", "bold": "Helvetica-Bold"}


def encode(drawing: Drawing) -> bytes:
    """The bytes of the PDF file of a drawing."""
    return _Page(drawing).bytes()


class _Page:
    """The content of the page so far, and its resources: layers, images, opacities."""

    def __init__(self, drawing):
        self.drawing = drawing
        self.objects: list[bytes | str] = []
        self.catalog, self.pages, self.page, self.info = (self._new() for _ in range(4))
        self.layers: dict[str, int] = {}
        self.images: dict[str, int] = {}
        self.opacities: dict[str, str] = {}
        self.state: dict[str, str] = {}
        # Transforms millimetres, y down from the upper edge, to points, y up from the lower edge.
        scale, height = 1.0 / POINT_MM, drawing.height_mm / POINT_MM
        self.content = [f"{scale:.10f} 0 0 {-scale:.10f} 0 {number(height)} cm 1 j"]
        if drawing.background:
            area = f"0 0 {number(drawing.width_mm)} {number(drawing.height_mm)} re f"
            self.content.append(f"{_colour(drawing.background)} rg {area}")
            self.state["rg"] = _colour(drawing.background)
        order = self._parts(drawing.children)
        self._finish(order)

    # The page's content.

    def _parts(self, parts):
        """Writes parts; returns their layers in the form of /Order: a layer, then a list of the layers within it."""
        writers = {Group: self._group, Path: self._path, Words: self._words, Raster: self._raster}
        order: list = []
        for part in parts:
            if type(part) not in writers:
                raise TypeError(f"A drawing holds paths, words, rasters and groups, not {type(part).__name__}.")
            order += writers[type(part)](part) or []
        return order

    def _group(self, group):
        if group.label is None:
            return self._parts(group.children)
        layer = self._new(f"<< /Type /OCG /Name {_text(group.label)} >>")
        name = f"L{len(self.layers) + 1}"
        self.layers[name] = layer
        self.content.append(f"/OC /{name} BDC")
        within = self._parts(group.children)
        self.content.append("EMC")
        return [layer, within] if within else [layer]

    def _path(self, path):
        if not path.polylines or not (path.stroke or path.fill):
            return
        if path.stroke:
            self._set("RG", _colour(path.stroke))
            self._set("w", number(path.width_mm))
            self._set("d", f"[{' '.join(map(number, path.dash))}] 0")
        if path.fill:
            self._set("rg", _colour(path.fill))
        self._opaque(path.opacity)
        outline = []
        for line in path.polylines:
            outline += [f"{point} {'l' if k else 'm'}" for k, point in enumerate(points(line))]
            outline += ["h"] if path.closed else []
        self.content.append(" ".join(outline) + (" B*" if path.stroke and path.fill else " f*" if path.fill else " S"))

    def _words(self, words):
        self._set("rg", _colour(words.colour))
        self._opaque(1.0)
        left = words.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[words.anchor] * words.width_mm
        face = {"normal": "F1", "bold": "F2"}[words.weight]
        # Text is mirrored back, since the page's y goes down.
        place = f"1 0 0 -1 {number(left)} {number(words.y)} Tm"
        self.content.append(f"BT /{face} {number(words.size_mm)} Tf {place} {_shown(words.text)} Tj ET")

    def _raster(self, raster):
        height, width = raster.pixels.shape[:2]
        entries = (
            f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB "
            "/BitsPerComponent 8 /Interpolate true"
        )
        name = f"I{len(self.images) + 1}"
        colours, alpha = np.ascontiguousarray(raster.pixels[..., :3]), raster.pixels[..., 3:]
        if alpha.size:
            shades = entries.replace("/DeviceRGB", "/DeviceGray")
            entries += f" /SMask {self._stream(np.ascontiguousarray(alpha).tobytes(), shades)} 0 R"
        self.images[name] = self._stream(colours.tobytes(), entries)
        self._opaque(1.0)
        x, y, across, down = (number(v) for v in (raster.x, raster.y + raster.height, raster.width, -raster.height))
        self.content.append(f"q {across} 0 0 {down} {x} {y} cm /{name} Do Q")

    def _set(self, operator, value):
        if self.state.get(operator) != value:
            self.state[operator] = value
            self.content.append(f"{value} {operator}")

    def _opaque(self, opacity):
        value = number(opacity)
        if self.state.get("gs", "1") != value:
            self.state["gs"] = value
            name = self.opacities.setdefault(value, f"G{len(self.opacities) + 1}")
            self.content.append(f"/{name} gs")

    # The other objects of the file.

    def _new(self, body=""):
        """Adds an object and returns its number; its body may be set later."""
        self.objects.append(body)
        return len(self.objects)

    def _stream(self, data, entries=""):
        packed = zlib.compress(data, 9)
        head = f"<< {entries} /Filter /FlateDecode /Length {len(packed)} >>\nstream\n".encode()
        return self._new(head + packed + b"\nendstream")

    def _put(self, place, body):
        self.objects[place - 1] = body

    def _finish(self, order):
        drawing = self.drawing
        content = self._stream("\n".join(self.content).encode("latin-1"))
        fonts = self._fonts()
        graphics = " ".join(f"/{name} << /ca {v} /CA {v} >>" for v, name in self.opacities.items())
        named = lambda table: " ".join(f"/{name} {place} 0 R" for name, place in table.items())
        resources = (
            f"<< /Font << {fonts} >> /ExtGState << {graphics} >> /XObject << {named(self.images)} >> "
            f"/Properties << {named(self.layers)} >> >>"
        )
        size = " ".join(number(side / POINT_MM) for side in (drawing.width_mm, drawing.height_mm))
        page = f"<< /Type /Page /Parent {self.pages} 0 R /MediaBox [0 0 {size}] /Contents {content} 0 R"
        # Transparent colours are blended in device RGB, as on screens.
        group = "/Group << /S /Transparency /CS /DeviceRGB >>"
        self._put(self.page, f"{page} {group} /Resources {resources} >>")
        self._put(self.pages, f"<< /Type /Pages /Kids [{self.page} 0 R] /Count 1 >>")
        layers = ""
        if self.layers:
            every = " ".join(f"{place} 0 R" for place in self.layers.values())
            layers = (
                f" /OCProperties << /OCGs [{every}] /D << /Name (layers) /ON [{every}] /Order {_order(order)} >> >>"
            )
        shown = "/ViewerPreferences << /DisplayDocTitle true >>" if drawing.title else ""
        self._put(self.catalog, f"<< /Type /Catalog /Pages {self.pages} 0 R {shown}{layers} >>")
        known = f"/Title {_text(drawing.title)} /Subject {_text(drawing.description)} /Creator (neuroscene)"
        self._put(self.info, f"<< {known} >>")

    def _fonts(self):
        names = " ".join(f"/{glyph}" for glyph in SIGNS.values())
        encoding = self._new(f"<< /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [1 {names}] >>")
        faces = []
        for k, font in enumerate(FONTS.values(), start=1):
            body = f"<< /Type /Font /Subtype /Type1 /BaseFont /{font} /Encoding {encoding} 0 R >>"
            faces.append(f"/F{k} {self._new(body)} 0 R")
        return " ".join(faces)

    def bytes(self):
        out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
        for k, body in enumerate(self.objects, start=1):
            places.append(len(out))
            out += f"{k} 0 obj\n".encode() + (body if isinstance(body, bytes) else body.encode("latin-1"))
            out += b"\nendobj\n"
        start, count = len(out), len(places) + 1
        # The standard requires each entry of the table to have 20 bytes.
        table = "0000000000 65535 f \n" + "".join(f"{place:010d} 00000 n \n" for place in places)
        out += f"xref\n0 {count}\n{table}trailer\n".encode()
        out += f"<< /Size {count} /Root {self.catalog} 0 R /Info {self.info} 0 R >>\n".encode()
        out += f"startxref\n{start}\n%%EOF\n".encode()
        return bytes(out)


def _order(order):
    return "[" + " ".join(_order(one) if isinstance(one, list) else f"{one} 0 R" for one in order) + "]"


def _colour(css):
    """`r g b` of `#rrggbb`, each from 0 to 1."""
    return " ".join(number(v) for v in np.array(ImageColor.getrgb(css)) / 255.0)


def _text(text):
    """A PDF text string, for names and titles."""
    return "<FEFF" + str(text).encode("utf-16-be", "replace").hex().upper() + ">"


def _shown(text):
    """The string operand of Tj: WinAnsi, and our codes for the signs."""
    codes = []
    for letter in str(text):
        letter = ALIKE.get(letter, letter)
        codes.append(CODES[letter] if letter in CODES else _win_ansi(letter))
    return "<" + bytes(codes).hex().upper() + ">"


def _win_ansi(letter):
    for attempt in (letter, unicodedata.normalize("NFKD", letter)[0]):
        try:
            code = attempt.encode("cp1252")[0]
        except UnicodeEncodeError:
            continue
        if code >= 32:
            return code
    # Helvetica does not have this character.
    return ord("?")
