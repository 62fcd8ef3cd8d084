"""A folder of aligned faces, read into memory once, or opened where it lies if it is a pack."""
import hashlib

import numpy as np

from helpers import BadPhoto, resize
from pictures.photo import read_photo

from .listing import find_photos
from .store import Pack, is_pack


def open_faces(folder, size, check=lambda: None, warn=lambda line: None, exclude=None):
    """(Pack, []) for the folder of a pack, else what load_faces returns."""
    return (Pack(folder, size, check), []) if is_pack(folder) else load_faces(folder, size, check, warn, exclude)


def load_faces(folder, size, check=lambda: None, warn=lambda line: None, exclude=None):
    """Read every face below a folder; `check` is called for each, and what it raises ends the reading.

    warn : as find_photos takes it
    exclude : folder whose pictures are no faces, such as samples of the run, or None

    Returns (N, size, size, 3) uint8 in the order of their names, and [(path, BadPhoto), ...] of what was left out:
    unreadable files, and pictures of another size (reason wrong_size).
    """
    sources, failures = find_photos([folder], exclude, warn=warn)
    faces, count = np.empty((len(sources), size, size, 3), np.uint8), 0
    for count, face in enumerate(each_face(sources, size, failures), 1):
        check()
        faces[count - 1] = face
    return faces[:count], failures


def each_face(sources, size, failures, fit="refuse"):
    """Yield the face of each listing.Source, (size, size, 3) uint8; what is unusable joins `failures`.

    fit : "refuse" pictures of another size, or bring them to it as helpers.resize does, by "resize" or "crop"
    """
    for source in sources:
        try:
            pixels = read_photo(source.path).pixels
            height, width = pixels.shape[:2]
            if fit == "refuse" and (height, width) != (size, size):
                raise BadPhoto("wrong_size", f"{width}x{height}, the network takes {size}x{size}: align the photos "
                               "first")
            yield pixels if fit == "refuse" else resize(pixels, size, fit)
        except BadPhoto as problem:
            failures.append((source.path, problem))


def fingerprint(faces):
    """A digest of faces and their order, by which a resumed run knows its data again, packed or not.

    faces : (N, S, S, 3) uint8 or Pack
    """
    return faces.fingerprint if isinstance(faces, Pack) else hashlib.sha256(faces).hexdigest()
