"""What every included scene keeps: it can be rendered and recorded, and depends on nothing but what was asked for."""

import numpy as np
import pytest
from PIL import Image

import engine
from scenes import SCENES


@pytest.mark.parametrize("name", SCENES)
def test_the_same_command_gives_the_same_bytes(name, tmp_path):
    for path in ("a.png", "b.png"):
        scene, clock = engine.open_scene(name)
        engine.save(scene, tmp_path / path, size=(24, 18), time=clock.time, supersample=1)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("name", SCENES)
def test_a_film_s_frame_is_the_picture_of_its_time(name, tmp_path):
    scene, _ = engine.open_scene(name)
    engine.record(scene, f"{tmp_path}/film/", size=(24, 18), fps=2.0, seconds=1.0, supersample=1)
    frames = sorted((tmp_path / "film").iterdir())
    assert len(frames) == 2
    alone, _ = engine.open_scene(name)
    picture = engine.render(alone, size=(24, 18), time=0.5, supersample=1)
    assert np.array_equal(np.asarray(Image.open(frames[1]).convert("RGB")), np.asarray(picture)[..., :3])
