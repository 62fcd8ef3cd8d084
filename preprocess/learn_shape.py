"""Learn how the landmarks of faces lie to each other, by which hidden ones are told from others.

python -m preprocess.learn_shape PROCESSED/alignment.jsonl preprocess/face_shape.npy
"""
import sys

import numpy as np

from helpers import NO_INPUT, UsageError, counted, write_array
from shell.command import command
from shell.lock import check_file
from shell.messages import say
from shell.options import Parser
from shell.progress import Progress
from shell.records import read_records

TEMPLATE = "innerEyesAndBottomLip"


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("records", metavar="RECORDS", help="alignment.jsonl of preprocess.align_dlib")
    parser.add_argument("output", metavar="OUTPUT", help="the file for the shapes")
    return parser.parse_args(argv)


@command
def main(argv=None):
    options = parse(argv)
    check_file(options.output)
    from .affine import move
    from .face_shape import MODES, learn_shape
    from .faces import alignment_matrix
    with Progress(None, "learning"):
        landmarks = [np.array(record["landmarks"], float) for record in read_records(options.records, landmarks=list)
                     if len(record["landmarks"]) == 68]
        if len(landmarks) <= MODES:
            raise UsageError(f"{counted(len(landmarks), 'face')} in {options.records}, needed are more than {MODES}",
                             NO_INPUT)
        shapes = learn_shape(np.stack([move(alignment_matrix(face, 1, TEMPLATE), face) for face in landmarks]))
    write_array(options.output, shapes)
    say(f"{MODES} ways in which {len(landmarks)} faces differ; shapes in {options.output}")


if __name__ == "__main__":
    sys.exit(main())
