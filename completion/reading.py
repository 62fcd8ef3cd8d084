"""How inputs are read, aligned faces or whole photos, a batch at a time."""
import dataclasses
import itertools

from helpers import BadPhoto

from .face import FaceReader
from .holes import OwnHoles, StandardHoles
from .points import Points


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is to be completed.

    holes : where the hole of each input is, a holes.StandardHoles or holes.OwnHoles
    seed : decides the faces' own seeds, from which starts are drawn; fit : as for face.FaceReader
    landmarks : the template on which the faces of whole photos are aligned; None for faces that are aligned
    has_truth : what lies under the holes is the truth, which results can be measured against
    points : where faces of whole photos are placed by hand, or None
    """
    holes: StandardHoles | OwnHoles
    seed: int = 0
    fit: str = "refuse"
    landmarks: str | None = None
    has_truth: bool = True
    points: Points | None = None


def make_reader(subject, size, load_locator=None):
    """The function (source, name) -> Face that reads an input, and makes its hole.

    size : side of the faces; load_locator : as placing.FacePlacer takes it
    """
    if not subject.landmarks:
        return FaceReader(subject.holes, size, subject.seed, subject.fit)
    from preprocess.faces import FaceFinder

    from .photos import PhotoReader
    from .placing import FacePlacer
    def read_placed(place):
        return PhotoReader(place, subject.holes, size, seed=subject.seed)
    reader = read_placed(FacePlacer(FaceFinder(), subject.landmarks, size, load_locator))
    return PointedReader(reader, read_placed, subject, size) if subject.points else reader


class PointedReader:
    """Reads photos whose faces are placed by hand, and others as `reader` does.

    read_placed : function of what places faces -> reader; subject : a Subject with points; size : side of the faces
    """

    def __init__(self, reader, read_placed, subject, size):
        self.reader, self.read_placed, self.subject, self.size = reader, read_placed, subject, size
        self.restore = reader.restore

    def __call__(self, source, name):
        points = self.subject.points.of(source)
        if points is None:
            return self.reader(source, name)
        from .placing import place_by_points
        placement = place_by_points(points, self.size, self.subject.landmarks)
        return self.read_placed(lambda pixels, known: [placement])(source, name)


def read_batches(tasks, read, batch_size, fail, check):
    """Yield tuples of Faces for every batch_size tasks (source, name), reading no further ahead.

    read : as make_reader gives it; fail : function (source, name, BadPhoto), called for each that cannot be read
    check : function, called before each, that raises when the user wants to stop
    """
    tasks = iter(tasks)
    while chunk := list(itertools.islice(tasks, batch_size)):
        batch = []
        for source, name in chunk:
            check()
            try:
                batch.append(read(source, name))
            except BadPhoto as problem:
                fail(source, name, problem)
        if batch:
            yield tuple(batch)
