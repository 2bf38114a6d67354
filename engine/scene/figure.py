"""Figures that a scene declares, as plain data: a picture, a sheet of pictures, or a film."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from engine.errors import SceneError, near, whole_number

# A figure's name, which is part of its file's name.
NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
MOST_NUMBER = 9999


@dataclass(frozen=True)
class Step:
    """One column, row or cell of a sheet.

    label      what stands beside it
    settings   {name: value}, which replace the sheet's own
    time       seconds; None for the sheet's own
    """

    label: str
    settings: Mapping = field(default_factory=dict)
    time: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.label, str) or not isinstance(self.settings, Mapping):
            raise SceneError(f"Step({self.label!r}, {self.settings!r}): it takes a text and {{name: value}}.")
        time = self.time
        if time is not None and (isinstance(time, bool) or not isinstance(time, int | float) or not abs(time) <= 1e9):
            raise SceneError(f"Step({self.label!r}, time={self.time!r}): it takes a number of seconds.")
        object.__setattr__(self, "settings", dict(self.settings))


@dataclass(frozen=True)
class Figure:
    """A figure of a scene: a picture; a sheet, if it has columns; or a film, if it has seconds or is a loop.

    number       its number among the scene's figures; parts of one figure may share a number
    name         of its file: small letters, digits, - and _; no other figure of the scene has it
    doc          one line
    settings     {name: value}, over the scene's defaults
    columns      of a sheet: a tuple of Step, {setting: values} or a text, as engine.sheet takes them
    rows         of a sheet: the same
    wrap         cells in a row of a sheet that has columns alone
    size         (width, height) in pixels of the picture, of a sheet's cell, of the film
    title        of a sheet
    seconds      of a film
    loop         True for a film of exactly one loop of the scene
    fps          frames a second of a film; None for its format's own
    supersample  samples a pixel
    time         seconds: the moment shown, or a film's first; None for the scene's own, and 0 for a film
    """

    number: int
    name: str
    doc: str
    _: KW_ONLY
    settings: Mapping = field(default_factory=dict)
    columns: tuple | Mapping | str = ()
    rows: tuple | Mapping | str = ()
    wrap: int | None = None
    size: tuple = (400, 400)
    title: str = ""
    seconds: float | None = None
    loop: bool = False
    fps: float | None = None
    supersample: int = 4
    time: float | None = None

    def __post_init__(self) -> None:
        if wrong := self._wrong():
            raise SceneError(f"figure {self.number}, {self.name}: {wrong}")
        object.__setattr__(self, "settings", dict(self.settings))
        object.__setattr__(self, "size", tuple(self.size))
        for axis in ("columns", "rows"):
            steps = getattr(self, axis)
            if not isinstance(steps, str | Mapping):
                object.__setattr__(self, axis, tuple(steps))

    def _wrong(self):
        """What is wrong with the fields, in words, or None."""
        film, columns, rows = self.seconds is not None or self.loop, len(self.columns), len(self.rows)
        if isinstance(self.number, bool) or not isinstance(self.number, int) or not 0 <= self.number <= MOST_NUMBER:
            return f"its number is {self.number!r}; give one from 0 to {MOST_NUMBER}."
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            return f"its name is {self.name!r}; a file is named after it, so give small letters, digits, - and _."
        if film and columns:
            return "it has columns and a length; a figure is a sheet or a film."
        if rows and not columns:
            return "it has rows and no columns. Make them columns, with wrap=1 to stand below each other."
        if self.wrap is not None and (rows or not columns):
            return "wrap lays out the columns of a sheet that has no rows."
        if self.loop and self.seconds is not None:
            return "it has seconds and is a loop, which has its own length. Leave one out."
        return None

    @property
    def kind(self) -> str:
        """`picture`, `sheet` or `film`."""
        if self.seconds is not None or self.loop:
            return "film"
        return "sheet" if len(self.columns) else "picture"


def declared(kind: Any) -> tuple[Figure, ...]:
    """The figures a scene class declares, in the order of their numbers.

    Raises SceneError for two of the same name.
    """
    found = tuple(kind.figures())
    names: set[str] = set()
    for figure in found:
        if not isinstance(figure, Figure):
            raise SceneError(f"{kind.__name__}.figures() holds {figure!r}; it takes engine.Figure.")
        if figure.name in names:
            raise SceneError(f"{kind.__name__} has two figures named {figure.name}. Rename one.")
        names.add(figure.name)
    return tuple(sorted(found, key=lambda figure: figure.number))


def chosen(figures: Sequence[Figure], wanted: Iterable[str | int], whose: str) -> tuple[Figure, ...]:
    """The wanted figures, in the order of `figures`; all of them if nothing is wanted.

    wanted   names and numbers, as text or as int
    whose    the scene's name, for messages

    Raises SceneError for an unknown name or number, with similar names.
    """
    if not figures:
        raise SceneError(f"{whose} declares no figures. A scene does by its class method figures().")
    if not wanted:
        return tuple(figures)
    picked = set()
    for word in wanted:
        text = str(word).strip()
        found = [f for f in figures if f.name == text or f.number == whole_number(text)]
        if not found and text.isdecimal():
            numbers = ", ".join(str(n) for n in dict.fromkeys(f.number for f in figures))
            raise SceneError(f"{whose} has no figure {text}. It has {numbers}.")
        if not found:
            raise SceneError(f"{whose}: " + near(text, [f.name for f in figures], noun="figure"))
        picked |= {f.name for f in found}
    return tuple(f for f in figures if f.name in picked)
