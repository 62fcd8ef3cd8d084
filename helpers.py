"""Files and pixels: the one door to the disk, and the one converter of pixels.

Nothing else in the toolkit opens, moves or removes a file, but for locks, records and TensorFlow's own saves
(tests/test_floors.py). Inside the toolkit a face is RGB, float32 in [-1, 1], faces are (N, H, W, 3); in files a face
is uint8.
"""
import contextlib
import errno
import fcntl
import functools
import hashlib
import io
import itertools
import json
import os
import re
import stat
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

VERSION = "0.1.0"

SOME_FAILED, USAGE, NO_INPUT, BAD_CHECKPOINT, BAD_OUTPUT, NOT_FINITE, OUT_OF_MEMORY = range(1, 8)

MAX_BYTES = 256 * 2**20                                 # of an input
TEMPORARY = re.compile(r"\.\d+-\d+\.tmp")               # names of files that are being written
_serial = itertools.count()                             # of temporary files, within a process


class UsageError(Exception):
    """Something the user can mend. Every command prints its one line and ends with its exit code."""

    def __init__(self, message, exit_code=USAGE):
        super().__init__(message, exit_code)            # all arguments, or the error does not survive pickling
        self.exit_code = exit_code

    def __str__(self):
        return self.args[0]


class BadPhoto(Exception):
    """One input that cannot be used: `reason` is a short code, `detail` says what was got. The others go on."""

    def __init__(self, reason, detail=""):
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self):
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


class Stopped(Exception):
    """The user asked a command to stop: whoever works long calls a function `check` and lets what it raises pass."""

    def __init__(self, exit_code):
        super().__init__(exit_code)
        self.exit_code = exit_code


def counted(number, noun, plural=None):
    """A number of things in words: 1 face, 2,000 faces; plural : of nouns that take more than an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def to_float(pixels):
    """uint8 pixels of any shape to float32 in [-1, 1]; to_uint8 undoes it exactly."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(values):
    """Values in [-1, 1] (what lies outside is clipped) to the nearest of 256 levels, uint8."""
    return to_levels((np.asarray(values, np.float32) + 1) * 127.5)


def to_levels(values):
    """Values in [0, 255] (what lies outside is clipped) to the nearest of 256 levels, uint8."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def resize(pixels, size, how):
    """Bring (H, W, 3) or (H, W) uint8 to a side: `how` is "resize" (stretch) or "crop" (largest centred square)."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side) if how == "crop" else None
    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC, box, reducing_gap=3))


def read_file(path):
    """The bytes of an input file; BadPhoto: vanished, permission, not_a_file, too_large, link_loop, unreadable."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise BadPhoto("not_a_file", "a folder, pipe or device")
        if status.st_size > MAX_BYTES:
            raise BadPhoto("too_large", f"{status.st_size:,} bytes, at most {MAX_BYTES:,}")
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise BadPhoto("vanished", "no such file") from error
    except PermissionError as error:
        raise BadPhoto("permission", "may not be read") from error
    except OSError as error:
        raise BadPhoto("link_loop" if error.errno == errno.ELOOP else "unreadable", error.strerror) from error


def open_plain(path, or_pipe=False):
    """A file open for reading bytes; OSError if it is none, such as a pipe or device, which might never end.

    or_pipe : take a pipe, too, and wait for what it brings
    """
    try:
        file = open(path, "rb", opener=lambda path, flags: os.open(path, flags | (0 if or_pipe else os.O_NONBLOCK)))
    except ValueError as error:                         # a NUL in the path
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    if not or_pipe and not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "no plain file", str(path))
    return file


def read_bytes(path):
    """All of a plain file; OSError as open_plain has it."""
    with open_plain(path) as file:
        return file.read()


def read_json(path):
    """The record of a JSON file; an empty one if there is no such file or it holds something else."""
    try:
        record = json.loads(read_bytes(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def map_array(path):
    """The array of a .npy file, mapped; OSError as open_plain has it, ValueError if it is another kind of file."""
    with open_plain(path):
        return np.load(path, mmap_mode="r")


def file_sha256(path):
    """The sha256 of a file's content, in hexadecimal digits; OSError as open_plain has it."""
    digest = hashlib.sha256()
    with open_plain(path) as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def digest_content(path):
    """The sha256 of a file's content; "" of one that cannot be read."""
    try:
        return file_sha256(path)
    except OSError:
        return ""


