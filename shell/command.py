"""What every command's main has in common: one line and an exit code for a user's mistake."""
import errno
import functools
import os
import shlex
import signal
import sys

from helpers import BAD_OUTPUT, OUT_OF_MEMORY, USAGE, Stopped, UsageError

from .messages import complain, say, silence

PACKAGES = {"tensorflow": "tensorflow", "keras": "tensorflow", "dlib": "dlib", "scipy": "scipy"}
TROUBLES = {errno.ENAMETOOLONG: USAGE, errno.ENOSPC: BAD_OUTPUT, errno.EDQUOT: BAD_OUTPUT, errno.EROFS: BAD_OUTPUT}
SIZES = ("--batch_size", "--pool", "--starts", "--completions", "--gf_dim", "--df_dim", "--ef_dim", "--z_dim", "--size")


def command(main):
    """Decorate a command's main(argv=None): a user's mistake ends in one line on stderr and its exit code."""
    @functools.wraps(main)
    def guarded(argv=None):
        _open_streams()
        try:
            return main(argv) or 0
        except Stopped as stopped:
            say(f"stopped; what is finished is kept, resume with: {_again(_to_resume(sys.argv[1:]))}")
            return stopped.exit_code
        except KeyboardInterrupt:
            complain(f"interrupted; go on with: {_again(sys.argv[1:])}")
            return 128 + signal.SIGINT
        except Exception as error:
            if not (explained := _explain(error, sys.argv[1:] if argv is None else argv)):
                raise
            complain(explained[0])
            return explained[1]
        finally:
            _close_streams()
    return guarded


def _again(words):
    """The command line that runs this command with other arguments."""
    return shlex.join([sys.executable, *_start(), *words])


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


def _start():
    """What Python was given to run: a file, or -m and a module."""
    module = getattr(sys.modules["__main__"], "__spec__", None)
    return ["-m", module.name] if module and module.origin == sys.argv[0] else sys.argv[:1]


def _to_resume(words):
    """A command line without what would throw away the work that it has done."""
    return [word for before, word in zip(["", *words], words) if before != "--resume_from"
            and word != "--overwrite" and not word.startswith("--resume_from")]
