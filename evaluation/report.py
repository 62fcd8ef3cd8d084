"""What an evaluation shows: its report and its figure."""
import math
from statistics import fmean

import numpy as np

from completion.face import FaceReader
from completion.holes import StandardHoles
from helpers import UsageError, counted, read_json
from metrics.ranking import evenly, spread
from output.figures import write_comparison
from output.page import FaceRow, Page
from pictures.photo import read_photo

from .evaluated_folder import CONFIG, picture_of
from .tables import FEW, is_small, tell_exact, under_mask

FIGURE = "figure.png", "figure.pdf"
FIGURE_FACES = 6, 3                                     # of one mask, and of each of several
FAILURES = 500                                          # photos that the report names


def write_page(folder, faces, groups, summary, shown, failures=()):
    """Write report.html.

    folder : an EvaluatedFolder; faces : {name: path}; groups : {(mask, method): Measured}; summary : its rows
    shown : faces a mask; failures : [(path, reason)] of photos that were not measured
    """
    config, steps, page = read_json(folder.path / CONFIG), folder.read_steps(), Page()
    for failure in failures[:FAILURES]:
        page.add_failure(*failure)
    masks, methods = (list(dict.fromkeys(part)) for part in zip(*groups))
    for mask in masks:
        of_mask = under_mask(groups, mask)
        read, ranked = _reader(config, mask), _rank(of_mask)
        for index, note in spread(len(ranked), shown):
            face = read(faces[ranked[index]], ranked[index])
            frames = _frames(folder.path, face.name, mask, steps.get((face.name, mask), ()))
            pictures = _pictures(folder.path, face, mask, of_mask)
            page.add(mask, FaceRow(face.name, pictures, frames, _scores(face.name, of_mask),
                                   note=note if len(ranked) > 1 else ""))
    count = len(set().union(*(group.places for group in groups.values())))
    choice = f", {shown} of each mask shown: the best, the middle and the worst by the SSIM of {methods[0]}"
    facts = [("Methods", ", ".join(methods)), ("Masks", ", ".join(masks)),
             ("Faces", str(count) + choice * (count > shown)), *(("PSNR", line) for line in tell_exact(summary)),
             ("Failed", str(len(failures) or ""))]
    title = f"Face completion: methods and holes, {counted(count, 'face')}"
    page.write(folder.path / "report.html", title, facts=facts, summary=summary,
               warning=FEW if is_small(summary) else "", settings=config)


def write_figure(folder, faces, groups, masks=None, methods=None):
    """Write figure.png and figure.pdf: a few faces under all masks by all methods, or by those that are named.

    folder, faces, groups : as above. Methods that are not named come the best first, by the mean PSNR in the hole over
    masks and faces. The faces are the same under all masks: ranked by the mean of that PSNR over masks and methods, the
    middle ones of equal parts. Of all this only faces count that all methods have, if there are any.
    Raises UsageError if nothing of what is named was measured.
    """
    masks = masks or list(dict.fromkeys(mask for mask, _ in groups))
    groups = {key: group for key, group in groups.items() if key[0] in masks and (not methods or key[1] in methods)}
    if not groups:
        raise UsageError("nothing was measured of what the figure is to show")
    shared = _shared(groups.values())
    methods = methods or sorted(dict.fromkeys(method for _, method in groups), key=lambda method: -_mean_psnr(
        [group for (_, name), group in groups.items() if name == method], shared))
    ranked = sorted(shared, key=lambda name: (-_mean_psnr(groups.values(), [name]), name))
    chosen = [ranked[place] for place in evenly(len(ranked), FIGURE_FACES[len(masks) > 1])]
    rows, config = {}, read_json(folder.path / CONFIG)
    for mask in masks:
        read, of_mask = _reader(config, mask), under_mask(groups, mask)
        rows[mask] = [_pictures(folder.path, read(faces[name], name), mask, of_mask) for name in chosen]
    write_comparison([folder.path / name for name in FIGURE], rows, ["original", "masked", *methods])


def _reader(config, mask):
    return FaceReader(StandardHoles(mask, config["seed"]), config["image_size"], config["seed"])


def _shared(groups):
    """The faces that all groups have; if they share none, those of any group."""
    places = [set(group.places) for group in groups]
    return set.intersection(*places) or set.union(*places)


def _mean_psnr(groups, faces):
    """The mean PSNR in the hole of some faces; infinite where none has a number: they came out perfect."""
    numbers = [group.value(face, "hole_psnr") for group in groups for face in faces]
    return fmean(present) if (present := [number for number in numbers if number is not None]) else math.inf


def _rank(methods):
    """The faces of a mask by the first method's SSIM in the hole."""
    leading = next(iter(methods.values()))
    return sorted(_shared(methods.values()), key=lambda name: (leading.value(name, "hole_ssim") or 0, name))


def _pictures(out, face, mask, methods):
    pictures = {"original": face.pixels, "masked": face.masked}
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
