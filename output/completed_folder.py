"""How a folder of completed faces lies on disk, and what of it is there already."""
import os
import re
import sys
from pathlib import Path

import helpers
from completion.face import FURTHER
from dataset.origin import may_be_of, refuse_others
from helpers import UsageError, read_json
from shell.lock import LOCK, claim_folder, inside
from shell.records import read_records, tell_changes

RESULTS, CONFIG, SHEETS = "results.jsonl", "config.json", "grids"
ANIMATION, PAGE, SHOWN = "progress.gif", "report.html", "shown.json"
ANSWER, UNCERTAINTY = "completed_{}.png", "uncertainty.png"
RESTORED, MASK, BEFORE, AFTER = "restored", "mask.png", "before.jpg", "after.jpg"
FORMATS = "png", "jpeg", "same"                         # of restored photos
SECOND = FURTHER.format(r"(?P<number>\d+)")             # folders of a photo's second face, third ...
CROP = r"(original|masked|completed(_\d+)?|uncertainty|\d{4,})"
INSIDE = re.compile(rf"({CROP}|mask)\.png|(before|after)\.jpg|restored(_\d+)?\.\w+|{SECOND}")    # of a face
UNCERTAINTY_SCALE = 2                                   # greys of that picture for a level of half an interval
KIND = "completion"
KEY = {"name": str, "status": str, "files": (dict, type(None))}       # what every record of a result has


class CompletedFolder:
    """The results of one face_completion.py.

    path : of the folder; settings : what decides a face's result, a JSON record
    """
    RESERVED = SHEETS, RESULTS, CONFIG, ANIMATION, PAGE, LOCK

    def __init__(self, path, settings):
        self.path, self.settings, self.results = Path(path), settings, Path(path, RESULTS)

    def claim(self):
        """The Claim of the folder, which keeps other processes out; raises UsageError (exit code 5)."""
        return claim_folder(self.path, KIND)

    def open(self, inputs, overwrite):
        """The names of the inputs whose every output is there, whole, of this state of their files, by these settings.

        inputs : {name: (source, *stamp)} of all; overwrite : take none for done
        Raises UsageError (exit code 5) if the folder holds results of other settings or of another photo of the same
        name, the sheets would be written outside it, or somebody else's files be replaced.
        """
        self._check_files(inputs)
        inside(self.path, os.path.join(SHEETS, ""))
        if overwrite:
            return set()
        self._check_settings()
        return self._find_done(inputs)

    def begin(self):
        """Write the settings, and return {name: the names of the files that an earlier run wrote of that face}."""
        helpers.write_json(self.path / CONFIG, {"kind": KIND, **self.settings})
        return {record["name"]: tuple(map(sys.intern, record.get("files") or ()))
                for record in read_records(self.results, **KEY)}

    def read_finished(self, names, keys):
        """Of the records of what is finished, in the order of the names, what `keys` name: 60,000 whole are large."""
        done = {record["name"]: {key: record[key] for key in keys if key in record}
                for record in read_records(self.results, only_sealed=True, **KEY) if record["status"] == "done"}
        return [done[name] for name in names if name in done]

    def remove_stale(self, name, earlier, files):
        """Remove those files of a face that an earlier run wrote and this one did not."""
        for file in set(earlier) - set(files):
            folder, _, file = file.rpartition("/")
            if not folder or re.fullmatch(SECOND, folder):
                helpers.remove_files(self.path / name / folder, [file])

    def _check_files(self, names):
        """Refuse a folder that no completion has written into, but that has files of the names of its outputs."""
        if self.results.exists() and (self.results.stat().st_size or (self.path / CONFIG).exists()):
            return
        pictures = (f"{name}/{file}" for name in names for file in ("original.png", "masked.png", "completed.png"))
        for file in (PAGE, ANIMATION, CONFIG, *pictures):
            if os.path.lexists(self.path / file):
                raise UsageError(f"{self.path} holds something else, {file}, that would be replaced: choose another "
                                 "--out_dir", helpers.BAD_OUTPUT)
        for name in names:
            if (self.path / name).exists() and not (self.path / name).is_dir():
                raise UsageError(f"{self.path / name} is no folder: choose another --out_dir", helpers.BAD_OUTPUT)

    def _check_settings(self):
        if not any(record["status"] == "done" for record in read_records(self.results, **KEY)):
            return                                      # what wrote the settings failed before its first result
        old = read_json(self.path / CONFIG)
        gone = dict.fromkeys(old.keys() - self.settings.keys() - {"kind"})      # such as points
        if old and (changes := tell_changes(old, self.settings) or tell_changes(old, gone)):
            raise UsageError(f"{self.path} holds results of other settings ({changes}), and nothing was changed: ask "
                             "for the same, choose another --out_dir, or replace them with --overwrite",
                             helpers.BAD_OUTPUT)

    def _find_done(self, inputs):
        done, others, settings = set(), {}, digest(self.settings)
        for record in read_records(self.results, only_sealed=True, **KEY):
            if (name := record["name"]) not in inputs:
                continue
            done.discard(name)
            if record["status"] != "done":
                continue
            others.pop(name, None)
            if (record["source"], *record["stamp"]) != inputs[name]:
                if not may_be_of(record, inputs[name][0]) and (self.path / name).exists():
                    others[name] = inputs[name][0]
            elif record.get("settings") == settings and self._has_files(record):
                done.add(name)
        refuse_others(self.path, others, "choose another --out_dir, or replace what is there with --overwrite")
        return done

    def _has_files(self, record):
        """Whether every file of a result is there as it was written."""
        return all(helpers.file_crc32(Path(self.path, record["name"], file)) == crc32
                   for file, crc32 in record["files"].items())


def digest(settings):
    """By what a result's settings are known again; the path of the model does not count, its content does."""
    return helpers.digest_record({key: value for key, value in settings.items() if key != "checkpoint"})[:16]
