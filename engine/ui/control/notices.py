"""Messages to a person: one for a while, a problem until it is closed or something else goes well."""

import traceback
from collections.abc import Callable

from engine.errors import NeurosceneError

# Seconds a message stays.
STAY = 6.0


class Notices:
    """Holds one message and one problem, each a line or None."""

    def __init__(self) -> None:
        self.message: str | None = None
        self.problem: str | None = None
        self._left = 0.0

    def show_message(self, text: str) -> None:
        """Shows a message for a while."""
        self.message, self._left = text, STAY

    def show_problem(self, text: str | None) -> None:
        """Shows a problem; None closes it."""
        self.problem = text

    def run(self, work: Callable[[], object], done: str | None = None) -> str | None:
        """Calls what a person asked for; shows and returns what was wrong with it, or None.

        done   the message to show when it went well
        """
        try:
            work()
        except NeurosceneError as error:
            self.show_problem(str(error))
            return self.problem
        except Exception as error:
            # A scene's own mistake: its author needs the place, the window lives on.
            traceback.print_exc()
            self.show_problem(f"{type(error).__name__}: {error}")
            return self.problem
        self.problem = None
        if done:
            self.show_message(done)
        return None

    def tick(self, seconds: float) -> None:
        """Lets seconds pass for the message."""
        self._left -= seconds
        if self._left <= 0.0:
            self.message = None
