"""How a user stops a command."""
import contextlib
import os
import shlex
import signal
import sys
import threading

from helpers import Stopped

from .messages import command_name, say, say_at_once

GRACE = 4                                               # seconds from the wish to stop to the end, whatever is done


class StopRequest:
    """Turn the first SIGINT or SIGTERM into a flag that a loop asks for, and the second into an end at once.

    Who does not ask within GRACE seconds, such as an import, is ended: files are whole or absent at every moment.
    """

    def __init__(self):
        self.signal, self._end, self._holds = None, None, False

    def __enter__(self):
        self._before = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_):
        if self._end:
            self._end.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number, _):
        if self.signal is not None:
            os._exit(128 + number)
        self.signal = number
        say_at_once("stopping after the work in hand; once more ends at once")
        if not self._holds:
            self._end = threading.Timer(GRACE, self._give_up)
            self._end.daemon = True
            self._end.start()

    def _give_up(self):
        say_how_to_resume()
        os._exit(128 + self.signal)

    def check(self):
        """Raise Stopped, which ends a command with the signal's exit code, if a signal came."""
        if self.signal is not None:
            raise Stopped(128 + self.signal)

    def hold(self):
        """From now on much would be lost: wait for the next check, however long that takes."""
        self.check()
        self._holds = True


@contextlib.contextmanager
def ending_on_request():
    """Until the end of this context, or in it until a StopRequest, SIGINT and SIGTERM end the process where it is.

    An exception would not do: libraries swallow it, numpy's import among them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number, _):
    say_at_once(f"{command_name()}: interrupted; go on with: {_again(sys.argv[1:])}")
    os._exit(128 + number)


def say_how_to_resume():
    """Say that the command was stopped, and what runs it again without throwing away what it has done."""
    words = sys.argv[1:]
    kept = [word for before, word in zip(["", *words], words) if before != "--resume_from"
            and word != "--overwrite" and not word.startswith("--resume_from")]
    say(f"stopped; what is finished is kept, resume with: {_again(kept)}")


def _again(words):
    """The command line that runs this command with other arguments."""
    module = getattr(sys.modules["__main__"], "__spec__", None)
    start = ["-m", module.name] if module and module.origin == sys.argv[0] else sys.argv[:1]
    return shlex.join([sys.executable, *start, *words])
