"""Options that commands share, and what their values may be."""
import argparse
import math

from helpers import USAGE, VERSION

LARGEST = 2 ** 31 - 1                                   # whole number that every library takes, seeds among them


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line and whose help shows every default, and an example at its end."""

    def __init__(self, description, example=None, **others):
        super().__init__(description=description, epilog=example and f"example:\n  {example}",
                         formatter_class=_HelpFormatter, allow_abbrev=False, **others)
        self.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")

    def error(self, message):
        self.exit(USAGE, f"{self.prog}: error: {message} (--help lists the options)\n")

    def refuse_given(self, options, names, why):
        """End with a usage error if one of the options `names` is given, though it would do nothing."""
        for name in names:
            if getattr(options, name) != self.get_default(name):
                self.error(f"--{name} {why}")


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows the defaults that say something."""

    def _get_help_string(self, action):
        return action.help if action.default in (None, False, []) else super()._get_help_string(action)


def whole_number(at_least=0, at_most=LARGEST):
    """An argparse type: an integer from `at_least` to `at_most`, such as a seed."""
    def convert(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not at_least <= value <= at_most:
            shown = text if len(text) <= 40 else f"{text[:40]}..."
            raise argparse.ArgumentTypeError(f"needs a whole number from {at_least} to {at_most}, got {shown!r}")
        return value
    return convert


def number(at_least=-math.inf, at_most=math.inf, above=-math.inf):
    """An argparse type: a finite number within the bounds; `above` is a bound that it must not equal."""
    def convert(text):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and at_least <= value <= at_most and value > above):
            bounds = [f"{name} {bound:g}" for name, bound in
                      (("at least", at_least), ("above", above), ("at most", at_most)) if math.isfinite(bound)]
            raise argparse.ArgumentTypeError(f"needs a finite number {' and '.join(bounds)}, got {text!r}")
        return value
    return convert


def add_inputs(parser):
    """Declare the inputs that every command on many photos takes."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="photos or folders of photos; - reads a list from "
                        "standard input")
    parser.add_argument("--from_file", metavar="LIST", help="a text file with one path a line (60,000 paths do not "
                        "fit on a command line)")


def add_training_faces(group):
    """Declare the options of every training command that say which faces to train on."""
    group.add_argument("--dataset", required=True, metavar="DIR",
                       help="folder of aligned faces to train on, or a pack of preprocess.pack_dataset")
    group.add_argument("--validation", metavar="DIR", help="folder of faces of other people; every epoch the run is "
                       "examined on them, and the model that completes them best is kept in best/")
    group.add_argument("--strict", action="store_true", help="refuse a data set with unreadable files")
    group.add_argument("--no-flip", dest="flip", action="store_false", help="do not mirror faces at random")


def add_training_run(group, name, *, epoch, batch_size):
    """Declare those that say for how long, where, and what to keep; `name` is the run's unless it gets another."""
    group.add_argument("--epoch", type=whole_number(1), default=epoch, metavar="N", help="passes over the faces")
    group.add_argument("--batch_size", type=whole_number(1), default=batch_size, metavar="N", help="faces an update")
    group.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides weights, noise and order")
    group.add_argument("--run", default=name, metavar="NAME", help="name of the run's folders")
    group.add_argument("--checkpoint_dir", default="checkpoint", metavar="DIR", help="saves go to DIR/NAME")
    group.add_argument("--log_dir", default="logs", metavar="DIR", help="curves and samples go to DIR/NAME")
    for what, default, between in (("save", 500, "saves"), ("sample", 250, "sheets of samples"),
                                   ("report", 10, "points of the curves")):
        group.add_argument(f"--{what}_every", type=whole_number(1), default=default, metavar="STEPS",
                           help=f"updates between {between}")
    group.add_argument("--keep", type=whole_number(1), default=3, metavar="N", help="saves to keep")
    group.add_argument("--resume_from", type=whole_number(), metavar="STEP",
                       help="go on from the save of this step instead of the newest; what came after it is dropped")
    group.add_argument("--begin_from", metavar="DIR",
                       help="model whose weights a new run begins with, as far as it has the same networks")
    group.add_argument("--export", metavar="DIR", help="at the end, write a model folder without the optimizers")
    group.add_argument("--half", action="store_true", help="write the kernels of that model in 16 bits, to ship it")
    group.add_argument("--other_data", action="store_true", help="go on with a run although the faces have changed")
    group.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where to train")
    group.add_argument("--strategy", choices=("auto", "one", "mirrored", "multi_worker"), default="auto",
                       help="one device, all of this machine, or those of all machines that TF_CONFIG names; auto "
                       "takes all there are")
    group.add_argument("--xla", action="store_true", help="compile the update by XLA, for a GPU; it draws other "
                       "random numbers")
