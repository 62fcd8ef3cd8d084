"""The models that are trained beside the DCGAN. Their modules import TensorFlow, and are imported when asked for."""
import interrupts  # noqa: F401

import functools
import importlib

from training.manifest import shipped

# Of each learned method the kind of model that it needs.
LEARNED = {kind: kind for kind in ("context_encoder", "generative_face_completion", "latent_encoder", "posterior_mean",
                                   "autoencoder", "vae")} | {"vae_encoding": "vae"}
SEARCHED = ("autoencoder", "vae")                       # whose latent face_completion's own search can go through too
PLACEMENT, DAMAGE = shipped("placement"), shipped("damage")     # what places faces, and what finds damage in photos
CLASSES = {"dcgan": "network.DCGAN", "context_encoder": "models.context_encoder.ContextEncoder",
           "latent_encoder": "models.latent_encoder.LatentEncoder",
           "posterior_mean": "models.posterior_mean.PosteriorMean",
           "autoencoder": "models.autoencoders.Autoencoder", "vae": "models.autoencoders.VAE",
           "generative_face_completion": "models.generative_face_completion.GenerativeFaceCompletion",
           "placement": "models.placement.Placement", "damage": "models.damage.DamageFinder"}


def model_type(kind):
    """The class of a kind of models."""
    module, _, name = CLASSES[kind].rpartition(".")
    return getattr(importlib.import_module(module), name)


def load_locator():
    """The shipped network that places faces under a hole, a models.placement.Placement."""
    from training.checkpoint import load_model
    return load_model(PLACEMENT, model_type("placement"))[0]


def damage_finder(folder, device="auto"):
    """A function that finds what is damaged of a photo, (H, W, 3) uint8 -> (H, W) bool; its network is loaded then.

    folder : of a models.damage.DamageFinder; device : as training.devices.use_device takes it
    It raises UsageError (exit code 4) if there is no such model.
    """
    @functools.cache
    def load():
        from training import checkpoint, devices
        devices.use_device(device)
        return checkpoint.load_model(folder, model_type("damage"))[0]

    def find(pixels):
        from completion.damage_holes import find_damage
        return find_damage(pixels, load().probability)
    return find
