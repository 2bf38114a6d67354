"""Drawings as SVG and PDF: what went in comes out where it was, by name, and the same bytes twice."""

import base64
import io
import os
import re
import xml.etree.ElementTree as ET
import zlib
from importlib import import_module

import numpy as np
import pytest
from drawings import all_parts
from PIL import Image

from engine.errors import FileError
from engine.output.writers.formats import VECTOR_WRITERS, encode_drawing, save_drawing, vector_ending
from engine.vector.page import Drawing, Group, Path, Raster, Words, rectangle

SVG = "{http://www.w3.org/2000/svg}"
INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"
MM = 72.0 / 25.4
PIXELS = np.random.default_rng(1).integers(0, 256, (5, 7, 3)).astype(np.uint8)
LINE = np.array([[10.12345678, 20.0], [30.5, 41.00004], [-0.00001, 7.25]])
OTHER = np.array([[1.0, 2.0], [3.0, 4.0]])


def example():
    inner = Group("inner", [Path("deep", [OTHER], "#123456", 0.2)], "inner layer")
    lines = [
        Path("layer-1-neuron-1", [LINE, OTHER], "#0072b2", 0.35, dash=(2.1, 1.05), title="layer 1, neuron 1"),
        Path("layer-1-neuron-2", [OTHER], "#0072b2", 0.35, dash=(2.1, 1.05), opacity=0.5),
    ]
    areas = [
        Path("region-1", [rectangle(1, 1, 5, 5)], fill="#ffcc00", closed=True),
        Path("region-2", [rectangle(6, 1, 5, 5)], "#ff0000", 0.1, fill="#ff0000", closed=True),
    ]
    words = [Words("−0.5 & <b> é", 60, 50, 2.5, "end", "#3a4152", "bold"), Words("a", 3, 4)]
    parts = [
        Group("image", [Raster(10, 20, 30, 40, PIXELS)], "background"),
        Group("layer-1", lines, "layer 1"),
        Group("regions", areas, "regions", "of two"),
        Group("plain", [inner, *words]),
    ]
    return Drawing(120.0, 93.5, parts, 'A "title" & <more>', "Exact.", "#fffff0")


@pytest.mark.parametrize("kind", VECTOR_WRITERS)
def test_every_row_of_the_table_gives_bytes_and_the_same_twice(kind):
    module, _, name = VECTOR_WRITERS[kind].partition(":")
    data = getattr(import_module(module), name)(example())
    assert data == encode_drawing(example(), kind) and isinstance(data, bytes)


