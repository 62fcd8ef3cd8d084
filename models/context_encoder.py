"""Context encoder: an encoder-decoder that has learned to fill holes.

Source: Pathak et al., "Context Encoders: Feature Learning by Inpainting", CVPR 2016. `skips` is a variant of ours: a
U-Net that learns the L1 distance in the hole, without an adversary, and answers with the mean of what it sees in a face
and in its mirror image.
"""
import dataclasses

import network
from nn import adversarial
from nn.choices import Schedule, Sizes
from nn.layers import fold, mean_of_replicas
from nn.optimizer import copy_weights, descend, falling, follow, make_adam
from nn.setup import tf

from .encoder_decoder import EncoderDecoder
from .hole_filling import DrawnHoles, Filler, HoleFiller, reconstruction_loss

OVERLAP = 2                                             # pixels around the hole: the paper's 7 of 227


@dataclasses.dataclass(frozen=True)
class Architecture(Sizes):
    """skips : whether the decoder sees the encoder's activations"""
    skips: bool = False


@dataclasses.dataclass(frozen=True)
class Training(Schedule):
    """How it is trained; the defaults are the paper's.

    masks : the holes it learns to fill, names with blanks between them
    average : decay of the exponential average of the weights that is used; 0 for none
    distance : "l2" or "l1"; border : weight of the known pixels next to the hole, where those in it have 1
    adversarial : weight of the adversarial loss; the distance has the rest of 1
    """
    masks: str = "center"
    average: float = 0.0
    distance: str = "l2"
    border: float = 10.0
    adversarial: float = 0.001


DISTANCES = {"l2": tf.square, "l1": tf.abs}


def hole_weights(known, border):
    """(B, S, S): 1 in the hole, `border` on the known pixels within OVERLAP of it, 0 elsewhere."""
    hole = tf.cast(~known, tf.float32)[..., None]
    near = tf.nn.max_pool2d(hole, 2 * OVERLAP + 1, 1, "SAME")
    return (hole + border * (near - hole))[..., 0]


class ContextEncoder(HoleFiller):
    """The encoder-decoder and the adversary that it is trained against."""
    kind, architecture_type, training_type = "context_encoder", Architecture, Training
    averaged, switches = "generator", ("average", "adversarial")

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

    def prepare_training(self, training=Training()):
        """Make the optimizers, the adversary and the average, as far as they are asked for; needed before train_step.

        Holes are drawn from a stock that takes some seconds to make where it has patterns.
        """
        self.training, self.masks = training, training.masks.split()
        self.holes = DrawnHoles(self.masks, self.architecture.image_size, self.seed)
        self.g_optimizer = make_adam(self.generator, training)
        self.parts = {"generator": self.generator, "g_optimizer": self.g_optimizer}
        if training.adversarial:
            sizes = network.Architecture(self.architecture.image_size, df_dim=self.architecture.df_dim)
            self.discriminator = network.Discriminator(sizes, 2 * self.seed + 1)
            self.d_optimizer = make_adam(self.discriminator, training)
            self.parts |= {"discriminator": self.discriminator, "d_optimizer": self.d_optimizer}
        if training.average:
            self.average = self.parts["average"] = copy_weights(self.generator, self._make_generator())

    def train_step(self, faces, step):
        """One update by faces (B, S, S, 3) in [-1, 1].

        Returns scalars: reconstruction_loss, and with an adversary d_loss and adversarial_loss (equation 2 of the
        paper, non-saturating); g_gradient, the gradient's length; learning_rate.
        """
        training, rate = self.training, falling(self.training, step)
        known = self.holes(tf.shape(faces)[0], fold(tf.constant([self.seed, 1], tf.int64), step))
        weights = hole_weights(known, training.border)
        with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
            guesses = self.generator(faces, known, training=True)
            distance = reconstruction_loss(DISTANCES[training.distance], guesses, faces, weights)
            losses, loss = {"reconstruction_loss": distance}, (1 - training.adversarial) * distance
            if self.discriminator:
                fakes = tf.where(known[..., None], faces, guesses)
                real, fake = (self.discriminator(picture, training=True) for picture in (faces, fakes))
                losses["d_loss"] = adversarial.cross_entropy_d(real, fake)
                losses["adversarial_loss"] = adversarial.cross_entropy_g(fake)
                loss += training.adversarial * losses["adversarial_loss"]
        if self.discriminator:
            descend(self.d_optimizer, self.discriminator, rate,
                    d_tape.gradient(losses["d_loss"], self.discriminator.trainable_variables))
        length = descend(self.g_optimizer, self.generator, rate,
                         g_tape.gradient(loss, self.generator.trainable_variables))
        if self.average:
            follow(self.average, self.generator, step, training.average)
        return mean_of_replicas(losses) | {"g_gradient": length, "learning_rate": rate}
