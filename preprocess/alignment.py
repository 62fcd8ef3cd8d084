"""What one of the processes that align photos does."""
import dataclasses
import os

import numpy as np

import helpers
from helpers import BadPhoto
from pictures.photo import read_photo

from .crops import Frame, Jitter, Limits, cut_face, shaken
from .face_search import FaceSearch
from .faces import Face, FaceFinder

FURTHER, WARPED = "_face{}", "_warp{}"                  # what the names of further faces and of warps end in
FARTHEST = 2 ** 20                                      # pixels, beyond what any photo has


@dataclasses.dataclass(frozen=True)
class Plan:
    """How photos are aligned.

    frame, limits, jitter : of crops; all_faces : a crop of every face; seed : decides the warps
    predictor : dlib's landmark model, the packaged one if it is None; detector : of FaceFinder
    effort, upsample, turned : of FaceSearch
    """
    frame: Frame = Frame()
    limits: Limits = Limits()
    jitter: Jitter = Jitter()
    all_faces: bool = False
    seed: int = 0
    predictor: str | None = None
    detector: str = "hog"
    effort: str = "exact"
    upsample: int = 0
    turned: bool = False


def prepare(home, output, plan):
    """Set a process up: load dlib's models once, unless the landmarks come with the tasks.

    home : folder that relative paths begin at; output : folder for the crops
    """
    global _worker
    search = None
    if plan.frame.points != "celeba":
        predictor = plan.predictor and os.path.join(home, plan.predictor)
        search = FaceSearch(FaceFinder(predictor, plan.frame.points, plan.detector), plan.effort, plan.upsample,
                            plan.turned)
    _worker = home, os.path.join(home, output), search, plan


def align_one(task):
    """Align the photo (path, name of its crop without suffix, landmarks ((x, y), ...) or None); returns its record.

    Raises BadPhoto, or UsageError if the disk is full.
    """
    (path, name, landmarks), (home, folder, search, plan) = task, _worker
    path = os.path.join(home, path)
    stamp, digest = helpers.file_stamp(path), helpers.digest_content(path)
    try:
        photo = read_photo(path)
        faces, notes = search(photo.pixels) if search else ([_given(landmarks)], [])
        cut, record = align_photo(photo.pixels, faces, plan)
        outputs = {}
        for suffix, crop in _named_crops(photo.pixels, cut, plan, digest):
            outputs[suffix] = f"{name}{suffix}.png"
            helpers.write_picture(helpers.within(folder, outputs[suffix]), crop)
    except MemoryError as error:
        raise BadPhoto("too_large", "not enough memory") from error
    further = [output for suffix, output in outputs.items() if suffix]
    return {"output": outputs[""], **({"further_outputs": further} if further else {}), "fingerprint": stamp,
            "sha256": digest, "notes": photo.notes + notes, **record}


def align_photo(pixels, faces, plan):
    """Cut the largest of a photo's faces out, or with Plan.all_faces every one that is within the limits.

    Returns [(crop, matrix), ...] and the record of cut_face, with the number of faces and, if there are several, the
    others: those that were cut in order, and the reason why not of the rest.
    Raises BadPhoto with reason no_face or several_faces, or that of the first face if none can be used.
    """
    if not faces:
        raise BadPhoto("no_face", "the detector finds frontal faces of 40 pixels or more")
    if plan.limits.only_single and len(faces) > 1:
        raise BadPhoto("several_faces", f"{len(faces)} faces")
    wanted = faces if plan.all_faces else faces[:1]
    cut, records, problems, rest = [], [], [], [face.record for face in faces[len(wanted):]]
    for face in wanted:
        try:
            crop, matrix, record = cut_face(pixels, face, plan.frame, plan.limits)
        except BadPhoto as problem:
            problems.append(problem)
            rest.append({**face.record, "reason": problem.reason})
        else:
            cut.append((crop, matrix))
            records.append(record)
    if not cut:
        raise problems[0]
    others = [*records[1:], *rest]
    return cut, {**records[0], "faces": len(faces), **({"further_faces": others} if others else {})}


def _named_crops(pixels, cut, plan, digest):
    """Yield (what a name ends in, crop) of each face and of its warps; `digest` of the photo decides them too."""
    for number, (crop, matrix) in enumerate(cut, 1):
        face = FURTHER.format(number) if number > 1 else ""
        yield face, crop
        seed = plan.seed, int(digest[:16], 16), number
        for turn, warped in enumerate(shaken(pixels, matrix, plan.frame.size, plan.jitter, seed), 1):
            yield face + WARPED.format(turn), warped


def _given(landmarks):
    """The Face with these landmarks ((x, y), ...), in the box that just holds them."""
    if landmarks is None:
        raise BadPhoto("no_landmarks", "the landmark file does not name it")
    points = np.array(landmarks, float)
    if not (np.abs(points) < FARTHEST).all():
        raise BadPhoto("no_landmarks", "the landmark file has a point that lies in no photo")
    if np.linalg.matrix_rank(points - points.mean(axis=0), tol=1e-3) < 2:
        raise BadPhoto("no_landmarks", "the points of the landmark file lie on one line")
    return Face((*points.min(axis=0).astype(int).tolist(), *points.max(axis=0).astype(int).tolist()), None, points)
