"""What a camera frames is in the picture, whatever shape each of them has."""

import numpy as np
import pytest

from engine.errors import SettingError
from engine.view.camera import Camera

ASPECTS = (0.3, 0.75, 1.0, 16 / 9, 4.0)


@pytest.mark.parametrize("fov", [0.0, 0.7])
@pytest.mark.parametrize("shape", [0.2, 0.9, 1.0, 1.6, 5.0])
def test_a_picture_of_any_shape_just_holds_what_is_framed(shape, fov):
    camera = Camera(shape=shape, fov=fov, height=3.0)
    least = camera.half_sizes(shape)
    assert min(least) == pytest.approx(np.tan(fov / 2) if fov else 1.5) and least[0] / least[1] == pytest.approx(shape)
    for aspect in ASPECTS:
        wide, high = camera.half_sizes(aspect)
        assert wide / high == pytest.approx(aspect)
        assert min(wide / least[0], high / least[1]) == pytest.approx(1.0)


def test_a_square_is_framed_unless_a_shape_is_given_and_its_state_is_kept():
    for aspect in ASPECTS:
        assert min(Camera().half_sizes(aspect)) == pytest.approx(np.tan(Camera.fov / 2))
    camera = Camera(shape=2.5)
    assert Camera(**camera.state()) == camera
    with pytest.raises(SettingError, match="shape"):
        Camera(shape=0.0)
