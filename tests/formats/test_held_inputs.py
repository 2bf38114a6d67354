"""The inputs that are held fixed: typed, or from a file; every other text and file is answered in a sentence."""

from contextlib import suppress

import numpy as np
import pytest

import engine
from engine.errors import FileError, NeurosceneError, SettingError
from engine.formats.held_inputs import held_inputs, missing_inputs


def test_typed_numbers_fill_up_with_zeros():
    assert held_inputs("", 2).tolist() == [0, 0]
    assert held_inputs("0.5, , -1e2", 4).tolist() == [0.5, 0, -100, 0]
    with pytest.raises(SettingError, match="rest=1,2,3: it has 3 numbers, but 2 inputs are held fixed"):
        held_inputs("1,2,3", 2)
    for wrong in ("a", "1,nan", "inf"):
        with pytest.raises(SettingError, match="takes numbers with commas between them"):
            held_inputs(wrong, 2)


@pytest.mark.parametrize("ending", ["npy", "txt", "csv"])
def test_files_give_a_row(tmp_path, ending):
    path, codes = tmp_path / f"codes.{ending}", np.arange(12.0).reshape(3, 4)
    np.save(path, codes) if ending == "npy" else np.savetxt(path, codes, delimiter=" " if ending == "txt" else ",")
    assert held_inputs(f"{path}:2", 5).tolist() == [8, 9, 10, 11, 0]
    with pytest.raises(SettingError, match=f"codes.{ending} has 3 rows; say which one is meant, as in codes"):
        held_inputs(str(path), 4)
    with pytest.raises(SettingError, match="there is no row 3"):
        held_inputs(f"{path}:3", 4)
    np.save(path, codes[0]) if ending == "npy" else np.savetxt(path, codes[0])
    assert held_inputs(str(path), 4).tolist() == [0, 1, 2, 3]


def test_wrong_files_are_refused(tmp_path):
    path = tmp_path / "codes.npy"
    np.save(path, np.array([{}]), allow_pickle=True)
    with pytest.raises(FileError, match=r"codes\.npy is no list of numbers: its header does not fit its size"):
        held_inputs(str(path), 4)
    whole = tmp_path / "whole.npy"
    np.save(whole, np.zeros(3))
    data, rng = whole.read_bytes(), np.random.default_rng(0)
    for _ in range(200):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), 3):
            broken[at] = rng.integers(256)
        path.write_bytes(broken[: rng.integers(1, len(data) + 1)])
        with suppress(NeurosceneError):
            held_inputs(str(path), 4)
    for text in ("", "\n", ",;\n", "# 1, 2\n"):
        (tmp_path / "empty.csv").write_text(text or " ")
        with pytest.raises(FileError, match="no numbers"):
            held_inputs(str(tmp_path / "empty.csv"), 4)
    with pytest.raises(FileError, match="There is no file"):
        held_inputs(str(tmp_path / "none.npy"), 4)


def test_values_that_are_fewer_than_the_inputs_are_told(tmp_path):
    np.save(tmp_path / "codes.npy", np.ones((2, 3)))
    assert missing_inputs("", 4) is missing_inputs("1, 2, 3, 4", 4) is missing_inputs("", 0) is None
    assert missing_inputs("1, 2", 4) == "rest has 2 of 4 values, the others are 0"
    assert missing_inputs(f"{tmp_path / 'codes.npy'}:1", 5) == "rest has 3 of 5 values, the others are 0"


@pytest.mark.parametrize("scene", ["marching", "random_networks", "boundaries"])
def test_every_scene_that_takes_them_tells(scene):
    found, _ = engine.open_scene(scene, net=engine.random_mlp((6, 8, 1), seed=1), rest="0.5")
    found.advance(engine.Clock())
    assert "rest has 1 of" in found.remark()
    found.rest = "0.5, 1, 2, 3" if scene != "marching" else "0.5, 1, 2"
    assert "rest has" not in (found.remark() or "")
