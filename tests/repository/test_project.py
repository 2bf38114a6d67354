"""What must hold of the project as a whole: version, public names, packages, the budget of lines."""

import re
import subprocess
import sys
import tomllib

from tree import ROOT, text, within

import engine

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_is_the_one_of_the_newest_change():
    newest = re.search(r"^## (\S+)", text(ROOT / "CHANGELOG.md"), re.MULTILINE).group(1)
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


def test_a_command_that_draws_nothing_does_not_load_the_graphics_library():
    code = (
        "import sys; from engine.cli import main; assert main.main(['list', 'marching']) == 0; "
        "assert 'engine.gpu.device' in sys.modules and 'wgpu.backends.wgpu_native' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def test_python_and_packages_agree_in_project_and_setup():
    project = PROJECT["project"]
    oldest = re.search(r"^OLDEST = \((\d+), (\d+)\)", text(ROOT / "tools" / "setup.py"), re.MULTILINE).groups()
    assert project["requires-python"] == ">=" + ".".join(oldest)
    locked = {line.split("==")[0] for line in text(ROOT / "constraints.txt").splitlines() if "==" in line}
    asked = {re.match(r"[\w-]+", line).group(0) for line in project["dependencies"]}
    assert asked <= locked


def test_the_budget_of_lines_is_kept_and_is_the_one_that_was_decided():
    """The installed code may not grow past its budget unless docs/decisions.md says for what."""
    installed = [p for p in within("engine", "scenes", "wgsl") if p.suffix in (".py", ".wgsl")]
    budget = PROJECT["tool"]["neuroscene"]["lines"]
    lines = sum(len(text(p).splitlines()) for p in installed)
    assert lines <= budget, (
        f"{lines - budget} lines too many: what can go? Else raise `lines` in pyproject.toml and the number in"
        " docs/decisions.md, where it says what for"
    )
    decided = re.findall(r"budget of ([\d,]+) lines", text(ROOT / "docs" / "decisions.md"))
    assert decided and int(decided[-1].replace(",", "")) == budget


def test_one_list_of_checks_serves_make_ci_and_pre_commit():
    hooks = text(ROOT / ".pre-commit-config.yaml")
    assert re.findall(r"entry: (.*)", hooks) == ["make check"]
    assert re.findall(r"^make (\S+)", text(ROOT / ".ci" / "run"), re.MULTILINE) == ["check", "test", "test-peers"]


def test_the_documents_list_the_rooms_in_the_order_of_the_contract():
    (contract,) = PROJECT["tool"]["importlinter"]["contracts"]
    assert re.findall(r"^\| `(\w+)` \|", text(ROOT / "docs" / "architecture.md"), re.MULTILINE) == contract["layers"]
