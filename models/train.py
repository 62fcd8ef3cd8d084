"""Train one of the learned methods on a folder of aligned faces.

python -m models.train context_encoder --skips --dataset processed-data/train/ --epoch 25
"""
import sys
from functools import partial

from completion.masks import MASKS
from nn.choices import DISTANCES
from preprocess.templates import TEMPLATES
from shell.command import command
from shell.options import Parser, Words, number, whole_number
from training.command import add_faces, add_grown, add_precision, add_run, add_schedule, add_sizes, carry_out
from training.manifest import describe_architecture

from . import model_type

EXAMPLE = "python -m models.train {} --dataset processed-data/train/ --validation processed-data/validation/"


def parse(argv=None):
    """The command line as a namespace."""
    parser = Parser("Train one of the learned methods. The same command again goes on where it stopped.",
                    f"{EXAMPLE.format('latent_encoder')}\npython -m models.train context_encoder --help")
    models = parser.add_subparsers(dest="model", required=True, metavar="MODEL", parser_class=Parser, prog=parser.prog)
    for name, (what, add_networks, add_updates) in MODELS.items():
        model = models.add_parser(name, description=f"Train {what}.", help=what, examples=EXAMPLE.format(name))
        add_faces(model.add_argument_group("faces"))
        add_run(model.add_argument_group("run"), name, epoch=25, batch_size=64)
        add_networks(model.add_argument_group("networks"))
        updates = model.add_argument_group("updates")
        add_schedule(updates, 0.0002)
        if add_updates:
            add_updates(updates)
    return parser.parse_args(argv)


def add_latent(sizes):
    """Options of the models that have a latent."""
    add_sizes(sizes, "z_dim", "gf_dim", "df_dim")


def add_filters(sizes):
    """Options of the encoder-decoders."""
    add_sizes(sizes, "gf_dim", "df_dim")


def add_masks(updates):
    """The holes to learn, and what else those that learn them have in common."""
    updates.add_argument("--average", type=number(0, 0.99999), default=0.0, metavar="DECAY",
                         help="use an exponential average of the weights, such as 0.999")
    updates.add_argument("--masks", nargs="+", choices=[name for name in MASKS if name != "none"], action=Words,
                         default="center", help="holes to learn; one that is named twice comes twice as often")


def add_context_encoder_networks(sizes):
    """Options that only the context encoder has."""
    add_filters(sizes)
    sizes.add_argument("--skips", action="store_true", help="let the decoder see the encoder's activations; trained "
                       "on the L1 distance in the hole alone, unless said otherwise")


def add_context_encoder_updates(updates):
    """Options that only the context encoder has; where a default is not shown, it depends on --skips."""
    add_masks(updates)
    updates.add_argument("--distance", choices=DISTANCES, help="from the true face (l2, with --skips l1)")
    updates.add_argument("--border", type=number(0), metavar="W", help="weight of the known pixels next to the hole, "
                         "where those in it have 1 (10, with --skips 0)")
    updates.add_argument("--adversarial", type=number(0, 1), metavar="W", help="weight of the adversarial loss; the "
                         "distance has the rest of 1 (0.001, with --skips 0)")


def add_latent_encoder_networks(sizes):
    """Options that only the latent encoder has."""
    sizes.add_argument("--generator", default="checkpoint/celeba64", metavar="DIR",
                       help="folder of the model or run whose generator the encoder is to understand")
    sizes.add_argument("--ef_dim", type=whole_number(1), default=32, metavar="N",
                       help="filters of the encoder's outermost layer")
    sizes.add_argument("--corrections", type=whole_number(), default=0, metavar="N",
                       help="hidden layers of the generator, from the innermost, whose activations are corrected too")


def add_latent_encoder_updates(updates):
    """Options that only the latent encoder has, and its own defaults."""
    add_masks(updates)
    updates.add_argument("--outside", type=number(0), default=0.3, metavar="W",
                         help="weight of the known pixels' distance, where the hole's has 1")
    updates.add_argument("--features", type=number(0), default=0.0, metavar="W",
                         help="weight of the distance of what the generator's discriminator sees in the face")
    updates.add_argument("--adversarial", type=number(0), default=0.0, metavar="W",
                         help="weight of the adversarial loss, against a copy of that discriminator")
    updates.set_defaults(learning_rate=0.001, beta1=0.9, decay=0.5, average=0.999)


def add_posterior_mean_networks(sizes):
    """Options that only the posterior mean has, and the side of a face."""
    add_sizes(sizes)
    add_grown(sizes)
    sizes.add_argument("--mf_dim", type=whole_number(1), default=32, metavar="N",
                       help="filters of the outermost level, and of grown ones")
    sizes.add_argument("--blocks", type=whole_number(), default=1, metavar="N",
                       help="residual blocks of every level on each way")