@pytest.mark.parametrize("kind", VECTOR_WRITERS)
def test_a_drawing_is_there_whole_or_the_earlier_file_stays(kind, tmp_path):
    path = tmp_path / f"a{kind}"
    save_drawing(example(), path)
    before = path.read_bytes()
    assert before == encode_drawing(example(), kind)
    with pytest.raises(TypeError):
        save_drawing(Drawing(10, 10, ["no part"]), path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("path, said", [("a.png", "ends in .png"), ("a", "has no ending"), ("none/a.svg", "no folder")])
def test_a_place_that_cannot_hold_a_drawing_is_refused(path, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match=said):
        save_drawing(example(), path)
    assert os.listdir(tmp_path) == []


def test_the_ending_may_be_written_large():
    assert vector_ending("FIGURE.PDF") == ".pdf"


# SVG.


def svg(drawing):
    return ET.fromstring(encode_drawing(drawing, ".svg"))


def by_id(root):
    return {element.get("id"): element for element in root.iter() if element.get("id")}


def outlines(d):
    """(points, is closed) of every piece of a path's `d`, read by the grammar of SVG 1.1, absolute M, L and Z only."""
    assert re.fullmatch(r"(M[-\d. ]+(L[-\d. ]+)?Z?)*", d)
    pieces = re.findall(r"M([-\d. ]+)(?:L([-\d. ]+))?(Z?)", d)
    return [(np.array(f"{m} {l}".split(), float).reshape(-1, 2), z == "Z") for m, l, z in pieces]


def test_an_svg_has_the_size_of_its_page_in_millimetres():
    root = svg(example())
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("120mm", "93.5mm", "0 0 120 93.5")


def test_every_path_comes_back_by_its_name_to_a_ten_thousandth_of_a_millimetre():
    found = by_id(svg(example()))
    for part in all_parts(example()):
        if isinstance(part, Path):
            pieces = outlines(found[part.name].get("d"))
            assert len(pieces) == len(part.polylines)
            for (points, closed), line in zip(pieces, part.polylines, strict=True):
                assert closed == part.closed
                # Rounded to four places.
                assert np.abs(points - line).max() <= 0.5001e-4


def test_the_style_of_every_path_is_its_own_or_its_group_s():
    root = svg(example())
    parents = {child: parent for parent in root.iter() for child in parent}

    def style(element, name):
        while element is not None:
            if element.get(name) is not None:
                return element.get(name)
            element = parents.get(element)
        # SVG 1.1's initial values.
        return {"stroke": "none", "stroke-dasharray": "none", "stroke-opacity": "1", "fill-opacity": "1"}[name]

    for part in all_parts(example()):
        if isinstance(part, Path):
            element = by_id(root)[part.name]
            assert style(element, "fill") == (part.fill or "none") and style(element, "stroke") == (
                part.stroke or "none"
            )
            if part.stroke:
                dash = " ".join(f"{v:g}" for v in part.dash) or "none"
                assert style(element, "stroke-dasharray") == dash
                assert float(style(element, "stroke-width")) == part.width_mm
                assert float(style(element, "stroke-opacity")) == part.opacity
            if part.fill:
                assert float(style(element, "fill-opacity")) == part.opacity


def test_a_labelled_group_is_a_layer_of_inkscape_and_another_is_not():
    found = by_id(svg(example()))
    assert found["layer-1"].get(INKSCAPE + "label") == "layer 1"
    assert found["layer-1"].get(INKSCAPE + "groupmode") == "layer"
    assert found["plain"].get(INKSCAPE + "groupmode") is None


def test_ids_are_unique_and_names_that_xml_does_not_know_are_mended():
    names = ["a", "a", "a-2", "3", "", "ä ö", "<&>", "a"]
    root = svg(Drawing(10, 10, [Path(name, [OTHER], "#000000") for name in names]))
    ids = [element.get("id") for element in root.iter(SVG + "path")]
    assert len(set(ids)) == len(names) and all(re.fullmatch(r"[A-Za-z][\w.-]*", one) for one in ids)
    assert ids[0] == "a"


def test_words_stay_words_and_titles_are_shown():
    root = svg(example())
    assert root.find(SVG + "title").text == 'A "title" & <more>' and root.find(SVG + "desc").text == "Exact."
    assert by_id(root)["layer-1-neuron-1"].find(SVG + "title").text == "layer 1, neuron 1"
    first, second = root.iter(SVG + "text")
    assert first.text == "−0.5 & <b> é" and second.text == "a"
    assert (first.get("text-anchor"), first.get("font-weight"), first.get("font-size")) == ("end", "bold", "2.5")
    assert root.get("font-family").endswith("sans-serif")


@pytest.mark.parametrize("text", ["\x00\x1b[31m", "\ud800", "\uffff", "line\nbreak"])
def test_a_text_that_xml_cannot_hold_is_written_so_that_it_can_be_read(text):
    svg(Drawing(10, 10, [Words(text, 1, 1), Group(text, [], text, text)], text, text))


def test_the_image_in_an_svg_has_every_pixel():
    image = by_id(svg(example()))["image-2"]
    data = image.get("{http://www.w3.org/1999/xlink}href").removeprefix("data:image/png;base64,")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), PIXELS)
    assert [image.get(key) for key in ("x", "y", "width", "height")] == ["10", "20", "30", "40"]


def test_what_rounds_to_nothing_leaves_no_minus_and_no_point_twice():
    line = [[-0.00001, 0], [0, 0.00001], [1e-9, 5], [1, 5]]
    text = encode_drawing(Drawing(10, 10, [Path("a", [line], "#000000")]), ".svg").decode()
    assert 'd="M0 0L0 5 1 5"' in text


# PDF.


class Read:
    """A PDF as the standard has it read: by its table of places."""

    def __init__(self, data):
        self.data = data
        start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", data)[1])
        head = re.match(rb"xref\n0 (\d+)\n", data[start:])
        rows = data[start + head.end() :][: 20 * int(head[1])]
        self.places = [int(rows[20 * k : 20 * k + 10]) for k in range(int(head[1]))]
        self.trailer = data[start + head.end() + len(rows) :]

    def object(self, number):
        body = self.data[self.places[number] :]
        assert body.startswith(b"%d 0 obj\n" % number)
        return body[len(b"%d 0 obj\n" % number) : body.index(b"\nendobj")]

    def stream(self, number):
        body = self.data[self.places[number] :]
        length, start = int(re.search(rb"/Length (\d+)", body)[1]), body.index(b"stream\n") + 7
        assert body[start + length :].startswith(b"\nendstream\nendobj")
        return zlib.decompress(body[start : start + length])

    def reference(self, body, key):
        return int(re.search(rb"/%s \[?(\d+) 0 R" % key, body)[1])

    @property
    def catalog(self):
        return self.object(self.reference(self.trailer, b"Root"))

    @property
    def page(self):
        return self.object(self.reference(self.object(self.reference(self.catalog, b"Pages")), b"Kids"))

    @property
    def said(self):
        return self.stream(self.reference(self.page, b"Contents")).decode()


@pytest.fixture(scope="module")
def pdf():
    return Read(encode_drawing(example(), ".pdf"))


def unhexed(text):
    return bytes.fromhex(text).decode("utf-16")


