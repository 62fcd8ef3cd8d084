"""How a folder of completed faces lies on disk, and what of it is there already."""
import hashlib
import json
import os
import sys
from pathlib import Path

import helpers
from helpers import UsageError, read_json, read_records

RESULTS, CONFIG, SHEETS, RESTORED = "results.jsonl", "config.json", "grids", "restored.png"
ANIMATION, PAGE, SHOWN = "progress.gif", "report.html", "shown.json"
ANSWER, UNCERTAINTY = "completed_{}.png", "uncertainty.png"
BUDGET = "context_loss", "prior_loss", "context_gradient", "prior_gradient"
UNCERTAINTY_SCALE = 4                                   # greys of that picture for a level of standard deviation


def digest(settings):
    """By what a result's settings are known again; the path of the model does not count, its content does."""
    content = json.dumps({key: value for key, value in settings.items() if key != "checkpoint"}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def check_same_settings(folder, settings):
    """Raise UsageError if a folder holds results of other settings."""
    if not any(record["status"] == "done" for record in read_records(Path(folder, RESULTS))):
        return                                          # what wrote the settings failed before its first result
    old = read_json(Path(folder, CONFIG))
    changed = [key for key, value in settings.items() if old.get(key) != value and key != "checkpoint"]
    if old and changed:
        raise UsageError(f"{folder} holds results of other settings ({', '.join(changed)}): choose another "
                         "--out_dir, or replace them with --overwrite")


def find_done(folder, settings):
    """{name: (source, *stamp)} of the faces whose every output is there, whole, by these settings."""
    done = {}
    for record in read_records(Path(folder, RESULTS)):
        done.pop(record["name"], None)
        files = {Path(folder, record["name"], file): size for file, size in record.get("files", {}).items()}
        if record.get("settings") == settings and all(size == file_size(path) for path, size in files.items()):
            done[record["name"]] = (record["source"], *record.get("stamp", ()))
    return done


def file_size(path):
    """Bytes of a file, None if there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def read_finished(folder, names, keys):
    """Of the records of what is finished, in the order of the names, what `keys` name: 60,000 whole ones are large."""
    done = {record["name"]: {key: record[key] for key in keys if key in record}
            for record in read_records(Path(folder, RESULTS)) if record["status"] == "done"}
    return [done[name] for name in names if name in done]


def read_files(folder):
    """{name: the names of the files that an earlier run wrote of that face}."""
    return {record["name"]: tuple(map(sys.intern, record.get("files", ())))
            for record in read_records(Path(folder, RESULTS))}


def remove_stale(folder, earlier, files):
    """Remove those files of an earlier run that this one did not write."""
    for name in set(earlier) - set(files):
        Path(folder, Path(name).name).unlink(missing_ok=True)


def check_sheets(folder):
    """Raise UsageError (exit code 5) if the sheets of a folder of results would be written outside it."""
    try:
        helpers.within(folder, os.path.join(SHEETS, ""))
    except helpers.BadPhoto as problem:
        raise UsageError(problem.detail, helpers.BAD_OUTPUT) from problem