def add_posterior_mean_updates(updates):
    """Options that only the posterior mean has, and its own defaults."""
    add_masks(updates)
    updates.add_argument("--similarity", type=number(0), default=1.0, metavar="W",
                         help="weight of 1 - SSIM in the hole, where the logarithm of the squared error has 1")
    add_precision(updates)
    updates.set_defaults(learning_rate=0.001, beta1=0.9, decay=0.7, average=0.999)


def add_face_completion_updates(updates):
    """Options that only the generative face completion has."""
    for name, begin, what in (("local", 0.4, "the local discriminator counts"),
                              ("global", 0.7, "the global one and the parts count")):
        updates.add_argument(f"--{name}_from", type=number(0, 1), default=begin, metavar="SHARE",
                             help=f"share of the run after which {what}")
    for name, weight in (("local", 0.005), ("global", 0.005), ("parts", 0.01)):
        updates.add_argument(f"--{name}_weight", type=number(0), default=weight, metavar="W",
                             help="of this loss, where the distance from the true face has 1")


def add_placement_networks(sizes):
    """Options that only the placement network has, and the side of its faces."""
    sizes.add_argument("--image_size", type=int, choices=(64, 128), default=128,
                       help="side of the faces in pixels, aligned with --margin 0.5, so twice that of the crops")
    sizes.add_argument("--pf_dim", type=whole_number(1), default=24, metavar="N",
                       help="filters of the network's outermost layer")
    sizes.add_argument("--template", choices=list(TEMPLATES), default="innerEyesAndBottomLip",
                       help="the landmarks by which the faces were aligned")


def add_placement_updates(updates):
    """Options that only the placement network has, and its own defaults."""
    for name, value, what in (("average", 0.999, "decay of the exponential average of the weights; 0 for none"),
                              ("shift", 6.0, "pixels of the crop by which faces are moved, at most"),
                              ("scale", 0.18, "share by which they grow or shrink, at most"),
                              ("turn", 8.0, "degrees by which they are turned, at most"),
                              ("jitter", 1.0, "pixels by which each of the three landmarks is moved for itself")):
        updates.add_argument(f"--{name}", type=number(0, 0.99999 if name == "average" else 45), default=value,
                             metavar=name.upper(), help=what)
    updates.set_defaults(flip=False, learning_rate=0.001, beta1=0.9, decay=0.5)     # it mirrors by its template


def add_damage_networks(sizes):
    """Options that only the damage finder has, and the side of its pictures."""
    sizes.add_argument("--image_size", type=whole_number(64), default=256, metavar="PIXELS",
                       help="side of the pictures, which are photos with what lies around the face")
    sizes.add_argument("--ff_dim", type=whole_number(1), default=24, metavar="N",
                       help="filters of the outermost layers")


def add_damage_updates(updates):
    """The damage finder's own defaults."""
    updates.set_defaults(run="damage-finder", learning_rate=0.002, beta1=0.9, decay=0.5)    # damage is shipped


MODELS = {"autoencoder": ("an autoencoder, whose decoder is searched", add_latent, None),
          "vae": ("a variational autoencoder (Kingma and Welling, 2014)", add_latent, None),
          "context_encoder": ("an encoder-decoder that fills holes (Pathak et al., 2016)",
                              add_context_encoder_networks, add_context_encoder_updates),
          "generative_face_completion": ("an encoder-decoder against two discriminators (Li et al., 2017)", add_filters,
                                         add_face_completion_updates),
          "latent_encoder": ("an encoder that says where the latent search begins",
                             add_latent_encoder_networks, add_latent_encoder_updates),
          "posterior_mean": ("a network that answers with what is most likely on the average",
                             add_posterior_mean_networks, add_posterior_mean_updates),
          "placement": ("a network that says where a face lies, though a hole hides much of it",
                        add_placement_networks, add_placement_updates),
          "damage": ("a network that finds scratches, folds and stains in photos", add_damage_networks,
                     add_damage_updates)}


def complete(options):
    """{option: value} of what follows from others."""
    if options["model"] == "context_encoder":
        usual = ("l1", 0.0, 0.0) if options["skips"] else ("l2", 10.0, 0.001)
        return {name: value for name, value in zip(("distance", "border", "adversarial"), usual)
                if options[name] is None}
    if options["model"] != "latent_encoder":
        return {}
    sizes = describe_architecture(options["generator"], ("dcgan",))
    return {name: sizes[name] for name in ("image_size", "z_dim", "gf_dim", "grown") if name in sizes}


@command
def main(argv=None):
    """Run the command; returns its exit code."""
    options = vars(parse(argv))
    carry_out(options | complete(options), partial(model_type, options["model"]))


if __name__ == "__main__":
    sys.exit(main())
