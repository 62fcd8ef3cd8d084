"""The page of a split data set: counts, mean faces, contact sheets, how sharp and large the faces are, duplicates."""
import numpy as np
from scipy import ndimage

from helpers import BadPhoto, counted, resize
from pictures.photo import read_photo
from shell.pictures import tile

from .page import FaceRow, Page

SAMPLE, SHEET, SIDE, PAIRS = 500, 48, 64, 96            # faces looked at, shown, their pixels, duplicates shown


def write_dataset_page(path, split, duplicates, settings):
    """Write the page, whole or not at all; means and histograms are of up to SAMPLE faces of each side.

    split : {side: paths}; duplicates : [(path, path, distance in bits)]; settings : a JSON-able record, shown folded
    """
    page, measures = Page(), {}
    for side, paths in split.items():
        faces = list(_read_some(paths, SAMPLE))
        if not faces:
            continue
        small = np.stack([resize(face, SIDE, "crop") for face in faces])
        mean = [np.rint(small.mean(axis=0)).astype(np.uint8)] if len(small) > 1 else []
        sheet = tile(np.stack([*mean, *small[:SHEET - 1]]), columns=12)
        page.add_figure(f"{side}: {counted(len(paths), 'face')}" + "; the first is their mean" * len(mean), sheet)
        measures[side] = [(ndimage.laplace(face.mean(axis=2)).var(), min(face.shape[:2])) for face in faces]
    if measures:
        page.add_figure("sharpness (variance of the Laplacian) and shorter side in pixels", _draw_histograms(measures))
    for one, other, distance in duplicates[:PAIRS]:
        pictures = dict(zip(("one", "other"), _read_some((one, other), 2)))
        page.add(f"near-duplicates ({len(duplicates)})", FaceRow(str(one), pictures, {}, {}, f"{distance} bits"))
    counts = ", ".join(f"{len(paths)} {side}" for side, paths in split.items())
    page.write(path, f"Data set: {counts}", settings=settings, groups_of="Photos")


def _read_some(paths, count):
    """Yield up to `count` of the pictures that can be read, evenly chosen."""
    for path in paths[::max(1, -(-len(paths) // count))]:
        try:
            yield read_photo(path).pixels
        except BadPhoto:
            continue


def _draw_histograms(measures):
    """(H, W, 3) uint8; measures : {side: [(sharpness, shorter side)]}."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure((9, 2.6), dpi=100, layout="constrained")
    for axes, column, title in zip(figure.subplots(1, 2), (0, 1), ("sharpness", "shorter side")):
        axes.hist([[row[column] for row in rows] for rows in measures.values()], bins=20, density=True,
                  label=list(measures))
        axes.set_xlabel(title)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_yticks([])
        axes.legend()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]
