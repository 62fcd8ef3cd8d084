"""What the measurements on photos share: the portraits, the hole over nose and mouth, and the command as it is run."""
import subprocess
import sys
from pathlib import Path

import numpy as np

from helpers import write_picture
from preprocess.faces import unwarp
from shell.options import Parser, output_path, whole_number
from training.manifest import ROOT

SIZE, TEMPLATE = 64, "innerEyesAndBottomLip"
BLOCK = slice(24, 48), slice(20, 44)                    # of the crop: nose and mouth


def make_parser(what, example, count):
    """The parser of a measurement, with the options that all of them have; `count` is the default of --count."""
    parser = Parser(what, example)
    parser.add_argument("portraits", metavar="PORTRAITS", help="folder of photos with one face each")
    parser.add_argument("--count", type=whole_number(1), default=count, metavar="N", help="how many, at most")
    parser.add_argument("--pictures", type=output_path, metavar="DIR", help="keep photos and results in this folder")
    parser.add_argument("--arguments", nargs="+", default=[], type=_as_option, metavar="ARGUMENT",
                        help="more of face_completion.py's, such as method=laplace")
    return parser


def _as_option(text):
    """["--method", "laplace"] of method=laplace."""
    return f"--{text}".split("=", 1)


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
    """Run the command on folder/photos, into folder/out; whatever fails is missing from its records.

    arguments : of --arguments, and words for the command; start : what Python is given to run
    """
    words = [word for argument in arguments for word in ([argument] if isinstance(argument, str) else argument)]
    subprocess.run([sys.executable, *start, Path(folder, "photos"), "--mask", mask, "--out_dir", Path(folder, out),
                    *words], cwd=ROOT, capture_output=True)
