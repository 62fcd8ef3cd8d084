"""Files of records, a JSON object a line, that grow while a command works and survive it however it ends."""
import contextlib
import functools
import json
import os
import re
import zlib

from helpers import BAD_OUTPUT, UsageError, counted, make_folder, no_link, unwritten, write_file

from .messages import warn

FEW = 3                                                 # changed values of a record that are named one by one
DIGEST = re.compile(r"[0-9a-f]{8,}")                    # what a record has of models and folders
# How settings are called that are recorded by another name than their option's, or are no option.
OPTIONS = {"model": "--checkpoint", "flip": "--no-flip", "by_depth": "--num_iter", "image_size": "size of the faces",
           "version": "version of this toolkit", "latent_encoder_likely": "network of what is likely",
           "from_likely": "--likely", "mirror": "--no-mirror"}
OPTIONS |= {kind: f"--learned ({kind})" for kind in (   # an evaluation's
    "autoencoder", "context_encoder", "generative_face_completion", "latent_encoder", "posterior_mean", "vae")}
TURNED = "flip", "by_depth", "mirror"                             # which are True where their option was not given
FOLLOWS = {"encoder": "recipe", "likely": "recipe", "by_depth": "num_iter"}
SEAL = re.compile(rb', "crc32": (\d+)\}\s*')            # at the end of a line: the checksum of what it says before it


def read_records(path, only_sealed=False, **types):
    """The records of a file in order; none if there is no such file.

    types : {key: type} that each record must have; only_sealed : it must have its checksum too
    Other lines, and those with a wrong checksum, are passed over, with one warning for each file. A half line at its
    end, where a process died, is passed over without one.
    """
    return (record for record, _ in _read(path, types, only_sealed))


def tell_changes(old, new):
    """Where settings have not the values of `old`, by the options as one types them, as a text, "" if nowhere.

    Such as "--gf_dim 16, asked for 32; --intact was given; another --recipe": of a value that is a record itself, the
    values in it that differ, if these are at most FEW. What follows from what else differs is not told, nor is where a
    model lies, whose content counts.
    """
    return "; ".join(dict.fromkeys(_tell_changes(old, new)))


def _tell_changes(old, new):
    changes = {key: value for key, value in new.items() if key != "checkpoint" and old.get(key) != value}
    shared = {key: value for key, value in changes.items() if key in old} or changes
    for key, value in shared.items():
        if FOLLOWS.get(key) not in changes:
            yield from _tell_change(key, old.get(key), value)


def _tell_change(key, old, new):
    """Yield a text, or one of each changed part, on a setting that differs."""
    option = "--landmarks" if key == "paste_back" and old and new else OPTIONS.get(key, f"--{key}")
    if key == "larger" and new is None:
        yield "fewer sizes of faces"
    elif key == "larger":
        for side, settings in new.items():              # for faces of that size
            before = old.get(side) if isinstance(old, dict) else None
            texts = _tell_changes(before, settings) if isinstance(before, dict) else ["another --checkpoint"]
            yield from (text.replace("--checkpoint", f"model for faces of {side} pixels") for text in texts)
    elif isinstance(old, dict) and isinstance(new, dict) and 0 < sum(
            old.get(name) != new[name] for name in new) <= FEW:
        yield from _tell_changes(old, new)
    elif isinstance(new, bool) or key == "paste_back" and None in (old, new):
        yield f"{option} was {'not ' * (bool(new) != (key in TURNED))}given"
    elif any(isinstance(value, (dict, list)) or DIGEST.fullmatch(str(value)) for value in (old, new)):
        yield f"another {option}"
    else:
        yield f"{option} {in_words(old)}, asked for {in_words(new)}"


def in_words(value):
    """A setting as people read it: what is empty is "none"."""
    return "none" if value in (None, "") else value


def _read(path, types, only_sealed=False):
    """Yield (record, (where its line begins, where it ends))."""
    if not os.path.isfile(path):
        return
    strange = end = 0
    with open(path, "rb") as lines:
        for line in lines:
            begin, end = end, end + len(line)
            record = _parse(line, only_sealed)
            if isinstance(record, dict) and all(isinstance(record.get(key), kind) for key, kind in types.items()):
                yield record, (begin, end)
            else:
                strange += bool(line.strip()) and line.endswith(b"\n")
    if strange:
        _warn_once(f"passed over: {counted(strange, 'line')} of {path} without a record of ours")


def _parse(line, only_sealed):
    if seal := SEAL.search(line):
        line = line[:seal.start()] + b"}"
    if zlib.crc32(line) != int(seal[1]) if seal else only_sealed:
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


_warn_once = functools.cache(warn)


class RecordFile(contextlib.AbstractContextManager):
    """Appends records to a file; what was appended survives the end of the process, however it ends.

    sealed : each line bears its checksum, by which read_records notices what has changed since
    Raises UsageError (exit code 5) if the file cannot be opened for writing.
    """

    def __init__(self, path, sealed=True):
        self.path, self._sealed = path, sealed
        make_folder(os.path.dirname(path) or ".")
        self._is_new = not os.path.lexists(path)
        try:
            self._file = open(path, "ab+", opener=no_link)
            if self._file.seek(0, os.SEEK_END):
                self._file.seek(-1, os.SEEK_END)
                if self._file.read() != b"\n":          # the last process died in the middle of a line
                    self._file.write(b"\n")
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}", BAD_OUTPUT) from error

    def close(self):
        """End the file."""
        with contextlib.suppress(OSError):                  # append() has already told what could not be written
            self._file.close()

    def append(self, record):
        """Add one record. Raises UsageError (exit code 5) when the disk is full."""
        try:
            line = json.dumps(record).encode()
            if self._sealed:
                line = line[:-1] + b', "crc32": %d}' % zlib.crc32(line)
            self._file.write(line + b"\n")
            self._file.flush()
        except OSError as error:
            raise unwritten(self.path, error) from error

    def __exit__(self, kind, *_):
        """End the file; one that was made and has no record yet goes if an error is the reason."""
        with contextlib.suppress(OSError):
            if kind and self._is_new and not os.path.getsize(self.path):
                os.unlink(self.path)
        self.close()


def compact(path, key):
    """Keep the newest record of every value of `key`, a text, sorted by it; in memory are only their places."""
    newest = {record[key]: place for record, place in _read(path, {key: str})}
    with open(path, "rb") as lines:
        write_file(path, (_line_at(lines, *newest[value]) for value in sorted(newest)))


def _line_at(lines, begin, end):
    lines.seek(begin)
    return lines.read(end - begin).rstrip() + b"\n"
