"""How the inputs of face_completion.py are read, a batch at a time, and whole photos written back."""
import functools
import itertools
import os
from pathlib import Path

import helpers
from helpers import BadPhoto

from .face import read_face


def make_reader(options, size):
    """The function (path, name) -> Face that reads an input, aligned or whole, and makes its hole."""
    hole = {"mask": options.mask_type, "seed": options.seed, "holes": options.holes}
    if not options.holes and options.mask_type == "center":
        hole["scale"] = options.center_scale
    if not options.paste_back:
        return functools.partial(read_face, size=size, fit=options.fit, **hole)
    from preprocess.faces import FaceFinder

    from .photos import PhotoReader
    return PhotoReader(FaceFinder(), options.landmarks, size, **hole)


def put_back(face, read, options):
    """Pour a completed face back into its photo; {file: bytes} of what is written, nothing without --paste_back."""
    if not options.paste_back:
        return {}
    folder = Path(options.out_dir, face.name)
    photo = read.restore(face, helpers.read_photo(folder / "completed.png").pixels)
    return {"restored.png": helpers.write_picture(folder / "restored.png", photo)}


def read_batches(tasks, options, read, check):
    """Yield ([Face, ...], [(task, BadPhoto), ...]) for every batch_size tasks, reading no further ahead.

    check : function, called before each, that raises when the user wants to stop
    """
    tasks = iter(tasks)
    while chunk := list(itertools.islice(tasks, options.batch_size)):
        batch, problems = [], []
        for path, name in chunk:
            check()
            try:
                helpers.within(options.out_dir, os.path.join(name, ""))
                batch.append(read(path, name))
            except BadPhoto as problem:
                problems.append(((path, name), problem))
        yield batch, problems
