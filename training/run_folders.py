"""The folders of a run: what may be one, whose they are, and what in them is ours to remove."""
import os
import re
import uuid
from pathlib import Path

from helpers import BAD_OUTPUT, TEMPORARY, UsageError, read_json, remove_files, write_json
from shell.lock import check_file, inside
from shell.records import read_records

from .machines import this_worker
from .manifest import MANIFEST, ROOT, list_saves

SCALARS, SAMPLES, IDENTITY = "scalars.jsonl", "samples", "run.json"
# What TensorFlow and helpers.write_file call the files of a save, whole or not.
OURS = re.compile(r"manifest\.json|(tensors|part-\d{5}-of-\d{5})\.(index|data-\d{5}-of-\d{5})(\.tempstate\d+)?|"
                  + TEMPORARY.pattern)
# What it calls those of a SavedModel.
SAVED = re.compile(r"(saved_model|fingerprint)\.pb(\.tmp\w+)?|"
                   r"(variables|part-\d{5}-of-\d{5})\.(index|data-\d{5}-of-\d{5})(\.tempstate\d+)?")
LEFTOVER = re.compile(r"\.(step-\d{8,}|best)\.(unfinished|replaced)")


def check_places(places):
    """Raise UsageError, before any work, if the folders of a training.settings.Places cannot be a run's."""
    if (places.saves / MANIFEST).exists() or (ROOT / "checkpoint" / places.run / MANIFEST).exists():
        raise UsageError(f"{places.run} is the name of a shipped model: choose another --run")
    if places.saves.resolve() == places.log.resolve():
        raise UsageError(f"saves and curves would both go to {places.saves}: name different --checkpoint_dir and "
                         "--log_dir")
    inside(places.log, Path(SAMPLES, SCALARS))
    if places.export:
        if Path(places.export).resolve() in (places.saves.resolve(), places.log.resolve()):
            raise UsageError(f"{places.export} is a folder of the run itself: choose another --export")
        check_model_folder(places.export)
        check_file(Path(places.export, MANIFEST))
    elif places.half:
        raise UsageError("--half is of --export")


def check_model_folder(folder):
    """Raise UsageError (exit code 5) if writing a model into a folder would destroy anything but an older model."""
    folder = Path(folder)
    if folder.is_symlink() or folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder, but a {'link' if folder.is_symlink() else 'file'}: choose another "
                         "--export", BAD_OUTPUT)
    present = set(os.listdir(folder)) if folder.exists() else set()
    if strange := sorted(present - set(_own_files(folder) if "files" in read_json(folder / MANIFEST) else ())):
        raise UsageError(f"{folder} holds something that is no model, such as {strange[0]}: choose another --export",
                         BAD_OUTPUT)


def check_log(places, save_every):
    """Raise UsageError (exit code 5), in the chief, if a run's log holds the curves of another run.

    A run's folders bear one id. Older ones bear none: then a run that was killed before its first save has logged no
    more than `save_every` steps.
    """
    if not this_worker().is_chief:
        return
    own, logged = (read_json(folder / IDENTITY).get("id") for folder in (places.saves, places.log))
    steps = [record.get("step") for record in read_records(places.log / SCALARS, step=object)]
    if not all(isinstance(step, int) for step in steps):
        raise UsageError(f"{places.log / SCALARS} holds no curves of ours: choose another --run or --log_dir",
                         BAD_OUTPUT)
    last, goes_on = max(steps, default=0), own is None and list_saves(places.saves)
    if logged != own if logged else last > save_every and not goes_on:
        raise UsageError(f"{places.log} holds the curves of another run, up to step {last}: choose another --run or "
                         "--log_dir, or remove it", BAD_OUTPUT)


def mark(places):
    """Give both folders of a run its id, a new one if it has none, and say of what kind each is."""
    name = read_json(places.saves / IDENTITY).get("id") or uuid.uuid4().hex
    for folder, kind in ((places.saves, "run"), (places.log, "log")):
        if read_json(folder / IDENTITY) != (identity := {"id": name, "kind": kind}):
            write_json(folder / IDENTITY, identity)


def remove_save(folder):
    """Remove a save, whole or not: its own files, and the folder if nobody else put anything there."""
    folder = Path(folder)
    if folder.is_dir() and not folder.is_symlink():
        for part in (folder / "tensors_temp", folder):  # the first is TensorFlow's while it writes
            remove_files(part, _own_files(part))


def remove_saved_model(folder):
    """Remove a SavedModel, whole or not: TensorFlow's files, and the folders if nobody else put anything there."""
    home = Path(folder).parent.resolve() / Path(folder).name
    for part in (home / "variables/variables_temp", home / "variables", home / "assets", home):
        if part.is_dir() and part.resolve() == part:    # no link leads out of it
            remove_files(part, filter(SAVED.fullmatch, os.listdir(part)))


def _own_files(folder):
    """The names in a folder that a save's files have and that its manifest, if there is one, names."""
    named = read_json(folder / MANIFEST).get("files")
    return [name for name in (os.listdir(folder) if folder.is_dir() else ()) if OURS.fullmatch(name)
            and (name == MANIFEST or not isinstance(named, dict) or name in named)]
