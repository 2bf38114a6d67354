"""What a scene is: a class with settings, `build`, nodes, `update` and `loop`; its state, stored and restored."""

import math
from collections.abc import Callable, Iterable
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

import param
from param.parameterized import ParameterizedMetaclass

from engine.draw.node import Node
from engine.errors import SceneError, SettingError, near
from engine.gpu.device import device_changes
from engine.scene import display
from engine.scene.hooks import Hooks
from engine.scene.memo import Cache
from engine.scene.settings import Choice, Integer, Setting, assign, from_stored, is_data, settings
from engine.scene.view_data import Clock
from engine.view.camera import Camera

T = TypeVar("T")


# Attributes that every scene has; and those of Hooks that a scene may make settings, as it may override them by values.
OURS = ("camera", "stage", "name", "param")
FREE = ("loop", "moment", "plays")


class _OwnAttributes(ParameterizedMetaclass):
    def __init__(cls, name, bases, namespace):
        for key in OURS:
            if isinstance(namespace.get(key), Setting):
                raise SceneError(f"{name}: {name}.{key} is a setting, and Scene.{key} is not; give it another name.")
        # A plain value under an inherited setting's name becomes the setting's new default, checked like any value; in
        # an ordinary class it would replace the setting.
        inherited = {key for base in cls.__mro__[1:] for key, found in vars(base).items() if isinstance(found, Setting)}
        defaults = {k: v for k, v in namespace.items() if k in inherited and not hasattr(type(v), "__get__")}
        for key in defaults:
            type.__delattr__(cls, key)
        super().__init__(name, bases, {key: value for key, value in namespace.items() if key not in defaults})
        for key, value in defaults.items():
            setattr(cls, key, value)
        _check_names(cls)

    def __call__(cls, *arguments, **values):
        scene = super().__call__(*arguments, **values)
        scene._is_open = False
        return scene


def _check_names(kind: Any) -> None:
    """Raises SceneError for a setting and another attribute of one name, since one of them would be lost."""
    for key in settings(kind):
        holders = [base for base in kind.__mro__ if key in vars(base)]
        others = [base for base in holders if not isinstance(vars(base)[key], Setting)]
        if others and key not in FREE:
            mine = next(base for base in holders if base not in others)
            raise SceneError(
                f"{kind.__name__}: {mine.__name__}.{key} is a setting, and {others[0].__name__}.{key} is not; give one "
                "of them another name."
            )


