"""What the commands that train share: their options, these as values, and how a run is carried out."""
import dataclasses
from contextlib import ExitStack

from nn.choices import PRECISIONS
from shell.lock import claim_folder
from shell.messages import say, warn
from shell.options import folder_name, number, whole_number
from shell.progress import Progress
from shell.signals import StopRequest

from .machines import this_worker
from .run_folders import check_places
from .settings import Console, Devices, Faces, Places, Run, Settings

# Arguments of add_argument for what some networks have.
GROWN = {"type": whole_number(), "default": 0, "metavar": "LAYERS", "help": "outermost layers that a model of fewer "
         "pixels has not; begun from one of half the size, it takes all of that model's weights"}
PRECISION = {"choices": PRECISIONS, "default": "float32", "help": "what the convolutions compute in; bfloat16 is "
             "faster where the processor or GPU has it"}


def add_faces(group):
    """Declare the options of every training command that say which faces to train on."""
    group.add_argument("--dataset", required=True, metavar="DIR",
                       help="folder of aligned faces to train on, or a pack of preprocess.pack_dataset")
    group.add_argument("--validation", metavar="DIR", help="folder of faces of other people; every epoch the run is "
                       "examined on them, and the model that completes them best is kept in best/")
    group.add_argument("--strict", action="store_true", help="refuse a data set with unreadable files")
    group.add_argument("--no-flip", dest="flip", action="store_false", help="do not mirror faces at random")


def add_run(group, name, *, epoch, batch_size):
    """Declare the options that say how long to train, where, and what to keep; `name` is the default of --run."""
    group.add_argument("--epoch", type=whole_number(1), default=epoch, metavar="N", help="passes over the faces")
    group.add_argument("--batch_size", type=whole_number(1), default=batch_size, metavar="N", help="faces an update")
    group.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides weights, noise and order")
    group.add_argument("--run", type=folder_name, default=name, metavar="NAME", help="name of the run's folders")
    for place, default, content in (("checkpoint", "checkpoint", "saves"), ("log", "logs", "curves and samples")):
        group.add_argument(f"--{place}_dir", default=default, metavar="DIR", help=f"{content} go to DIR/NAME")
    for verb, default, results in (("save", 500, "saves"), ("sample", 250, "sheets of samples"),
                                   ("report", 10, "points of the curves")):
        group.add_argument(f"--{verb}_every", type=whole_number(1), default=default, metavar="STEPS",
                           help=f"updates between {results}")
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
    group.add_argument("--dry_run", action="store_true", help="read the faces, make the networks, say what would be "
                       "done and end; nothing is written")
    group.add_argument("--xla", action="store_true", help="compile the update by XLA, for a GPU; it draws other "
                       "random numbers")


def add_sizes(group, *lengths):
    """Declare the side of a face, and those lengths of "z_dim", "gf_dim" and "df_dim" that a model has."""
    group.add_argument("--image_size", type=int, choices=(64, 128), default=64, help="side of a face in pixels")
    for name, default, meaning in (("z_dim", 100, "length of the latent"),
                                   ("gf_dim", 16, "filters of the outermost layer that makes faces"),
                                   ("df_dim", 16, "filters of the outermost layer that looks at faces")):
        if name in lengths:
            group.add_argument(f"--{name}", type=whole_number(1), default=default, metavar="N", help=meaning)


def add_schedule(group, rate):
    """Declare the options that say how fast a model learns; `rate` is the default of --learning_rate."""
    group.add_argument("--learning_rate", type=number(above=0), default=rate, metavar="RATE", help="of its Adams")
    group.add_argument("--beta1", type=number(0, 0.999), default=0.5, metavar="B", help="of its Adams")
    group.add_argument("--decay", type=number(0, 1), default=0.0, metavar="SHARE",
                       help="share of the run, at its end, in which the learning rate falls to 0")


def carry_out(options, find_type):
    """Train a model as {option: value} says, and tell where it is.

    find_type : function () -> its class, which imports TensorFlow
    """
    places = _take(Places, options)
    check_places(places)
    with ExitStack() as held:
        writes = this_worker().is_chief and not options["dry_run"]
        for folder, kind in ((places.saves, "run"), (places.log, "log")) if writes else ():
            held.enter_context(claim_folder(folder, kind))
        stop = held.enter_context(StopRequest())
        with Progress(None, "starting TensorFlow"):
            model_type = find_type()
            from .loop import train
            from .rehearsal import rehearse
        kinds = Faces, Run, Devices, Places, model_type.architecture_type, model_type.training_type
        settings = Settings(*(_take(kind, options) for kind in kinds))
        carry = rehearse if options["dry_run"] else train
        carry(model_type, settings, Console(Progress, stop.check, say=say, warn=warn, hold=stop.hold))


def _take(kind, options):
    """A value of a settings class out of the options of the same names."""
    return kind(**{field.name: options[field.name] for field in dataclasses.fields(kind) if field.name in options})
