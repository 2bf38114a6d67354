"""What a view says: a message for a while, a problem until it is closed or something else goes well."""

import traceback

from engine.errors import NeurosceneError

# Seconds a message stays.
STAY = 6.0


class Notices:
    """Holds one message and one problem, each a line or None."""

    def __init__(self):
        self.message = self.problem = None
        self._left = 0.0

    def say(self, text):
        """Shows a message for a while."""
        self.message, self._left = text, STAY

    def wrong(self, text):
        """Shows a problem; None closes it."""
        self.problem = text

    def attempt(self, work, done=None):
        """Does something that a person asked for; returns what was wrong with it, or None, and says either.

        done   what to say when it went well
        """
        try:
            work()
        except NeurosceneError as error:
            self.wrong(str(error))
            return self.problem
        except Exception as error:
            # A scene's own mistake: its author needs the place, the window lives on.
            traceback.print_exc()
            self.wrong(f"{type(error).__name__}: {error}")
            return self.problem
        self.problem = None
        if done:
            self.say(done)
        return None

    def tick(self, seconds):
        """Lets seconds pass for the message."""
        self._left -= seconds
        if self._left <= 0.0:
            self.message = None
