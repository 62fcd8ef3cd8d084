"""Batches of faces completed by the workers of a Dask cluster, while this process reads and writes the pictures."""
import argparse
import os
import time
from typing import NamedTuple

from helpers import BAD_CHECKPOINT, UsageError
from output.writer import floats
from shell.dask_cluster import map_on_cluster
from training.manifest import describe_model

from .outcome import Outcome
from .table import make_method

OF_METHOD = ("method", "checkpoint", "seed", "out_interval", "completions", "batch_size", "device", "strategy", "model",
             "encoder", "train_faces")
FOLDERS = "checkpoint", "encoder", "train_faces"


class Completed(NamedTuple):
    """What a worker made of a batch: [(step, faces)] that are worth a picture, the Outcome, and its seconds."""
    steps: list
    outcome: Outcome
    seconds: float


def map_batches(batches, options, recipe, settings, check):
    """Pairs (batch, Completed or BadPhoto) for every batch, a tuple of Faces, in the order in which they finish.

    options : of face_completion.py, whose folders all machines have to see; settings : what decides a face's result
    check : function that raises when the user wants to stop
    """
    chosen = {name: getattr(options, name) for name in OF_METHOD}
    chosen |= {name: os.path.abspath(chosen[name]) for name in FOLDERS if chosen[name]}
    models = {chosen[name]: settings[key] for name, key in (("checkpoint", "model"), ("encoder", "encoder"))
              if settings.get(key)}
    arguments = chosen, recipe, settings["image_size"], models
    return map_on_cluster(complete, batches, options.scheduler, prepare, arguments, check)


def prepare(chosen, recipe, size, models):
    """Set a worker up: make the method. Raises UsageError unless the worker sees these models, {folder: digest}."""
    global _method
    for folder, digest in models.items():
        if describe_model(folder)["model"] != digest:
            raise UsageError(f"a worker sees another model in {folder}", BAD_CHECKPOINT)
    _method = make_method(argparse.Namespace(**chosen), recipe, size, lambda: None)


def complete(batch):
    """The Completed of a batch of Faces, in a worker."""
    begun, steps = time.monotonic(), []
    outcome = _method(*floats(batch), [face.seed for face in batch],
                      lambda step, faces, **_: steps.append((step, faces)))
    return Completed(steps, outcome, time.monotonic() - begun)
