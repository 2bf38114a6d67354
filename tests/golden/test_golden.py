"""Pictures made earlier, reopened from their own state and made again: the same, away from edges, on the same adapter.

After a change that is meant to be seen, make each again from itself:
`neuroscene render tests/golden/studio.png -o tests/golden/studio.png`.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import engine
from engine.app.picture_state import read_state
from engine.gpu.device import device

FOLDER = Path(__file__).parent
# The vectors may be of 256 or 512 bits: the pixels are the same.
ADAPTER = "llvmpipe (LLVM 15.0.6, "


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.png")), ids=lambda p: p.stem)
def test_a_picture_made_again_from_its_state_is_the_same_away_from_edges(path):
    if not device().adapter.startswith(ADAPTER):
        pytest.skip(f"the pictures were made on {ADAPTER}...), this is {device().adapter}")
    then = np.asarray(Image.open(path).convert("RGB")).astype(int)
    state = read_state(path)
    scene, clock = engine.open_scene(str(path))
    height, width = then.shape[:2]
    now = engine.render(scene, (width, height), time=clock.time, supersample=state["supersample"])[..., :3].astype(int)
    # An edge: a pixel that differs from a neighbour by more than a shade of form does.
    steps = [np.abs(np.diff(then, axis=a, prepend=then.take([0], axis=a))).max(axis=-1) for a in (0, 1)]
    after = [np.abs(np.diff(then, axis=a, append=then.take([-1], axis=a))).max(axis=-1) for a in (0, 1)]
    calm = np.max([*steps, *after], axis=0) <= 12
    assert calm.mean() > 0.3
    # Dither is a function of the pixel alone: its step falls the same way but where rounding tips it.
    assert np.abs(now - then).max(axis=-1)[calm].max() <= 2
