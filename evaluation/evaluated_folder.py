"""How an evaluation lies on disk, and what of it is there already."""
import base64
import contextlib
import functools
import hashlib
from pathlib import Path

import numpy as np

import helpers
from completion.face import find_size
from dataset.origin import may_be_of, refuse_others, take_origin
from helpers import UsageError, read_json
from metrics.distributions import SMALLEST
from pictures.photo import read_photo
from shell.lock import claim_folder, inside
from shell.pictures import is_whole_png
from shell.records import RecordFile, read_records, tell_changes

KIND = "evaluation"
KEY = {"face": str, "mask": str, "method": str}       # what every record of a result has
DESCRIPTOR = 128                                        # numbers of a face descriptor
PICTURES, DESCRIPTORS = "pictures", "descriptors"
RESULTS, SEARCHES, CONFIG = "results.jsonl", "searches.jsonl", "config.json"
STRIPPED = "latent"                                     # the method whose steps are kept, in a strip
ORIGINAL = "", "original"                               # (mask, method) under which the true faces' descriptors stand
UNSAID = {"completions": 1}                             # of searches whose settings are older and do not say it
COSTS = "seconds", "context_loss", "prior_loss"         # what is summed up of a method's own record of a face


class EvaluatedFolder:
    """The results of one evaluate_completion.py.

    path : of the folder; stamps : {face: its file's helpers.file_stamp}; what was measured on another file does not
    count
    """

    def __init__(self, path, stamps):
        self.path, self.stamps = Path(path), stamps

    def claim(self):
        """The Claim of the folder, which keeps other processes out; raises UsageError (exit code 5)."""
        for part in (PICTURES, DESCRIPTORS):
            inside(self.path, Path(part, CONFIG))
        return claim_folder(self.path, KIND)

    def check_settings(self, settings):
        """Raise UsageError (exit code 5) if there are results of other settings, or of settings that are lost."""
        old = self._read_settings()
        if "seed" not in old and self._has_results():
            raise UsageError(f"{self.path} holds results whose settings, {CONFIG}, are lost: choose another --out_dir",
                             helpers.BAD_OUTPUT)
        if changes := tell_changes(settings | old, settings):
            raise UsageError(f"{self.path} holds results of other settings ({changes}), and nothing was changed: ask "
                             "for the same, or choose another --out_dir", helpers.BAD_OUTPUT)

    def check_origins(self, faces):
        """Raise UsageError (exit code 5) if there are results of other photos than these, {face: path}, of their names.

        Older results do not say of which photo they are.
        """
        others = {}
        for record in read_records(self.path / RESULTS, only_sealed=True, **KEY, fingerprint=list):
            if (face := record["face"]) in faces and "place" in record:
                others.pop(face, None)
                if tuple(record["fingerprint"]) != self.stamps[face] and not may_be_of(record, faces[face]):
                    others[face] = faces[face]
        refuse_others(self.path, others, "choose another --out_dir")

    def find_size(self, paths):
        """The side of all faces: that of earlier results, or of the first of these files that can be read.

        Raises UsageError (exit code 3) if there is none that the metrics can measure.
        """
        size = self._read_settings().get("image_size") or find_size(paths)
        if not size or size < SMALLEST:
            raise UsageError(f"no square picture of {SMALLEST} pixels or more a side can be read: align the photos "
                             "first (python -m preprocess.align_dlib)", helpers.NO_INPUT)
        return size

    def begin(self, settings):
        """Write the settings, beside those of methods that were measured before."""
        helpers.write_json(self.path / CONFIG, {"kind": KIND, **self._read_settings(), **settings})

    def _read_settings(self):
        """The settings of the results; {} where what wrote them failed before its first result."""
        settings = read_json(self.path / CONFIG)
        settings = UNSAID | settings if "recipe" in settings else settings
        return settings if settings.get("kind", KIND) != KIND or self._has_results() else {}

    def _has_results(self):
        return any(read_records(self.path / RESULTS, **KEY))

    def find_done(self):
        """The {(face, mask, method)} whose results are there, as `records` has them."""
        return {(record["face"], *group_of(record)) for record in self.records()}

    def records(self):
        """Yield what was measured on these files and is there with its whole picture and descriptors."""
        described, steps = DescriptorFiles(self.path), self.read_steps()
        for record in read_records(self.path / RESULTS, only_sealed=True, **KEY, fingerprint=list):
            face, group = record["face"], group_of(record)
            pictures = [picture_of(face, *group)]
            if group[1] == STRIPPED and steps.get((face, group[0])):
                pictures.append(picture_of(face, *group, ".steps"))
            if (tuple(record["fingerprint"]) == self.stamps.get(face)
                    and all(is_whole_png(self.path / picture) for picture in pictures)
                    and face in described.faces(group) and face in described.faces(ORIGINAL)):
                yield record

    def read_steps(self):
        """{(face, mask): the steps of its latent search that are in its strip}."""
        return {(record["face"], record["mask"]): record["steps"]
                for record in read_records(self.path / SEARCHES, only_sealed=True, face=str, mask=str, steps=list)
                if record.get("method", STRIPPED) == STRIPPED}

    def write_completed(self, result, frames):
        """Write a measuring.Result's picture, and a strip of the steps to it; frames : [(step, (H, W, 3) uint8)]."""
        if frames:
            strip = np.concatenate([picture for _, picture in frames], axis=1)
            helpers.write_picture(inside(self.path, picture_of(*result.key, ".steps")), strip)
        helpers.write_picture(inside(self.path, picture_of(*result.key)), result.completed.pixels)