def test_a_pdf_has_one_page_of_the_drawing_s_size_in_points(pdf):
    width, height = map(float, re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf.page).groups())
    # Rounded to four places.
    assert abs(width - 120 * MM) < 1e-4 and abs(height - 93.5 * MM) < 1e-4


def test_every_path_of_a_pdf_lies_where_it_was(pdf):
    a, b, c, d, e, f = map(float, re.search(r"^([-\d.]+ ){5}[-\d.]+(?= cm)", pdf.said)[0].split())
    assert (b, c) == (0, 0)
    # Pieces of paths in points, y up; the page's background comes as `re` and has none.
    drawn, line = [], []
    for x, y, operator in re.findall(r"([-\d.]+) ([-\d.]+) ([ml])\b", pdf.said):
        if operator == "m":
            drawn.append(line := [])
        line.append((a * float(x) + e, d * float(y) + f))
    wanted = [line for part in all_parts(example()) if isinstance(part, Path) for line in part.polylines]
    assert len(drawn) == len(wanted)
    for got, line in zip(drawn, wanted, strict=True):
        # Half of a ten thousandth of a millimetre for the place, a ten thousandth of a point for the page.
        assert np.abs(np.array(got) - (line * [1, -1] + [0, 93.5]) * MM).max() < 0.5e-4 * MM + 1e-4


def test_the_layers_of_a_pdf_can_be_switched_and_lie_in_one_another_as_the_groups_do(pdf):
    order = re.search(rb"/Order (\[.*?\]) >> >>", pdf.catalog)[1].decode()
    named = re.sub(
        r"(\d+) 0 R", lambda m: unhexed(re.search(rb"/Name <(\w+)>", pdf.object(int(m[1])))[1].decode()), order
    )
    assert named == "[background layer 1 regions inner layer]"
    assert pdf.said.count("BDC") == pdf.said.count("EMC") == 4
    nested = Read(encode_drawing(Drawing(9, 9, [Group("a", [Group("b", [], "in")], "out")]), ".pdf"))
    assert re.search(rb"/Order \[\d+ 0 R \[\d+ 0 R\]\]", nested.catalog)


def test_the_image_in_a_pdf_has_every_pixel(pdf):
    resources = re.search(rb"/XObject << /I1 (\d+) 0 R", pdf.page)
    assert pdf.stream(int(resources[1])) == PIXELS.tobytes()
    # Its unit square, y up, stands upright on the page, whose y goes down.
    assert "q 30 0 0 -40 10 60 cm /I1 Do Q" in pdf.said


def test_words_of_a_pdf_are_words_in_helvetica_with_a_true_minus(pdf):
    first, second = re.findall(r"BT /(F\d) ([\d.]+) Tf 1 0 0 -1 ([\d.]+) ([\d.]+) Tm <(\w+)> Tj ET", pdf.said)
    codes = bytes.fromhex(first[4])
    assert codes[1:].decode("cp1252") == "0.5 & <b> é" and codes[0] == 1
    encoding = re.search(rb"/Differences \[1 /minus", pdf.data)
    assert encoding and b"/BaseFont /Helvetica-Bold" in pdf.data and (first[0], second[0]) == ("F2", "F1")
    # Adobe's widths in bold: minus 584, digits 556, point 278, spaces 278, & 722, < and > 584, b 611, e 556.
    width = (584 + 556 + 278 + 556 + 278 + 722 + 278 + 584 + 611 + 584 + 278 + 556) * 2.5 / 1000
    assert float(first[2]) == pytest.approx(60 - width, abs=1e-4)


def test_styles_of_a_pdf_are_set_before_they_are_used(pdf):
    said = pdf.said
    first = said.index("BDC", said.index("/OC /L2"))
    layer = said[first : said.index("EMC", first)]
    assert re.search(r"0 0\.4471 0\.698 RG\n0\.35 w\n\[2\.1 1\.05\] 0 d", layer)
    half = re.search(rb"/ExtGState << (/G\d) << /ca 0\.5 /CA 0\.5 >>", pdf.page)[1].decode()
    assert layer.index(f"{half} gs") < layer.rindex(" S") and layer.count(" gs") == 1
    # What comes after is opaque again, and solid.
    rest = said[said.index("EMC", first) :]
    assert re.search(rb"(/G\d) << /ca 1 /CA 1 >>", pdf.page)[1].decode() + " gs" in rest and "[] 0 d" in rest


def test_a_pdf_says_no_date_and_nothing_of_the_machine(pdf):
    assert not re.search(rb"Date|/ID|Producer", pdf.data)
    entries = pdf.object(pdf.reference(pdf.trailer, b"Info")).decode()
    assert unhexed(re.search(r"/Title <(\w+)>", entries)[1]) == 'A "title" & <more>'


def test_letters_that_helvetica_has_not_are_replaced_not_lost():
    said = Read(encode_drawing(Drawing(9, 9, [Words("ŝ≤漢", 1, 1)]), ".pdf")).said
    assert bytes.fromhex(re.search(r"<(\w+)> Tj", said)[1]) == b"s\x02?"
