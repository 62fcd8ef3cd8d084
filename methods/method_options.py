"""Options that say how holes are filled, and the settings that they mean."""
import dataclasses
import functools
import math
import os
from argparse import BooleanOptionalAction

from completion import recipes
from completion.face import SIZES
from helpers import BAD_CHECKPOINT, UsageError
from methods import NEED_FACES
from models import LEARNED, SEARCHED, shipped
from nn.choices import PRECISIONS
from shell.messages import say, warn
from shell.options import Listing, number, whole_number
from training.manifest import LIKELY, find_model, is_model, likely_of

from .documented import list_methods, list_recipes
from .method_settings import ExportedSettings, MethodSettings, SearchSettings

BEST, WITHOUT_ENCODER = "best", "pool"
ENCODER = "latent_encoder"
OF_RECIPE = tuple(field.name for field in dataclasses.fields(recipes.Recipe) if field.name != "by_depth")
OF_SEARCH = ("recipe", "encoder", "likely", "model", "out_interval", "completions", "strategy", *OF_RECIPE)
NOT_OF_ONNX = ("method", "checkpoint", "size", "device", "scheduler", "log_dir",
               *(name for name in OF_SEARCH if name not in ("blend", "detail")))


def add_method(how):
    """Declare the options of all methods."""
    how.add_argument("--list_methods", action=Listing, lines=list_methods,
                     help="say what the methods need, how well and how fast they complete, and end")
    how.add_argument("--batch_size", type=whole_number(1), default=64, metavar="N", help="faces at a time")
    how.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides starts and random holes")
    how.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where the networks run")
    how.add_argument("--scheduler", metavar="ADDRESS", help="complete on the workers of a Dask cluster, such as "
                     "tcp://host:8786; the model's folder has to be one that all machines see")


def add_search(search):
    """Declare the options of the latent search alone."""
    search.add_argument("--recipe", choices=list(recipes.RECIPES),
                        help="named settings; seed is the report's (best, or pool if there is no encoder)")
    search.add_argument("--list_recipes", action=Listing, lines=list_recipes,
                        help="say what the recipes are, how well and how fast they complete, and end")
    search.add_argument("--encoder", metavar="DIR", help="folder of the latent encoder, for recipes that search "
                        "activations (CHECKPOINT-learned/latent_encoder)")
    search.add_argument("--detail", type=number(0, 1), metavar="D", help="from 0, the most likely answer, which is "
                        "smooth where a face could be this or that, to 1, the most lifelike one (best "
                        f"{recipes.RECIPES[BEST].detail:g}, in whole photos {recipes.PHOTO_DETAIL:g})")
    search.add_argument("--likely", metavar="DIR", help="folder of the network that knows what is likely "
                        f"(CHECKPOINT-learned/{LIKELY})")
    search.add_argument("--model", choices=("dcgan", *SEARCHED), default="dcgan", help="whose latent is searched")
    _add_recipe(search)
    search.add_argument("--out_interval", type=whole_number(1), default=50, metavar="N",
                        help="updates between pictures")
    search.add_argument("--completions", type=whole_number(1), default=1, metavar="K", help="different completions of "
                        "each face, about as far apart as faces can be there, and how sure every pixel is; from an "
                        "encoder they are searches of their own, else the K best")
    search.add_argument("--strategy", choices=("auto", "one", "mirrored"), default="auto",
                        help="search on one device or on all of this machine; auto takes all there are")


def _add_recipe(search):
    """Declare the options that take the place of the recipe's own settings."""
    search.add_argument("--num_iter", type=whole_number(), metavar="N", help="updates of z, 0 for none; "
                        "of best, which makes fewer where a hole is deep, just as many")
    search.add_argument("--learning_rate", type=number(above=0), metavar="RATE", help="of Adam on z")
    search.add_argument("--lam", type=number(0), metavar="L", help="weight of the prior loss")
    search.add_argument("--starts", type=whole_number(1), metavar="N", help="searches a face")
    search.add_argument("--window", type=whole_number(), metavar="N", help="side of the weights' neighbourhood, or 0")
    search.add_argument("--prior", choices=recipes.PRIORS, help="form of the prior loss")
    search.add_argument("--optimizer", choices=recipes.OPTIMIZERS, help="of z")
    search.add_argument("--decay", type=number(0, 1), metavar="F", help="factor of the learning rate every 100 updates")
    search.add_argument("--pool", type=whole_number(), metavar="N",
                        help="latents among which the starts are chosen by their context loss, 0 to draw the starts")
    search.add_argument("--draw", choices=recipes.DRAWS, help="where drawn starts come from")
    search.add_argument("--iterate", choices=recipes.ITERATES,
                        help="the z that counts: the last, or that of the smallest loss")
    search.add_argument("--answer", choices=recipes.ANSWERS,
                        help="of several starts: the best by context loss, or their mean")
    search.add_argument("--space", choices=recipes.SPACES,
                        help="what is searched: z, or activations of the generator, which the encoder sees first")
    search.add_argument("--hold", type=number(0), metavar="W", help="weight of the distance from where it starts")
    search.add_argument("--scatter", type=number(0), metavar="S", help="how far all starts but the first, and "
                        "those of --completions, leave the encoder's answer; 1 is as far as faces are from their mean")
    search.add_argument("--mirror", action=BooleanOptionalAction, help="search for the mirrored face too")
    search.add_argument("--blend", choices=recipes.BLENDS, help="how the guess is put into the hole")
    search.add_argument("--precision", choices=PRECISIONS, help="what the convolutions compute in; bfloat16 needs a "
                        "GPU or a processor with instructions for it")


