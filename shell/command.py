"""What every command has in common: one line and an exit code for a user's mistake.

Its parse(argv=None) gives the command line as a namespace, unless it says otherwise; its main(argv=None) runs it and
returns the exit code.
"""
import errno
import functools
import os
import signal
import sys

from helpers import BAD_OUTPUT, OUT_OF_MEMORY, USAGE, Stopped, UsageError

from .messages import be_quiet, complain, silence
from .progress import telling_on_request
from .signals import StopRequest, again, say_how_to_resume

PACKAGES = {"tensorflow": "tensorflow", "keras": "tensorflow", "dlib": "dlib", "scipy": "scipy"}
TROUBLES = {errno.ENAMETOOLONG: USAGE, errno.ENOSPC: BAD_OUTPUT, errno.EDQUOT: BAD_OUTPUT, errno.EROFS: BAD_OUTPUT,
            errno.EACCES: BAD_OUTPUT}
SIZES = ("--batch_size", "--pool", "--starts", "--completions", "--gf_dim", "--df_dim", "--ef_dim", "--z_dim", "--size")


def command(main):
    """Decorate a command's main(argv=None): a user's mistake ends in one line on stderr and its exit code."""
    @functools.wraps(main)
    def guarded(argv=None):
        _open_streams()
        be_quiet(False)
        interrupt = StopRequest(at_once=True)
        try:
            with telling_on_request(), interrupt:
                return main(argv) or 0
        except Stopped as stopped:
            say_how_to_resume()
            return stopped.exit_code
        except KeyboardInterrupt:
            complain(f"interrupted; go on with: {again(sys.argv[1:])}")
            return 128 + (interrupt.signal or signal.SIGINT)
        except Exception as error:
            if not (explained := _explain(error, sys.argv[1:] if argv is None else argv)):
                raise
            complain(explained[0])
            return explained[1]
        finally:
            _close_streams()
    return guarded


def _open_streams():
    """Lead the standard streams that the caller has closed to nowhere, or our files would take their numbers."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))


def _close_streams():
    """Print what is left; Python would end with a traceback where that cannot be written."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            silence(stream)


def _explain(error, words):
    """(what to say of an error, exit code), None if it is a mistake of ours; words : of the command line."""
    if isinstance(error, UsageError):
        return error, error.exit_code
    if isinstance(error, ModuleNotFoundError) and error.name in PACKAGES:
        return f"{PACKAGES[error.name]} is not installed: pip install -r requirements.txt", USAGE
    if isinstance(error, OSError) and error.errno in TROUBLES:
        return f"{error.strerror}: {error.filename or 'a temporary file'}", TROUBLES[error.errno]
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return f"out of memory: reduce {_blame(words)}", OUT_OF_MEMORY
    return None


def _blame(words):
    """The option that asks for the memory: of those that were given the one with the largest value."""
    given = {option: int(value) for option, value in zip(words, words[1:]) if option in SIZES and value.isdigit()}
    return max(given, key=given.get, default="--batch_size")
