"""The command line of face_completion.py, and the settings that it means."""
import dataclasses
import os

import helpers
from completion.face import SIZES
from completion.holes import TOLERANCE, OwnHoles, StandardHoles
from completion.masks import MASKS
from completion.points import read_points
from completion.reading import FACES, Subject
from models import DAMAGE, PLACEMENT, damage_finder
from output.completed_folder import FORMATS, RESTORED
from preprocess.templates import TEMPLATES
from shell.messages import warn
from shell.options import Parser, add_inputs, number, whole_number
from training.manifest import describe_model

from . import CLASSICAL, METHODS, NEED_FACES, method_options


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the work is done, and where its results go: the options of these names."""
    out_dir: str
    overwrite: bool = False
    scheduler: str | None = None
    log_dir: str | None = None
    format: str = "png"


def parse(text, argv=None):
    """The command line as ((paths, list of paths), Subject, [MethodSettings], Place, description of the holes).

    text : what the command is, for its help; the settings are of the same method for faces of one size each, those of
        the smallest first
    """
    parser = make_parser(text)
    options = parser.parse_inputs(argv)
    check_options(parser, options)
    options.points = options.points and read_points(options.points)
    sizes = (options.size,) if options.size else SIZES
    settings = [method_options.exported_settings(options)] if options.onnx else method_options.methods_by_size(
        options, options.method, options.checkpoint, sizes if options.paste_back else sizes[:1])
    if options.paste_back and options.detail is None:
        settings = [each.for_photos() for each in settings]
    if options.completions > 1 and not all(each.says_how_sure for each in settings):
        warn("uncertainty.png is fitted to the searches of recipe best, with its own settings: what it covers here is "
             "not known (python -m benchmarks.calibration)")
    if options.paste_back:
        describe_model(PLACEMENT, ("placement",))       # it is loaded only where a face's place is unsure
    own = own_holes(options)
    scale = {"scale": options.center_scale} if options.mask_type == "center" else {}
    subject = Subject(own or StandardHoles(options.mask_type, options.seed, **scale), seed=options.seed,
                      fit=options.fit, landmarks=options.landmarks if options.paste_back else None,
                      faces=options.faces, has_truth=options.intact or not own, points=options.points, sizes=sizes)
    place = Place(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Place)})
    return (options.paths, options.from_file), subject, settings, place, describe_holes(options)


def own_holes(options):
    """The OwnHoles or FoundHoles that --mask asks for; None without --mask."""
    if folder := damage_model(options):
        from completion.damage_holes import FoundHoles  # whose scipy --help need not wait for
        return FoundHoles(damage_finder(folder, options.device), options.dilate)
    return options.mask and OwnHoles(options.mask, invert=options.invert_mask, dilate=options.dilate,
                                     tolerance=options.tolerance, warn=warn)


def damage_model(options):
    """The folder of the network that finds damage, None if nothing is to be found."""
    kind, _, folder = (options.mask or "").partition(":")
    return (folder or DAMAGE) if kind == "auto" else None


def make_parser(text):
    """The parser of all options; what one needs first comes first in its help."""
    parser = Parser(text)
    add_inputs(parser)
    add_first(parser.add_argument_group("what one needs first"))
    add_hole(parser.add_argument_group("hole"))
    add_files(parser.add_argument_group("files"))
    how = parser.add_argument_group("how")
    method_options.add_method(how)
    how.add_argument("--train_faces", metavar="DIR", help=f"aligned faces for {' and '.join(NEED_FACES)}")
    how.add_argument("--onnx", metavar="FILE", help="what the latent method answers without updates, out of a file "
                     "that python -m completion.export has written, by onnxruntime instead of TensorFlow")
    search = parser.add_argument_group("search (defaults that are not shown come from the recipe)")
    method_options.add_search(search)
    search.add_argument("--log_dir", metavar="DIR", help="write the course of losses and gradients for TensorBoard")
    return parser


def add_files(files):
    """Declare how the inputs are read, and how the results are written."""
    files.add_argument("--overwrite", action="store_true", help="complete every face anew")
    files.add_argument("--fit", choices=("refuse", "resize", "crop"), default="refuse",
                       help="what to do with a photo that is not of the model's size")
    files.add_argument("--format", choices=FORMATS, default="png", help="with --paste_back, the format of restored "
                       "photos: without loss as PNG, as JPEG, or the photo's own")
    files.add_argument("--faces", choices=FACES, default="touched", help="with --paste_back, complete all faces of a "
                       "photo that its hole touches, or of these the largest alone")
    files.add_argument("--size", type=int, choices=SIZES, help="with --paste_back, pixels a side of the faces that are "
                       "completed, by the shipped model of this size (for each face the one that suits it)")
    files.add_argument("--landmarks", choices=list(TEMPLATES), default="innerEyesAndBottomLip",
                       help="with --paste_back, the three landmarks put on the template, those of the model's faces")
    files.add_argument("--points", nargs="+", metavar="X,Y", help="with --paste_back, where these three "
                       "landmarks are in the photo, instead of looking for them: the inner corners of the person's "
                       "right and left eye and the lower edge of the lip, in pixels; or a CSV file of lines "
                       "name,x,y,x,y,x,y")


def add_first(group):
    """Declare what most people ask for."""
    group.add_argument("--out_dir", default="completed", metavar="DIR", help="folder for the results")
    group.add_argument("--paste_back", action="store_true", help="the inputs are photos of any size and --mask lies in "
                       f"them: align the face, complete it, and pour it back into the photo ({RESTORED}.png)")
    group.add_argument("--mask", metavar="HOLE", help="a hole of your own: a picture whose white is the hole, a folder "
                       "with one for every face, named NAME.png or NAME_mask.png, alpha for what is transparent, "
                       "color:#00ff00 for what is painted, or auto for the scratches, folds and stains that a network "
                       "finds (auto:DIR by another one)")
    group.add_argument("--method", choices=METHODS, default="latent", help="the latent "
                       "search, or another way to fill the hole, which takes no options of the search")
    group.add_argument("--checkpoint", metavar="DIR", help="folder of a model or run; the shipped one of the "
                       "method's or --model's kind without it, such as checkpoint/celeba64")


def add_hole(hole):
    """Declare what says which part of a face is unknown."""
    hole.add_argument("--mask_type", choices=list(MASKS), default="center", help="shape of the hole without --mask")
    hole.add_argument("--center_scale", type=number(0.01, 0.49), default=0.25, metavar="S",
                      help="the centre hole reaches from S to 1 - S of the side")
    hole.add_argument("--invert_mask", action="store_true", help="black is the hole of --mask")
    hole.add_argument("--dilate", type=whole_number(), default=0, metavar="PX", help="pixels by which --mask grows")
    hole.add_argument("--tolerance", type=whole_number(0, 255), default=TOLERANCE, metavar="LEVELS", help="levels a "
                      "channel that paint of --mask color:... may differ from its colour, for black, white and grey an "
                      "eighth of them; what is mixed of the paint and the photo is found by itself")
    hole.add_argument("--intact", action="store_true",
                      help="the photos are whole under --mask: measure the results against them")


def check_options(parser, options):
    """End with a usage error if options do not fit the method or each other."""
    if options.method in CLASSICAL:
        for name in ("device", "checkpoint"):
            parser.refuse_given(options, [name], f"is of networks: --method {options.method} takes no --{name}")
    if options.method != "latent":
        parser.refuse_given(options, [*method_options.OF_SEARCH, "log_dir"],
                     f"is of the latent search: --method {options.method} has no use for it")
    check_hole(parser, options)
    if options.onnx:
        parser.refuse_given(options, method_options.NOT_OF_ONNX, "is not for --onnx, which takes --detail and --blend "
                            "alone")
    if options.paste_back:
        if not options.mask and options.mask_type == "center":
            warn("no --mask: of every photo the centre of the largest face is taken for damaged; --mask says what is")
        parser.refuse_given(options, ["fit"], "is for faces that are aligned: --paste_back aligns them")
    else:
        parser.refuse_given(options, ["landmarks", "faces", "format", "points", "size"], "is of --paste_back")
    if options.checkpoint:
        parser.refuse_given(options, ["size"], "chooses a shipped model: --checkpoint names another")
    if "," in "".join(options.points or ()) and (options.from_file or len(options.paths) != 1 or
                                                 os.path.isdir(options.paths[0])):
        parser.error("--points of several photos need a file of lines name,x,y,x,y,x,y")
    if (options.method in NEED_FACES) != bool(options.train_faces):
        parser.error(f"{' and '.join(NEED_FACES)}, and no other methods, need --train_faces DIR")


def check_hole(parser, options):
    """The same for options of the hole."""
    if (options.mask or "").rstrip() == "auto:":
        parser.error("--mask auto: needs the folder of a network; the shipped one is --mask auto")
    if damage_model(options):
        parser.refuse_given(options, ["invert_mask", "intact"], "is of masks that you draw: --mask auto finds damage")
    if not options.mask:
        parser.refuse_given(options, ["invert_mask", "dilate"], "is of --mask")
        parser.refuse_given(options, ["intact"], "is of --mask: without it the faces are taken for whole anyway")
    else:
        parser.refuse_given(options, ["mask_type"], "is not for holes of your own: --mask takes the place of it")
    if not (options.mask or "").startswith("color:"):
        parser.refuse_given(options, ["tolerance"], "is of --mask color:...")
    if options.mask or options.mask_type != "center":
        parser.refuse_given(options, ["center_scale"], "is of --mask_type center")


def describe_holes(options):
    """What of the command line decides a face's hole and how it is read, as a JSON record."""
    record = {name: getattr(options, name) for name in ("mask_type", "center_scale", "invert_mask", "dilate", "intact",
                                                        "seed", "fit")}
    if options.points:
        record["points"] = options.points.describe()
    if folder := damage_model(options):
        record["mask"] = ["auto", describe_model(folder, ("damage",))["model"]]
    elif options.mask:                                  # of a folder of masks each face has its own
        record["mask"] = [options.mask, None if os.path.isdir(options.mask) else list(helpers.file_stamp(options.mask))]
    if (options.mask or "").startswith("color:"):
        record["tolerance"] = options.tolerance
    photos = {"faces": options.faces, "format": options.format} if options.paste_back else {}
    return {"mask": None, **record, "paste_back": options.landmarks if options.paste_back else None, **photos}
