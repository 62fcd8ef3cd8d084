"""Train one of the learned methods on a folder of aligned faces.

python -m models.train context_encoder --skips --dataset processed-data/train/ --epoch 25
"""
import math
import sys
from functools import partial
from typing import NamedTuple

from completion.masks import MASKS
from helpers import UsageError
from nn.choices import DISTANCES
from preprocess.templates import TEMPLATES
from shell.command import command
from shell.options import Parser, Words, number, whole_number
from training.manifest import find_model
from training.run_command import GROWN, PRECISION, add_faces, add_run, add_schedule, add_sizes, carry_out

from . import model_type

EXAMPLE = "python -m models.train {} --dataset train/ --validation validation/"


class Options(NamedTuple):
    """What the command line of a model has.

    what : it is; lengths : names for add_sizes, None if it has no side of 64 or 128 pixels of its own
    networks, updates : {option: arguments of add_argument}; defaults : {option: another default}
    """
    what: str
    lengths: tuple | None
    networks: dict = {}
    updates: dict = {}
    defaults: dict = {}


def amount(default, what, at_most=math.inf, metavar="W"):
    """An option of a number of at least 0."""
    return {"type": number(0, at_most), "default": default, "metavar": metavar, "help": what}


def count(default, what, at_least=1):
    """An option of a whole number."""
    return {"type": whole_number(at_least), "default": default, "metavar": "N", "help": what}


HOLES = {"average": amount(0.0, "use an exponential average of the weights, such as 0.999", 0.99999, "DECAY"),
         "masks": {"nargs": "+", "choices": [name for name in MASKS if name != "none"], "action": Words,
                   "default": "center", "help": "holes to learn; one that is named twice comes twice as often"}}
LATENT, FILTERS = ("z_dim", "gf_dim", "df_dim"), ("gf_dim", "df_dim")
MODELS = {
    "autoencoder": Options("an autoencoder, whose decoder is searched", LATENT),
    "vae": Options("a variational autoencoder (Kingma and Welling, 2014)", LATENT),
    "context_encoder": Options(
        "an encoder-decoder that fills holes (Pathak et al., 2016)", FILTERS,
        {"skips": {"action": "store_true", "help": "let the decoder see the encoder's activations; trained on the L1 "
                   "distance in the hole alone, unless said otherwise"}},
        {**HOLES, "distance": {"choices": DISTANCES, "help": "from the true face (l2, with --skips l1)"},
         "border": amount(None, "weight of the known pixels next to the hole, where those in it have 1 (10, with "
                          "--skips 0)"),
         "adversarial": amount(None, "weight of the adversarial loss; the distance has the rest of 1 (0.001, with "
                               "--skips 0)", 1)}),
    "generative_face_completion": Options(
        "an encoder-decoder against two discriminators (Li et al., 2017)", FILTERS, {},
        {"local_from": amount(0.4, "share of the run after which the local discriminator counts", 1, "SHARE"),
         "global_from": amount(0.7, "share of the run after which the global one and the parts count", 1, "SHARE"),
         **{f"{name}_weight": amount(value, "of this loss, where the distance from the true face has 1")
            for name, value in (("local", 0.005), ("global", 0.005), ("parts", 0.01))}}),
    "latent_encoder": Options(
        "an encoder that says where the latent search begins", None,
        {"generator": {"default": "checkpoint/celeba64", "metavar": "DIR", "help": "folder of the model or run whose "
                       "generator the encoder is to understand"},
         "likely": {"metavar": "DIR", "help": "folder of a posterior_mean, whose answer fills the holes that the "
                    "encoder sees"},
         "ef_dim": count(32, "filters of the encoder's outermost layer"),
         "corrections": count(0, "hidden layers of the generator, from the innermost, whose activations are corrected "
                              "too", 0)},
        {**HOLES, "outside": amount(0.3, "weight of the known pixels' distance, where the hole's has 1"),
         "features": amount(0.0, "weight of the distance of what the generator's discriminator sees in the face"),
         "adversarial": amount(0.0, "weight of the adversarial loss, against a copy of that discriminator"),
         "patches": {"action": "store_true", "help": "have the adversary judge every place of a hole for itself"},
         "precision": PRECISION},
        {"learning_rate": 0.001, "beta1": 0.9, "decay": 0.5, "average": 0.999}),
    "posterior_mean": Options(
        "a network that answers with what is most likely on the average", (),
        {"grown": GROWN, "mf_dim": count(32, "filters of the outermost level, and of grown ones"),
         "blocks": count(1, "residual blocks of every level on each way", 0)},
        {**HOLES, "similarity": amount(1.0, "weight of 1 - SSIM in the hole, where the logarithm of the squared error "
                                       "has 1"), "precision": PRECISION},
        {"learning_rate": 0.001, "beta1": 0.9, "decay": 0.7, "average": 0.999}),
    "placement": Options(
        "a network that says where a face lies, though a hole hides much of it", None,
        {"image_size": {"type": int, "choices": (64, 128), "default": 128, "help": "side of the faces in pixels, "
                        "aligned with --margin 0.5, so twice that of the crops"},
         "pf_dim": count(24, "filters of the network's outermost layer"),
         "template": {"choices": list(TEMPLATES), "default": "innerEyesAndBottomLip", "help": "the landmarks by which "
                      "the faces were aligned"}},
        {"average": amount(0.999, "decay of the exponential average of the weights; 0 for none", 0.99999, "AVERAGE"),
         "shift": amount(6.0, "pixels of the crop by which faces are moved, at most", 45, "SHIFT"),
         "scale": amount(0.18, "share by which they grow or shrink, at most", 45, "SCALE"),
         "turn": amount(8.0, "degrees by which they are turned, at most", 45, "TURN"),
         "jitter": amount(1.0, "pixels by which each of the three landmarks is moved for itself", 45, "JITTER")},
        {"flip": False, "learning_rate": 0.001, "beta1": 0.9, "decay": 0.5}),       # it mirrors by its template
    "damage": Options(
        "a network that finds scratches, folds and stains in photos", None,
        {"image_size": {"type": whole_number(64), "default": 256, "metavar": "PIXELS", "help": "side of the pictures, "
                        "which are photos with what lies around the face"},
         "ff_dim": count(24, "filters of the outermost layers")}, {},
        {"run": "damage-finder", "learning_rate": 0.002, "beta1": 0.9, "decay": 0.5}),      # damage is shipped
}


