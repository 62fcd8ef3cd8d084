"""The damage of photos by a trained network, which is loaded when it is first needed."""
import functools

from . import model_type


def damage_finder(folder, device="auto"):
    """The function that finds what is damaged of a photo: (H, W, 3) uint8 -> (H, W) bool.

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
