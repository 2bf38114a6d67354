"""The public names, nothing else. Each is imported when it is first used, so that `import engine` is quick.

import engine
scene, clock = engine.open_scene("marching")
picture = engine.render(scene, size=(800, 600))

The names and where they come from stand in engine/__init__.pyi, which type checkers read as well.
"""

import importlib
import sys
from types import ModuleType

from engine.errors import near
from engine.scene import display

__version__ = "0.1.0"

# public name -> (the module it is in, its name there), of lines `from MODULE import NAME, NAME as PUBLIC_NAME, ...`
PUBLIC: dict[str, tuple[str, str]] = {}
with open(f"{__file__}i", encoding="utf-8") as _stub:
    for _line in _stub:
        if _line.startswith("from "):
            _, _module, _, _names = _line.split(maxsplit=3)
            for _name in _names.strip().split(", "):
                _there, _, _public = _name.partition(" as ")
                PUBLIC[_public or _there] = _module, _there
__all__ = ["__version__", *PUBLIC]


class _Engine(ModuleType):
    def __setattr__(self, name, value):
        # Importing the room engine/render would bind it to the name of the function that people call. The room
        # stays reachable as `from engine.render.renderer import Renderer`.
        if name in PUBLIC and isinstance(value, ModuleType) and value.__name__ == f"{__name__}.{name}":
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Engine


def __getattr__(name):
    if name not in PUBLIC:
        raise AttributeError(f"module `engine`: {near(name, PUBLIC, noun='public name')}")
    module, there = PUBLIC[name]
    found = importlib.import_module(module)
    # Some public names are modules of a room that has not imported them itself.
    value = getattr(found, there) if hasattr(found, there) else importlib.import_module(f"{module}.{there}")
    globals()[name] = value
    return value


def _mimebundle(scene):
    return importlib.import_module("engine.app.show").mimebundle(scene)


# A scene is shown by a room far above its own; like the public names, that is imported when it is first used.
display.mimebundle = _mimebundle


def __dir__():
    return sorted({*globals(), *PUBLIC})
