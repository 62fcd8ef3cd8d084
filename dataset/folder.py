"""A folder of aligned faces, read into memory once."""
import hashlib

import numpy as np

from helpers import BadPhoto, read_photo
from listing import find_photos


def load_faces(folder, size):
    """Read every face below a folder.

    Returns (N, size, size, 3) uint8 in the order of their names, and [(path, BadPhoto), ...] of what was left out:
    unreadable files, and pictures of another size (reason wrong_size).
    """
    sources, failures = find_photos([folder])
    faces = np.empty((len(sources), size, size, 3), np.uint8)
    count = 0
    for source in sources:
        try:
            faces[count] = _checked(read_photo(source.path).pixels, size)
            count += 1
        except BadPhoto as problem:
            failures.append((source.path, problem))
    return faces[:count], failures


def _checked(pixels, size):
    height, width = pixels.shape[:2]
    if (height, width) != (size, size):
        raise BadPhoto("wrong_size", f"{width}x{height}, the network takes {size}x{size}: align the photos first")
    return pixels


def fingerprint(faces):
    """A digest of (N, S, S, 3) uint8 faces and their order, by which a resumed run knows its data again."""
    return hashlib.sha256(faces).hexdigest()