class Recorder(contextlib.AbstractContextManager):
    """Appends what is measured to an EvaluatedFolder; holds the true faces' descriptors, `truths`, by face."""

    def __init__(self, folder, done):
        self.folder, self._descriptors = folder, DescriptorFiles(folder.path)
        self._results, self._searches = (RecordFile(folder.path / name) for name in (RESULTS, SEARCHES))
        self._origin = functools.cache(take_origin)     # of one photo under many holes
        faces = sorted({face for face, *_ in done})
        self.truths = dict(zip(faces, self._descriptors.read(ORIGINAL, faces))) if faces else {}

    def __exit__(self, *_):
        self._results.close()
        self._searches.close()

    def record(self, result, frames, numbers, truth, descriptor):
        """Record a measuring.Result, its frames as write_completed takes them, and what measure_result says of it."""
        face, method, account = result.face, result.method, result.completed.record
        key = {"face": face.name, "mask": face.mask, "method": method, "fingerprint": face.stamp}
        if face.name not in self.truths:
            self.truths[face.name] = truth
            self._descriptors.append(face.name, ORIGINAL, truth)
        self._descriptors.append(face.name, (face.mask, method), descriptor)
        if frames or "iterations" in account:
            self._searches.append({**key, "steps": [step for step, _ in frames], **account})
        self._results.append({**key, **self._origin(face.source), "face_sha256": digest(face.pixels),
                              "hole_sha256": digest(face.known), **numbers,
                              **{name: account[name] for name in COSTS if name in account}})


class DescriptorFiles:
    """Face descriptors on disk, a file for every (mask, method), so that no more than one need be in memory."""

    def __init__(self, out):
        self.folder, self._files, self._faces = out / DESCRIPTORS, {}, {}

    def append(self, face, key, descriptor):
        """Record the (128,) float32 descriptor of a face under its (mask, method)."""
        if key not in self._files:
            self._files[key] = RecordFile(self._path(key))
        self._files[key].append({"face": face, "descriptor": base64.b64encode(descriptor).decode()})

    def faces(self, key):
        """The faces with a descriptor under a (mask, method)."""
        if key not in self._faces:
            self._faces[key] = set(self._read(key))
        return self._faces[key]

    def read(self, key, faces):
        """Those of `faces` under a (mask, method), (N, 128) float32."""
        content = self._read(key)
        return np.stack([content[face] for face in faces])

    def _read(self, key):
        """{face: its descriptor, (128,) float32} of those that are whole."""
        numbers = {}
        for record in read_records(self._path(key), only_sealed=True, face=str, descriptor=str):
            with contextlib.suppress(ValueError):
                content = base64.b64decode(record["descriptor"], validate=True)
                if len(content) == 4 * DESCRIPTOR:
                    numbers[record["face"]] = np.frombuffer(content, np.float32)
        return numbers

    def _path(self, key):
        return self.folder / f"{'-'.join(filter(None, key))}.jsonl"


class PictureFiles:
    """Equally large pictures that are read when they are sliced, so that memory does not grow with their number."""

    def __init__(self, paths):
        self.paths = list(paths)
        self.shape = len(self.paths), *read_photo(self.paths[0]).pixels.shape

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, part):
        return np.stack([read_photo(path).pixels for path in self.paths[part]])


def picture_of(face, mask, method, kind=""):
    """Where a result's picture lies, or one of another kind, relative to the evaluation's folder."""
    return Path(PICTURES, mask, method + kind, f"{face}.png")


def group_of(record):
    """The (mask, method) of a record."""
    return record["mask"], record["method"]


def digest(array):
    """A short digest of an array's content, by which faces and holes are known again."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()[:16]
