"""A scene's settings: typed knobs with bounds, units and docs, on the `param` library.

From them come the panel's widgets, the `--set name=value` flags, and the state stored in images.
Groups order the panel: what is shown, how, time, camera, save. What comes from files is in engine.scene.data_settings.
"""

import math

import param

from engine.errors import NeurosceneError, SettingError, near

GROUPS = ("shown", "how", "time", "camera", "save")


class _Setting:
    """What every kind of setting adds to param's.

    unit      shown behind the value: `s`, `deg`, `px`
    group     one of GROUPS
    rebuild   True when a change needs the scene's build again, not only its update
    when      None or a function of the scene: the panel shows the setting only where it is true
    """

    def _extend(self, unit, group, rebuild, when):
        if group not in GROUPS:
            raise SettingError(near(group, GROUPS, noun="panel group"))
        self.unit, self.group, self.rebuild, self.when = unit, group, rebuild, when

    @property
    def title(self):
        return self.label or self.name.replace("_", " ")

    def read(self, text):
        """The value written as text, as `--set` gives it. Raises SettingError when it is none."""
        raise SettingError(f"{self.name} cannot be set from text.")

    def write(self, value):
        """The value as JSON can hold it."""
        return value

    def taken(self):
        """What it takes, in words."""
        return "a value"


class Number(_Setting, param.Number):
    """A real number, with bounds; a slider in the panel."""

    __slots__ = ["group", "rebuild", "unit", "when"]

    def __init__(self, default=0.0, *, unit="", group="how", rebuild=False, when=None, **more):
        super().__init__(default=default, **more)
        self._extend(unit, group, rebuild, when)

    def read(self, text):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise SettingError(f"{self.name}={text}: it takes {self.taken()}.")
        return value

    def taken(self):
        return f"a number{_within(self.bounds)}{' in ' + self.unit if self.unit else ''}"


class Integer(_Setting, param.Integer):
    """A whole number, with bounds."""

    __slots__ = ["group", "rebuild", "unit", "when"]

    def __init__(self, default=0, *, unit="", group="how", rebuild=False, when=None, **more):
        super().__init__(default=default, **more)
        self._extend(unit, group, rebuild, when)

    def read(self, text):
        try:
            return int(text)
        except ValueError:
            raise SettingError(f"{self.name}={text}: it takes {self.taken()}.") from None

    def taken(self):
        return f"a whole number{_within(self.bounds)}"


class Switch(_Setting, param.Boolean):
    """On or off."""

    __slots__ = ["group", "rebuild", "unit", "when"]

    def __init__(self, default=True, *, unit="", group="how", rebuild=False, when=None, **more):
        super().__init__(default=default, **more)
        self._extend(unit, group, rebuild, when)

    def read(self, text):
        word = str(text).strip().lower()
        if word in ("on", "true", "yes", "1"):
            return True
        if word in ("off", "false", "no", "0"):
            return False
        raise SettingError(f"{self.name}={text}: it takes {self.taken()}.")

    def taken(self):
        return "on or off"


class Choice(_Setting, param.Selector):
    """One of a few names."""

    __slots__ = ["group", "rebuild", "unit", "when"]

    def __init__(self, names, default=None, *, unit="", group="how", rebuild=False, when=None, **more):
        super().__init__(objects=list(names), default=default if default is not None else list(names)[0], **more)
        self._extend(unit, group, rebuild, when)

    @property
    def names_taken(self):
        return list(self.objects)

    def read(self, text):
        if text not in self.objects:
            raise SettingError(f"{self.name}={text}: " + near(text, self.objects, noun="choice"))
        return text

    def taken(self):
        return "one of " + ", ".join(self.objects)


class Text(_Setting, param.String):
    """A line of text."""

    __slots__ = ["group", "rebuild", "unit", "when"]

    def __init__(self, default="", *, unit="", group="how", rebuild=False, when=None, **more):
        super().__init__(default=default, **more)
        self._extend(unit, group, rebuild, when)

    def read(self, text):
        return str(text)

    def taken(self):
        return "text"


class Data(_Setting, param.Parameter):
    """Something large that comes from a file, or None.

    key        what it is called in a stored state; noun, in a message
    endings    of the files it is read from; saved_as, of those it can be saved as
    is_stored  False for what a picture does not hold
    is_missed  True where whoever opens such a picture is told; False where the scene stores what it shows of it
    to_bytes   of a value; from_bytes gives it back, and raises a NeurosceneError or ValueError for other bytes
    """

    __slots__ = ["group", "rebuild", "unit", "when"]
    key = ""
    noun = ""
    endings: tuple = ()
    is_stored = True
    is_missed = False
    saved_as: tuple = ()

    def __init__(self, default=None, *, unit="", group="shown", rebuild=False, when=None, **more):
        super().__init__(default=default, allow_None=True, **more)
        self._extend(unit, group, rebuild, when)

    def __set__(self, obj, value):
        super().__set__(obj, self.checked(value))

    def checked(self, value):
        """The value, loaded if it is a path."""
        raise NotImplementedError

    def read(self, text):
        return self.checked(text)

    def to_bytes(self, value):
        raise NotImplementedError

    def from_bytes(self, data):
        raise NotImplementedError

    def describe(self, value):
        """A value in a few words, for a message."""
        return ", ".join(self.lines(value))

    def lines(self, value):
        """(who it is, how large): a line each for the panel."""
        raise NotImplementedError

    def save(self, value, path):
        """Writes a value to a file that ends in one of `saved_as`."""
        raise NotImplementedError


def _within(bounds):
    if bounds is None or bounds == (None, None):
        return ""
    low, high = bounds
    # A whole number is written out: 2147483647 and not 2.14748e+09.
    low, high = (f"{x:g}" if isinstance(x, float) else x for x in (low, high))
    if low is None:
        return f" up to {high}"
    return f" from {low}" + (f" to {high}" if high is not None else " on")


def is_data(setting):
    """True for a setting whose values come from files, as those of engine.scene.data_settings."""
    return isinstance(setting, Data)


def settings(scene):
    """name -> setting of a scene or scene class, in the order they were written, group by group."""
    found = {n: p for n, p in scene.param.objects(instance=False).items() if isinstance(p, _Setting)}
    return dict(sorted(found.items(), key=lambda item: GROUPS.index(item[1].group)))


def assign(scene, name, value):
    """Sets one setting from text or a value; the one door for the command line, the panel and stored images.

    Raises SettingError for an unknown name (with the near ones) or a value outside its bounds.
    """
    known = settings(scene)
    if name not in known:
        raise SettingError(f"{type(scene).__name__}: " + near(name, known, noun="setting"))
    setting = known[name]
    try:
        if isinstance(value, str):
            value = setting.read(value)
        setattr(scene, name, value)
    except NeurosceneError:
        raise
    except (ValueError, TypeError):
        raise SettingError(f"{name}={value}: it takes {setting.taken()}.") from None
