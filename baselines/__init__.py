"""Other ways to fill a hole: each is fill(face, known, seed) -> face, and all are in these two tables."""
from .laplace import laplace
from .libraries import biharmonic, navier_stokes, patchmatch, telea
from .low_rank import low_rank
from .total_variation import total_variation
from .training_faces import mean_face, nearest

FILLS = {fill.__name__: fill for fill in (laplace, total_variation, low_rank, patchmatch, telea, navier_stokes,
                                          biharmonic)}
FROM_FACES = {make.__name__: make for make in (mean_face, nearest)}     # (training faces) -> fill
