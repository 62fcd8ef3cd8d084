"""What every command's main has in common: one line and an exit code for a user's mistake."""
import functools
import shlex
import signal
import sys

from helpers import OUT_OF_MEMORY, Stopped, UsageError

from .messages import complain, say


def command(main):
    """Decorate a command's main(argv=None): a user's mistake ends in one line on stderr and its exit code."""
    @functools.wraps(main)
    def guarded(argv=None):
        try:
            return main(argv) or 0
        except UsageError as error:
            complain(error)
            return error.exit_code
        except Stopped as stopped:
            say(f"stopped; what is finished is kept, resume with: {_again(_to_resume(sys.argv[1:]))}")
            return stopped.exit_code
        except KeyboardInterrupt:
            complain(f"interrupted; go on with: {_again(sys.argv[1:])}")
            return 128 + signal.SIGINT
        except Exception as error:
            if not _is_out_of_memory(error):
                raise
            complain("out of memory: reduce --batch_size")
            return OUT_OF_MEMORY
    return guarded


def _again(words):
    """The command line that runs this command with other arguments."""
    return shlex.join([sys.executable, *_start(), *words])


def _start():
    """What Python was given to run: a file, or -m and a module."""
    module = getattr(sys.modules["__main__"], "__spec__", None)
    return ["-m", module.name] if module and module.origin == sys.argv[0] else sys.argv[:1]


def _to_resume(words):
    """A command line without what would throw away the work that it has done."""
    return [word for before, word in zip(["", *words], words) if before != "--resume_from"
            and word != "--overwrite" and not word.startswith("--resume_from")]


def _is_out_of_memory(error):
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"