def methods_by_size(options, name, folder, sides):
    """The MethodSettings of a method for faces of each side for which there is a model, at least the first.

    folder : of a model of one's own, which has a side of its own, or None; errors as of method_settings
    """
    kind = options.model if name == "latent" else LEARNED.get(name)
    if kind and not folder and sides[0] != SIZES[0] and not is_model(shipped(kind, sides[0])):
        raise UsageError(f"{shipped(kind, sides[0])}, a {kind} for faces of {sides[0]} pixels, is not there: leave "
                         "--size out, or train one (docs/training.md) and name it by --checkpoint in place of --size",
                         BAD_CHECKPOINT)
    folders = [folder] if folder or not kind else [
        shipped(kind, side) for side in sides if side == sides[0] or is_model(shipped(kind, side))]
    return [method_settings(options, name, folder) for folder in folders]


def method_settings(options, name, folder=None):
    """The MethodSettings of one of methods.METHODS that a command's options mean.

    folder : of its model, None for the shipped one
    Raises UsageError as latent_settings does.
    """
    if name == "latent":
        return latent_settings(options, folder or shipped(options.model))
    common = {"seed": options.seed, "batch_size": options.batch_size}
    if name in LEARNED:
        folder = folder or shipped(LEARNED[name])
        model, likely = pinned(folder, LEARNED[name]), likely_of(folder)
        return MethodSettings(name, model, device=options.device, filled_by=likely and pinned(likely, LIKELY), **common)
    return MethodSettings(name, train_faces=options.train_faces if name in NEED_FACES else None, **common)


def latent_settings(options, folder):
    """The MethodSettings of the latent search that a command's options mean, in the model of a folder.

    A run in training makes new saves: those to use are settled here.
    Raises UsageError if options do not fit together, or (exit code 4) if there is no model or a recipe lacks its
    encoder.
    """
    model = pinned(folder, options.model)
    recipe, encoder = _settle_recipe(options, folder)
    recipe, likely = _settle_detail(options, recipe, folder, encoder)
    _refuse_useless(options, recipe, likely)
    search = SearchSettings(recipe, options.model, encoder and pinned(encoder, ENCODER),
                            likely and pinned(likely, LIKELY), interval=options.out_interval,
                            completions=options.completions, strategy=options.strategy)
    return MethodSettings("latent", model, seed=options.seed, batch_size=options.batch_size,
                          device=options.device, search=search)


def exported_settings(options):
    """The MethodSettings of the ONNX file, with the blend and the dial, that a command's options mean.

    Raises UsageError if onnxruntime is missing, or (exit code 4) if the file is none of completion.export's or has not
    what is likely.
    """
    from .exported import open_exported, side_of  # whose scipy --help need not wait for
    (session, digest), best = open_exported(options.onnx), recipes.RECIPES[BEST]
    has_likely = len(session.get_outputs()) > 1
    detail = options.detail if options.detail is not None else best.detail if has_likely else 1.0
    if detail < 1 and not has_likely:
        raise UsageError(f"--detail {detail:g} needs a network that knows what is likely, and {options.onnx} has none",
                         BAD_CHECKPOINT)
    exported = ExportedSettings(options.onnx, digest, side_of(session), blend=options.blend or best.blend,
                                detail=detail)
    return MethodSettings("latent", seed=options.seed, exported=exported)


def pinned(folder, kind):
    """The save to use of a model's folder, which a run may still be writing to; warns of what is wrong with newer ones.

    Raises UsageError (exit code 4) if there is none of the kind.
    """
    return str(find_model(folder, (kind,), warn)[1])


def warn_if_slow(settings):
    """Say so if this machine lacks what the recipe's precision needs."""
    if settings.search and settings.search.recipe.precision != recipes.Recipe.precision:
        from training.devices import SLOW, is_slow, use_device
        use_device(settings.device)                     # which may take the GPUs out of sight
        if is_slow(settings.search.recipe.precision):
            warn(SLOW)


