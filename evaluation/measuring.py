"""What one of an evaluation's processes does: fill the holes of a face by the classical methods, and measure."""
import time
from pathlib import Path

import numpy as np

import helpers
from methods.classical import make_fills
from completion.face import read_face
from helpers import BadPhoto, UsageError
from helpers import file_stamp
from metrics.identity import FaceDescriber, identity_distance
from metrics.images import measure

from .evaluated_folder import ORIGINAL, digest, picture_of


def prepare(out, size, seed, train_faces, methods, describer):
    """Set a process up: the fills of `methods`, those from training faces included, and the face describer (of a path)."""
    global _worker
    _worker = Path(out), size, seed, make_fills(size, train_faces, methods), FaceDescriber(describer)


def measure_face(task):
    """Measure one face under all its masks and methods.

    task : (name, source, [(mask, method), ...])
    Returns ([record, ...], {(mask, method): descriptor}), with the true face's descriptor under ORIGINAL.
    Raises BadPhoto, or UsageError if the disk is full.
    """
    name, source, keys = task
    out, size, seed, fills, describer = _worker
    faces = {mask: read_face(source, name, size, mask=mask, seed=seed) for mask in {mask for mask, _ in keys}}
    results = [_fill(faces[mask], mask, method, out, fills) for mask, method in keys]
    truth = next(iter(faces.values())).pixels
    descriptors = describer.describe(np.stack([truth] + [result for result, _ in results]))
    identities = identity_distance(np.repeat(descriptors[:1], len(results), axis=0), descriptors[1:])
    own = {"face": name, "fingerprint": file_stamp(source), "face_sha256": digest(truth)}
    found = [{**own, "mask": mask, "method": method, "hole_sha256": digest(faces[mask].known),
              **measure(truth, result, faces[mask].known), "identity": round(float(identity), 5),
              "seconds": round(seconds, 5)}
             for (mask, method), (result, seconds), identity in zip(keys, results, identities)]
    return found, dict(zip([ORIGINAL, *keys], descriptors))


def _fill(face, mask, method, out, fills):
    """(result, seconds) of a method for a Face; those that take batches have run before, their pictures are read."""
    path, begun = out / picture_of(face.name, mask, method), time.perf_counter()
    if method not in fills:
        return helpers.read_photo(path).pixels, 0.0
    filled = fills[method](helpers.to_float(face.pixels), face.known, face.seed)
    result = np.where(face.known[..., None], face.pixels, helpers.to_uint8(filled))
    seconds = time.perf_counter() - begun
    helpers.write_picture(path, result)
    return result, seconds
