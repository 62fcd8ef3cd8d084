"""Lines on the terminal."""
import contextlib
import os
import shlex
import sys
from pathlib import Path

_quiet = False


def be_quiet(quiet):
    """Show no progress from now on, or show it again."""
    global _quiet
    _quiet = quiet


def is_quiet():
    """Whether progress is not to be shown."""
    return _quiet


def complain(message):
    """Print one line on stderr, led by the command's name."""
    show(f"{command_name()}: error: {' '.join(str(message).split())}", sys.stderr)


def command_name():
    """What the user has typed after `python`: the name of a file, or -m and a module."""
    flag, *module = program()
    return f"python -m {module[0]}" if module else Path(flag).name


def command_line():
    """The whole command as the user has typed it."""
    return shlex.join(["python", *program(), *sys.argv[1:]])


def program():
    """What Python runs, as words behind its name: a file, or -m and a module."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    by_name = spec and spec.origin == sys.argv[0]
    return ["-m", spec.name.removesuffix(".__main__")] if by_name else sys.argv[:1]


def warn(message):
    """Print one line of warning on stderr."""
    show(f"warning: {message}", sys.stderr)


def report_failure(path, problem):
    """Print one line on stderr about an input that could not be used."""
    show(f"failed: {path}: {problem}", sys.stderr)


def report_failures(failures):
    """Print such a line about each of some (path, problem)."""
    for path, problem in failures:
        report_failure(path, problem)


def say(message):
    """Print a line on stdout."""
    show(message, sys.stdout)


def show(text, stream):
    """Print a text as one line on a stream, above a progress bar if there is one; a reader who has gone is no error."""
    tqdm = sys.modules.get("tqdm")
    try:
        with tqdm.tqdm.external_write_mode(stream) if tqdm else contextlib.nullcontext():
            print(printable(text, stream.encoding or "utf-8"), file=stream, flush=True)
    except OSError:                                     # its reader has gone away, or the disk of its file is full
        silence(stream)


def say_at_once(line):
    """Print a line on stderr from a signal's handler, which may have come in the middle of a print."""
    with contextlib.suppress(OSError, ValueError):      # nobody may be reading
        start = "\r\x1b[K" if sys.stderr.isatty() else ""      # in the place of a progress bar, which comes again
        os.write(sys.stderr.fileno(), f"{start}{printable(line)}\n".encode())


def silence(stream):
    """Lead a stream that cannot be written to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def printable(text, encoding="utf-8"):
    """The text with what a terminal cannot show (what its encoding or UTF-8 has no word for, line breaks) escaped."""
    shown = str(text).encode("utf-8", "backslashreplace").decode().encode(encoding, "backslashreplace")
    return shown.decode(encoding).replace("\n", "\\n").replace("\r", "\\r")
