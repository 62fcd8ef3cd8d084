"""Pictures as several commands write and check them."""
import zlib

import numpy as np

from helpers import open_plain
from pictures.photo import PNG_END, PNG_START


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
        with open_plain(path) as file:
            content = file.read()
    except OSError:
        return False
    place = len(PNG_START)
    while content.startswith(PNG_START) and place + 12 <= len(content):
        end = place + 12 + int.from_bytes(content[place:place + 4], "big")
        if zlib.crc32(content[place + 4:end - 4]).to_bytes(4, "big") != content[end - 4:end]:
            return False
        place = end
    return content.endswith(PNG_END) and place == len(content)
