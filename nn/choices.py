"""What a network may be and how it may learn, as values: all that a command line needs, without TensorFlow."""
import dataclasses

# Of the tables in nn.adversarial and models.context_encoder, and of what normalizes a discriminator's layers.
LOSSES = "cross_entropy", "hinge", "least_squares", "wasserstein"
PENALTIES = "r1", "wgan_gp"
AUGMENTATIONS = "color", "translation", "cutout"
DISTANCES = "l2", "l1"
PRECISIONS = "float32", "bfloat16"                      # what convolutions may compute in
NORMS = "batch", "none", "spectral"


@dataclasses.dataclass(frozen=True)
class Sizes:
    """image_size : side of a face in pixels; gf_dim, df_dim : filters of the outermost layers of the network that makes
    faces and of the one that looks at them; every layer inwards has twice as many
    """
    image_size: int = 64
    gf_dim: int = 16
    df_dim: int = 16


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How long and how fast a model learns.

    steps : updates in the whole run, to which all shares refer; learning_rate, beta1 : of its Adams
    decay : share of the run, at its end, over which the learning rate falls linearly to 0
    """
    steps: int = 5000
    learning_rate: float = 0.0002
    beta1: float = 0.5
    decay: float = 0.0
