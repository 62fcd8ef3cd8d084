"""The latent search as a method that completes a batch of faces."""
from functools import partial

import numpy as np

from completion.blend import BLENDS
from completion.search import Inner, Search
from helpers import BAD_CHECKPOINT, UsageError
from models import model_type
from network import DCGAN
from nn import tf
from output.completed_folder import BUDGET
from training import checkpoint, devices  # first, for it imports TensorFlow quietly

from .outcome import Outcome

HALF = 1e-3                                             # what an encoder shipped in half precision may differ by


def make_search(model, recipe, seed, encoder=None, compute=tf.function):
    """The search by a model; a DCGAN's discriminator is its prior, the others bring a density.

    encoder : a models.latent_encoder.LatentEncoder of the DCGAN, for recipes that search activations
    compute : as completion.search.Search takes it
    """
    if not isinstance(model, DCGAN):
        return model.make_search(recipe, seed, compute)
    model.compute_in(recipe.precision)
    inner = encoder and Inner(encoder.encode, encoder.decode, encoder.mean.shape.num_elements())
    if encoder:
        encoder.compute_in(recipe.precision)
    return Search(model.generate, model.realism, model.architecture.z_dim, recipe, seed, inner, compute=compute)


def load_encoder(folder, dcgan):
    """The latent encoder in a folder; raises UsageError (exit code 4) unless it understands this DCGAN."""
    encoder, _ = checkpoint.load_model(folder, model_type("latent_encoder"))
    for mine, its in zip(encoder.generator.variables, dcgan.generator.variables):
        if mine.shape != its.shape or not np.allclose(mine, its, rtol=HALF, atol=HALF / 100):
            raise UsageError(f"the encoder in {folder} was trained on another generator: train one on this one, or "
                             "choose a recipe that needs none", BAD_CHECKPOINT)
        mine.assign(its)
    return encoder


class LatentSearch:
    """Searches by a recipe with a trained model and blends what is found into the holes; a method as methods.py has it.

    folder : of the model; recipe : a completion.recipes.Recipe; seed : decides the pool of starts
    interval : updates between the steps that are shown; batch_size : faces at a time, at most
    completions : answers a face, at most its searches: the faces of so many, by their context loss
    device : where to search, "auto", "cpu" or "gpu"; kind : of the model, "dcgan" or one of models.SEARCHED
    encoder : folder of the latent encoder, for recipes that search activations
    strategy : on how many devices of that kind, "one", "mirrored" for all, "auto"
    check : function, called now and then, that raises when the user wants to stop
    Raises UsageError if there is no such model, encoder or device, or if the batch does not fit into memory.
    """

    def __init__(self, folder, recipe, seed=0, *, interval=None, completions=1, batch_size=1, device="auto",
                 kind="dcgan", encoder=None, strategy="auto", check=lambda: None):
        devices.use_device(device)
        strategy = devices.make_local_strategy(strategy)
        with strategy.scope():
            model, _ = checkpoint.load_model(folder, DCGAN if kind == "dcgan" else model_type(kind))
            encoder = encoder and load_encoder(encoder, model)
        devices.check_memory(batch_size * recipe.starts * (1 + recipe.mirror), model.architecture)
        self.search = make_search(model, recipe, seed, encoder, partial(devices.share_rows, strategy=strategy))
        self.blend, self.interval = BLENDS[recipe.blend], interval
        self.completions, self.check = completions, check

    def __call__(self, faces, known, seeds, on_step):
        completed, shown = None, []

        def show(found):
            nonlocal completed
            completed = self.blend(faces, found.guess, known)
            shown.append((found.step, found.context, found.prior, found.context_gradient, found.prior_gradient))
            on_step(found.step, completed, context=f"{found.context.mean():.2f}")

        found = self.search(faces, known, seeds, interval=self.interval, on_step=show, gradients=True,
                            check=self.check)
        ranked = found.guesses.swapaxes(0, 1)[:self.completions] if self.completions > 1 else ()
        return Outcome(completed, [self._record(shown, found.contexts, face) for face in range(len(faces))],
                       [self.blend(faces, guess, known) for guess in ranked])

    def _record(self, shown, contexts, face):
        """How the search of a face went, and at the end of its `budget`, how it ended."""
        steps, *columns = zip(*shown)
        budget = {name: [_short(values[face]) for values in column] for name, column in zip(BUDGET, columns)}
        record = {"iterations": steps[-1], **{name: values[-1] for name, values in budget.items()},
                  "budget": {"step": list(steps), **budget}}
        if self.completions > 1:
            record["completions"] = [{"context_loss": _short(loss)} for loss in contexts[face, :self.completions]]
        return record


def _short(value):
    return float(f"{value:.6g}")
