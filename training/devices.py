"""Where the networks run, and whether a batch fits there."""
import os
import resource

from helpers import OUT_OF_MEMORY, UsageError, quiet_stderr
from layers import tf

BYTES_PER_FACE = 2_500_000                              # measured: activations and gradients, 64 pixels, 16 filters


def use_device(name):
    """Prepare "cpu", "gpu" or "auto" (a GPU if there is one). Raises UsageError if the GPU asked for is not there."""
    with quiet_stderr():
        gpus = tf.config.list_physical_devices("GPU")
    if name == "gpu" and not gpus:
        raise UsageError("--device gpu: TensorFlow sees no GPU; see requirements-gpu.txt, or ask for --device cpu")
    if name == "cpu":
        tf.config.set_visible_devices([], "GPU")
    for gpu in gpus if name != "cpu" else []:
        tf.config.experimental.set_memory_growth(gpu, True)


def check_memory(batch_size, architecture):
    """Raise UsageError (exit code 7) when a batch cannot fit into this machine, before the kernel ends the process."""
    if tf.config.get_visible_devices("GPU"):
        return                                          # there TensorFlow itself reports it
    filters = max(architecture.gf_dim, architecture.df_dim)
    needed = batch_size * BYTES_PER_FACE * (architecture.image_size / 64) ** 2 * filters / 16
    allowed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        allowed = min(allowed, limit)
    if needed > allowed:
        raise UsageError(f"a batch of {batch_size} faces needs about {needed / 1e9:.1f} GB, this process may use "
                         f"{allowed / 1e9:.1f} GB: reduce --batch_size", OUT_OF_MEMORY)
