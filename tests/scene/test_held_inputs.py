"""A picture stores the values of inputs that are held fixed, and never opens a file of them."""

import json

import numpy as np
import pytest

import engine

SCENES = ["marching", "random_networks", "boundaries"]


@pytest.mark.parametrize("name", SCENES)
def test_values_from_a_file_are_stored_as_numbers(tmp_path, name):
    path = tmp_path / "codes.npy"
    np.save(path, np.array([[0.1, -0.2], [0.3, 1e-7]], np.float32))
    scene, _ = engine.open_scene(name, rest=f"{path}:1")
    state = json.loads(json.dumps(scene.state()))
    assert str(tmp_path) not in json.dumps(state["settings"])
    path.unlink()
    other, _ = engine.open_scene(name)
    other.restore(state)
    assert engine.held_inputs(other.rest, 2).astype("f4").tolist() == np.float32([0.3, 1e-7]).tolist()


@pytest.mark.parametrize("name", SCENES)
def test_a_stored_picture_opens_no_file_of_values(tmp_path, name):
    path = tmp_path / "secret.npy"
    np.save(path, np.zeros(2))
    scene, _ = engine.open_scene(name)
    state = scene.state()
    state["settings"]["rest"] = str(path)
    with pytest.raises(engine.SettingError, match="rest names a file, and a stored picture opens none"):
        scene.restore(state)
    assert scene.rest == ""
    # A file that is gone cannot be stored either, which a person is told when the picture is opened.
    scene.rest = str(tmp_path / "gone.npy")
    with pytest.raises(engine.SettingError, match="rest names a file"):
        engine.open_scene(name)[0].restore(scene.state())
