"""How fast photos are aligned on one core, against OpenFace's own algorithm, and which boxes and crops differ.

taskset -c 0 python -m benchmarks.alignment_speed samples/

The peer does what OpenFace's align-dlib.py does, one photo at a time: read by OpenCV, the detector on the doubled
photo, its largest box, 68 landmarks, warpAffine, a PNG. All three take each photo in turn, in CPU time (user and
system); the rate is the median of the rounds, without the start, which is given apart.
"""
import itertools
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dataset.listing import find_photos
from helpers import BadPhoto, counted
from pictures.photo import read_photo
from preprocess import alignment, dlib_models
from preprocess.templates import TEMPLATES
from shell.command import command
from shell.options import Parser, whole_number

from .portraits import SIZE, TEMPLATE

WAYS = "openface", "exact", "fast"


class OpenFace:
    """Amos, Ludwiczuk, Satyanarayanan, "OpenFace", CMU-CS-16-118, 2016: align_dlib.py and util/align-dlib.py."""

    def __init__(self):
        import dlib
        self.dlib = dlib
        self.detector = dlib.get_frontal_face_detector()
        self.predictor = dlib.shape_predictor(str(dlib_models.checked(dlib_models.LANDMARKS)))
        indices, places = TEMPLATES[TEMPLATE]
        self.indices, self.places = list(indices), np.float32(places) * SIZE

    def __call__(self, path, target):
        """Write the crop; returns its box, None if no face is found."""
        import cv2
        bgr = cv2.imread(str(path))
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        boxes = self.detector(rgb, 1)
        if not boxes:
            return None
        box = max(boxes, key=lambda box: box.width() * box.height())
        points = np.float32([(point.x, point.y) for point in self.predictor(rgb, box).parts()])
        crop = cv2.warpAffine(rgb, cv2.getAffineTransform(points[self.indices], self.places), (SIZE, SIZE))
        cv2.imwrite(str(target), cv2.cvtColor(crop, cv2.COLOR_RGB2BGR))
        return box.left(), box.top(), box.right(), box.bottom()


class Ours:
    """What a process of preprocess.align_dlib does, by an effort of preprocess.face_search."""

    def __init__(self, folder, effort):
        alignment.prepare("", folder, alignment.Plan(effort=effort))
        self.worker = alignment._worker

    def __call__(self, path, target):
        alignment._worker = self.worker
        try:
            return tuple(alignment.align_one((path, target.stem, None))["box"])
        except BadPhoto:
            return None


def measure(paths, rounds, folder):
    """({way: CPU seconds of each round}, {way: seconds of its start}, {way: [what compare() says of each photo]})."""
    starts, ways = {}, {}
    for way in WAYS:
        begun = time.process_time()
        ways[way] = OpenFace() if way == "openface" else Ours(folder, way)
        starts[way] = time.process_time() - begun
    seconds, differences = {way: np.zeros(rounds) for way in WAYS}, {way: [] for way in WAYS[1:]}
    for number, path in itertools.product(range(rounds), paths):
        boxes = {}
        for way, align in ways.items():
            begun = time.process_time()
            boxes[way] = align(path, Path(folder, f"{way}.png"))
            seconds[way][number] += time.process_time() - begun
        for way in differences if number == 0 else ():
            differences[way].append(compare(folder, way, boxes))
    return seconds, starts, differences


def compare(folder, way, boxes):
    """(whether the box is OpenFace's, mean and largest difference of the crops in levels or None)."""
    one, other = boxes["openface"], boxes[way]
    if one is None or other is None:
        return one == other, None, None
    apart = np.abs(np.subtract(*(read_photo(Path(folder, f"{name}.png")).pixels.astype(int)
                                 for name in ("openface", way))))
    return one == other, apart.mean(), apart.max()


def report(seconds, starts, differences, count):
    """Print what was measured."""
    rate = {way: 1000 * np.median(values) / count for way, values in seconds.items()}
    for way in WAYS:
        print(f"{way}: {rate[way]:.1f} ms a photo, {rate['openface'] / rate[way]:.2f} times as fast as OpenFace, "
              f"start {starts[way]:.2f} s")
    for way, found in differences.items():
        same, other = ([row for row in found if row[0] is equal and row[1] is not None] for equal in (True, False))
        print(f"{way}: of {count} boxes {sum(not row[0] for row in found)} differ; crops differ by "
              f"{np.mean([row[1] for row in same] or [0]):.3f} levels on average and "
              f"{max([row[2] for row in same] or [0])} at most where the box is the same, "
              f"by {np.mean([row[1] for row in other] or [0]):.1f} elsewhere")


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("photos", nargs="+", metavar="FOLDER", help="folders of photos, each measured by itself")
    parser.add_argument("--count", type=whole_number(1), default=100, metavar="N", help="photos of each, evenly chosen")
    parser.add_argument("--rounds", type=whole_number(1), default=3, metavar="N", help="how often")
    return parser.parse_args(argv)


@command
def main(argv=None):
    options = parse(argv)
    for folder in options.photos:
        paths = [source.path for source in find_photos([folder])[0]]
        paths = paths[::max(1, len(paths) // options.count)][:options.count]
        print(f"{folder}: {counted(len(paths), 'photo')}")
        with tempfile.TemporaryDirectory() as output:
            seconds, starts, differences = measure(paths, options.rounds, output)
        report(seconds, starts, differences, len(paths))


if __name__ == "__main__":
    sys.exit(main())
