"""ONNX files with every kind of node, damaged: each is read or refused in one line, and never costs a traceback."""

import numpy as np

from engine.errors import NeurosceneError
from engine.formats.onnx import model
from engine.formats.onnx.model import parsed
from engine.formats.onnx.reader import graph_of
from engine.network.graph.lowering.layers import as_mlp
from engine.network.graph.passes.simplify import simplified
from tests.formats.onnx.test_rules import CASES, model_of

COUNT = 400


def damaged(data, rng):
    """A copy with a bit or some bytes changed, cut, or with two of its parts exchanged."""
    data = bytearray(data)
    how = rng.integers(4)
    if how == 0:
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    elif how == 1:
        for _ in range(3):
            data[rng.integers(len(data))] = rng.integers(256)
    elif how == 2:
        del data[rng.integers(len(data)) :]
    else:
        a, b = sorted(rng.integers(0, len(data), 2))
        n = rng.integers(1, 12)
        data[a : a + n], data[b : b + n] = data[b : b + n], data[a : a + n]
    return bytes(data)


def test_damaged_files_are_read_or_refused(make_onnx, monkeypatch):
    files = [model_of(make_onnx, *case).SerializeToString() for case in CASES.values()]
    rng = np.random.default_rng(3)
    read = 0
    for k in range(COUNT):
        data = damaged(files[k % len(files)], rng)
        monkeypatch.setattr(model, "LARGE", k % 2 or model.MAX_FIELDS)
        try:
            graph = graph_of(parsed(data, "net.onnx"), "net.onnx")
            read += 1
            as_mlp(simplified(graph))
        except NeurosceneError as error:
            assert "\n" not in str(error) and len(str(error)) < 1000
    assert COUNT / 20 < read < COUNT / 2  # weights may have any bits
