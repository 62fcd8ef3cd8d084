"""What the measurements on photos share: the portraits, their faces, a hole, and the command as it is run."""
import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from dataset.listing import find_photos
from helpers import SOME_FAILED, UsageError, write_picture
from pictures.photo import read_photo
from preprocess.faces import FaceFinder, alignment_matrix, unwarp
from shell.options import Parser, whole_number
from shell.records import read_records
from training.manifest import ROOT

SIZE, TEMPLATE = 64, "innerEyesAndBottomLip"
BLOCK = slice(24, 48), slice(20, 44)                    # of the crop: nose and mouth


def make_parser(what, count=48):
    """The parser of a measurement, with the options that all of them have; `count` is the default of --count."""
    parser = Parser(what)
    parser.add_argument("portraits", metavar="PORTRAITS", help="folder of photos with one face each")
    parser.add_argument("--count", type=whole_number(1), default=count, metavar="N", help="how many, at most")
    parser.add_argument("--pictures", metavar="DIR", help="keep photos and results in this folder")
    parser.add_argument("--arguments", nargs="+", default=[], type="--{}".format, metavar="ARGUMENT",
                        help="more of face_completion.py's, such as method=laplace")
    return parser


def folders(pictures, names):
    """Yield (name, folder of this name), in the folder `pictures` or, without it, in a temporary one."""
    with tempfile.TemporaryDirectory() as temporary:
        for name in names:
            yield name, Path(pictures or temporary, name).resolve()


def find_portraits(folder, count):
    """{name: (photo, landmarks of its largest face)} of the first photos in which a face is found."""
    portraits = each_portrait(FaceFinder(), find_photos([folder])[0])
    return {name: face for name, *face in itertools.islice(portraits, count)}


def each_portrait(finder, sources):
    """Yield (name, photo, landmarks of its largest face) of the photos, listing.Sources, in which a face is found."""
    for source in sources:
        pixels = read_photo(source.path).pixels
        if boxes := finder.boxes(pixels):
            yield Path(source.path).stem, pixels, finder.landmarks(pixels, boxes[0])


def place_faces(finder, pixels, size=SIZE, margin=0.0):
    """The matrices (2, 3) to the crops of all faces of a photo, the largest first."""
    return [place(finder.landmarks(pixels, box), size, margin) for box in finder.boxes(pixels)]


def place(landmarks, size=SIZE, margin=0.0):
    """The matrix (2, 3) to the crop of a face with these landmarks."""
    return alignment_matrix(landmarks, size, TEMPLATE, margin)


def draw_block(matrix, shape):
    """The hole, (H, W) bool, over nose and mouth of a face that `matrix` (2, 3) cuts out of a photo of this shape."""
    crop, hole = np.zeros((SIZE, SIZE, 1)), np.zeros(shape, bool)
    crop[BLOCK] = 1
    window, share, inside = unwarp(crop, matrix, *shape, order=0)
    hole[window] = (share[..., 0] > 0) & inside
    return hole


def write_damaged(folder, name, photo, hole):
    """Write a photo (H, W, 3) uint8, black in its hole (H, W) bool, to folder/photos, and the hole to folder/holes."""
    write_picture(Path(folder, "photos", f"{name}.png"), np.where(hole[..., None], 0, photo).astype(np.uint8))
    write_picture(Path(folder, "holes", f"{name}.png"), np.where(hole, 255, 0).astype(np.uint8))


def complete(folder, mask, out="out", *, arguments=(), start=("face_completion.py",)):
    """Run the command on folder/photos, into folder/out; returns {name: record} of what came back.

    arguments : more words for the command; start : what Python is given to run
    """
    ended = subprocess.run([sys.executable, *start, Path(folder, "photos"), "--mask", mask, "--out_dir",
                            Path(folder, out), *arguments], cwd=ROOT, capture_output=True, text=True)
    if ended.returncode not in (0, SOME_FAILED):
        raise UsageError(ended.stderr.strip().rpartition("\n")[2], ended.returncode)
    return {record["name"]: record for record in read_records(Path(folder, out, "results.jsonl"))
            if record["status"] == "done"}


def read_restored(folder, name, out="out", file="restored.png"):
    """What became of a photo that came back, (H, W, 3) uint8."""
    return read_photo(Path(folder, out, name, file)).pixels
