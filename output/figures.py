"""Pictures that people look at: many faces in one sheet, and sheets that move."""
import io

import numpy as np
from PIL import Image, ImageDraw

from helpers import write_file, write_picture
from shell.pictures import tile

GAP, MARGIN = 4, 12                                     # pixels between the pictures of a pair, and between pairs
LEGEND, BAR, EVERY = 56, 12, 32                         # pixels of a legend and its bar; levels between its numbers


def write_sheet(path, pictures, columns=8):
    """Tile (H, W, 3) uint8 pictures of equal size, row by row, into one PNG; returns the sheet, uint8 too."""
    sheet = tile(np.stack(pictures), columns)
    write_picture(path, sheet)
    return sheet


def fit(pixels, side):
    """Scale (H, W, 3) uint8 so that the longer side has `side` pixels."""
    height, width = pixels.shape[:2]
    size = [max(1, round(length * side / max(height, width))) for length in (width, height)]
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3))


def pair(before, after, side):
    """Two (H, W, 3) uint8 pictures beside each other, each in a square of `side` pixels, on white.

    Returns (side + MARGIN, 2 * side + GAP + MARGIN, 3) uint8; the margin, right and below, parts it from other pairs.
    """
    canvas = np.full((side + MARGIN, 2 * side + GAP + MARGIN, 3), 255, np.uint8)
    before, after = fit(before, side), fit(after, side)
    for picture, left in ((before, side - before.shape[1]), (after, side + GAP)):
        height, width = picture.shape[:2]
        top = (side - height) // 2
        canvas[top:top + height, left:left + width] = picture
    return canvas


def draw_levels(values, greys, side=256):
    """Levels (H, W) as greys, each a square, `side` pixels or a few more in all, and at their right what the greys say.

    greys : of 1 level; white is 255 / greys levels and more. Returns (at least side, about side + LEGEND, 3) uint8.
    """
    step = -(-side // len(values))
    shown = np.rint(greys * values).clip(0, 255).astype(np.uint8).repeat(step, axis=0).repeat(step, axis=1)
    legend = np.full((len(shown), LEGEND), 255, np.uint8)
    bar = np.linspace(255, 0, len(shown) - 2 * BAR)
    legend[BAR:-BAR, BAR:2 * BAR] = np.rint(bar)[:, None]
    picture = Image.fromarray(np.concatenate([shown, legend], axis=1))
    for level in range(0, int(255 / greys) + 1, EVERY):
        place = BAR + int(np.abs(bar - greys * level).argmin())
        ImageDraw.Draw(picture).text((shown.shape[1] + 2 * BAR + GAP, place - 6), str(level), fill=0)
    return np.asarray(picture.convert("RGB"))


def without_legend(picture, side):
    """Of what draw_levels made of (side, side) levels a pixel for each of them, (side, side, 3)."""
    step = len(picture) // side
    return picture[::step, :side * step:step]


def write_gif(path, frames, milliseconds=400, hold=2000):
    """Write (H, W, 3) uint8 frames as an animation that loops for ever and rests on the last frame."""
    pictures = [Image.fromarray(frame) for frame in frames]
    times = [milliseconds] * (len(pictures) - 1) + [hold]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:], duration=times, loop=0)
    write_file(path, buffer.getvalue())


def write_comparison(path, rows, columns, dpi=300):
    """Write the figure that papers print, a face a row and a picture an inch: PNG, whole or not at all.

    rows : [{column: (H, W, 3) uint8}]; where a row lacks a column the place stays white
    columns : their order; each stands once above its pictures, its words on lines of their own
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    heading = 0.06 + 0.15 * max(column.count("_") + 1 for column in columns)                # inches, 9 points a line
    figure = Figure((len(columns), len(rows) + heading), dpi=dpi)
    grid = figure.subplots(len(rows), len(columns), squeeze=False, gridspec_kw={
        "left": 0, "right": 1, "bottom": 0, "top": len(rows) / (len(rows) + heading), "wspace": 0.04, "hspace": 0.04})
    for (i, j), axes in np.ndenumerate(grid):
        axes.set_axis_off()
        if columns[j] in rows[i]:
            axes.imshow(rows[i][columns[j]], interpolation="bicubic")
    for axes, column in zip(grid[0], columns):
        axes.set_title(column.replace("_", "\n"), fontsize=9, pad=3, linespacing=1.05, parse_math=False)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    write_file(path, buffer.getvalue())
