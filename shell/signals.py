"""How a user stops a command."""
import contextlib
import os
import signal

from helpers import Stopped


class StopRequest:
    """Turn the first SIGINT or SIGTERM into a flag that a loop asks for, and the second into an end at once."""

    def __init__(self):
        self.signal = None

    def __enter__(self):
        self._before = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number, _):
        if self.signal is not None:
            os._exit(128 + number)
        self.signal = number
        with contextlib.suppress(OSError):              # nobody may be reading
            os.write(2, b"\nstopping after the work in hand; once more ends at once\n")

    def check(self):
        """Raise Stopped, which ends a command with the signal's exit code, if a signal came."""
        if self.signal is not None:
            raise Stopped(128 + self.signal)
