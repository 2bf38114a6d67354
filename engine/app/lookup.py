"""Finds scenes by what a person types: a name, a Python file, or a picture made earlier."""

import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from engine.app.picture_state import read_state, restore_from, scene_name
from engine.errors import NeurosceneError, SceneError, near
from engine.scene.scene import Scene
from engine.scene.settings import assign
from engine.scene.view_data import Clock

PICTURES = (".png",)
# Scene files are imported under names with this prefix, so that they cannot clash with a module.
FILE_MODULE = "neuroscene_file_"


def find_scene(text: str | Path) -> type[Scene]:
    """The scene class that a text names.

    text   a name in SCENES, `path.py`, `path.py:Class`, or a PNG that was made by a scene of SCENES

    Raises SceneError with the near names, or with the file and line where a scene file went wrong.
    """
    from scenes import SCENES

    text = str(text)
    if is_picture(text):
        text = scene_name(read_state(text), SCENES, text)
    if text in SCENES:
        module, _, name = SCENES[text].partition(":")
        return getattr(importlib.import_module(module), name)
    path, own = split_file(text)
    if path is not None:
        return scene_in_file(path, own)
    known = near(text, SCENES, noun="scene")
    if Path(text).suffix:
        raise SceneError(f"{text} is no scene file (.py) and no picture (.png). {known}")
    raise SceneError(f"{known} Or give the path of a scene file: mine.py.")


def open_scene(text: str | Path, **values: Any) -> tuple[Scene, Clock]:
    """(scene, clock): a scene ready to be rendered, and the Clock of the moment to show.

    text     as for find_scene; from a picture come its stored settings, camera, weights and time
    values   name=value settings, as text or as values; they replace stored ones

    Raises SceneError, and SettingError for a setting that does not exist or a value it does not take.
    """
    kind = find_scene(text)
    with report_user_errors(kind):
        scene = kind()
        clock = restore_from(text, scene) if is_picture(str(text)) else Clock()
        for name, value in values.items():
            assign(scene, name, value)
    return scene, clock


def is_picture(text: str) -> bool:
    """True for the path of a picture that may store a scene's state."""
    return text.lower().endswith(PICTURES)


def scene_names() -> dict[str, str]:
    """name -> one line about it, for every scene that comes with neuroscene."""
    from scenes import SCENES

    return {name: first_line(find_scene(name)) for name in SCENES}


def first_line(kind: type) -> str:
    """The first line of a scene class's own docstring."""
    own = kind.__dict__.get("__doc__") or ""
    # param appends its list of settings to docstrings; the first line stays the author's.
    return own.strip().split("\n")[0]


# Scene files.


def split_file(text: str) -> tuple[Path | None, str | None]:
    """(path, class name or None) of `path.py` or `path.py:Class`; (None, None) for other texts."""
    head, colon, tail = text.rpartition(":")
    if colon and head.lower().endswith(".py"):
        return Path(head), tail or None
    if text.lower().endswith(".py"):
        return Path(text), None
    return None, None


def scene_in_file(path: str | Path, name: str | None = None) -> type[Scene]:
    """The scene class in a file; `name` chooses one of several.

    Raises SceneError for a file that is missing, does not run, or has no such class.
    """
    path = Path(path)
    if not path.is_file():
        raise SceneError(f"There is no scene file {path}. Give the path of a Python file with a class on engine.Scene.")
    module = _import_file(path)
    found = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Scene) and value.__module__ == module.__name__
    }
    if name is not None:
        if name not in found:
            raise SceneError(f"{path}: " + (near(name, found, noun="scene class") if found else _without_scene()))
        return found[name]
    # A base class of another class in the file is only their common part, and not a scene to show.
    bases = {base for value in found.values() for base in value.__mro__[1:]}
    shown = {key: value for key, value in found.items() if value not in bases and not key.startswith("_")}
    if not shown:
        raise SceneError(f"{path}: {_without_scene()}")
    if len(shown) > 1:
        choices = ", ".join(f"{path}:{key}" for key in shown)
        raise SceneError(f"{path} has {len(shown)} scenes. Say which: {choices}.")
    return next(iter(shown.values()))


