"""Pictures as several commands write and check them."""
import os

import numpy as np

from helpers import PNG_END, PNG_START


def tile(faces, columns=8):
    """Lay (N, H, W, 3) uint8 faces out in rows of `columns`, row by row; empty places of the last row are white."""
    count, height, width, channels = faces.shape
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height, width, channels), 255, np.uint8)
    sheet[:count] = faces
    sheet = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width, channels)


def is_whole_png(path):
    """Whether a file begins and ends as a PNG does; a half-written one does not."""
    try:
        with open(path, "rb") as file:
            head = file.read(8)
            file.seek(-12, os.SEEK_END)
            return head == PNG_START and file.read() == PNG_END
    except OSError:
        return False
