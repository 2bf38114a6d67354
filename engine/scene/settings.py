"""A scene's settings: typed, with bounds, units and docs, on the `param` library.

From them come the panel's widgets, the `--set name=value` flags, and the state stored in images.
Groups order the panel: what is shown, how, time, camera, save. Settings for files are in engine.scene.data_settings.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import param
from param.parameterized import Comparator

from engine.draw.catalogue import ANCHORS, MOST_LETTERS, named
from engine.errors import SettingError, near

if TYPE_CHECKING:
    from param import Parameter

    from engine.scene.scene import Scene
else:
    # Each kind of setting derives from Setting first, then from param's kind: super() in Setting reaches the latter.
    class Parameter:
        __slots__ = ()


GROUPS = ("shown", "how", "time", "camera", "save")
# The attributes of a setting besides param's own; param stores a parameter's attributes in slots.
SLOTS = ["group", "rebuild", "unit", "when"]

T = TypeVar("T")
# (group, when) of settings declared without their own, as given by `in_group`.
_said: tuple[str, Callable[[Any], Any] | None] = ("", None)


@contextmanager
def in_group(group: str = "", when: Callable[[Any], Any] | None = None) -> Iterator[None]:
    """Gives `group` and `when` to the settings declared inside the block; see Setting."""
    global _said
    outer = _said
    _said = group or outer[0], when or outer[1]
    try:
        yield
    finally:
        _said = outer


class Setting(Parameter, Generic[T]):
    """The base of all kinds of settings: the attributes besides param's own.

    label     its title in the panel, if that is not its name
    doc       one line
    bounds    (least, largest) of a number; softbounds, of its slider
    unit      shown behind the value: `s`, `deg`, `px`
    group     one of GROUPS
    rebuild   True: after a change, `build` runs again. False: `build` may read the setting, but need not run again.
              Not given: if `build` reads the setting and `update` does not, the scene is refused, since a change would
              not be seen
    when      a function of the scene, or None: the panel shows the setting only while it returns True

    `with in_group(group, when):` gives both to all settings declared inside it.

    Setting a value that it does not accept raises SettingError, which says what it accepts.
    """

    _group = "how"
    if TYPE_CHECKING:  # at run time they are in the slots of each kind
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
        # Set first, because param checks the default, and the message of an error needs the unit.
        self.unit, self.group, self.rebuild, self.when = unit, group, rebuild, when
        # param's own copy for each scene, with bounds of its own, would hold that scene in a circle.
        super().__init__(*args, per_instance=False, **more)

    def __get__(self, scene: Any, kind: Any = None) -> T:
        reads = None if scene is None else scene._reads
        if reads is not None and reads[0] == get_ident():
            reads[1].add(self.name)
        return super().__get__(scene, kind)

    def __set__(self, scene: Any, value: Any) -> None:
        before = None if scene is None else super().__get__(scene, type(scene))
        super().__set__(scene, value)
        if scene is not None and not Comparator.is_equal(before, super().__get__(scene, type(scene))):
            scene.setting_changed(self.name)

    def _validate(self, value: Any) -> None:
        try:
            super()._validate(value)
        except (ValueError, TypeError):
            raise self.refusal(value) from None

    def refusal(self, value: Any) -> SettingError:
        """The error for a value that it does not accept."""
        # A whole number as it was typed, without the point that it has as a float.
        written = str(value).removesuffix(".0")
        return SettingError(f"{self.name or type(self).__name__}={written}: it takes {self.taken()}.")

    @property
    def title(self) -> str:
        """Its title in the panel."""
        return self.label or (self.name or "").replace("_", " ")

    def read(self, text: str) -> T:
        """The value of a text, as given by `--set`. Raises SettingError for a text that is not a value."""
        raise NotImplementedError

    def taken(self) -> str:
        """The values it accepts, in words."""
        raise NotImplementedError

    def kept(self, value: T) -> T:
        """What a picture stores of a value."""
        return value


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
    """One of a few names; the default is the first, unless another is given."""

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


class Colours(Choice):
    """A colour map: one of a few names, any other name of the `cmap` catalogue, or colours as `#000,#f80,#fff`."""

    __slots__ = SLOTS

    def _validate(self, value: Any) -> None:
        if value not in self.objects:
            self.read(value)

    def read(self, text: str) -> str:
        if text not in self.objects:
            try:
                named(text)
            except SettingError as error:
                others = [name for name in self.objects if name not in ANCHORS]
                said = f"{error} Here also {', '.join(others)}." if others else error
                raise SettingError(f"{self.name or 'Colours'}={str(text)[:MOST_LETTERS]}: {said}") from None
        return text

    def taken(self) -> str:
        return f"{super().taken()}, another map of the cmap catalogue, or colours as #000,#f80,#fff"


class Text(Setting[str], param.String):
    """A line of text."""

    __slots__ = SLOTS

    def read(self, text: str) -> str:
        return text

    def opens_file(self, value: Any) -> bool:
        """Whether a value makes a scene read a file, as no stored picture may."""
        return False

    def taken(self) -> str:
        return "text"


class Data(Setting[Any], param.Parameter):
    """A large value that comes from a file, or None.

    key         its name in a stored state; noun: its name in messages; accepts: the values it accepts, in words
    endings     of the files that can be read; saved_as: endings of the files it can be saved to
    is_stored   False if pictures do not store it
    is_missed   True if opening a picture without it prints a warning; False if the scene stores what it shows of it
    kind        the class of its values; anything else is given to `load`
    to_bytes    value -> bytes; from_bytes: bytes -> value, raising NeurosceneError or ValueError for other bytes
    save        function of a value and of a path with an ending in `saved_as`
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
        """{key: the value's bytes in hexadecimal}, for JSON; over `limit` bytes, a text that names what is left out."""
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
        """(a value's name, its size): two lines for the panel."""
        raise NotImplementedError


