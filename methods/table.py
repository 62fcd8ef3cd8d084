"""What completes a batch of faces, whichever way.

A method is a function (faces, known, seeds, on_step) -> Outcome of
    faces : (B, H, W, 3) float32 in [-1, 1], never looked at in the hole
    known : (B, H, W) bool, True where the face is kept; seeds : B integers
    on_step : function (step, completed faces, **figures), called at every step that is worth a picture, if any is
"""
import numpy as np

from models import LEARNED

from .outcome import Outcome


def make_method(settings, size, check=lambda: None):
    """The method of a method_settings.MethodSettings for faces of `size` pixels a side.

    check : function, called now and then, that raises when the user wants to stop
    Raises UsageError if there is no such model, device, library or training face, or if a batch does not fit into
    memory.
    """
    if settings.search:
        from .latent_search import LatentSearch
        return LatentSearch(settings, check)
    if settings.name in LEARNED:
        from .learned import load_filler
        return Filling(*load_filler(settings), check)
    if settings.exported:
        from .exported import make_fill_batch
        return Filling(make_fill_batch(settings.exported), 1, check)
    from .classical import make_fill_batch
    return Filling(make_fill_batch(settings.name, size, settings.train_faces), 1, check)


class Filling:
    """A method without steps.

    fill_batch : function (faces, known, seeds) -> completed faces, (B, H, W, 3) float32
    at_once : faces of one call, None for the whole batch; check : as above, called before each
    """

    def __init__(self, fill_batch, at_once=None, check=lambda: None):
        self.fill_batch, self.at_once, self.check = fill_batch, at_once, check

    def __call__(self, faces, known, seeds, on_step):
        filled, count = [], self.at_once or len(faces)
        for first in range(0, len(faces), count):
            self.check()
            filled.append(self.fill_batch(*(part[first:first + count] for part in (faces, known, seeds))))
        return Outcome(np.concatenate(filled), [{} for _ in faces])
