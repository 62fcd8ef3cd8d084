"""Lines on the terminal."""
import os
import sys
from pathlib import Path


def complain(message):
    """Print one line on stderr, led by the command's name."""
    _show(f"{Path(sys.argv[0]).name}: error: {' '.join(str(message).split())}", sys.stderr)


def warn(message):
    """Print one line of warning on stderr."""
    _show(f"warning: {message}", sys.stderr)


def report_failure(path, problem):
    """Print one line on stderr about an input that could not be used."""
    _show(f"failed: {path}: {problem}", sys.stderr)


def say(message):
    """Print a line on stdout."""
    _show(message, sys.stdout)


def _show(text, stream):
    """Print a line; when its reader has gone away, the work goes on without one."""
    try:
        print(printable(text), file=stream, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def printable(text):
    """The text with what no terminal can show (parts of file names that are no UTF-8, line breaks) escaped."""
    return str(text).encode("utf-8", "backslashreplace").decode().replace("\n", "\\n").replace("\r", "\\r")
