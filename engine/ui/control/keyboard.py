"""Keys: the view's own, then those of the scene's actions; a held arrow repeats."""

# Seconds until a held arrow repeats, and between two repeats.
REPEAT = (0.35, 0.07)


class Keyboard:
    """Takes key events.

    own       {key: function} of the view; letters in lower case
    control   {key: function} with control, or command, held; `Shift+z` for both
    actions   function giving the scene's Actions
    act       function of an Action: runs it
    """

    def __init__(self, own, control, actions, act):
        self.own, self.control, self.actions, self.act = own, control, actions, act
        self._held = None

    @property
    def is_held(self):
        """True while an arrow is down."""
        return self._held is not None

    def down(self, event):
        """A key was pressed; returns True if it meant something."""
        key, modifiers = event["key"], set(event.get("modifiers", ()))
        low = key.lower() if len(key) == 1 else key
        if modifiers & {"Control", "Meta"}:
            work = self.control.get(f"Shift+{low}" if "Shift" in modifiers else low)
        elif "Alt" in modifiers:
            work = None
        elif key == "/" and "Shift" in modifiers:
            # A window says `/` where shift makes it a question mark.
            work = self.own.get("?")
        else:
            work = self.own.get(low) or self._action(key, low)
        if work is not None:
            work()
        return work is not None

    def up(self, event):
        """A key was let go."""
        if self._held and event["key"] == self._held[0]:
            self._held = None

    def tick(self, seconds):
        """Lets seconds pass for a held arrow."""
        if self._held is None:
            return
        self._held[1] -= seconds
        if self._held[1] <= 0.0:
            self._held[1] = REPEAT[1]
            work = self._action(self._held[0], self._held[0])
            if work is not None:
                work()

    def _action(self, key, low):
        for action in self.actions():
            if action.key is not None and (action.key == key or action.key.lower() == low.lower()):
                return lambda: self._run(action, key)
        return None

    def _run(self, action, key):
        if key.startswith("Arrow") and self._held is None:
            self._held = [key, REPEAT[0]]
        self.act(action)