def digest_record(record):
    """The sha256 of what JSON can say, in hexadecimal digits, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def file_crc32(path):
    """The CRC-32 of a file's content, None if there is no such plain file."""
    try:
        return zlib.crc32(read_bytes(path))
    except OSError:
        return None


def file_stamp(path):
    """(size, time of modification) by which a file is known again; (0, 0) if it is gone."""
    try:
        status = os.stat(path)
        return status.st_size, status.st_mtime_ns
    except OSError:
        return 0, 0


def write_file(path, content):
    """Write bytes so that `path` is the old file or the new one, whole, whenever the process dies.

    content : bytes, or an iterable of them; an error of its own leaves the old file
    Raises UsageError (exit code 5) when the disk is full or the place cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(os.path.abspath(path.parent))
        with _open_temporary(path.parent) as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
    except OSError as error:
        raise unwritten(path, error) from error


@contextlib.contextmanager
def _open_temporary(folder):
    """A new file in a folder, gone at the end unless it was renamed; an interrupt leaves nothing either."""
    with _make_locked(folder) as file:
        try:
            yield file
        finally:
            with contextlib.suppress(OSError):
                os.unlink(file.name)


def _make_locked(folder):
    """A new file of a name of TEMPORARY, which is locked as long as it is open."""
    while True:
        with contextlib.suppress(FileExistsError):      # a process of this number on another machine writes here too
            file = open(folder / f".{os.getpid()}-{next(_serial)}.tmp", "xb")
            if _lock(file) is not False and os.path.exists(file.name):
                return file
            file.close()                                # somebody swept it before it was locked


def _lock(file):
    """Whether an open file could be locked; None where files have no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError:
        return None


@functools.lru_cache(1024)
def _sweep(folder):
    """Remove what processes that were killed while they wrote left in a folder: their files are locked no more."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if TEMPORARY.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError), open(entry.path, "rb+", opener=no_link) as file:
                    if _lock(file):
                        os.unlink(entry.path)


def unwritten(path, error):
    """The UsageError (exit code 5) of an OSError that came when a file was written."""
    return UsageError(f"cannot write {path}: {error.strerror}; what is finished is kept, run the same command again to "
                      "go on", BAD_OUTPUT)


def write_json(path, record):
    """Write a record as indented JSON, whole or not at all."""
    write_file(path, (json.dumps(record, indent=2) + "\n").encode())


def write_array(path, array):
    """Write an array as NumPy's .npy file, whole or not at all."""
    content = io.BytesIO()
    np.save(content, array)
    write_file(path, content.getvalue())


def write_picture(path, pixels, format="PNG", **options):
    """Write (H, W, 3) uint8 RGB as a picture file, whole or not at all; returns its checksum, as file_crc32 does."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    write_file(path, buffer.getvalue())
    return zlib.crc32(buffer.getvalue())


def link_file(source, target):
    """Make `target` the same file as `source`, or a copy where links cannot reach.

    Raises BadPhoto if `source` cannot be read, UsageError (exit code 5) if `target` cannot be written.
    """
    source, target = Path(source), Path(target)
    try:
        if target.exists() and os.path.samefile(source, target):
            return
        target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target)
    except OSError:
        write_file(target, read_file(source))


def make_folder(path):
    """Make a folder if there is none; UsageError (exit code 5)."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritten(path, error) from error


def move(path, place):
    """Give a file or folder another place on the same disk, at once; OSError."""
    os.replace(path, place)


def remove_files(folder, names):
    """Remove plain files of our own right inside a folder, never behind a link; then the folder, if it is empty."""
    folder = Path(folder)
    for path in (folder / name for name in names if name == Path(name).name and not folder.is_symlink()):
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.lstat(path).st_mode):
                path.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()


def within(folder, name):
    """The path of `name` in `folder`; BadPhoto (unsafe_output) if a link in between leads out of the folder."""
    path = os.path.join(folder, name)
    real, home = os.path.realpath(os.path.dirname(path)), os.path.realpath(folder)
    if os.path.commonpath([real, home]) != home:
        raise BadPhoto("unsafe_output", f"{path} would be written to {real}, outside {folder}")
    return path


def no_link(path, flags):
    """An `opener` for open() that refuses (OSError) to write through a link, which may lead anywhere."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)
