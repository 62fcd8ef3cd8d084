"""What an evaluation shows: the rows of its report and its figure."""
from helpers import read_records
import numpy as np

import helpers
from completion.face import read_face
from metrics.intervals import spread
from output.figures import write_comparison
from output.page import FaceRow, write_report

from .evaluated_folder import SEARCHES, picture_of

FIGURE_FACES, FIGURE_METHODS = 6, ("total_variation", "low_rank", "patchmatch", "latent")


def write_pictures(out, faces, groups, summary, settings, shown):
    """Write report.html, and figure.png of two of the best, the median and the worst faces under the first hole.

    faces : {name: path}; groups : {(mask, method): Measured}; summary : its rows; settings : what was run, with the
    seed; shown : faces a mask in the report
    """
    steps = {(record["face"], record["mask"]): record["steps"] for record in read_records(out / SEARCHES)
             if record.get("method", "latent") == "latent"}
    rows = {}
    for mask in dict.fromkeys(mask for mask, _ in groups):
        methods = {method: group for (of, method), group in groups.items() if of == mask}
        leading = next(iter(methods.values()))
        ranked = sorted(set.intersection(*(set(group.places) for group in methods.values())),
                        key=lambda name: (leading.value(name, "hole_ssim") or 0, name))
        rows[mask] = [_face_row(out, ranked[index], mask, methods, faces, steps, note, settings["seed"])
                      for index, note in spread(len(ranked), shown)]
    write_report(out / "report.html", "Face completion: methods and holes", rows, summary=summary, settings=settings)
    first = next(iter(rows.values()))
    columns = ["original", "masked", *[name for name in FIGURE_METHODS if first and name in first[0].pictures]]
    by_note = [[row for row in first if row.note == note] for note in ("best", "median", "worst")]
    chosen = [row for rows in by_note for row in rows[:FIGURE_FACES // len(by_note)]]
    write_comparison(out / "figure.png", [row.pictures for row in chosen], columns)


def _face_row(out, name, mask, methods, faces, steps, note, seed):
    size = helpers.read_photo(faces[name]).pixels.shape[0]
    face = read_face(faces[name], name, size, mask=mask, seed=seed)
    pictures = {"original": face.pixels, "masked": np.where(face.known[..., None], face.pixels, 255).astype(np.uint8)}
    pictures |= {method: helpers.read_photo(out / picture_of(name, mask, method)).pixels for method in methods}
    scores = {method: {metric: group.value(name, metric) for metric in ("hole_psnr", "hole_ssim")}
              for method, group in methods.items()}
    return FaceRow(name, pictures, _frames(out, name, mask, steps.get((name, mask), ())), scores, note)


def _frames(out, name, mask, steps):
    """{iterations: picture} of a latent search, from its strip."""
    if not steps:
        return {}
    strip = helpers.read_photo(out / picture_of(name, mask, "latent", ".steps")).pixels
    return dict(zip(steps, np.split(strip, len(steps), axis=1)))
