"""Train the DCGAN on aligned faces. The same command again goes on where it stopped.

python train_network.py --dataset processed-data/train/ --epoch 25 --batch_size 300
python train_network.py --dataset faces/ --preset best --run mine --begin_from checkpoint/celeba64
tensorboard --logdir logs
"""
import interrupts  # noqa: F401

import sys
from functools import partial

from models import model_type
from nn.choices import AUGMENTATIONS, LOSSES, NORMS, PENALTIES
from shell.command import command
from shell.options import Parser, Words, number, whole_number
from training.run_command import GROWN, PRECISION, add_faces, add_run, add_schedule, add_sizes, carry_out

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
    return options


def make_parser():
    """The options; the defaults are the report's."""
    parser = Parser(__doc__)
    add_faces(parser.add_argument_group("faces"))
    run = parser.add_argument_group("run")
    run.add_argument("--preset", choices=list(PRESETS), default="report",
                     help="settings to start from, the report's or those that measured best; options given besides win")
    add_run(run, "dcgan", epoch=25, batch_size=300)
    sizes = parser.add_argument_group("networks")
    add_sizes(sizes, "z_dim", "gf_dim", "df_dim")
    sizes.add_argument("--grown", **GROWN)
    sizes.add_argument("--d_norm", choices=NORMS, default="batch", help="what normalizes D's layers")
    add_updates(parser.add_argument_group("updates (the defaults are the report's)"))
    return parser


def add_updates(group):
    """Declare the options that say how the networks are updated."""
    add_schedule(group, 0.0003)
    group.add_argument("--d_learning_rate", type=number(0), default=0.0, metavar="RATE",
                       help="of D's Adam; 0 for the same as G's")
    group.add_argument("--g_updates", type=whole_number(1, 100), default=1, metavar="N",
                       help="updates of G for one of D")
    group.add_argument("--average", type=number(0, 0.99999), default=0.0, metavar="DECAY",
                       help="sample and save an exponential average of G's weights, such as 0.999")
    group.add_argument("--real_label", type=number(0.5, 1), default=1.0, metavar="P", help="target of D on real faces")
    group.add_argument("--noise", type=number(0), default=0.0, metavar="DEVIATION",
                       help="Gaussian noise on D's inputs, falling to 0 over the run")
    group.add_argument("--loss", choices=LOSSES, default="cross_entropy", help="what D and G minimize")
    group.add_argument("--penalty", choices=("none", *PENALTIES), default="none", help="penalty of D's slope")
    group.add_argument("--penalty_weight", type=number(0), default=1.0, metavar="W", help="its factor")
    group.add_argument("--penalty_every", type=whole_number(1), default=1, metavar="STEPS",
                       help="updates from one penalty to the next, which is as much heavier")
    group.add_argument("--augment", nargs="+", choices=AUGMENTATIONS, action=Words, default="",
                       help="random changes of real and generated faces before D sees them, for small data sets")
    group.add_argument("--precision", **PRECISION)


@command
def main(argv=None):
    carry_out(vars(parse(argv)), partial(model_type, "dcgan"))


if __name__ == "__main__":
    sys.exit(main())
