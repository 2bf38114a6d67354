"""What must hold of each file. A test names every file at fault, with the line where there is one."""

import ast
import importlib
import re
import sys
from collections import Counter

from tree import FILES, ROOT, SHADERS, SOURCES, TEXTS, parsed, place, report, text, within


def test_there_are_files_to_judge():
    assert len(SOURCES) > 20 and len(SHADERS) > 20


def test_no_file_names_a_place_of_one_machine():
    # A home or work folder, written out; built here from parts so that this file does not hold one.
    wrong = {place(p): re.findall(r"(?<![\w.~])/(?:work|root|home|Users)/\w+[\w./-]*", text(p)) for p in TEXTS}
    report({p: found for p, found in wrong.items() if found})


def test_a_file_of_the_engine_is_short_enough_to_be_read():
    # 300 lines is the aim; past 400 there is a second idea in it.
    lengths = {place(p): len(text(p).splitlines()) for p in SOURCES}
    report({p: n for p, n in lengths.items() if n > 400})


# Folders that hold rows of one kind: a kernel beside a kernel, an activation beside an activation. They may be longer.
ROWS = {
    "engine/kernels": "one file a kernel",
    "engine/reference": "the twin of each kernel",
    "tests/kernels": "the tests of each kernel",
    "tests/reference": "the tests of each twin",
    "engine/ui/widgets": "one file a widget",
    "wgsl/kernels": "one file a kernel",
    "wgsl/activations": "one file an activation",
    "wgsl/draw": "one file a drawable",
    "wgsl/lib": "one file a function",
    "benchmarks": "one file a measurement",
}


def test_a_folder_holds_a_dozen_files_at_most():
    loose = Counter(place(p.parent) for p in FILES if p.suffix in (".py", ".wgsl") and p.stem != "__init__")
    report(
        f"{folder}: {n} files, at most 12. Make a folder in it, or a row in ROWS if they are rows of one kind."
        for folder, n in loose.items()
        if n > 12 and folder not in ROWS
    )
    assert set(ROWS) <= set(loose), "a row that is gone"


def _runs_as_code(node):
    """Whether a part of a program may run what a stranger's file holds."""
    if isinstance(node, ast.Import):
        return bool(FORBIDDEN_MODULES & {name.name.split(".")[0] for name in node.names})
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in FORBIDDEN_MODULES
    if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
        return not (isinstance(node.value, ast.Constant) and node.value.value is False)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in {"eval", "exec", "compile"}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        # PyTorch's own reader is let in where it may build nothing but tensors.
        tensors_only = any(k.arg == "weights_only" and getattr(k.value, "value", None) is True for k in node.keywords)
        dangerous = node.func.value.id in ("os", "torch") and node.func.attr in ("system", "popen", "load")
        return dangerous and not tensors_only
    return False


FORBIDDEN_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def test_nothing_in_a_file_is_run_as_code():
    """No pickle, marshal, eval, exec or os.system: a network or picture from a stranger must not run anything."""
    wrong = [
        f"{place(path)}:{getattr(node, 'lineno', '?')}"
        for path in SOURCES
        for node in ast.walk(parsed(path))
        if _runs_as_code(node)
    ]
    report(wrong)


def test_what_runs_code_is_recognised():
    for line in (
        "import pickle", "from marshal import loads", "eval('1')", "os.system('ls')", "torch.load(path)",
        "numpy.load(path, allow_pickle=True)",
    ):  # fmt: skip
        assert any(map(_runs_as_code, ast.walk(ast.parse(line)))), line
    for line in ("torch.load(path, weights_only=True)", "numpy.load(path, allow_pickle=False)", "regex.compile('a')"):
        assert not any(map(_runs_as_code, ast.walk(ast.parse(line)))), line


def test_a_file_says_what_it_is():
    report([place(p) for p in SOURCES if parsed(p).body and not ast.get_docstring(parsed(p))])


def test_a_shader_says_what_it_is_in_its_first_line():
    report([place(p) for p in SHADERS if not text(p).startswith("//")])


def test_every_folder_of_tests_mirrors_a_room():
    # Tests of what is no room of the engine, and what tests share.
    apart = {"shaders", "golden", "peers", "scenes", "tools", "benchmarks", "examples"}
    apart |= {"data", "shared", "repository", "documents"}
    rooms = {place(p).split("/")[1] for p in within("engine") if p.parent != ROOT / "engine"}
    folders = {place(p).split("/")[1] for p in within("tests") if p.parent != ROOT / "tests"}
    assert folders - apart <= rooms


# Which rooms may import a library; numpy is for all. What a room may import of ours is a contract in pyproject.toml.
LIBRARIES = {
    "wgpu": {"gpu", "ui"},
    "cffi": {"gpu"},
    "cmap": {"draw"},
    "rendercanvas": {"output"},
    "glfw": {"output"},
    "onnx": {"formats"},
    "IPython": {"output"},
    "imgui_bundle": {"ui"},
    "imageio": {"output"},
    "imageio_ffmpeg": {"output", "doctor"},
    "PIL": {"output", "draw", "formats", "vector"},
    "param": {"scene"},
    "skimage": {"analysis"},
    "typer": {"cli"},
    "tqdm": {"output"},
    "threadpoolctl": {"kernels"},
}


def test_a_library_is_imported_only_in_the_rooms_it_is_for():
    wrong = []
    for path in SOURCES:
        parts = place(path).split("/")
        room = parts[1] if parts[0] == "engine" else "scenes"
        for node in ast.walk(parsed(path)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for library in {name.split(".")[0] for name in names} - set(sys.stdlib_module_names):
                if library not in ("engine", "scenes", "numpy") and room not in LIBRARIES.get(library, ()):
                    wrong.append(f"{place(path)}:{node.lineno} imports {library}")
    report(wrong)


def test_every_benchmark_finds_what_it_imports():
    # Peers are imported when they are measured, so this needs none of them.
    for path in sorted((ROOT / "benchmarks").glob("[!_]*.py")):
        importlib.import_module(f"benchmarks.{path.stem}")
