"""Messages to a person: a message is shown for some seconds, a problem until it is closed or something succeeds."""

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
        """Shows a message for STAY seconds."""
        self.message, self._left = text, STAY

    def show_problem(self, text: str | None) -> None:
        """Shows a problem; None closes it."""
        self.problem = text

    def run(self, work: Callable[[], object], done: str | None = None) -> str | None:
        """Calls a function for a person; an error in it is shown and its text returned, else None is returned.

        done   the message to show after success
        """
        try:
            work()
        except NeurosceneError as error:
            self.show_problem(str(error))
            return self.problem
        except Exception as error:
            # A fault in the scene's code: its author needs the traceback, and the window stays open.
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
