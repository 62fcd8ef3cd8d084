"""Which photos a user means, and what their results are called."""
import codecs
import collections
import os
import sys
from pathlib import Path

from dataset.listing import digest_text, find_photos, lies_in
from helpers import NO_INPUT, BadPhoto, UsageError, open_plain
from pictures.photo import is_picture

from .messages import printable, warn
from .progress import Progress

LONGEST = 240                                           # bytes of a name without its suffix


def find_inputs(paths, from_file=None, exclude=None):
    """The (sources, failures) of find_photos for what options.add_inputs declares.

    Raises UsageError if the list cannot be read, or (exit code 3) if there are no photos.
    """
    entries, bad = [], []
    for path in paths:
        entries += _take(sys.stdin.buffer.read(), "standard input", bad) if path == "-" else [path]
    if from_file:
        entries += _take(_content(from_file), from_file, bad)
    with Progress(None, "looking for photos"):
        sources, failures = find_photos(entries, exclude, warn)
    failures = bad + failures
    if not sources:
        _explain_absence(paths, [from_file] if from_file else [], exclude, failures)
    return sources, failures


def _explain_absence(paths, lists, exclude, failures):
    """Raise UsageError (exit code 3) about inputs without a photo, unless their failures say enough."""
    for path in paths if exclude else ():
        if os.path.isdir(path) and lies_in(os.path.realpath(path), os.path.realpath(exclude)):
            raise UsageError(f"{printable(path)} lies in {printable(exclude)}, where the results go: choose another "
                             "folder for them", NO_INPUT)
    if all(problem.reason == "missing" for _, problem in failures):
        named = [*paths, *lists]
        missing = f"no images found in {', '.join(map(printable, named))}" if named else "no photos are named"
        if absent := [path for path in named if path != "-" and not os.path.lexists(path)]:
            missing += f" (there is no {printable(absent[0])})"
        raise UsageError(f"{missing}: name photos, a folder of photos, or a list by --from_file", NO_INPUT)


def find_in_folder(folder, **how):
    """The (sources, failures) of find_photos, which takes `how`, for one folder; UsageError (3) if it has no source."""
    sources, failures = find_photos([folder], **how)
    if not sources:
        raise UsageError(f"no images found in {folder}", NO_INPUT)
    return sources, failures


def _content(path):
    """The bytes of a list file; what another command prints into <(...) is one too, but no pipe that waits for ever."""
    if os.path.exists(path) and not os.path.isfile(path) and not path.startswith("/dev/fd/"):
        raise UsageError(f"cannot read the list {path}: it is a folder, pipe or device")
    try:
        with open_plain(path, or_pipe=str(path).startswith("/dev/fd/")) as file:
            return file.read()
    except (OSError, ValueError) as error:              # the latter of a NUL in the path
        raise UsageError(f"cannot read the list {path}: {getattr(error, 'strerror', None) or error}") from error


def _take(content, name, bad):
    """The paths of a list; its bad lines, as (what they say, BadPhoto), join `bad`."""
    if is_picture(content):
        raise UsageError(f"{name} is a picture, no list of pictures: name it without --from_file")
    paths = read_list(content)
    bad += [(path, BadPhoto("bad_path", f"a line of {name} that no file can be called")) for path in paths
            if "\0" in path]
    return [path for path in paths if "\0" not in path]


def read_list(content):
    """The paths in the bytes of a list: one a line, in UTF-8 or by its mark UTF-16, or with NUL after each.

    CRLF, blank lines and byte order marks are forgiven, and blanks around a path that is not there with them.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16", "replace").encode("utf-8", "surrogatepass")
    content = content.removeprefix(codecs.BOM_UTF8)
    lines = content.split(b"\0") if content.endswith(b"\0") else content.replace(b"\r\n", b"\n").split(b"\n")
    names = [os.fsdecode(line) for line in lines if line.strip()]
    return [name if "\0" in name or os.path.lexists(name) else name.strip() for name in names]


def output_names(sources, reserved=(), inner=None):
    """Choose for every Source a relative output name without suffix, all different, whatever the inputs are called.

    reserved : lower-case names that the output folder needs for itself
    inner : pattern of what lies in the folder of an output, in lower case; None if the outputs are no folders

    The name is the input's path below its root without the suffix; inputs that collide, with a name or with what lies
    in another's folder, keep their suffix; if they still do, the root's name comes before it, and at last a digest of
    the full path. No rung depends on the order.
    """
    names, climbing = [None] * len(sources), range(len(sources))
    for rung in (_stem, _with_suffix, _with_root, _with_digest):
        for index in climbing:
            names[index] = _shortened(rung(sources[index]))
        counts = collections.Counter(map(str.casefold, names))
        folders = _folders(map(str.casefold, names))
        climbing = [index for index, name in enumerate(map(str.casefold, names))
                    if counts[name] > 1 or name + ".png" in folders or name.split(os.sep)[0] in reserved
                    or inner and _lies_inside(Path(name), counts, inner)]
    return names


def _folders(names):
    """The paths of all folders that some relative paths lie in."""
    folders = set()
    for name in names:
        while (name := os.path.dirname(name)) and name not in folders:
            folders.add(name)
    return folders


def _lies_inside(name, others, inner):
    """Whether a name, or a folder above it, is what the pattern `inner` has in the folder of another name."""
    return any(inner.fullmatch(path.name) and str(path.parent) in others for path in (name, *name.parents))


def _with_suffix(source):
    return os.path.relpath(source.path, source.root)


def _stem(source):
    return os.path.splitext(_with_suffix(source))[0]


def _with_root(source):
    return os.path.join(os.path.basename(os.path.abspath(source.root)), _with_suffix(source))


def _with_digest(source):
    first, *rest = _with_suffix(source).split(os.sep)
    return os.path.join(f"{first}-{digest_text(os.path.abspath(source.path))}", *rest)


def _shortened(name):
    """Keep every part of `name` within what file systems allow with a suffix added (255 bytes)."""
    return os.path.join(*(part if len(os.fsencode(part)) <= LONGEST
                          else os.fsdecode(os.fsencode(part)[:LONGEST - 20]) + "-" + digest_text(part)
                          for part in name.split(os.sep)))
