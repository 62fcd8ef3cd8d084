"""Whole photos as files: small pictures of them."""
import io

import numpy as np
from PIL import Image

from helpers import write_file

LONGEST = 1024                                          # side of a small picture
QUALITY = 88                                            # of its JPEG


def shrink(pixels):
    """(H, W, 3) uint8 with at most LONGEST pixels a side."""
    image = Image.fromarray(pixels)
    image.thumbnail((LONGEST, LONGEST))
    return np.asarray(image)


def write_small(path, pixels):
    """Write (H, W, 3) uint8 as JPEG, whole or not at all; returns its size in bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
    write_file(path, buffer.getvalue())
    return buffer.tell()
