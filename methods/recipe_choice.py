"""Which recipe, which latent encoder and which saves of both models a latent search goes by."""
import os

from helpers import BAD_CHECKPOINT, UsageError
from training.manifest import MANIFEST, find_model

BEST, WITHOUT_ENCODER = "best", "pool"


def settle_recipe(options, recipe_of, say):
    """The recipe of a command's options, and the folder of the encoder where its search begins, or None.

    options : has recipe, model (of whose latent), checkpoint and encoder; where `recipe` is None it becomes BEST, or
        WITHOUT_ENCODER if there is none
    recipe_of : function, name -> Recipe with what the command line sets otherwise
    Raises UsageError if an encoder has no use, or (exit code 4) if a recipe that was asked for lacks one.
    """
    asked, folder = options.recipe, options.encoder or default_encoder(options.checkpoint)
    options.recipe = asked or (WITHOUT_ENCODER if getattr(options, "space", None) == "latent" else BEST)
    recipe = recipe_of(options.recipe)
    if options.encoder and (recipe.space == "latent" or options.model != "dcgan"):
        raise UsageError("--encoder is for recipes that search the activations of a DCGAN")
    if recipe.space == "latent":
        return recipe, None
    if options.model == "dcgan" and (options.encoder or os.path.exists(os.path.join(folder, MANIFEST))):
        return recipe, folder
    missing = f"no latent encoder in {folder}" if options.model == "dcgan" else "only DCGANs have latent encoders"
    if asked or recipe_of(WITHOUT_ENCODER).space != "latent":
        if options.model != "dcgan":
            raise UsageError(f"{missing}: choose a recipe that searches the latent of a {options.model}")
        raise UsageError(f"recipe {options.recipe} starts from an encoder: {missing}; train one by python -m "
                         "models.train latent_encoder, or choose another recipe", BAD_CHECKPOINT)
    say(f"{missing}: searching by recipe {WITHOUT_ENCODER}")
    options.recipe = WITHOUT_ENCODER
    return recipe_of(WITHOUT_ENCODER), None


def default_encoder(checkpoint):
    """The folder where the encoder of a model is looked for."""
    return os.path.join(f"{os.path.normpath(checkpoint)}-learned", "latent_encoder")


def pin_saves(options, warn):
    """Put the saves to use in place of the folders `checkpoint` and `encoder`: a run in training makes new ones.

    warn : function, called with what is wrong with a newer save. Raises UsageError (exit code 4) if there is none.
    """
    options.checkpoint = str(find_model(options.checkpoint, warn)[1])
    options.encoder = options.encoder and str(find_model(options.encoder, warn)[1])
