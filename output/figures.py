"""Pictures that people look at: many faces in one sheet, and sheets that move."""
import io
import itertools
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from helpers import to_levels, write_file, write_picture
from metrics.ranking import better
from shell.messages import printable
from shell.pictures import tile

GAP, MARGIN = 4, 12                                     # pixels between the pictures of a pair, and between pairs
PAGE_WIDTH, LEAST, MOST = 7.2, 0.62, 1                  # inches: of a page's text, and of a place in a figure
APART, POINT = 0.04, 1 / 72                             # inches: between places and between groups of rows; of a point
CAPTION = 14                                            # pixels of a line of text
PLACES = (5, 8), (-5, -8), (-5, 8), (5, -8), (9, 0), (-9, 0)          # of a label beside its point, in points
MARK = 3                                                # pixels that a label keeps off what it must not cover
SIDE, LEGEND, BAR, EVERY = 256, 56, 12, 32              # pixels of levels, a legend and its bar; levels between numbers


def write_sheet(path, pictures, columns=8):
    """Tile (H, W, 3) uint8 pictures, row by row, into one PNG; returns the sheet, uint8 too.

    Faces of fewer pixels are enlarged to the size of the others.
    """
    side = max(map(len, pictures))
    sheet = tile(np.stack([picture if len(picture) == side else fit(picture, side) for picture in pictures]), columns)
    write_picture(path, sheet)
    return sheet


def fit(pixels, side):
    """Scale (H, W, 3) uint8 so that the longer side has `side` pixels."""
    height, width = pixels.shape[:2]
    size = [max(1, round(length * side / max(height, width))) for length in (width, height)]
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3))


def caption(picture, text, side):
    """A (H, W, 3) uint8 picture enlarged to `side` pixels, with a line of text below it, black on white."""
    enlarged = fit(picture, side)
    canvas = Image.fromarray(np.pad(enlarged, ((0, CAPTION), (0, 0), (0, 0)), constant_values=255))
    ImageDraw.Draw(canvas).text((GAP, side), printable(text), fill=(0, 0, 0))
    return np.asarray(canvas)


def caption_width(text):
    """The pixels that a line of text takes below a picture."""
    return GAP + math.ceil(ImageDraw.Draw(Image.new("L", (1, 1))).textlength(printable(text)))


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


def draw_levels(values, greys):
    """Levels (H, W) as greys, each a square, SIDE pixels or a few more in all, and at their right what the greys say.

    greys : of 1 level; white is 255 / greys levels and more. Returns (at least SIDE, about SIDE + LEGEND, 3) uint8.
    """
    step = -(-SIDE // len(values))
    shown = to_levels(greys * values).repeat(step, axis=0).repeat(step, axis=1)
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


def write_comparison(paths, groups, columns, dpi=300):
    """Write the figure that papers print, a face a row, as PNG or PDF by the suffix; each file whole or not at all.

    paths : of the files
    groups : {name: [{column: (H, W, 3) uint8}]}; where there are several, a name stands beside its rows. Where a row
        lacks a column the place stays white
    columns : their order; each stands once above its pictures, its words on lines of their own

    A place has an inch, or less where so many columns would not fit on a page.
    """
    import matplotlib
    from matplotlib.figure import Figure
    headings = [column.split("_") for column in columns]
    side = min(MOST, max(LEAST, PAGE_WIDTH / len(columns)))
    font = min(9, side / POINT / (0.6 * max(len(word) for heading in headings for word in heading)))
    lines = max(map(len, headings))
    top, left = (4 + 1.25 * font * lines) * POINT, 1.5 * font * POINT * (len(groups) > 1)
    height = top + sum(side * len(rows) + APART for rows in groups.values()) - APART
    figure = Figure((left + side * len(columns), height), dpi=dpi)
    with matplotlib.rc_context({"font.size": font, "text.parse_math": False, "pdf.fonttype": 42}):    # no Type 3 fonts
        for place, heading in enumerate(headings):
            for line, word in enumerate(heading, lines - len(heading)):
                _write(figure, left + side * (place + 0.5), (1 + 1.25 * line) * font * POINT, word, va="baseline")
        for name, rows in groups.items():
            if left:
                _write(figure, left / 2, top + side * len(rows) / 2, name, va="center", rotation=90)
            _draw_rows(figure, (left, top, side), rows, columns)
            top += side * len(rows) + APART
        for path in paths:
            buffer, kind = io.BytesIO(), Path(path).suffix[1:]
            figure.savefig(buffer, format=kind, metadata={"CreationDate": None} if kind == "pdf" else None)
            write_file(path, buffer.getvalue())


def _write(figure, x, y, text, **style):
    """Write a text whose middle is x inches from the left, and that is y inches from the top."""
    width, height = figure.get_size_inches()
    figure.text(x / width, 1 - y / height, text, ha="center", **style)


def _draw_rows(figure, corner, rows, columns):
    """Draw the pictures of some rows; corner : the left, the top and the side of the first place, in inches."""
    (width, height), (left, top, side) = figure.get_size_inches(), corner
    shown = side - APART
    for (i, row), (j, column) in itertools.product(enumerate(rows), enumerate(columns)):
        if column in row:
            x, y = left + side * j + APART / 2, height - top - side * (i + 1) + APART / 2
            axes = figure.add_axes((x / width, y / height, shown / width, shown / height))
            axes.set_axis_off()
            axes.imshow(row[column], interpolation="bicubic")


def draw_scores(path, name, curve, others):
    """Write a PNG with a plot of every metric but the first over that one.

    curve : {label of a point: {metric: number}}, joined by a line of this name; others : {name: {metric: number}}
    """
    from matplotlib.figure import Figure
    first, *metrics = next(iter(curve.values()))
    figure = Figure((3 * len(metrics), 3.2), dpi=110, layout="constrained")
    for axes, metric in zip(figure.subplots(1, len(metrics), squeeze=False)[0], metrics):
        points = [(scores[first], scores[metric]) for scores in curve.values()]
        axes.plot(*zip(*points), "o-", label=name)
        for other, scores in others.items():
            axes.plot(scores[first], scores[metric], "s", label=other)
        axes.set(xlabel=f"{first}, {better(first)} is better", ylabel=f"{metric}, {better(metric)} is better")
    figure.axes[0].legend(fontsize=7)
    for axes in figure.axes:
        axes.margins(0.15)                              # for the labels
    figure.draw_without_rendering()                     # only then it is known where the points lie
    for axes, metric in zip(figure.axes, metrics):
        named, rivals = ({label: (scores[first], scores[metric]) for label, scores in methods.items()}
                         for methods in (curve, others))
        _name_points(axes, named, [*named.values(), *rivals.values()])
    content = io.BytesIO()
    figure.savefig(content, format="png")
    write_file(path, content.getvalue())


def _name_points(axes, points, marks):
    """Write labels beside their points {label: (x, y)}, each where it covers no earlier one and few of the marks."""
    marks, taken = axes.transData.transform(marks), []
    for label, point in points.items():
        texts = [axes.annotate(label, point, textcoords="offset points", xytext=place, va="center", fontsize=7,
                               ha="left" if place[0] > 0 else "right", in_layout=False) for place in PLACES]
        boxes = [text.get_window_extent().padded(MARK) for text in texts]
        covered = [(sum(box.overlaps(other) for other in taken), box.count_contains(marks)) for box in boxes]
        chosen = covered.index(min(covered))
        taken.append(boxes[chosen])
        for text in texts[:chosen] + texts[chosen + 1:]:
            text.remove()
