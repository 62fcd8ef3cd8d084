"""The methods that learn to fill holes, by name; their modules import TensorFlow, and are imported when asked for."""
from completion.recipes import POOL
from models import LEARNED, SEARCHED, model_type

ENCODING = "vae_encoding"                               # the VAE's other way to fill


def load_filler(method, folder, device="auto", batch_size=1, seed=0):
    """fill_batch(faces (B, S, S, 3), known (B, S, S), seeds) -> faces, by the model in the folder of a run or export.

    device : "auto", "cpu" or "gpu"; batch_size : faces at a time, at most; seed : decides the pool of a latent's search
    Raises UsageError if there is no model of the method's kind (exit code 4) or the batch does not fit into memory (7).
    """
    from training.checkpoint import load_model
    from training.devices import check_memory, use_device
    use_device(device)
    model, _ = load_model(folder, model_type(LEARNED[method]))
    model.seed = seed
    check_memory(batch_size * (POOL.starts if method in SEARCHED else 1), model.architecture)
    return model.fill_by_encoding if method == ENCODING else model.fill_batch
