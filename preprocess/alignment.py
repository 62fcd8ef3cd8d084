"""What one of the processes that align photos does."""
import os

import helpers
from helpers import BadPhoto, UsageError, file_stamp

from .faces import FaceFinder, align_face


def prepare(home, output, predictor, size, template, only_single):
    """Set a process up: load dlib's models once, the packaged predictor if `predictor` is None.

    home : folder that relative paths begin at
    """
    global _worker
    finder = FaceFinder(predictor and os.path.join(home, predictor))
    _worker = home, os.path.join(home, output), finder, size, template, only_single


def align_one(task):
    """Align the photo (path, output): a record, or the BadPhoto or UsageError (no more space) that stopped it."""
    path, output = task
    home, folder, finder, size, template, only_single = _worker
    path = os.path.join(home, path)
    try:
        fingerprint = file_stamp(path)
        photo = helpers.read_photo(path)
        crop, record = align_face(finder, photo.pixels, size, template, only_single)
        target = helpers.within(folder, output)
        helpers.write_picture(target, crop)
        return {"fingerprint": fingerprint, "notes": photo.notes, **record}
    except MemoryError:
        return BadPhoto("too_large", "not enough memory")
    except (BadPhoto, UsageError) as problem:
        return problem
