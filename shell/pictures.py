"""Pictures as several commands write and check them."""
import io

import numpy as np
from PIL import Image

from helpers import read_bytes
from pictures.photo import PNG_END


def tile(faces, columns=8):
    """Lay (N, H, W, 3) uint8 faces out in rows of `columns`, row by row; empty places of the last row are white."""
    count, height, width, channels = faces.shape
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height, width, channels), 255, np.uint8)
    sheet[:count] = faces
    sheet = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width, channels)


def is_whole_png(path):
    """Whether every part of a PNG file is there, and as it was written by the checksum that it bears."""
    try:
        content = read_bytes(path)
        Image.open(io.BytesIO(content), formats=("PNG",)).verify()
    except Exception:                                   # a decoder fed hostile bytes may raise anything at all
        return False
    return content.endswith(PNG_END)
