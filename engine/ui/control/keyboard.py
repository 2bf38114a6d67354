"""Keys: the view's own, then those of the scene's actions; a held arrow repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.scene.view_data import Action

Keys = dict[str, Callable[[], object]]
# Seconds until a held arrow repeats, and between two repeats.
REPEAT = (0.35, 0.07)


class Keyboard:
    """Runs what keys stand for.

    own       {key: function} of the view; letters in lower case
    control   {key: function} with control (or command) held; `Shift+z` with shift as well
    actions   function giving the scene's Actions
    run       function that is given an Action's function and calls it
    """

    def __init__(
        self, own: Keys, control: Keys, actions: Callable[[], Iterable[Action]], run: Callable[[Callable], None]
    ):
        self.own, self.control, self.actions, self.run = own, control, actions, run
        self._repeating: tuple[str, float] | None = None  # (the arrow that is down, seconds until it repeats)

    @property
    def is_held(self) -> bool:
        """True while an arrow is down."""
        return self._repeating is not None

    def down(self, event: dict) -> bool:
        """Handles a key press; returns True if the key stands for something."""
        key, modifiers = event["key"], set(event.get("modifiers", ()))
        low = key.lower() if len(key) == 1 else key
        if modifiers & {"Control", "Meta"}:
            work = self.control.get(f"Shift+{low}" if "Shift" in modifiers else low)
        elif "Alt" in modifiers:
            work = None
        elif key == "/" and "Shift" in modifiers:
            # A window reports `/` for shift and /, which is a question mark.
            work = self.own.get("?")
        else:
            work = self.own.get(low) or self._action(key, low)
        if work is not None:
            work()
        return work is not None

    def up(self, event: dict) -> None:
        """Handles the release of a key."""
        if self._repeating and event["key"] == self._repeating[0]:
            self._repeating = None

    def tick(self, seconds: float) -> None:
        """Lets seconds pass for a held arrow."""
        if self._repeating is None:
            return
        key, left = self._repeating[0], self._repeating[1] - seconds
        self._repeating = key, left if left > 0.0 else REPEAT[1]
        if left <= 0.0 and (work := self._action(key, key)) is not None:
            work()

    def _action(self, key: str, low: str) -> Callable[[], None] | None:
        for action in self.actions():
            if action.key is not None and (action.key == key or action.key.lower() == low.lower()):
                return lambda: self._act(action, key)
        return None

    def _act(self, action: Action, key: str) -> None:
        if key.startswith("Arrow") and self._repeating is None:
            self._repeating = key, REPEAT[0]
        self.run(action.run)
