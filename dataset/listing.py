"""The photos of a folder."""
import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from helpers import NO_INPUT, BadPhoto, UsageError, counted, file_stamp, open_plain, read_bytes, read_json
from pictures.photo import SUFFIXES, is_picture

DEEPEST = 200                                           # folders in each other that are walked
LANDMARKS = "a name and ten numbers"
ALIGNMENT = "alignment.jsonl", "alignment.html"         # the records and the page that stand beside aligned faces
RESULTS = "completion", "evaluation", "latent"          # kinds of folders whose pictures show what was made of others


class Source(NamedTuple):
    """An input file and the folder that its name is counted from."""
    path: str
    root: str


def find_photos(paths, exclude=None, warn=lambda line: None):
    """Find the picture files that a user means.

    Folders are walked, links followed once, hidden entries passed over; in them a file counts by its suffix or its
    first bytes, and `warn` is called with one line about all that do not count. A file named itself always counts.
    Folders of results below them are passed over with a line each, and folders in one of results are told, once.
    Nothing inside the folder `exclude` is ever an input: there folders are passed over, and files named themselves are
    failures.

    Returns ([Source, ...] in order and once each, [(path, BadPhoto), ...] of entries that cannot be opened at all).
    Raises UsageError (exit code 3) if a folder of results is named itself.
    """
    sources, failures, others, seen, told = [], [], [], set(), set()
    barred = os.path.realpath(exclude) if exclude is not None and os.path.isdir(exclude) else None
    for path in map(os.fspath, paths):
        is_folder = os.path.isdir(path)
        root = path if is_folder else os.path.dirname(path) or "."
        if is_folder and (results := _results_around(path)) not in (None, barred):
            _tell_results(path, results, told, warn)
        for entry, problem in _walk(path, barred, frozenset(), others, warn) if is_folder else [_judge(path)]:
            real = os.path.realpath(entry)
            if real in seen:
                continue
            seen.add(real)
            if barred and lies_in(real, barred):
                if is_folder:
                    continue
                problem = BadPhoto("in_output", f"lies in {exclude}, where the results go")
            if problem:
                failures.append((entry, problem))
            else:
                sources.append(Source(entry, root))
    if others:
        warn(f"{len(others)} files are no pictures, such as {others[0]}: passed over" if len(others) > 1 else
             f"{others[0]} is no picture: passed over")
    return sources, failures


def _walk(folder, barred, visited, others, warn):
    """Yield (path, None or BadPhoto) for every candidate below `folder`, in order; what is no picture joins `others`.

    visited : the folders above it
    """
    real = os.path.realpath(folder)
    if barred and lies_in(real, barred):
        return
    if visited and _holds_results(folder):
        warn(f"{folder} holds results, no photos: passed over")
        return
    try:
        names = _list(folder, real, visited)
    except BadPhoto as problem:
        yield folder, problem
        return
    for path in (os.path.join(folder, name) for name in names):
        if os.path.isdir(path):
            inside = list(_walk(path, barred, visited | {real}, others, warn))
            if not inside and Path(path).suffix.lower() in SUFFIXES:
                inside = [(path, BadPhoto("not_a_file", "an empty folder with the name of a picture"))]
            yield from inside
        elif Path(path).suffix.lower() in SUFFIXES or os.path.islink(path) and not os.path.exists(path):
            yield _judge(path)
        elif _has_signature(path):
            yield path, None
        elif os.path.basename(path) not in ALIGNMENT:
            others.append(path)


def _holds_results(folder):
    return read_json(Path(folder, "config.json")).get("kind") in RESULTS


def _results_around(folder):
    """The true path of the folder of results that a folder is or lies in, or None."""
    real = Path(os.path.realpath(folder))
    return next((str(place) for place in (real, *real.parents) if _holds_results(place)), None)


def _tell_results(folder, results, told, warn):
    """Warn of a folder that lies in one of results, once; raise UsageError (exit code 3) if it is that itself."""
    if os.path.realpath(folder) == results:
        raise UsageError(f"{folder} holds results, no photos: name those pictures in it that are meant", NO_INPUT)
    if results not in told:
        told.add(results)
        warn(f"{folder} lies in {results}, which holds results: all its pictures are taken for photos")


def _list(folder, real, visited):
    """The names in a folder, sorted; `real` is its true path. Raises BadPhoto if it is not to be walked."""
    if real in visited:
        raise BadPhoto("link_loop", f"leads back to {real}")
    if len(visited) == DEEPEST:
        raise BadPhoto("too_deep", f"more than {DEEPEST} folders in each other")
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise BadPhoto("permission", error.strerror) from error


def _judge(path):
    """(path, None) for a regular file, (path, BadPhoto) for anything else; never opens it."""
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            return path, None
        return path, BadPhoto("not_a_file", "a pipe or device")
    except FileNotFoundError:
        if os.path.islink(path):
            return path, BadPhoto("dangling_link", f"leads to {os.readlink(path)}, which does not exist")
        return path, BadPhoto("missing", "no such file or folder")
    except OSError as error:
        return path, BadPhoto("link_loop" if error.errno == errno.ELOOP else "unreadable", error.strerror)


def _has_signature(path):
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open_plain(path) as file:
            return is_picture(file.read(32))
    except OSError:
        return False


def lies_in(path, folder):
    """Whether a true path is that of a folder or of something below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def read_lines(path, what):
    """The lines of a text file; UsageError if it cannot be read or has none; what : it is called then."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {what} {path}: {getattr(error, 'strerror', None) or error}") from error
    if not text.strip():
        raise UsageError(f"cannot read {what} {path}: the file is empty")
    return text.splitlines()


def read_landmarks(path, warn=lambda line: None):
    """{file name: ((x, y) of both eyes, the nose and both corners of the mouth)} of CelebA's file of landmarks.

    Its lines are a count, a header, and "000001.jpg 69 109 106 113 77 142 73 152 108 154"; `warn` is called with one
    line if the count is another. Raises UsageError.
    """
    lines = [line.split() for line in read_lines(path, "the landmarks")]
    rows = {}
    for number, words in enumerate(lines[2:], 3):
        if words:
            rows[words[0]] = _read_points(words[1:], f"line {number} of {path}")
    if not rows:
        raise UsageError(f"{path} holds no landmarks: expected a count, a header, and lines of {LANDMARKS}")
    if lines[0] != [str(len(rows))]:
        warn(f"{path} holds landmarks of {counted(len(rows), 'photo')}, its first line is {' '.join(lines[0])!r}")
    return rows


def _read_points(words, where):
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != 10:
        raise UsageError(f"{where} is no photo's landmarks: expected {LANDMARKS}")
    return tuple(zip(numbers[::2], numbers[1::2]))


def fingerprint_folder(folder):
    """A digest of the names, sizes and times of the photos below a folder, by which they are known again."""
    photos = [(os.path.relpath(source.path, folder), *file_stamp(source.path)) for source in find_photos([folder])[0]]
    return digest_text(repr(photos))


def digest_text(text):
    """A short digest of a text, such as a path."""
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:8]
