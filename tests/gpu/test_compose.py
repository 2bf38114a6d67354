"""Composition of shader files."""

import pytest

from engine.errors import ShaderError
from engine.gpu import compose as module
from engine.gpu.compose import compose


@pytest.fixture
def files(monkeypatch):
    """A dictionary that stands for the folder wgsl/."""
    texts = {}

    def source(name):
        if name not in texts:
            raise ShaderError(f"There is no shader file wgsl/{name}.wgsl.")
        return texts[name]

    monkeypatch.setattr(module, "source", source)
    return texts


def test_a_file_imported_twice_stands_once_and_before_its_users(files):
    files |= {"a": "#import b\n#import c\nA\n", "b": "#import c\nB\n", "c": "C\n"}
    assert compose("a").code == "C\nB\nA\n"


def test_files_that_import_each_other_end(files):
    files |= {"a": "#import b\nA\n", "b": "#import a\nB\n"}
    assert compose("a").code == "B\nA\n"


def test_every_line_knows_the_file_it_came_from(files):
    files |= {"a": "// a\n#import b\nA\n", "b": "// b\nB\n"}
    found = compose("a")
    assert found.places == (("wgsl/a.wgsl", 1), ("wgsl/b.wgsl", 1), ("wgsl/b.wgsl", 2), ("wgsl/a.wgsl", 3))
    assert found.explain("at wgsl:3:7 and wgsl:4:1") == "at wgsl/b.wgsl:2:7 and wgsl/a.wgsl:3:1"
    assert found.explain("at wgsl:99:1") == "at wgsl:99:1"


def test_generated_texts_are_imported_by_name_and_may_import_files(files):
    files |= {"a": "#import generated/g\nA\n", "b": "B\n"}
    assert compose("a", {"g": "#import b\nG\n"}).code == "B\nG\nA\n"


def test_an_import_of_nothing_names_the_line_that_asked(files):
    files["a"] = "// a\n#import b\n"
    with pytest.raises(ShaderError, match=r"wgsl/a\.wgsl:2: There is no shader file wgsl/b\.wgsl"):
        compose("a")
    files["a"] = "#import generated/network\n"
    with pytest.raises(ShaderError, match=r"wgsl/a\.wgsl:1 imports generated/network, but only \['bindings'\]"):
        compose("a", {"bindings": ""})


def test_a_missing_file_of_the_real_folder_is_named():
    with pytest.raises(ShaderError, match=r"wgsl/kernels/none\.wgsl"):
        compose("kernels/none")
