"""What a model says of itself, read without TensorFlow."""
import hashlib
import json
from pathlib import Path

from helpers import BAD_CHECKPOINT, UsageError

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
