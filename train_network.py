"""Train the DCGAN on a folder of aligned faces.

python train_network.py --dataset processed-data/train/ --epoch 25 --batch_size 300
"""
import functools
import sys
from contextlib import ExitStack

from helpers import PRECISIONS
from shell.command import command
from shell.lock import claim_folder
from shell.messages import say, warn
from shell.options import Parser, add_training_faces, add_training_run, number, whole_number
from shell.progress import Progress
from shell.signals import StopRequest
from training.machines import this_worker
from training.manifest import check_run_folders

LOSSES = "cross_entropy", "hinge", "least_squares", "wasserstein"
PENALTIES = "none", "r1", "wgan_gp"
AUGMENTATIONS = "color", "translation", "cutout"
PRESETS = {
    "report": {},
    "best": {"batch_size": 64, "epoch": 97, "learning_rate": 0.0002, "average": 0.999, "real_label": 0.9, "noise": 0.1,
             "decay": 0.3},
}


def parse(argv=None):
    """The command line as a namespace; a preset's settings stand wherever the command line has none."""
    parser = make_parser()
    options = parser.parse_args(argv)
    parser.set_defaults(**PRESETS[options.preset])
    options = parser.parse_args(argv)
    if options.penalty == "none" and (options.penalty_weight, options.penalty_every) != (1, 1):
        parser.error("--penalty_weight and --penalty_every are of --penalty")
    options.augment = " ".join(options.augment)
    return options


def make_parser():
    """The options; the defaults are the report's."""
    parser = Parser("Train the DCGAN on aligned faces. The same command again goes on where it stopped.")
    add_training_faces(parser.add_argument_group("faces"))
    run = parser.add_argument_group("run")
    run.add_argument("--preset", choices=list(PRESETS), default="report",
                     help="settings to start from, the report's or those that measured best; options given besides win")
    add_training_run(run, "dcgan", epoch=25, batch_size=300)
    add_networks(parser.add_argument_group("networks"))
    add_updates(parser.add_argument_group("updates (the defaults are the report's)"))
    return parser


def add_networks(sizes):
    """Options that say what the networks are."""
    sizes.add_argument("--image_size", type=int, choices=(64, 128), default=64, help="side of a face in pixels")
    sizes.add_argument("--z_dim", type=whole_number(1), default=100, metavar="N", help="length of z")
    sizes.add_argument("--gf_dim", type=whole_number(1), default=16, metavar="N", help="filters of G's last layer")
    sizes.add_argument("--df_dim", type=whole_number(1), default=16, metavar="N", help="filters of D's first layer")
    sizes.add_argument("--d_norm", choices=("batch", "none", "spectral"), default="batch",
                       help="what normalizes D's layers")


def add_updates(how):
    """Options that say how the networks are updated."""
    how.add_argument("--learning_rate", type=number(above=0), default=0.0003, metavar="RATE", help="of both Adams")
    how.add_argument("--d_learning_rate", type=number(0), default=0.0, metavar="RATE",
                     help="of D's Adam; 0 for the same as G's")
    how.add_argument("--beta1", type=number(0, 0.999), default=0.5, metavar="B", help="of both Adams")
    how.add_argument("--decay", type=number(0, 1), default=0.0, metavar="SHARE",
                     help="share of the run, at its end, in which the learning rate falls to 0")
    how.add_argument("--g_updates", type=whole_number(1), default=1, metavar="N", help="updates of G for one of D")
    how.add_argument("--average", type=number(0, 0.99999), default=0.0, metavar="DECAY",
                     help="sample and save an exponential average of G's weights, such as 0.999")
    how.add_argument("--real_label", type=number(0.5, 1), default=1.0, metavar="P", help="target of D on real faces")
    how.add_argument("--noise", type=number(0), default=0.0, metavar="DEVIATION",
                     help="Gaussian noise on D's inputs, falling to 0 over the run")
    how.add_argument("--loss", choices=LOSSES, default="cross_entropy", help="what D and G minimize")
    how.add_argument("--penalty", choices=PENALTIES, default="none", help="penalty of D's slope")
    how.add_argument("--penalty_weight", type=number(0), default=1.0, metavar="W", help="its factor")
    how.add_argument("--penalty_every", type=whole_number(1), default=1, metavar="STEPS",
                     help="updates from one penalty to the next, which is as much heavier")
    how.add_argument("--augment", nargs="+", choices=AUGMENTATIONS, default=[],
                     help="random changes of real and generated faces before D sees them, for small data sets")
    how.add_argument("--precision", choices=PRECISIONS, default="float32", help="what the convolutions compute in; "
                     "bfloat16 is faster where the processor or GPU has it")


@command
def main(argv=None):
    """Run the command; returns its exit code."""
    options, worker = parse(argv), this_worker()
    saves, log = check_run_folders(options)
    with ExitStack() as held:
        for folder in (saves, log) if worker.is_chief else ():
            held.enter_context(claim_folder(folder))
        stop = held.enter_context(StopRequest())
        import network  # which imports TensorFlow quietly
        from training.loop import carry_out
        step = carry_out(network.DCGAN, options, saves, log, is_chief=worker.is_chief, sample=sample, examine=examine,
                         progress=Progress, stop=stop, warn=warn, say=say)
        say(f"trained {step} steps; saves in {saves}, curves and samples in {log}")


def sample(dcgan, faces, validation):
    """A function that samples always the same 64 latents."""
    return functools.partial(dcgan.generate, dcgan.latents(64, -1))


def examine(dcgan, faces, validation):
    """The examination of every epoch."""
    from nn.adversarial import REAL_ABOVE
    from training.health import Health
    return Health(dcgan, faces, validation, REAL_ABOVE.get(dcgan.training.loss))


if __name__ == "__main__":
    sys.exit(main())
