"""What an evaluation shows: the rows of its report and its figure."""
import numpy as np

from completion.face import FaceReader
from completion.holes import StandardHoles
from helpers import read_json
from metrics.intervals import spread
from output.figures import write_comparison
from output.page import FaceRow, Page
from pictures.photo import read_photo

from .evaluated_folder import CONFIG, picture_of

FIGURE_FACES, FIGURE_METHODS = 6, ("total_variation", "low_rank", "patchmatch", "latent")


def write_pictures(folder, faces, groups, summary, shown):
    """Write report.html, and figure.png of two of the best, the median and the worst faces under the first hole.

    folder : an EvaluatedFolder; faces : {name: path}; groups : {(mask, method): Measured}; summary : its rows
    shown : faces a mask in the report
    """
    settings, steps, page, first = read_json(folder.path / CONFIG), folder.read_steps(), Page(), []
    for mask in dict.fromkeys(mask for mask, _ in groups):
        methods = {method: group for (of, method), group in groups.items() if of == mask}
        read = FaceReader(StandardHoles(mask, settings["seed"]), settings["image_size"], settings["seed"])
        ranked = _rank(methods)
        for index, note in spread(len(ranked), shown):
            face = read(faces[ranked[index]], ranked[index])
            frames = _frames(folder.path, face.name, mask, steps.get((face.name, mask), ()))
            row = FaceRow(face.name, _pictures(folder.path, face, mask, methods), frames, _scores(face.name, methods),
                          note=note)
            page.add(mask, row)
            if mask == next(iter(groups))[0]:
                first.append(row)
    page.write(folder.path / "report.html", "Face completion: methods and holes", summary=summary, settings=settings)
    _write_figure(folder.path / "figure.png", first)


def _rank(methods):
    """The faces that all methods have, or if there are none all faces, by the first method's SSIM in the hole."""
    places = [set(group.places) for group in methods.values()]
    leading = next(iter(methods.values()))
    return sorted(set.intersection(*places) or set.union(*places), key=lambda name: (
        name in leading.places and leading.value(name, "hole_ssim") or 0, name))


def _pictures(out, face, mask, methods):
    pictures = {"original": face.pixels, "masked": np.where(face.known[..., None], face.pixels, 255).astype(np.uint8)}
    return pictures | {method: read_photo(out / picture_of(face.name, mask, method)).pixels
                       for method, group in methods.items() if face.name in group.places}


def _scores(name, methods):
    return {method: {metric: group.value(name, metric) for metric in ("hole_psnr", "hole_ssim")}
            for method, group in methods.items() if name in group.places}


def _frames(out, name, mask, steps):
    """{iterations: picture} of a latent search, from its strip."""
    if not steps:
        return {}
    strip = read_photo(out / picture_of(name, mask, "latent", ".steps")).pixels
    return dict(zip(steps, np.split(strip, len(steps), axis=1)))


def _write_figure(path, rows):
    columns = ["original", "masked", *[name for name in FIGURE_METHODS if any(name in row.pictures for row in rows)]]
    by_note = [[row for row in rows if row.note == note] for note in ("best", "median", "worst")]
    chosen = [row for rows in by_note for row in rows[:FIGURE_FACES // len(by_note)]]
    write_comparison(path, [row.pictures for row in chosen], columns)
