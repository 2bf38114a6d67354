"""Tells a scene what of its parts is under the pointer: once when it comes, once when it leaves."""


class Hover:
    """Collects, frame by frame, what the pointer is over.

    place   what a part calls it, (kind, ...); None for nothing
    """

    def __init__(self):
        self.place = self._leave = None
        self._offered = None

    def offer(self, place, enter, leave):
        """A part says in a frame that the pointer is over something of its own.

        enter, leave   functions without arguments, called if that is new, and when it is over
        """
        self._offered = place, enter, leave

    def finish(self):
        """Ends a frame; returns True if something was told."""
        (place, enter, leave), self._offered = self._offered or (None, None, None), None
        if place == self.place:
            self._leave = leave
            return False
        before, gone = self.place, self._leave
        self.place, self._leave = place, leave
        # From a unit to the next the scene is told of the next alone.
        if gone is not None and not (place and before and place[0] == before[0] == "unit"):
            gone()
        if enter is not None:
            enter()
        return True
