"""What one of the processes that align photos does."""
import os

import helpers
from helpers import BadPhoto
from pictures.photo import read_photo

from .faces import FaceFinder, align_face


def prepare(home, output, predictor, size, template, settings):
    """Set a process up: load dlib's models once, the packaged predictor if `predictor` is None.

    home : folder that relative paths begin at; settings : what else align_face takes, by name
    """
    global _worker
    finder = FaceFinder(predictor and os.path.join(home, predictor))
    _worker = home, os.path.join(home, output), finder, size, template, settings


def align_one(task):
    """Align the photo (path, output); returns its record. Raises BadPhoto, or UsageError if the disk is full."""
    path, output = task
    home, folder, finder, size, template, settings = _worker
    path = os.path.join(home, path)
    stamp = helpers.file_stamp(path)
    try:
        photo = read_photo(path)
        crop, record = align_face(finder, photo.pixels, size, template, **settings)
    except MemoryError as error:
        raise BadPhoto("too_large", "not enough memory") from error
    helpers.write_picture(helpers.within(folder, output), crop)
    return {"output": output, "fingerprint": stamp, "notes": photo.notes, **record}
