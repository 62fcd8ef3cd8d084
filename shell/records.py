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
SEAL = re.compile(rb', "crc32": (\d+)\}\s*')            # at the end of a line: the checksum of what it says before it


def read_records(path, only_sealed=False, **types):
    """The records of a file in order; none if there is no such file.

    types : of what each record must have; only_sealed : it must have its checksum too, and be as it was written
    Other lines, and those with a wrong checksum, are passed over, with one warning for each file. The half of a line at
    its end, where a process died, goes without saying.
    """
    return (record for record, _ in _read(path, types, only_sealed))


def changed(old, new):
    """The keys of a record whose values an earlier one has not; where few differ of a record in it, the keys of those.
    """
    keys = []
    for key in [key for key in new if old.get(key) != new[key]]:
        pair = old.get(key), new[key]
        inner = [inside for inside in pair[1] if pair[0].get(inside) != pair[1][inside]] if all(
            isinstance(record, dict) for record in pair) else []
        keys += inner if 0 < len(inner) <= FEW else [key]
    return keys


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
        line, found = line[:seal.start()] + b"}", int(seal[1])
    if only_sealed if not seal else zlib.crc32(line) != found:
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _seal(line):
    return line[:-1] + b', "crc32": %d}' % zlib.crc32(line)


_warn_once = functools.cache(warn)


class RecordFile(contextlib.AbstractContextManager):
    """Appends records to a file; what was appended survives the end of the process, however it ends.

    sealed : each line bears its checksum, by which read_records notices what has changed since
    """

    def __init__(self, path, sealed=True):
        self.path, self._sealed = path, sealed
        make_folder(os.path.dirname(path) or ".")
        try:
            self._file = open(path, "ab+", opener=no_link)
            if self._file.seek(0, os.SEEK_END):
                self._file.seek(-1, os.SEEK_END)
                if self._file.read() != b"\n":          # the last process died in the middle of a line
                    self._file.write(b"\n")
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}", BAD_OUTPUT) from error

    def close(self, *_):
        """End the file."""
        with contextlib.suppress(OSError):                  # append() has already told what could not be written
            self._file.close()

    def append(self, record):
        """Add one record. Raises UsageError (exit code 5) when the disk is full."""
        try:
            line = json.dumps(record).encode()
            self._file.write((_seal(line) if self._sealed else line) + b"\n")
            self._file.flush()
        except OSError as error:
            raise unwritten(self.path, error) from error

    __exit__ = close


def compact(path, key):
    """Keep the newest record of every value of `key`, a text, sorted by it; in memory are only their places."""
    newest = {record[key]: place for record, place in _read(path, {key: str})}
    with open(path, "rb") as lines:
        write_file(path, (_line_at(lines, *newest[value]) for value in sorted(newest)))


def _line_at(lines, begin, end):
    lines.seek(begin)
    return lines.read(end - begin).rstrip() + b"\n"
