"""Batches of faces, completed by a method here or by a cluster, written and measured."""
import time

from helpers import BadPhoto
from output.writer import BatchWriter, floats

from .table import count_steps, make_method


def complete_batches(batches, options, recipe, settings, progress, check):
    """Complete, write and measure batches, tuples of Faces; yields each Face and its record, or the BadPhoto it made.

    options : of face_completion.py; recipe : of the latent search
    settings : what decides a face's result; progress : the command's Progress, of count_steps(recipe)
    check : function, called now and then, that raises when the user wants to stop
    """
    complete = _complete_on_cluster if options.scheduler else _complete_here
    return complete(batches, options, recipe, settings, progress, check)


def _complete_here(batches, options, recipe, settings, progress, check):
    method = None                                       # a network is loaded only if there is something for it to do
    for batch in batches:
        method = method or make_method(options, recipe, settings["image_size"], check)
        yield from zip(batch, _complete_batch(batch, method, options, count_steps(recipe)[0], progress, check))


def _complete_batch(batch, method, options, steps, progress, check):
    begun, writer, last = time.monotonic(), BatchWriter(batch, options.out_dir), 0

    def on_step(step, faces, **figures):
        nonlocal last
        check()
        progress.update(len(batch) * (step - last), **figures)
        writer.write_step(step, faces)
        last = step

    outcome = method(*floats(batch), [face.seed for face in batch], on_step)
    progress.update(len(batch) * (steps - last))
    return writer.finish(outcome, (time.monotonic() - begun) / len(batch), _has_truth(options))


def _complete_on_cluster(batches, options, recipe, settings, progress, check):
    from .on_cluster import map_batches
    for batch, made in map_batches(batches, options, recipe, settings, check):
        progress.update(len(batch) * count_steps(recipe)[0])
        if isinstance(made, BadPhoto):
            yield from ((face, made) for face in batch)
            continue
        writer = BatchWriter(batch, options.out_dir)
        for step in made.steps:
            writer.write_step(*step)
        yield from zip(batch, writer.finish(made.outcome, made.seconds / len(batch), _has_truth(options)))


def _has_truth(options):
    """Whether what lies under the holes is the truth, which results can be measured against."""
    return options.intact or not options.mask
