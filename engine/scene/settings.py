"""A scene's settings: typed, with bounds, units and docs, on the `param` library.

From them come the panel's widgets, the `--set name=value` flags, and the state stored in images.
Groups order the panel: what is shown, how, time, camera, save. What comes from files is in engine.scene.data_settings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import param

from engine.errors import SettingError, near

if TYPE_CHECKING:
    from param import Parameter

    from engine.scene.scene import Scene
else:
    # Each kind names Setting before param's kind: what Setting calls beyond itself is then that one's.
    class Parameter:
        __slots__ = ()


GROUPS = ("shown", "how", "time", "camera", "save")
# What each kind of setting holds besides param's own; param keeps a parameter's attributes in slots.
SLOTS = ["group", "rebuild", "unit", "when"]

T = TypeVar("T")
# What settings have that say nothing else: (group, when), as `in_group` says.
_said: tuple[str, Callable[[Any], Any] | None] = ("", None)


@contextmanager
def in_group(group: str = "", when: Callable[[Any], Any] | None = None) -> Iterator[None]:
    """Settings declared meanwhile are of a group, and shown only where `when` is true of the scene; see Setting."""
    global _said
    outer = _said
    _said = group or outer[0], when or outer[1]
    try:
        yield
    finally:
        _said = outer


class Setting(Parameter, Generic[T]):
    """What every kind of setting has besides what param gives it.

    label     its title in the panel, where that is not its name
    doc       a line
    bounds    (least, largest) of a number; softbounds, of its slider
    unit      shown behind the value: `s`, `deg`, `px`
    group     one of GROUPS
    rebuild   True: a change calls the scene's `build` again. False: `build` may read it, and a change of it needs no
              build. Unsaid: a scene whose `build` reads it and whose `update` does not is refused, as a change of it
              would not be seen
    when      None or a function of the scene: the panel shows the setting only where it is true

    `with in_group(group, when):` gives both to all settings declared under it.

    A value that it does not take raises SettingError with what it takes, wherever it is set.
    """

    _group = "how"
    if TYPE_CHECKING:  # at run time in each kind's own slots
        unit: str
        group: str
        rebuild: bool | None
        when: Callable[[Any], Any] | None
    else:
        __slots__ = ()

    def __init__(
        self, *args: Any, unit: str = "", group: str = "", rebuild: bool | None = None,
        when: Callable[[Any], Any] | None = None, **more: Any,
    ):  # fmt: skip
        group, when = group or _said[0] or self._group, when or _said[1]
        if group not in GROUPS:
            raise SettingError(near(group, GROUPS, noun="panel group"))
        # First: param checks the default, and a refusal states the unit.
        self.unit, self.group, self.rebuild, self.when = unit, group, rebuild, when
        super().__init__(*args, **more)

    def __get__(self, scene: Any, kind: Any = None) -> T:
        if scene is not None and scene._reads is not None:
            scene._reads.add(self.name)
        return super().__get__(scene, kind)

    def _validate(self, value: Any) -> None:
        try:
            super()._validate(value)
        except (ValueError, TypeError):
            raise self.refusal(value) from None

    def refusal(self, value: Any) -> SettingError:
        """The error for a value that it does not take."""
        return SettingError(f"{self.name or type(self).__name__}={value}: it takes {self.taken()}.")

    @property
    def title(self) -> str:
        """What the panel calls it."""
        return self.label or (self.name or "").replace("_", " ")

    def read(self, text: str) -> T:
        """The value written as text, as `--set` gives it. Raises SettingError when it is none."""
        raise NotImplementedError

    def taken(self) -> str:
        """What it takes, in words."""
        raise NotImplementedError


class Number(Setting[float], param.Number):
    """A real number, with bounds; a slider in the panel."""

    __slots__ = SLOTS

    def read(self, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.refusal(text)
        return value

    def taken(self) -> str:
        return f"a number{_within(self.bounds)}{' in ' + self.unit if self.unit else ''}"


class Integer(Setting[int], param.Integer):
    """A whole number, with bounds."""

    __slots__ = SLOTS

    def read(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise self.refusal(text) from None

    def taken(self) -> str:
        return f"a whole number{_within(self.bounds)}"


class Switch(Setting[bool], param.Boolean):
    """On or off."""

    __slots__ = SLOTS

    def __init__(self, default: bool = True, **more: Any):
        super().__init__(default=default, **more)

    def read(self, text: str) -> bool:
        word = text.strip().lower()
        if word not in ("on", "true", "yes", "1", "off", "false", "no", "0"):
            raise self.refusal(text)
        return word in ("on", "true", "yes", "1")

    def taken(self) -> str:
        return "on or off"


class Choice(Setting[str], param.Selector):
    """One of a few names; the first, where no default is given."""

    __slots__ = SLOTS

    def __init__(self, names: Iterable[str], default: str | None = None, **more: Any):
        names = list(names)
        super().__init__(objects=names, default=names[0] if default is None else default, **more)

    @property
    def names_taken(self) -> list[str]:
        """The names, in order."""
        return list(self.objects)

    def read(self, text: str) -> str:
        if text not in self.objects:
            raise self.refusal(text)
        return text

    def refusal(self, value: Any) -> SettingError:
        return SettingError(f"{self.name or 'Choice'}={value}: " + near(value, self.objects, noun="choice"))

    def taken(self) -> str:
        return "one of " + ", ".join(self.objects)


class Text(Setting[str], param.String):
    """A line of text."""

    __slots__ = SLOTS

    def read(self, text: str) -> str:
        return text

    def taken(self) -> str:
        return "text"


class Data(Setting[Any], param.Parameter):
    """Something large that comes from a file, or None.

    key         what it is called in a stored state; noun, in a message; accepts, what it takes, in words
    endings     of the files it is read from; saved_as, of those it can be saved as
    is_stored   False for what a picture does not hold
    is_missed   True where whoever opens such a picture is warned; False where the scene stores what it shows of it
    kind        of the values that are taken as they are; `load` makes one of anything else
    to_bytes    of a value; from_bytes gives it back, and raises a NeurosceneError or ValueError for other bytes
    save        function of a value and of a path that ends in one of `saved_as`
    """

    __slots__ = SLOTS
    _group = "shown"
    key = noun = accepts = ""
    endings: tuple[str, ...] = ()
    saved_as: tuple[str, ...] = ()
    is_stored, is_missed = True, False
    kind: type
    load: Callable[[Any], Any]
    to_bytes: Callable[[Any], bytes]
    from_bytes: Callable[[bytes], Any]
    save: Callable[[Any, Any], None]

    def __init__(self, default: Any = None, **more: Any):
        super().__init__(default=default, allow_None=True, **more)

    def __set__(self, scene: Any, value: Any) -> None:
        try:
            value = self.checked(value)
        except (ValueError, TypeError):
            raise self.refusal(value) from None
        super().__set__(scene, value)

    def checked(self, value: Any) -> Any:
        """The value, loaded if it is a path. Raises what `load` raises."""
        return value if value is None or isinstance(value, self.kind) else self.load(value)

    def read(self, text: str) -> Any:
        return self.checked(text)

    def taken(self) -> str:
        return self.accepts

    def stored(self, value: Any, limit: float) -> dict[str, str] | str:
        """A value as JSON stores it, {key: its bytes in hexadecimal}; what to say of one over `limit` bytes."""
        if not self.is_stored:
            return f"{self.name}: {self.describe(value)}"
        data = self.to_bytes(value)
        if len(data) <= limit:
            return {self.key: data.hex()}
        return f"{self.name}: {self.describe(value)}, {len(data)} bytes"

    def describe(self, value: Any) -> str:
        """A value in a few words, for a message."""
        return ", ".join(self.lines(value))

    def lines(self, value: Any) -> tuple[str, str]:
        """(who it is, how large): a line each for the panel."""
        raise NotImplementedError


def _within(bounds: tuple | None) -> str:
    if bounds is None or bounds == (None, None):
        return ""
    low, high = bounds
    # A whole number is written out: 2147483647 and not 2.14748e+09.
    low, high = (f"{x:g}" if isinstance(x, float) else x for x in (low, high))
    if low is None:
        return f" up to {high}"
    return f" from {low}" + (f" to {high}" if high is not None else " on")


def from_stored(setting: Any, value: Any) -> Any:
    """A value for `assign`, from what JSON stores of it. Raises ValueError or a NeurosceneError for other values."""
    if isinstance(value, dict):
        return setting.from_bytes(bytes.fromhex(value[setting.key]))
    if is_data(setting) and isinstance(value, str):
        # A stored text would be taken as a path, and a picture may not choose what is opened.
        raise ValueError(f"{setting.name} is not a stored {setting.key}")
    return value


def is_data(setting: Any) -> bool:
    """True for a setting whose values come from files, as those of engine.scene.data_settings."""
    return isinstance(setting, Data)


def settings(scene: Scene | type[Scene]) -> dict[str, Any]:
    """name -> setting of a scene or scene class, in the order they were written, group by group."""
    found = {n: p for n, p in scene.param.objects(instance=False).items() if isinstance(p, Setting)}
    return dict(sorted(found.items(), key=lambda item: GROUPS.index(item[1].group)))


def assign(scene: Scene, name: str, value: Any) -> None:
    """Sets one setting from text or a value; the one door for the command line, the panel and stored images.

    Raises SettingError for an unknown name (with the near ones) or a value outside its bounds.
    """
    known = settings(scene)
    if name not in known:
        raise SettingError(f"{type(scene).__name__}: " + near(name, known, noun="setting"))
    setattr(scene, name, known[name].read(value) if isinstance(value, str) else value)