def parse(argv=None):
    parser = Parser("Train one of the learned methods. The same command again goes on where it stopped.",
                    f"{EXAMPLE.format('latent_encoder')}\npython -m models.train context_encoder --help")
    models = parser.add_subparsers(dest="model", required=True, metavar="MODEL", parser_class=Parser, prog=parser.prog)
    for name, options in MODELS.items():
        model = models.add_parser(name, description=f"Train {options.what}.", help=options.what,
                                  examples=EXAMPLE.format(name))
        add_faces(model.add_argument_group("faces"))
        add_run(model.add_argument_group("run"), name, epoch=25, batch_size=64)
        networks, updates = (model.add_argument_group(title) for title in ("networks", "updates"))
        if options.lengths is not None:
            add_sizes(networks, *options.lengths)
        add_schedule(updates, 0.0002)
        for group, added in ((networks, options.networks), (updates, options.updates)):
            for option, how in added.items():
                group.add_argument(f"--{option}", **how)
        model.set_defaults(**options.defaults)
    return parser.parse_args(argv)


def complete(options):
    """{option: value} of what follows from others."""
    if options["model"] == "context_encoder":
        usual = ("l1", 0.0, 0.0) if options["skips"] else ("l2", 10.0, 0.001)
        return {name: value for name, value in zip(("distance", "border", "adversarial"), usual)
                if options[name] is None}
    if options["model"] != "latent_encoder":
        return {}
    if options["patches"] and not options["adversarial"]:
        raise UsageError("--patches is of an adversarial loss: add --adversarial 0.02")
    sizes = find_model(options["generator"], ("dcgan",))[0]["architecture"]
    return {"from_likely": bool(options["likely"]),
            **{name: sizes[name] for name in ("image_size", "z_dim", "gf_dim", "grown") if name in sizes}}


@command
def main(argv=None):
    options = vars(parse(argv))
    carry_out(options | complete(options), partial(model_type, options["model"]))


if __name__ == "__main__":
    sys.exit(main())
