"""How a folder of completed faces lies on disk, and what of it is there already."""
import hashlib
import json
import os
import sys
from pathlib import Path

import helpers
from helpers import UsageError, read_json, read_records
from shell.lock import LOCK, claim_folder

RESULTS, CONFIG, SHEETS, RESTORED = "results.jsonl", "config.json", "grids", "restored.png"
ANIMATION, PAGE, SHOWN = "progress.gif", "report.html", "shown.json"
ANSWER, UNCERTAINTY, MASK = "completed_{}.png", "uncertainty.png", "mask.png"
UNCERTAINTY_SCALE = 4                                   # greys of that picture for a level of standard deviation
KIND = "completion"


class CompletedFolder:
    """The results of one face_completion.py.

    path : of the folder; settings : what decides a face's result, a JSON record
    """
    RESERVED = SHEETS, RESULTS, CONFIG, ANIMATION, PAGE, LOCK

    def __init__(self, path, settings):
        self.path, self.settings, self.results = Path(path), settings, Path(path, RESULTS)

    def claim(self):
        """The open lock of the folder, which keeps other processes out; raises UsageError (exit code 5)."""
        return claim_folder(self.path, KIND)

    def open(self, names, overwrite):
        """{name: (source, *stamp)} of the faces whose every output is there, whole, by these settings.

        names : of all faces; overwrite : take none for done
        Raises UsageError if the folder holds results of other settings, or (exit code 5) if the sheets would be written
        outside it, or somebody else's files be replaced.
        """
        self._check_files(names)
        try:
            helpers.within(self.path, os.path.join(SHEETS, ""))
        except helpers.BadPhoto as problem:
            raise UsageError(problem.detail, helpers.BAD_OUTPUT) from problem
        if overwrite:
            return {}
        self._check_settings()
        return self._find_done()

    def begin(self):
        """Write the settings, and return {name: the names of the files that an earlier run wrote of that face}."""
        helpers.write_json(self.path / CONFIG, {"kind": KIND, **self.settings})
        return {record["name"]: tuple(map(sys.intern, record.get("files", ())))
                for record in read_records(self.results)}

    def read_finished(self, names, keys):
        """Of the records of what is finished, in the order of the names, what `keys` name: 60,000 whole are large."""
        done = {record["name"]: {key: record[key] for key in keys if key in record}
                for record in read_records(self.results) if record["status"] == "done"}
        return [done[name] for name in names if name in done]

    def remove_stale(self, name, earlier, files):
        """Remove those files of a face that an earlier run wrote and this one did not."""
        for file in set(earlier) - set(files):
            Path(self.path, name, Path(file).name).unlink(missing_ok=True)

    def _check_files(self, names):
        """Refuse a folder that no completion has written into, but that has files of the names of its outputs."""
        if self.results.exists() and (self.results.stat().st_size or (self.path / CONFIG).exists()):
            return
        for file in (PAGE, ANIMATION, CONFIG, *(f"{name}/completed.png" for name in names)):
            if (self.path / file).exists():
                raise UsageError(f"{self.path} holds something else, {file}, that would be replaced: choose another "
                                 "--out_dir", helpers.BAD_OUTPUT)

    def _check_settings(self):
        if not any(record["status"] == "done" for record in read_records(self.results)):
            return                                      # what wrote the settings failed before its first result
        old = read_json(self.path / CONFIG)
        changed = [key for key, value in self.settings.items() if old.get(key) != value and key != "checkpoint"]
        if old and changed:
            raise UsageError(f"{self.path} holds results of other settings ({', '.join(changed)}): choose another "
                             "--out_dir, or replace them with --overwrite")

    def _find_done(self):
        done, settings = {}, digest(self.settings)
        for record in read_records(self.results):
            done.pop(record["name"], None)
            files = {Path(self.path, record["name"], file): size for file, size in record.get("files", {}).items()}
            if record.get("settings") == settings and all(size == file_size(path) for path, size in files.items()):
                done[record["name"]] = (record["source"], *record.get("stamp", ()))
        return done


def digest(settings):
    """By what a result's settings are known again; the path of the model does not count, its content does."""
    content = json.dumps({key: value for key, value in settings.items() if key != "checkpoint"}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def file_size(path):
    """Bytes of a file, None if there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return None
