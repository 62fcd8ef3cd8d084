"""The methods that learn to fill holes."""
from completion.recipes import POOL
from models import LEARNED, SEARCHED, model_type
from nn.lanes import LANES
from training.checkpoint import load_model
from training.devices import check_memory, use_device
from training.manifest import LIKELY

ENCODING = "vae_encoding"                               # the VAE's other way to fill


def load_filler(settings):
    """(fill_batch(faces (B, S, S, 3), known (B, S, S), seeds) -> faces, how many faces it takes at once or None).

    settings : a method_settings.MethodSettings of one of models.LEARNED
    Raises UsageError if there is no model of the method's kind (exit code 4) or the batch does not fit into memory (7).
    """
    use_device(settings.device)
    model, _ = load_model(settings.checkpoint, model_type(LEARNED[settings.name]))
    model.seed = settings.seed
    if settings.likely:
        model.use_likely(load_model(settings.likely, model_type(LIKELY))[0], settings.likely)
    if settings.name not in SEARCHED:
        check_memory(settings.batch_size, model.architecture)
        return model.fill_by_encoding if settings.name == ENCODING else model.fill_batch, None
    check_memory(min(settings.batch_size, LANES) * POOL.starts, model.architecture)
    return model.fill_batch, LANES
