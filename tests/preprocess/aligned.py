"""What an alignment has left, as its tests look at it."""
import os
from pathlib import Path

import numpy as np

from pictures.photo import read_photo
from preprocess.align_dlib import PAGE, RECORDS
from shell.records import read_records

TEMPLATE = "innerEyesAndBottomLip"
FACES = ["A000369", "B001273", "C001070"]


def ways(output):
    """{name of the photo: done or the reason why not}, as the records tell."""
    return {os.path.basename(record["source"]): record.get("reason", record["status"])
            for record in read_records(Path(output, RECORDS))}


def crops(output):
    """{relative path: content} of the crops; nothing else but the records, their page and the lock may lie there."""
    files = {str(path.relative_to(output)): path.read_bytes() for path in Path(output).rglob("*") if path.is_file()}
    assert files.keys() >= {RECORDS, ".lock"}
    crops = {name: content for name, content in files.items() if name not in (RECORDS, PAGE, ".lock")}
    assert all(name.endswith(".png") for name in crops)
    return crops


def complaints(err):
    """The lines on stderr without those of progress, which a slow machine prints."""
    return [line for line in err.splitlines() if " photos, " not in line]


def agrees(path, reference):
    """Whether a crop equals OpenFace's but for rounding."""
    difference = np.abs(read_photo(path).pixels - read_photo(reference).pixels.astype(int))
    return difference.mean() <= 0.01 and difference.max() <= 1
