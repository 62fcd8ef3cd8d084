"""Latent encoder: sees in a face with a hole the activations by which a trained generator makes the whole face.

The generator's weights stay as they are. What the encoder sees is an answer of its own, and where the latent search
begins that goes on from there (completion.search.Inner).
Sources: Zhu et al., "Generative Visual Manipulation on the Natural Image Manifold", ECCV 2016, section 3.1, for an
encoder as the start of a search; Larsen et al., "Autoencoding Beyond Pixels", ICML 2016, for a distance of what the
discriminator sees; the activations behind the generator's first layer, instead of z, are ours.
"""
import dataclasses

from layers import BatchNorm, fold, gather, halve, mean_of_replicas, spread, tf, variable
from network import KERNEL, SMALLEST, Generator, initial_weights
from network import Architecture as GeneratorArchitecture
from updates import apply, falling, follow, make_adam

from .context_encoder import reconstruction_loss
from .drawn_holes import DrawnHoles
from .encoder_decoder import Filler

WIDEST = 6                                              # of the outermost layer's filters: 32, 64, 128, 192
DENSE = 160
SEEN = 2048                                             # faces of G from which its activations' statistics come


@dataclasses.dataclass(frozen=True)
class Architecture:
    """image_size, z_dim, gf_dim : of the generator; ef_dim : filters of the encoder's outermost layer"""
    image_size: int = 64
    z_dim: int = 100
    gf_dim: int = 16
    ef_dim: int = 32


@dataclasses.dataclass(frozen=True)
class Training:
    """How it is trained.

    generator : folder of the model whose generator is to be understood
    steps : updates in the whole run; masks : the holes it learns to see through, names with blanks between them
    learning_rate, beta1 : of Adam; decay : share of the run, at its end, over which the rate falls to 0
    average : decay of the exponential average of the weights that is used; 0 for none
    outside : weight of the L1 distance of the known pixels, where that of the hole has 1
    features : weight of the L1 distance of what the discriminator's convolutions see in the completed and true face
    """
    generator: str = "checkpoint/celeba64"
    steps: int = 5000
    masks: str = "center"
    learning_rate: float = 0.001
    beta1: float = 0.9
    decay: float = 0.5
    average: float = 0.0
    outside: float = 0.3
    features: float = 0.0


