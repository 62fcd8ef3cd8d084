"""What a run would do, said without doing it."""
import textwrap

from helpers import counted
from nn.setup import tf
from shell.records import in_words

from .checkpoint import Checkpoint
from .devices import memory_of
from .loop import make_model, prepare_faces
from .resume import find_save, tell_beginning

OWN_MEMORY = 600e6                                      # bytes that TensorFlow takes for itself
PER_WEIGHT = 16                                         # the weight, its gradient, and Adam's two means of that


def rehearse(model_type, settings, console):
    """Read the faces and make the model of a run as training.loop.train does, and say what it would do.

    Writes nothing. Raises UsageError as `train` does before its first step.
    """
    faces, validation, settings = prepare_faces(model_type, settings, console)
    with console.progress(None, "preparing the run"):
        model, record, _ = make_model(model_type, settings, faces, console)
        store = Checkpoint(settings.places.saves, model.parts)
        manifest, save = find_save(store, model, record, settings, console=console)
    if save:
        tell_beginning(manifest, save, record, settings, console=console)
    data = [faces] if validation is None else [faces, validation]
    for line in describe(model, record, settings, data, save=save):
        for part in textwrap.wrap(line, 100, subsequent_indent="  ", break_on_hyphens=False):
            console.say(part)


def describe(model, record, settings, data, save):
    """Yield a line on each of a run's faces, steps, parameters, memory, places and settings.

    data : [faces to train on], and those for validation if there are any; save : where the run goes on, or None
    """
    run, places, side = settings.run, settings.places, settings.architecture.image_size
    sizes, beginning = count_parameters(model), f"with {run.begin_from}" if run.begin_from else "anew"
    used = OWN_MEMORY + sum(getattr(faces, "nbytes", 0) for faces in data) + PER_WEIGHT * sum(sizes.values())
    yield "faces: " + " and ".join(f"{len(faces)} of {side}x{side} pixels {purpose}" for faces, purpose in
                                   zip(data, ("to train on", "for validation")))
    yield (f"steps: {settings.training.steps}, {counted(run.epoch, 'epoch')} of {len(data[0]) // run.batch_size}, by "
           f"{counted(run.batch_size, 'face')} each" + ("" if save else f"; begins {beginning}"))
    yield "parameters: " + ", ".join(f"{name} {size:,}" for name, size in sizes.items())
    yield f"memory: about {(used + memory_of(run.batch_size, settings.architecture)) / 1e9:.1f} GB"
    yield (f"places: saves in {places.saves}, curves and samples in {places.log}, "
           + (f"the model in {places.export}" if places.export else "no --export"))
    values = record["architecture"] | record["training"] | {name: record[name] for name in ("flip", "seed")}
    yield "settings: " + ", ".join(f"{name} {in_words(value)}" for name, value in values.items() if name != "steps")


def count_parameters(model):
    """{name: number of trainable weights} of the networks of a model that is ready to be trained."""
    return {name: sum(weight.shape.num_elements() for weight in part.trainable_variables)
            for name, part in model.parts.items() if isinstance(part, tf.Module)}
