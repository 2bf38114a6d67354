"""Scenes are written on the public names alone, as anyone's are; engine/__init__.pyi declares those."""

import ast
from pathlib import Path

import engine

ROOT = Path(__file__).resolve().parents[2]


def test_a_scene_imports_public_names_and_its_neighbours_only():
    wrong = []
    for path in sorted((ROOT / "scenes").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [a.name for a in node.names if a.name.startswith("engine.")]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "engine":
                names = [f"{node.module}.{a.name}" for a in node.names if a.name not in engine.PUBLIC]
                names += [node.module] if node.module != "engine" else []
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "engine":
                names = [f"engine.{node.attr}"] if node.attr not in engine.PUBLIC else []
            wrong += [f"{path.relative_to(ROOT)}:{node.lineno} {name}" for name in names]
    assert wrong == []


def test_the_stub_declares_what_the_engine_gives():
    body = ast.parse((ROOT / "engine" / "__init__.pyi").read_text(encoding="utf-8")).body
    imports = [(n.module, a) for n in body if isinstance(n, ast.ImportFrom) for a in n.names]
    assert [(a.asname or a.name, (module, a.name)) for module, a in imports] == list(engine.PUBLIC.items())
    assert ast.literal_eval(body[-1].value) == engine.__all__


def test_every_public_function_and_class_says_what_it_is():
    assert [name for name in engine.PUBLIC if callable(found := getattr(engine, name)) and not found.__doc__] == []
