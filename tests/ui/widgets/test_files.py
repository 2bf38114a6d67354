"""Finding and naming files."""

import pytest

from engine.ui.widgets.files import completed, entries, free

KINDS = (".npz", ".onnx")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nets").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("beta.npz", "Alpha.onnx", "alps.npz", "notes.txt", ".secret.npz", "LOUD.NPZ"):
        (tmp_path / name).write_bytes(b"x" * 1500)
    return tmp_path


def test_a_folder_offers_folders_first_and_only_files_that_load(folder):
    assert [e.name for e in entries(folder, KINDS)] == ["nets", "Alpha.onnx", "alps.npz", "beta.npz", "LOUD.NPZ"]
    assert [e.note for e in entries(folder, KINDS)][:2] == ["", "1.5 kB"]


def test_a_folder_that_cannot_be_read_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError):
        entries(tmp_path / "none", KINDS)


@pytest.mark.parametrize(
    ("typed", "longer"),
    [("b", "beta.npz"), ("al", "alps.npz"), ("n", "nets/"), ("x", "x"), ("beta.npz", "beta.npz"), ("not", "not")],
)
def test_completion_goes_as_far_as_is_certain(folder, typed, longer):
    assert completed(str(folder / typed), KINDS) == str(folder / longer.rstrip("/")) + "/" * longer.endswith("/")


def test_completion_stops_where_names_part(folder):
    (folder / "alpine.npz").write_bytes(b"")
    assert completed(str(folder / "al"), KINDS) == str(folder / "alp")


def test_free_names_count_on_from_the_highest(tmp_path):
    assert free(tmp_path, "marching", ".png").name == "marching-0001.png"
    (tmp_path / "marching-0007.png").touch()
    (tmp_path / "marching-0009.gif").touch()
    (tmp_path / "marching-old.png").touch()
    (tmp_path / "other-0030.png").touch()
    assert free(tmp_path, "marching", ".png").name == "marching-0010.png"
