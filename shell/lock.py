"""One process, and one kind of results, in an output folder."""
import contextlib
import errno
import fcntl
import os
import socket
import tempfile
from pathlib import Path

from helpers import BAD_OUTPUT, BadPhoto, UsageError, no_link, read_json, within

from .messages import command_line, printable
from .records import read_records

LOCK = ".lock"
# (kind of results, file, key of its first record) by which a folder is known that does not say what it holds.
MARKS = (("completion", "results.jsonl", "status"), ("evaluation", "results.jsonl", "mask"),
         ("completion", "config.json", "mask_type"), ("evaluation", "config.json", "version"),
         ("alignment", "alignment.jsonl", "source"), ("split", "train.txt", None), ("pack", "pack.json", "files"),
         ("model", "manifest.json", "architecture"), ("holes", "manifest.json", "share_of_hole"),
         ("log", "scalars.jsonl", "step"))


def claim_folder(folder, kind=None, shared=False):
    """Make `folder` if need be, prove that it can be written, and keep other processes out of it until we end.

    kind : of the results that are to go there, one of MARKS; None to ask no questions
    shared : let in others that share it too

    Returns the Claim; hold on to it. Raises UsageError (exit code 5) that names the process already there, or the other
    kind of results.
    """
    path = Path(folder)
    made = [each for each in (path / LOCK, path, *path.parents) if not os.path.lexists(each)]
    if kind and (present := find_kind(path)) not in (None, kind):
        raise UsageError(f"{folder} holds results of another kind ({present}, not {kind}): choose another folder",
                         BAD_OUTPUT)
    try:
        lock = _open_locked(path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}: {printable(command_line())}\n")
        lock.flush()
    except OSError as error:
        reason = "it is no folder" if isinstance(error, FileExistsError) else error.strerror
        raise UsageError(f"cannot write to {folder}: {reason}", BAD_OUTPUT) from error
    return Claim(lock, made)


def _open_locked(folder, how):
    """The lock file of a folder, which is made if need be, open and locked; how : fcntl.LOCK_SH or LOCK_EX."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock = open(folder / LOCK, "a+", opener=no_link)
        except FileNotFoundError:
            if os.path.lexists(folder):                 # else it has been taken back meanwhile
                raise
            continue
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise UsageError(f"{folder} is in use by {lock.read().strip() or 'another process'}", BAD_OUTPUT) from error
        with contextlib.suppress(OSError):              # else its Claim has been taken back meanwhile
            if os.path.samestat(os.fstat(lock.fileno()), os.stat(folder / LOCK)):
                return lock
        lock.close()


class Claim(contextlib.AbstractContextManager):
    """The hold on a folder, until it is closed.

    A command that ends in an error within its `with`, and has written nothing else, leaves nothing behind that was not
    there before: the lock goes if it was made, and so do folders that were made for it.

    lock : the open file; made : what was not there before, the innermost first
    """

    def __init__(self, lock, made):
        self._lock, self._made = lock, made

    def close(self):
        """Let others in."""
        self._lock.close()

    def __exit__(self, kind, *_):
        with contextlib.suppress(OSError):
            if kind and self._made:
                self._take_back()
        self.close()

    def _take_back(self):
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)          # unless others share it
        folder = self._made[1:2]
        if folder and os.listdir(*folder) != [LOCK]:    # what was written into it stays, and its lock
            return
        for path in self._made:
            os.unlink(path) if path.name == LOCK else os.rmdir(path)


def check_file(path):
    """Raise UsageError (exit code 5) unless a file can be written at a path, in folders that are made if need be."""
    path = Path(os.path.abspath(path))
    try:
        if path.is_dir() and not path.is_symlink():     # a link is replaced, not followed
            raise OSError(errno.EISDIR, "it is a folder")
        tempfile.TemporaryFile(dir=next(folder for folder in path.parents if os.path.lexists(folder))).close()
    except OSError as error:
        raise UsageError(f"cannot write to {path}: {error.strerror}", BAD_OUTPUT) from error


def inside(folder, name):
    """The path of a file of ours in a folder. Raises UsageError (exit code 5) if a link in between leads out of it."""
    try:
        return within(folder, name)
    except BadPhoto as problem:
        raise UsageError(problem.detail, BAD_OUTPUT) from problem


def find_kind(folder):
    """The kind of results that a folder holds, as it says itself or by MARKS; None if it holds none."""
    for file in ("config.json", "run.json"):
        if kind := read_json(Path(folder, file)).get("kind"):
            return kind
    for kind, file, key in MARKS:
        path = Path(folder, file)
        record = next(read_records(path), {}) if path.suffix == ".jsonl" else read_json(path)
        if path.is_file() and (key is None or key in record):
            return kind
    return None
