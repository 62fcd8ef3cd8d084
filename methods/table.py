"""What completes a batch of faces, whichever way.

A method is a function (faces, known, seeds, on_step) -> Outcome of
    faces : (B, H, W, 3) float32 in [-1, 1], never looked at in the hole
    known : (B, H, W) bool, True where the face is kept; seeds : B integers
    on_step : function (step, completed faces, **figures), called at every step that is worth a picture, if any is
"""
import numpy as np

from models import LEARNED, SEARCHED

from .outcome import Outcome


class Filling:
    """A method without steps.

    fill_batch : function (faces, known, seeds) -> completed faces, (B, H, W, 3) float32
    check : function, called every `at_once` faces, that raises when the user wants to stop
    """

    def __init__(self, fill_batch, check=lambda: None, at_once=None):
        self.fill_batch, self.check, self.at_once = fill_batch, check, at_once

    def __call__(self, faces, known, seeds, on_step):
        filled, count = [], self.at_once or len(faces)
        for first in range(0, len(faces), count):
            self.check()
            filled.append(self.fill_batch(*(part[first:first + count] for part in (faces, known, seeds))))
        return Outcome(np.concatenate(filled), [{} for _ in faces])


def make_learned(method, folder, check, **settings):
    """A learned method; folder, settings : as methods.learned.load_filler takes them; check : as above."""
    from nn.lanes import LANES

    from .learned import load_filler
    return Filling(load_filler(method, folder, **settings), check, LANES if method in SEARCHED else None)


def make_method(options, recipe, size, check):
    """The method that was asked for.

    options : of face_completion.py; recipe : of the latent search; size : side of the faces in pixels
    check : function, called now and then, that raises when the user wants to stop
    """
    if options.method == "latent":
        from .latent_search import LatentSearch
        return LatentSearch(options.checkpoint, recipe, options.seed, interval=options.out_interval,
                            completions=options.completions, batch_size=options.batch_size,
                            device=options.device, kind=options.model, encoder=options.encoder,
                            strategy=options.strategy, check=check)
    if options.method in LEARNED:
        return make_learned(options.method, options.checkpoint, check, device=options.device, seed=options.seed,
                            batch_size=options.batch_size)
    from .classical import make_fill_batch
    return Filling(make_fill_batch(options.method, size, options.train_faces), check, at_once=1)


def count_steps(recipe):
    """(steps that a face takes, what they are called) of the method, known before it is made."""
    return (recipe.num_iter, "face-iterations") if recipe else (1, "faces")
