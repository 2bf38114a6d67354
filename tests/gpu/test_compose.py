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


def body(name, generated=None):
    """A composed text without the comment that lists its files."""
    head, text = compose(name, generated).code.split("\n", 1)
    assert head.startswith("// made from ")
    return text


def test_a_file_imported_twice_stands_once_and_before_its_users(files):
    files |= {"a": "#import b\n#import c\nA\n", "b": "#import c\nB\n", "c": "C\n"}
    assert body("a") == "C\nB\nA\n"


def test_files_that_import_each_other_end(files):
    files |= {"a": "#import b\nA\n", "b": "#import a\nB\n"}
    assert body("a") == "B\nA\n"


def test_every_line_knows_the_file_it_came_from(files):
    files |= {"a": "// a\n#import b\nA\n", "b": "// b\nB\n"}
    found = compose("a")
    assert found.places[1:] == (("wgsl/a.wgsl", 1), ("wgsl/b.wgsl", 1), ("wgsl/b.wgsl", 2), ("wgsl/a.wgsl", 3))
    assert found.explain("at wgsl:4:7 and wgsl:5:1") == "at wgsl/b.wgsl:2:7 and wgsl/a.wgsl:3:1"
    assert found.explain("at wgsl:99:1") == "at wgsl:99:1"


def test_generated_texts_are_imported_by_name_and_may_import_files(files):
    files |= {"a": "#import generated/g\nA\n", "b": "B\n"}
    assert body("a", {"g": "#import b\nG\n"}) == "B\nG\nA\n"


def test_a_module_with_an_entry_point_holds_only_what_that_reaches(files):
    files |= {
        "a": "#import b\n\n@compute @workgroup_size(1)\nfn main() {\n    used(); // unused\n}\n",
        "b": "const ONE = 1;\nconst TWO = 2;\n"
        "// It is called.\nfn used() {\n    if ONE == 1 {\n        inner();\n    }\n}\n"
        "// It is not.\nfn unused() {\n    other(TWO);\n}\nfn inner() {}\nfn other(x: i32) {}\noverride SET: u32;\n",
    }
    code = body("a")
    for name in (
        "const ONE",
        "// It is called",
        "fn used",
        "fn inner",
        "override SET",
        "@compute @workgroup_size(1)\nfn main",
    ):
        assert name in code
    for name in ("TWO", "// It is not", "fn unused", "fn other"):
        assert name not in code
    assert "fn unused" in body("b")


def test_the_head_of_a_module_names_what_it_was_made_from(files):
    files |= {"a": "#import generated/g\nA\n", "b": "B\n"}
    assert compose("a", {"g": "#import b\n"}).code.startswith("// made from a, generated/g, b\n")


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
