"""How an evaluation lies on disk, and what of it is there already."""
from helpers import RecordFile, read_records
import base64
import hashlib
from pathlib import Path

import numpy as np

import helpers

PICTURES, DESCRIPTORS, RESULTS, SEARCHES = "pictures", "descriptors", "results.jsonl", "searches.jsonl"
ORIGINAL = "", "original"                               # (mask, method) under which the true faces' descriptors stand


def picture_of(face, mask, method, kind=""):
    """Where a result's picture lies, or one of another kind, relative to the evaluation's folder."""
    return Path(PICTURES, mask, method + kind, f"{face}.png")


def find_done(out, stamps):
    """The {(face, mask, method)} whose result is there, measured, with its whole picture.

    stamps : {face: its file's helpers.file_stamp}; what was measured on another file does not count
    """
    return {(record["face"], record["mask"], record["method"]) for record in read_records(out / RESULTS)
            if tuple(record["fingerprint"]) == stamps.get(record["face"])
            and helpers.is_whole_png(out / picture_of(record["face"], record["mask"], record["method"]))}


def find_completed(out, stamps):
    """{(face, mask, method): record} of the completions in batches whose pictures are there, whole, for these files."""
    found = {(record["face"], record["mask"], record.get("method", "latent")): record
             for record in read_records(out / SEARCHES)
             if tuple(record["fingerprint"]) == stamps.get(record["face"])}
    return {key: record for key, record in found.items() if helpers.is_whole_png(out / picture_of(*key))}


def digest(array):
    """A short digest of an array's content, by which faces and holes are known again."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()[:16]


class DescriptorFiles:
    """Face descriptors on disk, a file for every (mask, method), so that no more than one need be in memory."""

    def __init__(self, out):
        self.folder, self._files = out / DESCRIPTORS, {}
        self.folder.mkdir(exist_ok=True)

    def append(self, face, key, descriptor):
        """Record the (128,) float32 descriptor of a face under its (mask, method)."""
        if key not in self._files:
            self._files[key] = RecordFile(self._path(key))
        self._files[key].append({"face": face, "descriptor": base64.b64encode(descriptor).decode()})

    def read(self, key, faces):
        """Those of `faces` under a (mask, method), (N, 128) float32."""
        found = {record["face"]: record["descriptor"] for record in read_records(self._path(key))}
        return np.stack([np.frombuffer(base64.b64decode(found[face]), np.float32) for face in faces])

    def _path(self, key):
        return self.folder / f"{'-'.join(filter(None, key))}.jsonl"


class PictureFiles:
    """Equally large pictures that are read when they are sliced, so that memory does not grow with their number."""

    def __init__(self, paths):
        self.paths = list(paths)
        self.shape = len(self.paths), *helpers.read_photo(self.paths[0]).pixels.shape

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, part):
        return np.stack([helpers.read_photo(path).pixels for path in self.paths[part]])
