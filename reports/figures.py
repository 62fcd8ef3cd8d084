"""Pictures that people look at: many faces in one sheet, and sheets that move."""
import io

import numpy as np
from PIL import Image

from helpers import read_photo, tile, write_file, write_picture


def write_sheet(path, pictures, columns=8):
    """Tile picture files of equal size, row by row, into one PNG; returns the sheet, (H, W, 3) uint8."""
    sheet = tile(np.stack([read_photo(picture).pixels for picture in pictures]), columns)
    write_picture(path, sheet)
    return sheet


def write_gif(path, frames, milliseconds=400, hold=2000):
    """Write (H, W, 3) uint8 frames as an animation that loops for ever and rests on the last frame."""
    pictures = [Image.fromarray(frame) for frame in frames]
    times = [milliseconds] * (len(pictures) - 1) + [hold]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:], duration=times, loop=0)
    write_file(path, buffer.getvalue())
