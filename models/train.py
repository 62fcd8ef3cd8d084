"""Train one of the learned methods on a folder of aligned faces.

python -m models.train context_encoder --skips --dataset processed-data/train/ --epoch 25
"""
import sys
from contextlib import ExitStack

import numpy as np

from completion.masks import MASKS, make_hole
from helpers import BAD_CHECKPOINT, UsageError, to_float
from shell.command import command
from shell.lock import claim_folder
from shell.messages import say, warn
from shell.options import Parser, add_training_faces, add_training_run, number, whole_number
from shell.progress import Progress
from shell.signals import StopRequest
from training.machines import this_worker
from training.manifest import check_run_folders, describe_architecture, describe_kind

from . import SEARCHED, model_type

EXAMINED = 64                                           # faces of each hole
SQUARES = "center random"                               # holes to examine a model with that does not choose them
MEASURED = "hole_psnr", "hole_ssim"


def parse(argv=None):
    """The command line as a namespace."""
    parser = Parser("Train one of the learned methods. The same command again goes on where it stopped.")
    models = parser.add_subparsers(dest="model", required=True, metavar="MODEL", parser_class=Parser)
    for name, (what, add_networks, add_updates) in MODELS.items():
        model = models.add_parser(name, description=f"Train {what}.", help=what)
        add_training_faces(model.add_argument_group("faces"))
        add_training_run(model.add_argument_group("run"), name, epoch=25, batch_size=64)
        add_networks(model.add_argument_group("networks"))
        updates = model.add_argument_group("updates")
        updates.add_argument("--learning_rate", type=number(above=0), default=0.0002, metavar="RATE", help="of Adam")
        updates.add_argument("--beta1", type=number(0, 0.999), default=0.5, metavar="B", help="of Adam")
        updates.add_argument("--decay", type=number(0, 1), default=0.0, metavar="SHARE",
                             help="share of the run, at its end, in which the learning rate falls to 0")
        if add_updates:
            add_updates(updates)
    return complete(parser.parse_args(argv))


def add_sizes(sizes):
    """Options of all but the encoder, whose sizes are its generator's."""
    sizes.add_argument("--image_size", type=int, choices=(64, 128), default=64, help="side of a face in pixels")
    sizes.add_argument("--gf_dim", type=whole_number(1), default=16, metavar="N",
                       help="filters of the outermost layer that makes faces")
    sizes.add_argument("--df_dim", type=whole_number(1), default=16, metavar="N",
                       help="filters of the outermost layer that looks at faces")


def add_masks(updates):
    """The holes to learn, and what else those that learn them have in common."""
    updates.add_argument("--average", type=number(0, 0.99999), default=0.0, metavar="DECAY",
                         help="use an exponential average of the weights, such as 0.999")
    updates.add_argument("--masks", nargs="+", choices=[name for name in MASKS if name != "none"], default=["center"],
                         help="holes to learn; one that is named twice comes twice as often")


def add_context_encoder_networks(sizes):
    """Options that only the context encoder has."""
    add_sizes(sizes)
    sizes.add_argument("--skips", action="store_true", help="let the decoder see the encoder's activations; trained "
                       "on the L1 distance in the hole alone, unless said otherwise")


def add_context_encoder_updates(updates):
    """Options that only the context encoder has; where a default is not shown, it depends on --skips."""
    add_masks(updates)
    updates.add_argument("--distance", choices=("l2", "l1"), help="from the true face (l2, with --skips l1)")
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


def add_face_completion_updates(updates):
    """Options that only the generative face completion has."""
    for name, begin, what in (("local", 0.4, "the local discriminator counts"),
                              ("global", 0.7, "the global one and the parts count")):
        updates.add_argument(f"--{name}_from", type=number(0, 1), default=begin, metavar="SHARE",
                             help=f"share of the run after which {what}")
    for name, weight in (("local", 0.005), ("global", 0.005), ("parts", 0.01)):
        updates.add_argument(f"--{name}_weight", type=number(0), default=weight, metavar="W",
                             help="of this loss, where the distance from the true face has 1")


def add_latent(sizes):
    """Options of the models that have a latent."""
    add_sizes(sizes)
    sizes.add_argument("--z_dim", type=whole_number(1), default=100, metavar="N", help="length of the latent")


