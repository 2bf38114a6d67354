"""The name that is installed: `import neuroscene` is `import engine`, `neuroscene.x.y` the very module `engine.x.y`."""

import importlib
import sys
from importlib.abc import InspectLoader, Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import CodeType, ModuleType

import engine


class _SameModule(MetaPathFinder, Loader):
    """Finds `neuroscene.x.y` as the module `engine.x.y` itself, not as a copy of it."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        # `python -m neuroscene` asks for __main__, which Python runs from engine's folder by itself.
        if not fullname.startswith("neuroscene.") or fullname == "neuroscene.__main__":
            return None
        return ModuleSpec(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module("engine" + spec.name.removeprefix("neuroscene"))
        # The import system writes its own spec into what it is given; exec_module puts the module's back.
        spec.loader_state = module.__spec__
        return module

    def get_code(self, fullname: str) -> CodeType | None:
        """What `python -m` runs."""
        spec = find_spec("engine" + fullname.removeprefix("neuroscene"))
        assert spec is not None
        return spec.loader.get_code(spec.name) if isinstance(spec.loader, InspectLoader) else None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state


# First, because engine's folder would otherwise be read anew under the other name.
sys.meta_path.insert(0, _SameModule())
sys.modules[__name__] = engine
