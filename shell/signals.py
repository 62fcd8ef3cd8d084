"""How a user stops a command."""
import os
import shlex
import signal
import sys
import threading

from helpers import Stopped

from .messages import program, say, say_at_once

GRACE = 4                                               # seconds from the wish to stop to the end, whatever is done


class StopRequest:
    """Turn the first SIGINT or SIGTERM into a flag that a loop asks for, and the second into an end at once.

    Who does not ask within GRACE seconds, such as an import, is ended: files are whole or absent at every moment.
    at_once : raise KeyboardInterrupt in place of the flag; but libraries swallow it, numpy's import among them
    """

    def __init__(self, at_once=False):
        self.signal, self.at_once, self._end, self._holds = None, at_once, None, False

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
        if not self._holds:
            self._end = threading.Timer(GRACE, self._give_up)
            self._end.daemon = True
            self._end.start()
        if self.at_once:
            raise KeyboardInterrupt
        say_at_once("stopping after the work in hand; once more ends at once")

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


def say_how_to_resume():
    """Say that the command was stopped, and what runs it again without throwing away what it has done."""
    words = sys.argv[1:]
    kept = [word for before, word in zip(["", *words], words) if before != "--resume_from"
            and word != "--overwrite" and not word.startswith("--resume_from")]
    say(f"stopped; what is finished is kept, resume with: {again(kept)}")


def again(words):
    """The command line that runs this command with other arguments."""
    return shlex.join([sys.executable, *program(), *words])
