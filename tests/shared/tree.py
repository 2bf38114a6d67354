"""The files of this project, for the tests that judge the files themselves."""

import ast
import functools
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("engine", "wgsl", "scenes", "tests", "benchmarks", "tools", "docs", "examples")
TEXT = {".py", ".wgsl", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".csv", ".ipynb", ""}


def _tracked():
    """The files that git keeps or would be asked to, or every file of the known folders where this is no checkout."""
    try:
        # New files too: a fault is found before `git add`.
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        answer = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        found = (p for folder in FOLDERS for p in (ROOT / folder).rglob("*"))
        return [p for p in found if p.is_file() and "__pycache__" not in p.parts]
    return [p for p in (ROOT / name for name in answer.stdout.split("\0") if name) if p.is_file()]


FILES = _tracked()
TEXTS = [p for p in FILES if p.suffix in TEXT]
DOCUMENTS = [p for p in FILES if p.suffix == ".md"]


def place(path):
    """Where a file is, from the project's root, with slashes."""
    return path.relative_to(ROOT).as_posix()


def within(*folders):
    return [p for p in FILES if place(p).split("/")[0] in folders]


# What is installed: Python and WGSL.
SOURCES = [p for p in within("engine", "scenes", "wgsl") if p.suffix == ".py"]
SHADERS = [p for p in FILES if p.suffix == ".wgsl"]


@functools.cache
def text(path):
    return path.read_text(encoding="utf-8")


@functools.cache
def parsed(path):
    return ast.parse(text(path))


def report(faults):
    """Fails with a line for each fault, where there is one: texts, or what is wrong by file."""
    __tracebackhide__ = True
    lines = [f"{where}: {what}" for where, what in faults.items()] if isinstance(faults, dict) else list(faults)
    if lines:
        pytest.fail("\n".join([f"{len(lines)} at fault:", *lines]))
