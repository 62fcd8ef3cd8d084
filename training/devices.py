"""Where the networks run, on how many devices at once, and whether a batch fits there."""
import contextlib
import os
import resource
from pathlib import Path

from helpers import OUT_OF_MEMORY, UsageError, counted, read_bytes
from nn.lanes import LANES
from nn.layers import mean_of_replicas
from nn.setup import quiet_stderr, tf, traced

from .machines import this_worker

XLA_UNTIL = 12                                          # compute capability from which TensorFlow's XLA aborts (2.21)
SLOW = "this processor has no instructions for bfloat16: --precision float32 is many times as fast here"
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


def is_slow(precision, processor=Path("/proc/cpuinfo")):
    """Whether this machine computes in a precision by converting it, which takes many times as long.

    processor : a file as Linux describes processors; where there is none, nothing is known and nothing slow
    """
    if precision != "bfloat16" or tf.config.get_visible_devices("GPU") or not processor.exists():
        return False
    flags = read_bytes(processor).decode()
    return "avx" in flags and not {"avx512_bf16", "amx_bf16"} & set(flags.split())


def make_strategy(name):
    """The tf.distribute.Strategy of a name; to be called before TensorFlow computes anything.

    "one" device; "mirrored": all of this machine; "multi_worker": those of all machines that TF_CONFIG names; "auto":
    the last of these for which there is more than one. Raises UsageError if TF_CONFIG does not name the workers.
    """
    several = this_worker().count > 1
    if name == "multi_worker" and not os.environ.get("TF_CONFIG"):
        raise UsageError("--strategy multi_worker: TF_CONFIG has to name the workers; see docs/clusters.md")
    if several and name in ("one", "mirrored"):
        raise UsageError(f"--strategy {name}: each of the {this_worker().count} workers of TF_CONFIG would train alone")
    if name == "multi_worker" or several:
        with quiet_stderr():
            return tf.distribute.MultiWorkerMirroredStrategy()
    return make_local_strategy(name)


def make_local_strategy(name):
    """The Strategy of this machine alone: "one" device, "mirrored" all of them, "auto" all if there are several."""
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if name == "mirrored" or name == "auto" and len(devices) > 1:
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def prepare(settings, batch_size, architecture):
    """The strategy of training.settings.Devices.

    Raises UsageError if a batch cannot be shared out or does not fit, or if XLA would end the process.
    """
    use_device(settings.device)
    if settings.xla:
        check_xla()
    strategy = make_strategy(settings.strategy)
    check_memory(share(batch_size, strategy), architecture)
    return strategy


def check_xla():
    """Raise UsageError if there is a GPU on which TensorFlow's XLA ends the process."""
    for gpu in tf.config.get_visible_devices("GPU"):
        major, minor = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
        if major >= XLA_UNTIL:
            raise UsageError(f"--xla: TensorFlow's XLA aborts on a GPU of compute capability {major}.{minor}: train "
                             "without --xla")


def share(batch_size, strategy):
    """How many faces of a batch each replica gets. Raises UsageError if they do not come out even."""
    faces, rest = divmod(batch_size, strategy.num_replicas_in_sync)
    if rest:
        raise UsageError(f"--batch_size {batch_size} cannot be shared out evenly to {strategy.num_replicas_in_sync} "
                         "devices")
    return faces


def check_agreement(strategy, step):
    """Raise UsageError unless all workers go on from the same step."""
    means, = strategy.run(traced(lambda: mean_of_replicas([tf.fill((), float(step))])))
    if strategy.experimental_local_results(means)[0] != step:
        raise UsageError(f"this worker would go on from step {step}, others from another one: --checkpoint_dir has to "
                         "be one folder that all workers see")


def distribute(strategy, stream):
    """The batches of a stream, each element one for every replica of this machine.

    stream : function (first, last, of) -> tf.data.Dataset, whose elements are the parts of a step's batch for the
        replicas first to last - 1 of all `of`, one after the other
    """
    def parts(context):
        count = context.num_replicas_in_sync // context.num_input_pipelines
        first = context.input_pipeline_id * count
        return stream(first, first + count, context.num_replicas_in_sync)
    return strategy.distribute_datasets_from_function(parts)


def replicate(step, strategy, xla=False):
    """A training step (batch, number) -> {name: scalar} as a function that all replicas compute together.

    xla : compile it by XLA
    """
    @traced
    def together(batch, number):
        return strategy.run(traced(step, jit_compile=True) if xla else step, (batch, number))

    def update(batch, number):
        figures = together(batch, tf.constant(number, tf.int64))
        return {name: strategy.experimental_local_results(value)[0] for name, value in figures.items()}
    return update


def share_rows(function, strategy):
    """Compile a function of tensors so that all replicas compute it, each for its part of the rows.

    function : structures of tensors (B, ...) and scalars -> one of tensors (B, ...) whose rows do not depend on each
        other
    """
    count = strategy.num_replicas_in_sync
    if count == 1:
        return traced(function)
    together = traced(lambda *parts: strategy.run(function, parts))

    def deal_out(tensor, share):
        whole = tf.concat([tensor, tf.repeat(tensor[-1:], share * count - len(tensor), axis=0)], axis=0)
        return strategy.experimental_distribute_values_from_function(
            lambda replica: whole[share * replica.replica_id_in_sync_group:][:share])

    def compute(*tensors):
        rows = max(len(tensor) for tensor in tf.nest.flatten(tensors) if tensor.shape.rank)
        share = -(-rows // (LANES * count)) * LANES
        parts = together(*tf.nest.map_structure(
            lambda tensor: deal_out(tensor, share) if tensor.shape.rank else tensor, tensors))
        return tf.nest.map_structure(
            lambda part: tf.concat(strategy.experimental_local_results(part), axis=0)[:rows], parts)
    return compute


@contextlib.contextmanager
def watch_workers():
    """Raise UsageError for what TensorFlow raises, wherever it waits, when another machine is lost."""
    try:
        yield
    except tf.errors.OpError as error:
        if this_worker().count == 1 or isinstance(error, tf.errors.ResourceExhaustedError):
            raise
        raise UsageError("another worker stopped answering: start all of them again with the same commands, and "
                         "they go on from the last save") from error


def memory_of(batch_size, architecture):
    """About how many bytes the activations and gradients of a batch take."""
    filters = max(width for name, width in vars(architecture).items() if name.endswith("f_dim"))
    return batch_size * BYTES_PER_FACE * (architecture.image_size / 64) ** 2 * filters / 16


def check_memory(batch_size, architecture):
    """Raise UsageError (exit code 7) when a batch cannot fit into this machine, before the kernel ends the process."""
    if tf.config.get_visible_devices("GPU"):
        return                                          # there TensorFlow itself reports it
    needed = memory_of(batch_size, architecture)
    allowed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        allowed = min(allowed, limit)
    if needed > allowed:
        raise UsageError(f"a batch of {counted(batch_size, 'face')} needs about {needed / 1e9:.1f} GB, this process "
                         f"may use {allowed / 1e9:.1f} GB: reduce --batch_size", OUT_OF_MEMORY)
