"""What a model says of itself, read without TensorFlow."""
import hashlib
import json
from pathlib import Path

import records
from helpers import BAD_CHECKPOINT, BAD_OUTPUT, UsageError

MANIFEST = "manifest.json"


def describe_model(folder):
    """The digest of a model's manifest, which holds those of its files, and the side of its faces in pixels.

    folder : of a shipped model, of a run (its newest save counts) or of one save
    Returns {"model": str, "image_size": int}. Raises UsageError (exit code 4) if there is no manifest to read.
    """
    for path in (Path(folder, MANIFEST), *sorted(Path(folder).glob(f"step-*/{MANIFEST}"), reverse=True)):
        try:
            content = path.read_bytes()
            return {"model": hashlib.sha256(content).hexdigest()[:16],
                    "image_size": json.loads(content)["architecture"]["image_size"]}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    raise UsageError(f"no usable model in {folder}: name the folder of a run or of a shipped model, such as "
                     "checkpoint/celeba64", BAD_CHECKPOINT)


def check_model_folder(folder):
    """Raise UsageError (exit code 5) if writing a model into a folder would destroy anything but an older model."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder: choose another --export", BAD_OUTPUT)
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if strange := sorted(there - {MANIFEST} - records.read_json(folder / MANIFEST).get("files", {}).keys()):
        raise UsageError(f"{folder} holds something that is no model, such as {strange[0]}: choose another --export",
                         BAD_OUTPUT)
