"""One process per output folder."""
import fcntl
import os
import shlex
import socket
import sys
from pathlib import Path

from helpers import BAD_OUTPUT, UsageError, no_link

from .messages import printable

LOCK = ".lock"


def claim_folder(folder):
    """Make `folder` if need be, prove that it can be written, and keep other processes out of it until we end.

    Returns the open lock file; hold on to it. Raises UsageError (exit code 5) that names the process already there.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = open(path / LOCK, "a+", opener=no_link)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}: {printable(shlex.join(sys.argv))}\n")
        lock.flush()
    except BlockingIOError as error:
        lock.seek(0)
        raise UsageError(f"{folder} is in use by {lock.read().strip() or 'another process'}", BAD_OUTPUT) from error
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}", BAD_OUTPUT) from error
    return lock
