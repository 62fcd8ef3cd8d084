"""The command line of evaluate_completion.py, and the settings that it means."""
import dataclasses
import os

from completion.masks import MASKS
from helpers import UsageError
from methods import CLASSICAL, LEARNED, METHODS, NEED_FACES, method_options
from models import shipped
from shell.options import Parser, add_inputs, whole_number
from training.manifest import describe_model


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is measured, and where: the options of these names."""
    masks: list
    limit: int | None
    seed: int
    report_faces: int
    figure_masks: list | None
    figure_methods: list | None
    out_dir: str
    jobs: int
    scheduler: str | None


def parse(text, argv=None):
    """The command line as ((paths, list of paths), Plan, {name: MethodSettings}, two folders to compare or None).

    text : what the command is, for its help
    """
    parser = make_parser(text)
    options = parser.parse_inputs(argv)
    check_options(parser, options)
    if options.compare:
        return None, None, None, options.compare
    plan = Plan(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Plan)})
    methods = {name: method_options.method_settings(options, name, model_folder(options, name))
               for name in options.methods}
    return (options.paths, options.from_file), plan, methods, None


def make_parser(text):
    """The parser of all options; what one needs first comes first in its help."""
    parser = Parser(text)
    add_inputs(parser)
    task = parser.add_argument_group("what one needs first")
    task.add_argument("--methods", nargs="+", choices=METHODS, default=["latent", "laplace"], help="how to fill")
    task.add_argument("--masks", nargs="+", choices=list(MASKS), default=["center"], help="what to fill")
    task.add_argument("--limit", type=whole_number(1), metavar="N", help="only the first N faces")
    task.add_argument("--out_dir", default="measured", metavar="DIR", help="folder for the results")
    task.add_argument("--compare", nargs=2, metavar=("A", "B"), help="test two finished evaluations face by face")
    models = parser.add_argument_group("models and faces")
    models.add_argument("--train_faces", metavar="DIR", help=f"aligned faces for {' and '.join(NEED_FACES)}")
    models.add_argument("--checkpoint", metavar="DIR", help="model of the latent search; without it the shipped one of "
                        "--model's kind, such as checkpoint/celeba64")
    models.add_argument("--learned", metavar="DIR", help="learned models: DIR/vae and so on (the shipped ones "
                        "for faces of the size of --checkpoint's)")
    add_work(parser.add_argument_group("how"))
    method_options.add_search(parser.add_argument_group("search (defaults that are not shown come from the recipe)"))
    return parser


def add_work(group):
    """Declare how the methods are run, and how much of them is shown."""
    group.add_argument("--jobs", type=whole_number(1), default=os.cpu_count(), metavar="N", help="processes")
    group.add_argument("--report_faces", type=whole_number(1), default=60, metavar="N",
                       help="faces a mask in the report")
    group.add_argument("--figure_methods", nargs="+", choices=METHODS, metavar="METHOD", help="columns of the figure "
                       "(default: every measured method, the best PSNR in the hole first)")
    group.add_argument("--figure_masks", nargs="+", choices=list(MASKS), metavar="MASK", help="groups of rows of the "
                       "figure (default: every measured mask)")
    method_options.add_method(group)


def model_folder(options, name):
    """The folder of a method's model, None for the shipped one."""
    if name not in LEARNED:
        return options.checkpoint
    if options.learned:
        return os.path.join(options.learned, LEARNED[name])
    if options.checkpoint:
        return shipped(LEARNED[name], describe_model(options.checkpoint, (options.model,))["image_size"])
    return None


def check_options(parser, options):
    """End with a usage error if options do not fit the methods or each other."""
    methods, needing = set(options.methods), " and ".join(NEED_FACES)
    if options.compare:
        others = [name for name in vars(options) if name not in ("paths", "compare")]
        parser.refuse_given(options, others, "is of measuring: --compare reads two finished evaluations")
        if options.paths:
            parser.error(f"--compare takes two folders and no photos, got {options.paths[0]}")
    for name in ("methods", "masks"):
        if left := set(getattr(options, f"figure_{name}") or ()) - set(getattr(options, name)):
            parser.error(f"--figure_{name}: {', '.join(sorted(left))} is not in --{name}")
    if "latent" not in methods:
        parser.refuse_given(options, [*method_options.OF_SEARCH, "checkpoint"],
                            "is of the latent search, which is not in --methods")
    if not methods & set(LEARNED):
        parser.refuse_given(options, ["learned"], "is of the learned methods, none of which is in --methods")
    if methods <= set(CLASSICAL):
        parser.refuse_given(options, ["device"], "is of networks, and none of the --methods has one")
    if not methods & set(NEED_FACES):
        parser.refuse_given(options, ["train_faces"], f"is of {needing}, none of which is in --methods")
    elif not options.train_faces:
        raise UsageError(f"{needing} need --train_faces DIR")
