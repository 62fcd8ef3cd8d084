"""Write the latent method's answer for other runtimes, as one ONNX file, or as a SavedModel.

It is what encoder, generator and the network that knows what is likely answer, without updates.

python -m completion.export checkpoint/celeba64 celeba64.onnx
"""
import sys

from shell.command import command
from shell.lock import check_file
from shell.messages import say, warn
from shell.options import Parser
from shell.progress import Progress


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("model", metavar="MODEL", help="folder of a DCGAN; the others lie in MODEL-learned/")
    parser.add_argument("out", metavar="OUT", help="the file to write, if it ends in .onnx, for "
                        "face_completion.py --onnx, or else the folder of a SavedModel")
    return parser.parse_args(argv)


@command
def main(argv=None):
    options = parse(argv)
    check_file(options.out)
    with Progress(None, "exporting"):
        from methods import exporting
        answer = exporting.load_answer(options.model, warn)
        write = exporting.write_onnx if options.out.lower().endswith(".onnx") else exporting.write_saved_model
        write(answer, options.out)
    say(f"{options.out}: {' and '.join(answer.outputs)} faces of {answer.side} pixels a side")


if __name__ == "__main__":
    sys.exit(main())
