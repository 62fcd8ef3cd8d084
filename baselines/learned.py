"""The methods that learn to fill holes, by name; their modules import TensorFlow, and are imported when asked for."""
import importlib

from . import LEARNED

CLASSES = {"context_encoder": "ContextEncoder", "latent_encoder": "LatentEncoder", "autoencoder": "Autoencoder",
           "vae": "VAE", "generative_face_completion": "GenerativeFaceCompletion"}      # in baselines.KIND
ENCODING = "vae_encoding"                               # the VAE's other way to fill


def model_type(kind):
    """The class of a kind of learned models."""
    return getattr(importlib.import_module(f"baselines.{kind}"), CLASSES[kind])


def load_filler(method, folder, device="auto"):
    """fill_batch(faces (B, S, S, 3), known (B, S, S), seeds) -> faces, by the model in the folder of a run or export.

    device : "auto", "cpu" or "gpu". Raises UsageError (exit code 4) if there is no model of the method's kind.
    """
    from training.checkpoint import load_model
    from training.devices import use_device
    use_device(device)
    model, _ = load_model(folder, model_type(LEARNED[method]))
    return model.fill_by_encoding if method == ENCODING else model.fill_batch