def beside(folder, kind):
    """The folder where what was trained beside a model is looked for."""
    return os.path.join(f"{os.path.normpath(folder)}-learned", kind)


def _settle_recipe(options, folder):
    """(the recipe, the folder of the encoder where its search begins, or None)."""
    recipe_of = functools.partial(_override, options)
    encoder = options.encoder or beside(folder, ENCODER)
    name = options.recipe or (WITHOUT_ENCODER if options.space == "latent" else BEST)
    recipe = recipe_of(name)
    if options.encoder and (recipe.space == "latent" or options.model != "dcgan"):
        raise UsageError("--encoder is for recipes that search the activations of a DCGAN")
    if recipe.space == "latent":
        return recipe, None
    if options.model == "dcgan" and (options.encoder or is_model(encoder)):
        return recipe, encoder
    missing = f"no latent encoder in {encoder}" if options.model == "dcgan" else "only DCGANs have latent encoders"
    if options.recipe or recipe_of(WITHOUT_ENCODER).space != "latent":
        if options.model != "dcgan":
            raise UsageError(f"{missing}: choose a recipe that searches the latent of a {options.model}")
        raise UsageError(f"recipe {name} starts from an encoder: {missing}; train one by python -m models.train "
                         "latent_encoder, or choose another recipe", BAD_CHECKPOINT)
    say(f"{missing}: searching by recipe {WITHOUT_ENCODER}")
    return recipe_of(WITHOUT_ENCODER), None


def _settle_detail(options, recipe, folder, encoder):
    """(the recipe, the folder of the network that knows what is likely, or None where nothing asks it)."""
    needed = encoder and likely_of(encoder, beside(folder, LIKELY))
    if recipe.detail == 1 and not needed:
        return recipe, None
    likely = options.likely or needed or beside(folder, LIKELY)
    if is_model(likely):
        return recipe, likely
    if needed:
        raise UsageError(f"the encoder in {encoder} begins with what is likely in a hole, and the network that says so "
                         f"is not in {likely}: name its folder by --likely, or choose a recipe without encoder",
                         BAD_CHECKPOINT)
    if options.detail is not None or options.likely:
        raise UsageError(f"--detail {recipe.detail:g} needs a network that knows what is likely, and there is none in "
                         f"{likely}: train one by python -m models.train {LIKELY}, or ask for --detail 1",
                         BAD_CHECKPOINT)
    return dataclasses.replace(recipe, detail=1.0), None


def _override(options, name):
    """The recipe of a name with what the command line sets otherwise."""
    given = {field: value for field in OF_RECIPE if (value := getattr(options, field)) is not None}
    recipe = dataclasses.replace(recipes.RECIPES[name], **given)
    if recipe.space == "latent":
        searches = math.ceil(options.completions / (1 + recipe.mirror))
        recipe = dataclasses.replace(recipe, starts=max(recipe.starts, searches))
    recipe = dataclasses.replace(recipe, by_depth=recipe.by_depth and options.num_iter is None and recipe.starts == 1)
    if recipe.space == "activations" and max(recipe.starts, options.completions) > 1 and not recipe.scatter:
        raise UsageError("several starts at one answer of the encoder would be one: choose a --scatter above 0")
    if recipe.window == 1 or recipe.window and not recipe.window % 2:
        raise UsageError(f"--window {recipe.window} has no middle among neighbours: choose an odd number above 1, or 0")
    if 0 < recipe.pool < recipe.starts:
        raise UsageError(f"a pool of {recipe.pool} latents has no {recipe.starts} starts: choose a larger --pool, or 0")
    return recipe


def _refuse_useless(options, recipe, likely):
    """Raise UsageError for an option of the recipe that would do nothing beside the others."""
    updates = "learning_rate", "optimizer", "decay", "iterate", "hold"
    for names, useless, why in (
            (("pool", "draw"), recipe.space == "activations",
             "chooses latents, but the search starts from an encoder: add --space latent"),
            (("scatter",), recipe.space == "latent", "is of searches that start from an encoder"),
            (("scatter",), max(recipe.starts, options.completions) == 1, "is of several starts: add --starts"),
            (("draw",), recipe.pool, "is of starts without a pool: add --pool 0"),
            (("likely",), not likely, "is of less than all detail: add --detail 0.5"),
            (("answer",), recipe.starts * (1 + recipe.mirror) == 1, "is of several searches: add --starts"),
            (("prior",), options.model != "dcgan", f"is of a discriminator: a {options.model} has a density instead"),
            (updates, not recipe.num_iter, "is of updates: --num_iter 0 makes none")):
        for name in names if useless else ():
            if getattr(options, name) is not None:
                raise UsageError(f"--{name} {why}")
