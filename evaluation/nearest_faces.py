"""Completed faces beside the training faces nearest to them."""
from pathlib import Path

import numpy as np

from dataset.folder import load_faces
from dataset.listing import find_photos
from helpers import NO_INPUT, BadPhoto, UsageError, write_json
from metrics.identity import FaceDescriber
from metrics.memorisation import compare_nearness, nearest_descriptors, nearest_pixels
from output.completed_folder import KEY, RESULTS
from output.figures import caption, write_sheet
from pictures.photo import read_photo
from preprocess.dlib_models import DESCRIPTOR, checked
from shell.lock import inside
from shell.messages import report_failure, report_failures, warn
from shell.progress import Progress
from shell.records import read_records

ROWS, SIDE = 16, 128                                    # of the sheet; pixels of a face on it


def compare_with_training(folder, train_faces, out, limit, check):
    """Write nearest.png and nearest.json into `out`, and yield a line on each distance.

    folder : of face_completion.py, whose faces must be held out from training
    train_faces : folder of aligned faces, of which the first `limit` count, or all (None)
    check : function, called now and then, that raises when the user wants to stop
    Raises UsageError (exit code 3) if there are no faces.
    """
    describer = FaceDescriber(str(checked(DESCRIPTOR)))
    names, truth, completed, known = read_completed(folder, check)
    places, training = read_training(train_faces, truth.shape[1], limit, check)
    of_truth, of_completed = find_nearest(describer, (truth, completed), known, training, check=check)
    if trained := int((of_truth["pixels"][1] == 0).sum()):
        warn(f"training faces among the true faces: {trained} of {len(names)}; only faces that are held out tell "
             "anything")
    tests = {key: compare_nearness(of_completed[key][1], of_truth[key][1]) for key in of_truth}
    faces = {name: {key: {"training_face": places[index[row]], "distance": round(distance[row], 4),
                          "of_the_truth": round(of_truth[key][1][row], 4)}
                    for key, (index, distance) in of_completed.items()} for row, name in enumerate(names)}
    write_json(inside(out, "nearest.json"), {"training_faces": len(training), **tests, "faces": faces})
    write_nearest(inside(out, "nearest.png"), names, (truth, completed, training), of_completed)
    for name, numbers in tests.items():
        yield f"{name}: " + ", ".join(f"{key} {value:.4g}" for key, value in numbers.items())


def read_completed(folder, check):
    """(names, true faces, completed faces, known) of a folder of completed faces, (N, S, S, 3) uint8, (N, S, S) bool.

    The hole is what is white in masked.png and not in the face, or what was changed. Faces without one are left out.
    """
    names, faces = [], []
    for name in dict.fromkeys(record["name"] for record in read_records(Path(folder, RESULTS), **KEY)
                              if record["status"] == "done"):
        check()
        try:
            truth, completed, masked = (read_photo(Path(folder, name, f"{kind}.png")).pixels
                                        for kind in ("original", "completed", "masked"))
        except BadPhoto as problem:
            report_failure(Path(folder, name), problem)
            continue
        known = ((masked == truth) & (completed == truth)).all(axis=-1)
        if not known.all():
            names.append(name)
            faces.append((truth, completed, known))
    if len({face[0].shape for face in faces}) != 1:
        raise UsageError(f"{folder} holds no completed faces of one size", NO_INPUT)
    return names, *(np.stack(pictures) for pictures in zip(*faces))


def read_training(folder, size, limit, check):
    """(paths, faces (N, S, S, 3) uint8) of a folder, the first `limit` of them."""
    faces, failures = load_faces(folder, size, check, warn)
    report_failures(failures)
    if not len(faces):
        raise UsageError(f"no face of {size} pixels a side in {folder}", NO_INPUT)
    paths = [source.path for source in find_photos([folder])[0] if source.path not in dict(failures)]
    return paths[:limit], faces[:limit]


def find_nearest(describer, pictures, known, training, check):
    """[{distance: (index, distance) of the training face nearest to each face}] of several arrays of faces."""
    def describe(face):
        check()
        return describer.describe(face[None])
    with Progress(sum(map(len, (training, *pictures))), "faces described") as progress:
        of_training, *described = [np.concatenate([*map(describe, progress.each(faces))])
                                   for faces in (training, *pictures)]
    return [{"descriptor": nearest_descriptors(descriptors, of_training),
             "pixels": nearest_pixels(faces, known, training)} for descriptors, faces in zip(described, pictures)]


def write_nearest(path, names, pictures, nearest):
    """Write a sheet of the completions nearest to training faces: truth, completion, and a training face a distance.

    pictures : true, completed and training faces; nearest : {distance: (index, distance) of the completions}
    """
    truth, completed, training = pictures
    shown = []
    for row in np.argsort(nearest["descriptor"][1], kind="stable")[:ROWS]:
        shown += [caption(truth[row], names[row], SIDE), caption(completed[row], "completed", SIDE)]
        shown += [caption(training[index[row]], f"{name} {distance[row]:.3g}", SIDE)
                  for name, (index, distance) in nearest.items()]
    write_sheet(path, shown, 2 + len(nearest))
