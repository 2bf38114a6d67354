"""OpenEXR files, read by OpenEXR."""

import numpy as np
import pytest
from frames import written

from engine.output.writers.exr import ExrBands
from engine.render.encoding import Encoding

pytestmark = pytest.mark.peers
OpenEXR = pytest.importorskip("OpenEXR")


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("depth", [16, 32])
@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize("size", [(37, 22), (1, 1), (300, 5)])
def test_every_light_is_read_back_exactly(depth, alpha, rows, size, tmp_path):
    encoding = Encoding(depth, alpha, linear=True)
    light = np.random.default_rng(1).lognormal(-2, 3, (*size[::-1], encoding.channels)).astype(np.float32)
    light[0] = 0.25
    (tmp_path / "a.exr").write_bytes(written(ExrBands(size, rows, {"neuroscene": '{"a": "ä"}'}, encoding), light))
    with OpenEXR.File(str(tmp_path / "a.exr")) as file:
        found = file.channels()["RGBA" if alpha else "RGB"].pixels
        assert np.array_equal(found, light.astype(np.float16 if depth == 16 else np.float32))
        assert file.header()["software"] == "neuroscene" and file.header()["neuroscene"] == '{"a": "ä"}'
