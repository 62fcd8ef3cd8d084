"""How a user stops a command."""
import contextlib
import os
import signal


class Stopped(Exception):
    """The user asked a command to stop; what is finished is kept."""


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

    def __bool__(self):
        return self.signal is not None

    @property
    def exit_code(self):
        """130 for SIGINT, 143 for SIGTERM, 0 if none came."""
        return 128 + self.signal if self else 0

    def check(self):
        """Raise Stopped, which ends a command with the signal's exit code, if a signal came."""
        if self:
            raise Stopped(self.exit_code)
