"""JSON files, and files of one JSON record a line, which a killed process may leave half written."""
import contextlib
import json
import os
from pathlib import Path

from helpers import BAD_OUTPUT, UsageError, no_link, write_file


def read_json(path):
    """The record of a JSON file; an empty one if there is no such file or it holds something else."""
    try:
        record = json.loads(Path(path).read_bytes())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def read_records(path):
    """Yield the records of a file in order, leaving out half-written lines; none if there is no such file."""
    for record, _ in _read(path):
        yield record


def _read(path):
    if not Path(path).exists():
        return
    with open(path, "rb") as lines:
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record, line


class RecordFile:
    """Appends records to a file; what was appended survives the end of the process, however it ends."""

    def __init__(self, path):
        self.path = path
        try:
            self._file = open(path, "ab+", opener=no_link)
            if self._file.seek(0, os.SEEK_END):
                self._file.seek(-1, os.SEEK_END)
                if self._file.read() != b"\n":          # the last process died in the middle of a line
                    self._file.write(b"\n")
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}", BAD_OUTPUT) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):                  # append() has already told what could not be written
            self._file.close()

    def append(self, record):
        """Add one record. Raises UsageError (exit code 5) when the disk is full."""
        try:
            self._file.write(json.dumps(record).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror}; what is finished is kept, run the same "
                             "command again to go on", BAD_OUTPUT) from error


def compact(path, key):
    """Keep the newest record of every value of `key`, sorted by it."""
    newest = {}
    for record, line in _read(path):
        newest[record[key]] = line.rstrip() + b"\n"
    write_file(path, b"".join(newest[value] for value in sorted(newest)))
