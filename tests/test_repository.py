"""What must hold of the files themselves."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import engine

ROOT = Path(__file__).resolve().parent.parent
TEXT = {".py", ".wgsl", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".csv", ".ipynb", ""}


def tracked():
    """The files that git keeps, or every file of the rooms where this is no checkout."""
    try:
        answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        rooms = ("engine", "wgsl", "scenes", "tests", "benchmarks", "tools", "docs", "examples")
        return [p for room in rooms for p in (ROOT / room).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return [p for p in (ROOT / name for name in answer.stdout.split("\0") if name) if p.is_file()]


FILES = tracked()
SOURCES = [p for p in FILES if p.suffix == ".py" and p.relative_to(ROOT).parts[0] in ("engine", "scenes", "wgsl")]


def named(path):
    return str(path.relative_to(ROOT))


def test_there_are_files_to_judge():
    assert len(SOURCES) > 20


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix in TEXT], ids=named)
def test_no_file_names_a_place_of_one_machine(path):
    text = path.read_text(encoding="utf-8")
    # A home or work folder, written out; built here from parts so that this file does not hold one.
    places = re.findall(r"(?<![\w.~])/(?:work|root|home|Users)/\w+[\w./-]*", text)
    assert places == []


@pytest.mark.parametrize("path", [p for p in SOURCES if p.parts[-2] != "scenes"], ids=named)
def test_a_file_of_the_engine_is_a_room_not_a_hall(path):
    # 300 lines is the aim; past 400 there is a second idea in it.
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nothing_in_a_file_is_run_as_code(path):
    """No pickle, marshal, eval, exec or os.system: a network or picture from a stranger must not run anything."""
    forbidden_modules = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    forbidden_calls = {"eval", "exec", "compile"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not forbidden_modules & {name.name.split(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in forbidden_modules
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in forbidden_calls, f"line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            on_torch_or_os = isinstance(node.func.value, ast.Name) and node.func.value.id in ("os", "torch")
            # PyTorch's own reader is let in where it may build nothing but tensors.
            tensors_only = any(
                k.arg == "weights_only" and getattr(k.value, "value", None) is True for k in node.keywords
            )
            if on_torch_or_os and not tensors_only:
                assert node.func.attr not in ("system", "popen", "load"), f"line {node.lineno}"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant) and node.value.value is False


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_file_says_what_it_is(path):
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree)


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix == ".wgsl"], ids=named)
def test_a_shader_says_what_it_is_in_its_first_line(path):
    assert path.read_text().startswith("//")


def test_every_folder_of_tests_mirrors_a_room():
    apart = {"laws", "twins", "shaders", "golden", "peers", "scenes", "tools", "benchmarks", "data"}
    rooms = {
        p.relative_to(ROOT / "engine").parts[0] for p in (ROOT / "engine").rglob("*.py") if p.parent != ROOT / "engine"
    }
    folders = {
        p.relative_to(ROOT / "tests").parts[0]
        for p in FILES
        if (ROOT / "tests") in p.parents and p.parent != ROOT / "tests"
    }
    assert folders - apart <= rooms


def test_the_version_is_the_one_of_the_newest_change():
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE).group(1)
    assert engine.__version__ == newest


def test_every_public_name_is_there():
    for name in engine.PUBLIC:
        assert getattr(engine, name) is not None
        assert name in dir(engine)


def test_the_function_render_is_not_hidden_by_the_room_render():
    """engine.render is what people call; the package engine/render of the same name must not take its place."""
    code = "import engine, engine.render.present; import engine.render; assert callable(engine.render), engine.render"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_importing_the_engine_loads_no_library_of_its_rooms():
    code = (
        "import sys, engine, engine.cli.main; "
        "late = {'wgpu', 'numpy', 'param', 'imageio', 'imgui_bundle', 'rendercanvas', 'onnx', 'PIL'}; "
        "assert not late & set(sys.modules), late & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_python_and_packages_agree_in_project_and_setup():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = re.search(r"^OLDEST = \((\d+), (\d+)\)", (ROOT / "tools" / "setup.py").read_text(), re.MULTILINE).groups()
    assert project["requires-python"] == ">=" + ".".join(oldest)
    locked = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    asked = {re.match(r"[\w-]+", text).group(0) for text in project["dependencies"]}
    assert asked <= locked


# Which rooms may import a library; numpy is for all. What a room may import of ours is a contract in pyproject.toml.
LIBRARIES = {
    "wgpu": {"gpu", "ui"},
    "cffi": {"gpu"},
    "rendercanvas": {"output"},
    "glfw": {"output"},
    "IPython": {"output"},
    "imgui_bundle": {"ui"},
    "imageio_ffmpeg": {"output"},
    "PIL": {"output", "draw", "formats", "vector"},
    "param": {"scene"},
    "typer": {"cli"},
    "tqdm": {"app", "cli", "sheets"},
}


def test_a_library_is_imported_only_in_the_rooms_it_is_for():
    wrong = []
    for path in SOURCES:
        room = path.relative_to(ROOT).parts[1] if path.relative_to(ROOT).parts[0] == "engine" else "scenes"
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for library in {name.split(".")[0] for name in names} - set(sys.stdlib_module_names):
                if library not in ("engine", "scenes", "numpy") and room not in LIBRARIES.get(library, ()):
                    wrong.append(f"{named(path)}:{node.lineno} imports {library}")
    assert wrong == []


def commands_in(path):
    """Every `neuroscene ...` line of a document's code blocks."""
    blocks = re.findall(r"^```(?:sh|bash|console)?\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip().startswith("neuroscene ")]


DOCUMENTS = [p for p in FILES if p.suffix == ".md"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_command_in_a_document_is_one_of_ours(path):
    from typer.main import get_command

    from engine.cli.main import app

    commands = get_command(app).commands
    for line in commands_in(path):
        words = line.split("#")[0].split()
        if words[1].startswith("-"):
            continue
        assert words[1] in commands, line
        options = {name for parameter in commands[words[1]].params for name in parameter.opts} | {"--help", "-h"}
        assert {word.split("=")[0] for word in words[2:] if re.match(r"--?[a-z]", word)} <= options, line


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_link_between_documents_leads_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_make_target_in_a_document_is_in_the_makefile(path):
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert (
        set(re.findall(r"(?<![\w.-])make ([a-z][\w-]*)", "\n".join(re.findall(r"`([^`]*)`", path.read_text()))))
        <= targets
    )


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("[!_]*.py")), ids=lambda path: path.stem)
def test_every_benchmark_finds_what_it_imports(path):
    # Peers are imported when they are measured, so this needs none of them.
    importlib.import_module(f"benchmarks.{path.stem}")
