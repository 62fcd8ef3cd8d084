"""Which photos a user means, and what their results are called."""
import os
import sys
from pathlib import Path

from dataset.listing import digest_text, find_photos
from helpers import NO_INPUT, UsageError

from .messages import printable


def find_inputs(paths, from_file=None, exclude=None):
    """The (sources, failures) of find_photos for what options.add_inputs declares; UsageError (3) if there are none."""
    entries, named = [], [*paths, *([from_file] if from_file else [])]
    for path in paths:
        entries += read_list(sys.stdin.buffer.read()) if path == "-" else [path]
    if from_file:
        try:
            entries += read_list(Path(from_file).read_bytes())
        except OSError as error:
            raise UsageError(f"cannot read the list {from_file}: {error.strerror}") from error
    sources, failures = find_photos(entries, exclude)
    if inside := [path for path in paths if not sources and exclude and os.path.isdir(path) and _within(path, exclude)]:
        raise UsageError(f"{printable(inside[0])} lies in {printable(exclude)}, where the results go: choose another "
                         "folder for them", NO_INPUT)
    if not sources and all(problem.reason == "missing" for _, problem in failures):
        missing = f"no images found in {', '.join(map(printable, named))}" if named else "no photos are named"
        raise UsageError(f"{missing}: name photos, a folder of photos, or a list by --from_file", NO_INPUT)
    return sources, failures


def _within(path, folder):
    path, folder = (os.path.realpath(each) for each in (path, folder))
    return os.path.commonpath([path, folder]) == folder


def read_list(content):
    """The paths in the bytes of a list file: one a line, CRLF, blank lines and a byte order mark forgiven."""
    lines = content.removeprefix(b"\xef\xbb\xbf").splitlines()
    return [os.fsdecode(line.strip()) for line in lines if line.strip()]


def output_names(sources, reserved=(), inner=None):
    """Choose for every Source a relative output name without suffix, all different, whatever the inputs are called.

    reserved : lower-case names that the output folder needs for itself
    inner : pattern of the names of folders that the outputs of an input may have inside

    The name is the input's path below its root without the suffix; inputs that collide keep their suffix; if they
    still do, the root's name comes before it, and at last a digest of the full path. No rung depends on the order.
    """
    names, climbing = [None] * len(sources), range(len(sources))
    for rung in (_stem, _with_suffix, _with_root, _with_digest):
        for index in climbing:
            names[index] = _shortened(rung(sources[index]))
        counts = {}
        for name in names:
            counts[name.casefold()] = counts.get(name.casefold(), 0) + 1
        folders = {str(folder) for name in names for folder in Path(name.casefold()).parents}
        climbing = [index for index, name in enumerate(names)
                    if counts[name.casefold()] > 1 or name.casefold() + ".png" in folders
                    or name.casefold().split(os.sep)[0] in reserved
                    or inner and inner.fullmatch(os.path.basename(name)) and os.path.dirname(name).casefold() in counts]
    return names


def _with_suffix(source):
    return os.path.relpath(source.path, source.root)


def _stem(source):
    return os.path.splitext(_with_suffix(source))[0]


def _with_root(source):
    return os.path.join(os.path.basename(os.path.abspath(source.root)), _with_suffix(source))


def _with_digest(source):
    return f"{_with_suffix(source)}-{digest_text(os.path.abspath(source.path))}"


def _shortened(name, limit=240):
    """Keep every part of `name` within what file systems allow with a suffix added (255 bytes)."""
    return os.path.join(*(part if len(os.fsencode(part)) <= limit
                          else os.fsdecode(os.fsencode(part)[:limit - 20]) + "-" + digest_text(part)
                          for part in name.split(os.sep)))
