"""The latent search as a method that completes a batch of faces."""
import dataclasses
from functools import partial

import numpy as np

from completion.blend import BLENDS
from completion.detail import mix
from completion.search import Inner, Latent, Search
from helpers import BAD_CHECKPOINT, UsageError
from models import model_type
from nn.setup import traced
from training import checkpoint, devices
from training.manifest import LIKELY

from .outcome import Outcome

BUDGET = "context_loss", "prior_loss", "context_gradient", "prior_gradient"
HALF = 1e-3                                             # what an encoder shipped in half precision may differ by


def make_search(model, recipe, seed, encoder=None, compute=traced, plain=1):
    """The completion.search.Search of a model; a DCGAN's discriminator is its prior, other kinds bring a density.

    recipe, seed : as Search takes them
    encoder : a models.latent_encoder.LatentEncoder of the DCGAN, for recipes that search activations
    compute : as completion.search.Search takes it; plain : as completion.search.Inner has it
    """
    if model.kind != "dcgan":
        return model.make_search(recipe, seed, compute)
    model.compute_in(recipe.precision)
    inner = encoder and Inner(encoder.encode, encoder.decode, encoder.draw, plain)
    if encoder:
        encoder.compute_in(recipe.precision)
    return Search(Latent(model.generate, model.architecture.z_dim, model.realism), recipe, seed, inner, compute=compute)


def load_encoder(folder, dcgan):
    """The latent encoder in a folder; raises UsageError (exit code 4) unless it understands this DCGAN."""
    encoder, _ = checkpoint.load_model(folder, model_type("latent_encoder"))
    for ours, theirs in zip(encoder.generator.variables, dcgan.generator.variables):
        if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=HALF, atol=HALF / 100):
            raise UsageError(f"the encoder in {folder} was trained on another generator: train one on this one, or "
                             "choose a recipe that needs none", BAD_CHECKPOINT)
        ours.assign(theirs)
    return encoder


def load_likely(folder, dcgan):
    """The network in a folder that knows what is likely, a models.posterior_mean.PosteriorMean.

    Raises UsageError (exit code 4) if there is none, or if it is not for faces of the DCGAN's size.
    """
    likely, _ = checkpoint.load_model(folder, model_type(LIKELY))
    if (size := likely.architecture.image_size) != dcgan.architecture.image_size:
        raise UsageError(f"the network in {folder} completes faces of {size} pixels a side, the model makes faces of "
                         f"{dcgan.architecture.image_size}: choose another --likely, or a recipe without it",
                         BAD_CHECKPOINT)
    return likely


class LatentSearch:
    """Searches by a recipe with a trained model and blends the answer into the holes; a method as table.py has it.

    settings : a method_settings.MethodSettings with `search`
    check : function, called now and then, that raises when the user wants to stop
    Raises UsageError if there is no such model, encoder or device, or if the batch does not fit into memory.
    """

    def __init__(self, settings, check=lambda: None):
        search, recipe = settings.search, settings.search.recipe
        devices.use_device(settings.device)
        strategy = devices.make_local_strategy(search.strategy)
        with strategy.scope():
            model, _ = checkpoint.load_model(settings.checkpoint, model_type(search.model))
            encoder = search.encoder and load_encoder(search.encoder, model)
            likely = search.likely and load_likely(search.likely, model)
            if likely:
                likely.compute_in(recipe.precision)
            if encoder:
                encoder.use_likely(likely, search.likely)
        searches = max(recipe.starts * (1 + recipe.mirror), search.completions)
        devices.check_memory(settings.batch_size * searches, model.architecture)
        make = partial(make_search, model, seed=settings.seed, encoder=encoder,
                       compute=partial(devices.share_rows, strategy=strategy))
        several = dataclasses.replace(recipe, starts=search.completions, mirror=False, answer="mean", by_depth=False)
        self.search, self.sampler = make(recipe), encoder and search.completions > 1 and make(several, plain=0)
        self.blend, self.interval = BLENDS[recipe.blend], search.interval
        self.completions, self.check = search.completions, check
        self.likely, self.detail, self.from_likely = likely, recipe.detail, encoder and encoder.likely

    def __call__(self, faces, known, seeds, on_step):
        guessed = self.likely and self.likely.guess_batch(faces, known, seeds)
        likely, begin = self.likely and self.likely.blend(faces, guessed, known), guessed if self.from_likely else None
        completed, answered, shown = None, None, []
        for standing in self.search.steps(faces, known, seeds, likely=begin, interval=self.interval, check=self.check):
            if standing.guess is not answered:          # else nothing was updated since the last step
                completed, answered = self._answer(faces, standing.guess, likely, known), standing.guess
            shown.append((standing.step, standing.context, standing.prior, standing.context_gradient,
                          standing.prior_gradient))
            on_step(standing.step, completed, context=f"{standing.context.mean():.2f}")
        drawn = self.sampler(faces, known, seeds, likely=begin, check=self.check) if self.sampler else standing
        return Outcome(completed, [self._record(shown, standing, drawn, face) for face in range(len(faces))],
                       self._answers(faces, known, drawn, completed) if self.completions > 1 else [])

    def _answer(self, faces, guess, likely, known):
        """The faces with a guess in their holes, turned towards what is likely there."""
        lifelike = self.blend(faces, guess, known)
        return mix(lifelike, likely, known, self.detail) if self.likely else lifelike

    def _answers(self, faces, known, drawn, completed):
        """The best of the guesses in the holes, all changed alike so that where their mean lay `completed` lies."""
        change = completed - self.blend(faces, drawn.guess, known)
        return [np.clip(self.blend(faces, guess, known) + change, -1, 1)
                for guess in drawn.guesses.swapaxes(0, 1)[:self.completions]]

    def _record(self, shown, standing, drawn, face):
        """How the search of a face went, and at the end of its `budget`, how it ended."""
        steps, *columns = zip(*shown)
        budget = {name: [_short(values[face]) for values in column] for name, column in zip(BUDGET, columns)}
        record = {"iterations": int(standing.updates[face]), **{name: values[-1] for name, values in budget.items()},
                  "budget": {"step": list(steps), **budget}}
        if self.completions > 1:
            record["completions"] = [{"context_loss": _short(loss)} for loss in drawn.contexts[face, :self.completions]]
        return record


def _short(value):
    return float(f"{value:.6g}")