class Scene(Hooks, param.Parameterized, metaclass=_OwnAttributes):
    """A picture that depends on settings and time. It does not know windows, devices or widgets.

    A subclass declares settings (engine.Number, Integer, Switch, Choice, Text, Network), adds nodes in `build` and
    changes them in `update`. All further methods that it may define are in engine/scene/hooks.py.

    loop     seconds after which the animation repeats, or None
    camera   the present Camera; controls and stored pictures replace it
    home     the Camera it begins with
    stage    the Node that `build` adds to

    A subclass may set new attributes in `__init__`, `build` and `update`, and names with an underscore anywhere; any
    other new name is an error, so that a misspelt setting is noticed.
    """

    theme = Choice(
        ["dark", "paper", "clear"], group="how", rebuild=True,
        doc="colours of the background and the words: for a screen, for print, or none behind to lay over something",
    )  # fmt: skip
    seed = Integer(0, bounds=(0, 2**31 - 1), group="shown", rebuild=True, doc="of everything random in the scene")

    if not TYPE_CHECKING:
        loop, home = None, Camera()

    _is_open = True  # whether new attributes may be set
    _followers: tuple[tuple[frozenset[str], str], ...] = ()  # (names of settings, the method called when one changes)
    # The thread whose reads of settings are recorded, a window's panel reads them in its own, and their names; or None.
    _reads: tuple[int, set[str]] | None = None

    def __init__(self, **values: Any):
        super().__init__()
        self._cache = Cache()
        self.camera = self.home
        self.stage = Node("stage")
        self._stale = True
        self._device_changes = device_changes()
        self.on_change([name for name, setting in settings(type(self)).items() if setting.rebuild], "_mark_stale")
        for name, value in values.items():
            if name == "camera":
                self.camera = value
            else:
                assign(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if not (self._is_open or name.startswith("_") or name in self.__dict__ or hasattr(type(self), name)):
            raise SettingError(
                f"{type(self).__name__}: {near(name, settings(self), noun='setting')} "
                "Other attributes begin in __init__, build or update, or with an underscore."
            )
        super().__setattr__(name, value)

    def build(self, stage: Node) -> None:
        """Adds nodes to the stage; called at the start, and again after a setting marked rebuild has changed."""

    def update(self, clock: Clock) -> None:
        """Changes the nodes for this moment; called before every frame."""

    def on_change(self, names: Iterable[str], method: str) -> None:
        """Has one of the scene's methods called, by its name, after one of these settings has changed.

        A scene that calls `self.param.watch` with a method of its own refers to itself, and is not freed by its last
        user.
        """
        self._followers += ((frozenset(names), method),)

    def cached(self, name: str, key: tuple, make: Callable[[], T]) -> T:
        """The result of `make` stored under this name for the same key; without one, `make` is called.

        key   what it is made from: texts and numbers are compared by value, arrays and networks by identity
        """
        return self._cache.get(name, key, make)

    # Called by the engine, not by scenes.

    def setting_changed(self, name: str) -> None:
        """Calls the methods that `on_change` has named for a setting."""
        for names, method in self._followers:
            if name in names:
                getattr(self, method)()

    def drop_cache(self) -> None:
        """Lets go of what `cached` holds, which may refer to the scene; it is made again when it is needed."""
        self._cache = Cache()

    def _mark_stale(self) -> None:
        self._stale = True

    def advance(self, clock: Clock) -> None:
        """Calls `build` if necessary, then `update`; after that the stage can be drawn.

        Raises SceneError if `build` reads a setting that is not marked rebuild and that `update` does not read.
        """
        if self._device_changes != device_changes():
            # What the nodes and the cache hold was on a device that is gone.
            self._device_changes, self._stale = device_changes(), True
            self.drop_cache()
        built: set[str] = set()
        updated: set[str] = set()
        is_built = not self._stale
        self._is_open = True
        try:
            if not is_built:
                self._stale = False
                self.stage.clear()
                self._reads = get_ident(), built
                self.build(self.stage)
                self._reads = get_ident(), updated
            self.update(clock)
            self._reads = None
            self._check_reads(built - updated)
            is_built = True
        finally:
            self._is_open, self._reads = False, None
            # After an error the stage may be half built; the next frame then builds it again.
            self._stale = self._stale or not is_built

    def _check_reads(self, names: set[str]) -> None:
        """Raises SceneError for settings that only `build` has read and whose `rebuild` is not given."""
        lost = [name for name, setting in settings(self).items() if name in names and setting.rebuild is None]
        if lost:
            raise SceneError(
                f"{type(self).__name__}.build reads the setting `{'`, `'.join(lost)}`, so a change would not be seen. "
                "Declare it with rebuild=True, or read it in update; rebuild=False says that a change needs no build."
            )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict | None:
        """What a notebook shows for a cell that ends with the scene."""
        return None if display.mimebundle is None else display.mimebundle(self)

    def state(self, clock: Clock | None = None, *, weights_limit: float = 2**20) -> dict[str, Any]:
        """Everything needed to make the same picture again, as plain data for JSON.

        weights_limit   bytes; larger networks, histories and images are left out and named under `left_out`
        """
        values, left_out = {}, []
        for name, setting in settings(self).items():
            value = getattr(self, name)
            if not is_data(setting) or value is None:
                values[name] = setting.kept(value)
                continue
            stored = setting.stored(value, weights_limit)
            if not isinstance(stored, str):
                values[name] = stored
            elif setting.is_stored or setting.is_missed:
                left_out.append(stored)
        more: dict[str, Any] = {} if self.shared is None else {"shared": list(self.shared)}
        more |= {"key_outside": True} if self.key_outside else {}
        return more | {
            "scene": f"{type(self).__module__}:{type(self).__name__}",
            "settings": values,
            "camera": self.camera.state(),
            "time": clock.time if clock else 0.0,
            "left_out": left_out,
        }

    def restore(self, state: dict[str, Any]) -> Clock:
        """Restores a state that `state` made; returns its Clock.

        Raises SettingError for a state of another scene.
        """
        try:
            for name, value in state["settings"].items():
                assign(self, name, from_stored(settings(self).get(name), value))
            self.camera = Camera(**state["camera"])
            self.shared, self.key_outside = _range(state.get("shared")), bool(state.get("key_outside"))
            return Clock(float(state["time"]))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise SettingError(f"The stored state does not fit {type(self).__name__}: {error}.") from None


def _range(stored: Any) -> tuple[float, float] | None:
    """(low, high) of a stored state; raises ValueError for what is no range."""
    if stored is None:
        return None
    low, high = map(float, stored)
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"shared={stored} is no range of values")
    return low, high
