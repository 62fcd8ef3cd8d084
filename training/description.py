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
    content, architecture, _ = _read(folder)
    return {"model": hashlib.sha256(content).hexdigest()[:16], "image_size": architecture["image_size"]}


def describe_architecture(folder):
    """The architecture of a model by name, as its manifest has it; as describe_model does."""
    return _read(folder)[1]


def describe_kind(folder):
    """What kind of model lies in a folder; the first ones, which do not say, are DCGANs. As describe_model does."""
    return _read(folder)[2]


def _read(folder):
    for path in (Path(folder, MANIFEST), *sorted(Path(folder).glob(f"step-*/{MANIFEST}"), reverse=True)):
        try:
            content = path.read_bytes()
            architecture = json.loads(content)["architecture"]
            if "image_size" in architecture:
                return content, architecture, json.loads(content).get("kind", "dcgan")
        except (OSError, ValueError, KeyError, TypeError):
            continue
    raise UsageError(f"no usable model in {folder}: name the folder of a run or of a shipped model, such as "
                     "checkpoint/celeba64", BAD_CHECKPOINT)


def check_run_folders(options):
    """The folders (saves, log) of a training command's options, refused before any work if they cannot be that.

    options : has run, checkpoint_dir, log_dir and export
    """
    saves, log = Path(options.checkpoint_dir, options.run), Path(options.log_dir, options.run)
    if (saves / MANIFEST).exists() or Path(__file__).parents[1].joinpath("checkpoint", options.run, MANIFEST).exists():
        raise UsageError(f"{options.run} is the name of a shipped model: choose another --run")
    if saves.resolve() == log.resolve():
        raise UsageError(f"saves and curves would both go to {saves}: name different --checkpoint_dir and --log_dir")
    if options.export:
        check_model_folder(options.export)
    return saves, log


def check_model_folder(folder):
    """Raise UsageError (exit code 5) if writing a model into a folder would destroy anything but an older model."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder: choose another --export", BAD_OUTPUT)
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if strange := sorted(there - {MANIFEST} - records.read_json(folder / MANIFEST).get("files", {}).keys()):
        raise UsageError(f"{folder} holds something that is no model, such as {strange[0]}: choose another --export",
                         BAD_OUTPUT)