MODELS = {"autoencoder": ("an autoencoder, whose decoder is searched", add_latent, None),
          "vae": ("a variational autoencoder (Kingma and Welling, 2014)", add_latent, None),
          "context_encoder": ("an encoder-decoder that fills holes (Pathak et al., 2016)",
                              add_context_encoder_networks, add_context_encoder_updates),
          "generative_face_completion": ("an encoder-decoder against two discriminators (Li et al., 2017)", add_sizes,
                                         add_face_completion_updates),
          "latent_encoder": ("an encoder that says where the latent search begins",
                             add_latent_encoder_networks, add_latent_encoder_updates)}


def complete(options):
    """The options with what follows from others."""
    if options.model == "context_encoder":
        usual = ("l1", 0.0, 0.0) if options.skips else ("l2", 10.0, 0.001)
        for name, value in zip(("distance", "border", "adversarial"), usual):
            if getattr(options, name) is None:
                setattr(options, name, value)
    if options.model == "latent_encoder":
        if (kind := describe_kind(options.generator)) != "dcgan":
            raise UsageError(f"{options.generator} is a {kind}, no dcgan", BAD_CHECKPOINT)
        sizes = describe_architecture(options.generator)
        options.image_size, options.z_dim, options.gf_dim = (sizes[name] for name in ("image_size", "z_dim", "gf_dim"))
    if "masks" in options:
        options.masks = " ".join(options.masks)
    return options


@command
def main(argv=None):
    """Run the command; returns its exit code."""
    options, worker = parse(argv), this_worker()
    saves, log = check_run_folders(options)
    with ExitStack() as held:
        for folder in (saves, log) if worker.is_chief else ():
            held.enter_context(claim_folder(folder))
        stop = held.enter_context(StopRequest())
        kind = model_type(options.model)                # which imports TensorFlow quietly
        from training.loop import carry_out
        sample, examine = ((sample_latents, examine_latents) if options.model in SEARCHED else
                           (sample_holes, examine_holes))
        more = {"annotate": annotate} if options.model == "generative_face_completion" else {}
        step = carry_out(kind, options, saves, log, is_chief=worker.is_chief, sample=sample, examine=examine,
                         progress=Progress, stop=stop, warn=warn, say=say, **more)
        say(f"trained {step} steps; saves in {saves}, curves and samples in {log}")


def annotate(faces, check):
    """Faces with their parts; `check` is called now and then."""
    from .face_parts import add_parts
    say(f"looking for the parts of {len(faces)} faces")
    return add_parts(faces, check)


def sample_holes(model, faces, validation):
    """A function that completes eight faces under each hole that is learned: rows of masked, completed, true ones."""
    shown = to_float((faces if validation is None else validation)[:8])

    def rows():
        for known in holes(model, len(shown)).values():
            yield from (np.where(known[..., None], shown, 1), model.fill_batch(shown, known, range(len(shown))), shown)
    return lambda: np.concatenate(list(rows()))


def examine_holes(model, faces, validation):
    """A function that completes faces of other people under each hole that is learned; the means are over all holes."""
    from training.health import score
    truth = validation[:EXAMINED]

    def numbers():
        found = {mask: score(model.fill_batch, truth, known) for mask, known in holes(model, len(truth)).items()}
        means = {metric: float(np.mean([scores[metric] for scores in found.values()])) for metric in MEASURED}
        return means | {f"{mask}/{metric}": scores[metric] for mask, scores in found.items() for metric in MEASURED}
    return numbers


def sample_latents(model, faces, validation):
    """A function that decodes always the same latents."""
    return lambda: model.sample(64)


def examine_latents(model, faces, validation):
    """A function that encodes and decodes faces of other people, and completes their centres by a short search."""
    from completion.blend import blend_poisson
    from training.health import QUICK, score
    truth, search = validation[:EXAMINED], model.make_search(QUICK)
    known = np.repeat(make_hole("center", truth.shape[1], "", 0)[None], len(truth), axis=0)

    def fill_batch(faces, known, seeds):
        return blend_poisson(faces, search(faces, known, seeds).guess, known)

    def numbers():
        decoded = model.decode(model.latents_of(to_float(truth)))
        return score(fill_batch, truth, known) | {"validation_error": float(np.mean((to_float(truth) - decoded) ** 2))}
    return numbers


def holes(model, count):
    """{mask: (count, S, S) bool} of the kinds of holes that a model learns."""
    size = model.architecture.image_size
    return {mask: np.stack([make_hole(mask, size, f"{index}", model.seed) for index in range(count)])
            for mask in dict.fromkeys(getattr(model.training, "masks", SQUARES).split())}


if __name__ == "__main__":
    sys.exit(main())
