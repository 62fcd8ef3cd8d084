"""How inputs are read, aligned faces or whole photos, a batch at a time."""
import dataclasses

from helpers import BadPhoto

from .face import SIZES, FaceReader
from .holes import OwnHoles, StandardHoles
from .points import Points

FACES = "touched", "largest"                            # which faces of a photo are completed
PHOTO_BATCH = 8                                         # faces of photos at a time, at most: an interrupt loses these


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is to be completed.

    holes : where the hole of each input is, a holes.StandardHoles or holes.OwnHoles
    seed : decides the faces' own seeds, from which starts are drawn; fit : as for face.FaceReader
    landmarks : the template on which the faces of whole photos are aligned; None for faces that are aligned
    faces : which faces of a photo, one of FACES
    has_truth : what lies under the holes is the truth, which results can be measured against
    points : where faces of whole photos are placed by hand, or None
    sizes : sides that the crops of whole photos may have, in pixels, as far as there are models
    """
    holes: StandardHoles | OwnHoles
    seed: int = 0
    fit: str = "refuse"
    landmarks: str | None = None
    faces: str = "touched"
    has_truth: bool = True
    points: Points | None = None
    sizes: tuple = SIZES


def make_reader(subject, sizes, load_locator=None):
    """The function (source, name) -> [Face] that reads an input, and makes its hole.

    sizes : sides of the faces, the smallest first; of aligned ones it is one; load_locator : as for placing.FacePlacer
    """
    if not subject.landmarks:
        read = FaceReader(subject.holes, sizes[0], seed=subject.seed, fit=subject.fit)
        return lambda source, name: [read(source, name)]
    from preprocess.faces import FaceFinder

    from .photos import PhotoReader
    from .placing import FacePlacer
    place = FacePlacer(FaceFinder(), subject.landmarks, sizes[0], load_locator=load_locator, points=subject.points)
    return PhotoReader(place, subject.holes, sizes, seed=subject.seed, choice=subject.faces)


def read_batches(tasks, read, batch_size, fail, check):
    """Yield tuples of batch_size Faces of one size of the tasks (source, name), the last ones of fewer.

    read : as make_reader gives it; fail : function (source, name, BadPhoto), called for each that cannot be read
    check : function, called before each, that raises when the user wants to stop
    Nothing is read before it is needed.
    """
    waiting = {}
    for source, name in tasks:
        check()
        try:
            for face in read(source, name):
                waiting.setdefault(len(face.pixels), []).append(face)
        except BadPhoto as problem:
            fail(source, name, problem)
        for batch in waiting.values():
            while len(batch) >= batch_size:
                yield tuple(batch[:batch_size])
                del batch[:batch_size]
    yield from (tuple(batch) for batch in waiting.values() if batch)


class Gatherer:
    """Brings together what the faces of a file have become; their batches may be finished in any order."""

    def __init__(self):
        self._parts = {}

    def __call__(self, face, result):
        """([Face], [result]) of all faces of the file if this is the last of them, else None."""
        parts = self._parts.setdefault(face.source, {})
        parts[face.number] = face, result
        if len(parts) < face.faces:
            return None
        return tuple(zip(*(part for _, part in sorted(self._parts.pop(face.source).items()))))