class Encoder(tf.Module):
    """Faces with a hole (B, S, S, 3) and known (B, S, S) -> activations (B, 4, 4, C) in units of their deviation.

    5x5 stride-2 convolutions with batch norm and leaky ReLU 0.2 down to 4x4; from there a dense layer to DENSE numbers
    and one back, which see the whole face, and beside them a 3x3 convolution, which sees each place better.
    """

    def __init__(self, architecture, seed=0):
        super().__init__("encoder")
        layers = (architecture.image_size // SMALLEST).bit_length() - 1
        widths = [min(1 << layer, WIDEST) * architecture.ef_dim for layer in range(layers)]
        out = architecture.gf_dim << layers - 1
        weights = _he(initial_weights(seed))
        self.kernels = [weights((KERNEL, KERNEL, into, width), f"kernel_{i}")
                        for i, (into, width) in enumerate(zip([4, *widths], widths))]
        self.norms = [BatchNorm(width, f"norm_{i}") for i, width in enumerate(widths)]
        self.dense, self.dense_norm = weights((SMALLEST * SMALLEST * widths[-1], DENSE), "dense"), BatchNorm(DENSE)
        self.back = weights((DENSE, SMALLEST, SMALLEST, out), "back")
        self.beside = weights((3, 3, widths[-1], out), "beside")
        self.bias = variable(tf.zeros((SMALLEST, SMALLEST, out)), "bias")

    def __call__(self, faces, known, training=False):
        known = tf.cast(known, tf.float32)[..., None]
        x = tf.concat((faces * known, known), axis=3)
        for kernel, norm in zip(self.kernels, self.norms):
            x = tf.nn.leaky_relu(norm.after(halve, x, kernel, training, axis=3), 0.2)
        whole = tf.nn.leaky_relu(self.dense_norm.after(_gather, x, self.dense, training, axis=1)[:, 0, 0], 0.2)
        return spread(whole, self.back) + tf.nn.conv2d(x, self.beside, 1, "SAME") + self.bias


def _gather(x, kernel):
    return gather(x, kernel)[:, None, None]


def _he(weights):
    """Initial weights whose deviation keeps the variance of what they are applied to (He et al., ICCV 2015)."""
    def scaled(shape, name):
        made = weights(shape, name)
        fan_in = tf.cast(tf.reduce_prod(shape[:-1] if name != "back" else shape[0]), tf.float32)
        made.assign(made / tf.math.reduce_std(made) * tf.sqrt(2 / fan_in))
        return made
    return scaled


class LatentEncoder:
    """The encoder and the generator that it understands."""
    kind, architecture_type, training_type, averaged = "latent_encoder", Architecture, Training, "encoder"

    def __init__(self, architecture=Architecture(), seed=0):
        self.architecture, self.seed, self.average = architecture, seed, None
        self.encoder = Encoder(architecture, 2 * seed)
        sizes = GeneratorArchitecture(architecture.image_size, architecture.z_dim, architecture.gf_dim)
        self.generator = Generator(sizes)
        self.mean, self.deviation = (variable(tf.zeros(self.encoder.bias.shape), name, trainable=False)
                                     for name in ("mean", "deviation"))
        self.fill_batch = Filler(lambda faces, known, seeds: self.decode(self.encode(faces, known)))

    def encode(self, faces, known):
        """Activations (B, n), in units of their deviation, of faces (B, S, S, 3) of which known (B, S, S) is seen."""
        return tf.reshape((self.average or self.encoder)(faces, known), (-1, self.mean.shape.num_elements()))

    def decode(self, activations):
        """G's faces (B, S, S, 3) of activations (B, n)."""
        x = tf.reshape(activations, (-1, *self.mean.shape))
        return self.generator.rest(self.mean + self.deviation * x)

    @property
    def shipped(self):
        """{name: network} of what completion needs."""
        return {"encoder": self.average or self.encoder, "generator": self.generator,
                "mean": self.mean, "deviation": self.deviation}

    @property
    def parts(self):
        """{name: object} of all that training changes, and the generator."""
        parts = {"encoder": self.encoder, "optimizer": self.optimizer, "generator": self.generator,
                 "mean": self.mean, "deviation": self.deviation}
        return parts | ({"average": self.average} if self.average else {})

    def prepare_training(self, training=Training()):
        """Load the generator, make the optimizer, and the average if it is asked for; needed before train_step.

        Raises UsageError (exit code 4) if there is no such generator.
        """
        from training.checkpoint import load_model
        self.training = training
        self.holes = DrawnHoles(training.masks.split(), self.architecture.image_size, self.seed)
        dcgan, _ = load_model(training.generator)
        for mine, its in zip(self.generator.variables, dcgan.generator.variables):
            mine.assign(its)
        self.discriminator = dcgan.discriminator
        activations = self.generator.first(dcgan.latents(SEEN))
        self.mean.assign(tf.reduce_mean(activations, axis=0))
        self.deviation.assign(tf.math.reduce_std(activations, axis=0))
        self.optimizer = make_adam(self.encoder, training.learning_rate, training.beta1)
        if training.average:
            self.average = Encoder(self.architecture, 2 * self.seed)

    def train_step(self, faces, step):
        """One update; in a replica of tf.distribute, its part of one.

        faces : (B, S, S, 3) float32 in [-1, 1]; step : int64 scalar, which with the seed decides the holes
        Returns scalars: hole_loss and known_loss, the mean L1 distances in the holes and outside; features_loss, that
        of the discriminator's features, if it counts; gradient, its length; learning_rate.
        """
        training = self.training
        progress = tf.cast(step, tf.float32) / training.steps
        self.optimizer.learning_rate = falling(training.learning_rate, training.decay, progress)
        known = self.holes(tf.shape(faces)[0], fold(tf.constant([self.seed, 1], tf.int64), step))
        inside = tf.cast(~known, tf.float32)
        with tf.GradientTape() as tape:
            guesses = self.decode(self.encoder(faces, known, training=True))
            found = {name: reconstruction_loss(tf.abs, guesses, faces, part)
                     for name, part in (("hole_loss", inside), ("known_loss", 1 - inside))}
            loss = found["hole_loss"] + training.outside * found["known_loss"]
            if training.features:
                found["features_loss"] = self._features_loss(tf.where(known[..., None], faces, guesses), faces)
                loss += training.features * found["features_loss"]
        gradient = apply(self.optimizer, self.encoder, tape.gradient(loss, self.encoder.trainable_variables))
        if self.average:
            follow(self.average, self.encoder, step, training.average)
        found = dict(zip(found, mean_of_replicas(list(found.values()))))
        return found | {"gradient": gradient, "learning_rate": tf.convert_to_tensor(self.optimizer.learning_rate)}

    def _features_loss(self, completed, faces):
        pairs = zip(self.discriminator.features(completed), self.discriminator.features(faces))
        return tf.add_n([tf.reduce_mean(tf.abs(one - other)) for one, other in pairs])
