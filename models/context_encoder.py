"""Context encoder: an encoder-decoder that has learned to fill holes.

Source: Pathak et al., "Context Encoders: Feature Learning by Inpainting", CVPR 2016. `skips` is a variant of ours: a
U-Net that learns the L1 distance in the hole, without an adversary, and answers with the mean of what it sees in a face
and in its mirror image.
"""
import dataclasses

import network
from nn import adversarial, tf
from nn.layers import fold, mean_of_replicas
from nn.optimizer import apply, copy_weights, falling, follow, make_adam

from .drawn_holes import DrawnHoles
from .encoder_decoder import EncoderDecoder, Filler

OVERLAP = 2                                             # pixels around the hole: the paper's 7 of 227


@dataclasses.dataclass(frozen=True)
class Architecture:
    """image_size : side of a face in pixels; gf_dim, df_dim : filters of the outermost layers of the encoder-decoder
    and of the adversary; skips : whether the decoder sees the encoder's activations
    """
    image_size: int = 64
    gf_dim: int = 16
    df_dim: int = 16
    skips: bool = False


@dataclasses.dataclass(frozen=True)
class Training:
    """How it is trained; the defaults are the paper's.

    steps : updates in the whole run; masks : the holes it learns to fill, names with blanks between them
    learning_rate, beta1 : of both Adams; decay : share of the run, at its end, over which the rate falls to 0
    average : decay of the exponential average of the weights that is used; 0 for none
    distance : "l2" or "l1"; border : weight of the known pixels next to the hole, where those in it have 1
    adversarial : weight of the adversarial loss; the distance has the rest of 1
    """
    steps: int = 5000
    masks: str = "center"
    learning_rate: float = 0.0002
    beta1: float = 0.5
    decay: float = 0.0
    average: float = 0.0
    distance: str = "l2"
    border: float = 10.0
    adversarial: float = 0.001


DISTANCES = {"l2": tf.square, "l1": tf.abs}


def hole_weights(known, border, overlap=OVERLAP):
    """(B, S, S): 1 in the hole, `border` on the known pixels within `overlap` of it, 0 elsewhere."""
    hole = tf.cast(~known, tf.float32)[..., None]
    near = tf.nn.max_pool2d(hole, 2 * overlap + 1, 1, "SAME")
    return (hole + border * (near - hole))[..., 0]


def reconstruction_loss(distance, guesses, faces, weights):
    """The weighted mean distance of the values of each face, averaged over the faces; one without a hole counts as 0.

    distance : a function of differences; guesses, faces : (B, S, S, 3); weights : (B, S, S)
    """
    total = tf.reduce_sum(weights[..., None] * distance(guesses - faces), axis=(1, 2, 3))
    return tf.reduce_mean(tf.math.divide_no_nan(total, 3 * tf.reduce_sum(weights, axis=(1, 2))))


class ContextEncoder:
    """The encoder-decoder and the adversary that it is trained against."""
    kind, architecture_type, training_type, averaged = "context_encoder", Architecture, Training, "generator"
    optional = ()

    def __init__(self, architecture=Architecture(), seed=0):
        self.architecture, self.seed, self.average, self.discriminator = architecture, seed, None, None
        self.generator = self._make_generator()
        self.fill_batch = Filler(self._guess)

    def _make_generator(self):
        sizes = self.architecture
        return EncoderDecoder(sizes.image_size, sizes.gf_dim, sizes.skips, 2 * self.seed)

    def _guess(self, faces, known, seeds):
        network = self.average or self.generator
        guess = network(faces, known)
        if not self.architecture.skips:
            return guess
        return (guess + network(faces[:, :, ::-1], known[:, :, ::-1])[:, :, ::-1]) / 2

    @property
    def shipped(self):
        """{name: network} of what completion needs."""
        return {"generator": self.average or self.generator}

    @property
    def parts(self):
        """{name: object} of all that training changes."""
        parts = {"generator": self.generator, "g_optimizer": self.g_optimizer}
        parts |= {"discriminator": self.discriminator, "d_optimizer": self.d_optimizer} if self.discriminator else {}
        return parts | ({"average": self.average} if self.average else {})

    def prepare_training(self, training=Training()):
        """Make the optimizers, the adversary and the average, as far as they are asked for; needed before train_step.

        Holes are drawn from a stock that takes some seconds to make where it has patterns.
        """
        self.training = training
        self.holes = DrawnHoles(training.masks.split(), self.architecture.image_size, self.seed)
        self.g_optimizer = make_adam(self.generator, training.learning_rate, training.beta1)
        if training.adversarial:
            sizes = network.Architecture(self.architecture.image_size, df_dim=self.architecture.df_dim)
            self.discriminator = network.Discriminator(sizes, 2 * self.seed + 1)
            self.d_optimizer = make_adam(self.discriminator, training.learning_rate, training.beta1)
        if training.average:
            self.average = self._make_generator()
            copy_weights(self.generator, self.average)

    def train_step(self, faces, step):
        """One update; in a replica of tf.distribute, its part of one.

        faces : (B, S, S, 3) float32 in [-1, 1]; step : int64 scalar, which with the seed decides the holes
        Returns scalars: reconstruction_loss, and with an adversary d_loss and adversarial_loss (equation 2 of the
        paper, non-saturating); g_gradient, the gradient's length; learning_rate.
        """
        training = self.training
        rate = falling(training.learning_rate, training.decay, tf.cast(step, tf.float32) / training.steps)
        self.g_optimizer.learning_rate = rate
        known = self.holes(tf.shape(faces)[0], fold(tf.constant([self.seed, 1], tf.int64), step))
        weights = hole_weights(known, training.border)
        with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
            guesses = self.generator(faces, known, training=True)
            distance = reconstruction_loss(DISTANCES[training.distance], guesses, faces, weights)
            found, loss = {"reconstruction_loss": distance}, (1 - training.adversarial) * distance
            if self.discriminator:
                fakes = tf.where(known[..., None], faces, guesses)
                real, fake = (self.discriminator(picture, training=True) for picture in (faces, fakes))
                found["d_loss"] = adversarial.cross_entropy_d(real, fake)
                found["adversarial_loss"] = adversarial.cross_entropy_g(fake)
                loss += training.adversarial * found["adversarial_loss"]
        if self.discriminator:
            self.d_optimizer.learning_rate = rate
            apply(self.d_optimizer, self.discriminator,
                  d_tape.gradient(found["d_loss"], self.discriminator.trainable_variables))
        gradient = apply(self.g_optimizer, self.generator,
                         g_tape.gradient(loss, self.generator.trainable_variables))
        if self.average:
            follow(self.average, self.generator, step, training.average)
        found = dict(zip(found, mean_of_replicas(list(found.values()))))
        return found | {"g_gradient": gradient, "learning_rate": tf.convert_to_tensor(self.g_optimizer.learning_rate)}
