"""Draw samples of trained models into one picture, a row a model.

python -m models.samples samples.png checkpoint/celeba64-learned/vae checkpoint/celeba64
"""
import os
import sys

import numpy as np

import helpers
from helpers import UsageError
from shell.command import command
from shell.lock import check_file
from shell.messages import say, warn
from shell.options import Parser, whole_number
from shell.pictures import tile
from shell.progress import Progress
from shell.signals import StopRequest
from training.manifest import find_model, kind_of

from . import SEARCHED


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("picture", metavar="PNG", help="the picture to write")
    parser.add_argument("models", nargs="+", metavar="MODEL", help="folder of a DCGAN, a VAE or an autoencoder")
    parser.add_argument("--count", type=whole_number(1, 10_000), default=10, metavar="N", help="samples a model")
    options = parser.parse_args(argv)
    if os.path.splitext(options.picture)[1].lower() not in ("", ".png"):
        parser.error(f"the picture is written as PNG: call it {options.picture}.png")
    return options


@command
def main(argv=None):
    options = parse(argv)
    check_file(options.picture)
    kinds = [kind_of(find_model(folder, ("dcgan", *SEARCHED))[0]) for folder in options.models]
    rows = []
    with StopRequest() as stop, Progress(len(kinds), "models") as progress:
        for folder, kind in zip(options.models, kinds):
            rows.append(sample(folder, kind, options.count))
            stop.check()
            progress.update()
    if len({row.shape for row in rows}) > 1:
        raise UsageError("the models make faces of different sizes")
    helpers.write_picture(options.picture, tile(helpers.to_uint8(np.concatenate(rows)), options.count))
    say(f"{options.picture}: " + ", ".join(f"{kind} ({folder})" for folder, kind in zip(options.models, kinds)))


def sample(folder, kind, count):
    """(count, S, S, 3) float32 faces in [-1, 1] of the model in a folder, always the same."""
    from training.checkpoint import load_model
    from training.devices import use_device

    from . import model_type
    use_device("auto")
    return np.asarray(load_model(folder, model_type(kind), warn)[0].sample(count))


if __name__ == "__main__":
    sys.exit(main())
