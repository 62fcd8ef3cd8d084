"""Pack a folder of aligned faces into a few checksummed files, for data sets that memory does not hold.

python -m preprocess.pack_dataset processed-data/train/ processed-data/train.pack --size 64
python train_network.py --dataset processed-data/train.pack
"""
import sys

import helpers
from dataset.folder import each_face
from dataset.store import unfinished_pack, write_pack
from helpers import counted
from shell.command import command
from shell.lock import check_file, claim_folder
from shell.messages import report_failures, say, warn
from shell.options import Parser, whole_number
from shell.progress import Progress
from shell.signals import StopRequest
from shell.sources import find_in_folder


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("input", metavar="INPUT", help="folder of aligned faces")
    parser.add_argument("output", metavar="OUTPUT", help="folder of the pack, which must not exist")
    parser.add_argument("--size", type=whole_number(1, 512), default=64, metavar="PIXELS", help="side of the faces")
    parser.add_argument("--fit", choices=("refuse", "resize", "crop"), default="refuse",
                        help="what to do with a picture of another size; crop keeps its largest centred square")
    return parser.parse_args(argv)


@command
def main(argv=None):
    options = parse(argv)
    unfinished = unfinished_pack(options.output)
    check_file(options.output)
    sources, failures = find_in_folder(options.input, exclude=options.output, warn=warn)
    with claim_folder(unfinished), Progress(len(sources), "faces") as progress, StopRequest() as stop:
        def faces():
            for face in each_face(sources, options.size, failures, options.fit):
                stop.check()
                progress.update()
                yield face
        count = write_pack(options.output, faces())
    report_failures(failures)
    say(f"{counted(count, 'face')} packed in {options.output}, {len(failures)} failed")
    return helpers.SOME_FAILED if failures else 0


if __name__ == "__main__":
    sys.exit(main())
