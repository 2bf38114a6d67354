"""The package `neuroscene`, by which people import what they installed: the same modules as `engine`."""

import subprocess
import sys
from pathlib import Path

import pytest

import engine

ROOT = Path(engine.__file__).parents[1]


def python(*words):
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)


# Each in a process of its own: which of the two names comes first must not matter.
@pytest.mark.parametrize(
    "code",
    [
        "import neuroscene, engine; assert neuroscene is engine and neuroscene.Scene is engine.Scene",
        "from neuroscene import Mlp; import engine; assert Mlp is engine.Mlp",
        "import neuroscene.network.mlp as n, engine.network.mlp as m; assert n is m",
        "import engine.network.mlp as m; from neuroscene.network import mlp; assert mlp is m",
        "import neuroscene.network.mlp as m; assert m.__spec__.name == m.__name__ == 'engine.network.mlp'",
        "import neuroscene.render.renderer, engine; assert callable(engine.render)",
    ],
)
def test_a_module_is_the_same_under_both_names(code):
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def test_what_is_not_there_is_an_import_error():
    assert "ModuleNotFoundError" in python("-c", "import neuroscene.nothing").stderr


def test_a_module_runs_under_either_name():
    code = "import runpy; runpy.run_module('neuroscene.network.closed_paths', run_name='__main__')"
    done = python("-W", "ignore", "-c", code)
    assert done.returncode == 0, done.stderr


def test_it_runs_as_the_command():
    assert python("-m", "neuroscene", "--version").stdout == f"neuroscene {engine.__version__}\n"


def test_a_misspelt_public_name_names_the_near_one_and_not_a_hundred():
    with pytest.raises(
        AttributeError, match=r"There is no public name `LevelSurface`\. Near: LevelSurfaces, "
    ) as caught:
        engine.LevelSurface  # noqa: B018  it is the reading that fails
    assert "ShapeError" not in str(caught.value)
    with pytest.raises(AttributeError, match=r"no public name `zzzz`\. It may be: .*LevelSurfaces"):
        engine.zzzz  # noqa: B018