def _without_scene() -> str:
    return "it has no scene. Write a class on engine.Scene, with a method build(self, stage)."


def _import_file(path: Path) -> ModuleType:
    real = path.resolve()
    module_name = FILE_MODULE + hashlib.sha256(os.fsencode(real)).hexdigest()[:12]
    spec = importlib.util.spec_from_file_location(module_name, real)
    if spec is None or spec.loader is None:
        raise SceneError(f"{path} cannot be read as a Python file. Give a file that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    before = {name: module for name, module in sys.modules.items() if name == module_name}
    sys.modules[module_name] = module
    sys.path.insert(0, str(real.parent))  # for the modules in its folder, while it is being read
    try:
        with report_user_errors(real):
            spec.loader.exec_module(module)
    except UnicodeDecodeError as error:
        if line_in(real, error.__traceback__):
            raise
        raise SceneError(f"{path} is not UTF-8 text ({error}). Save it as UTF-8.") from None
    except (RecursionError, MemoryError) as error:
        if line_in(real, error.__traceback__):
            raise
        raise SceneError(f"{path} is nested too deep for Python to read it. Give a file with a scene.") from None
    except BaseException:
        del sys.modules[module_name]
        sys.modules.update(before)
        raise
    finally:
        with suppress(ValueError):
            sys.path.remove(str(real.parent))
    return module


# What goes wrong in a person's own code.


@contextmanager
def report_user_errors(whose: Scene | type[Scene] | Path) -> Iterator[None]:
    """Turns an exception raised in a person's scene file into one line with the file and the line number.

    whose   a scene file's path, a scene or a scene class; exceptions of included scenes pass unchanged
    """
    try:
        yield
    except NeurosceneError as error:
        place = line_in(whose, error.__traceback__)
        if place is None:
            raise
        raise type(error)(f"{place}: {error}") from error
    except SyntaxError as error:
        if file_of(whose) is None:
            raise
        where = f"{_shortest(error.filename)}:{error.lineno}" if error.filename else str(whose)
        raise SceneError(f"{where}: {error.msg}. Python cannot read this line.") from error
    except SystemExit as error:
        file = file_of(whose)
        if file is None:
            raise
        raise SceneError(f"{_shortest(file)} ended the program while it was read; a scene must not.") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # code of a person's may raise anything
        place = line_in(whose, error.__traceback__)
        if place is None:
            raise
        words = " ".join(str(error).split())
        raise SceneError(f"{place}: {type(error).__name__}{': ' if words else ''}{words}") from error


def file_of(whose: Scene | type[Scene] | Path) -> Path | None:
    """The path of the person's own file that a scene comes from; None for scenes that come with neuroscene."""
    if isinstance(whose, Path):
        return whose.resolve()
    kind = whose if isinstance(whose, type) else type(whose)
    for base in kind.__mro__:
        if base.__module__.startswith(FILE_MODULE):
            return Path(str(sys.modules[base.__module__].__file__)).resolve()
    return None


def line_in(whose: Scene | type[Scene] | Path, trace: TracebackType | None) -> str | None:
    """`mine.py:14` for the innermost line of a traceback that is in the person's file; None if none is."""
    path = file_of(whose)
    if path is None:
        return None
    lines = [frame.lineno for frame in traceback.extract_tb(trace) if Path(frame.filename).resolve() == path]
    return f"{_shortest(path)}:{lines[-1]}" if lines else None


def _shortest(path: str | Path) -> Path:
    try:
        return Path(path).resolve().relative_to(Path.cwd())
    except (ValueError, FileNotFoundError):  # elsewhere, or the current folder was deleted
        return Path(path)