def _within(bounds: tuple | None) -> str:
    if bounds is None or bounds == (None, None):
        return ""
    low, high = bounds
    # Whole numbers are written in full: 2147483647, not 2.14748e+09.
    low, high = (f"{x:g}" if isinstance(x, float) else x for x in (low, high))
    if low is None:
        return f" up to {high}"
    return f" from {low}" + (f" to {high}" if high is not None else " on")


def from_stored(setting: Any, value: Any) -> Any:
    """The value for `assign` that JSON has stored. Raises ValueError or a NeurosceneError for anything else."""
    if isinstance(value, dict):
        return setting.from_bytes(bytes.fromhex(value[setting.key]))
    if is_data(setting) and isinstance(value, str):
        # A stored text would be read as a path, and a picture must not choose which files are opened.
        raise ValueError(f"{setting.name} is not a stored {setting.key}")
    if isinstance(setting, Text) and setting.opens_file(value):
        raise ValueError(f"{setting.name} names a file, and a stored picture opens none")
    return value


def applies(name: str, setting: Any, scene: Scene) -> bool:
    """Whether a setting called so says something in a scene as it is, and is shown."""
    return setting.when is None or bool(setting.when(scene))


def is_data(setting: Any) -> bool:
    """True for a setting whose values come from files (engine.scene.data_settings)."""
    return isinstance(setting, Data)


def settings(scene: Scene | type[Scene]) -> dict[str, Any]:
    """{name: setting} of a scene or scene class, group by group, in the order of their declaration."""
    found = {n: p for n, p in scene.param.objects(instance=False).items() if isinstance(p, Setting)}
    return dict(sorted(found.items(), key=lambda item: GROUPS.index(item[1].group)))


def assign(scene: Scene, name: str, value: Any) -> None:
    """Sets one setting from text or a value; used by the command line, the panel and stored pictures alike.

    Raises SettingError for an unknown name (listing similar ones) or a value that the setting does not accept.
    """
    known = settings(scene)
    if name not in known:
        raise SettingError(f"{type(scene).__name__}: " + near(name, known, noun="setting"))
    try:
        setattr(scene, name, known[name].read(value) if isinstance(value, str) else value)
    except SettingError as error:
        files = [other for other, setting in known.items() if is_data(setting)]
        if not files or name in files or not (isinstance(value, str) and os.path.isfile(value)):
            raise
        given = ", ".join(f"{other}=FILE" for other in files)
        raise SettingError(f"{error} {value} is a file; files are given as {given}.") from None
