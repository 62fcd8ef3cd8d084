"""Context encoder: an encoder-decoder that has learned to fill holes.

Source: Pathak et al., "Context Encoders: Feature Learning by Inpainting", CVPR 2016. `skips` is a variant of ours: a
U-Net that learns the L1 distance in the hole, without an adversary, and answers with the mean of what it sees in a face
and in its mirror image.
"""
import dataclasses

import network
from nn import adversarial
from nn.choices import Sizes
from nn.layers import mean_with_mirror_image
from nn.optimizer import make_adam
from nn.setup import tf

from .encoder_decoder import EncoderDecoder
from .hole_filling import HoleLearner, HoleSchedule, reconstruction_loss

OVERLAP = 2                                             # pixels around the hole: the paper's 7 of 227


@dataclasses.dataclass(frozen=True)
class Architecture(Sizes):
    """skips : whether the decoder sees the encoder's activations"""
    skips: bool = False


@dataclasses.dataclass(frozen=True)
class Training(HoleSchedule):
    """How it is trained; the defaults are the paper's.

    distance : "l2" or "l1"; border : weight of the known pixels next to the hole, where those in it have 1
    adversarial : weight of the adversarial loss; the distance has the rest of 1
    """
    distance: str = "l2"
    border: float = 10.0
    adversarial: float = 0.001


DISTANCES = {"l2": tf.square, "l1": tf.abs}


def hole_weights(known, border):
    """(B, S, S): 1 in the hole, `border` on the known pixels within OVERLAP of it, 0 elsewhere."""
    hole = tf.cast(~known, tf.float32)[..., None]
    near = tf.nn.max_pool2d(hole, 2 * OVERLAP + 1, 1, "SAME")
    return (hole + border * (near - hole))[..., 0]


class ContextEncoder(HoleLearner):
    """The encoder-decoder and the adversary that it is trained against."""
    kind, architecture_type, training_type = "context_encoder", Architecture, Training
    main, switches = "generator", ("average", "adversarial")
    optimizer_name, gradient_name = "g_optimizer", "g_gradient"

    def __init__(self, architecture=Architecture(), seed=0):
        self.architecture, self.seed = architecture, seed
        self.generator = self.make_network()

    def make_network(self):
        """The EncoderDecoder as it begins."""
        sizes = self.architecture
        return EncoderDecoder(sizes.image_size, sizes.gf_dim, sizes.skips, 2 * self.seed)

    def guess(self, faces, known, seeds):
        """What the network sees in the faces, with skips in their mirror images too."""
        return mean_with_mirror_image(self.used, faces, known) if self.architecture.skips else self.used(faces, known)

    def prepare_others(self):
        """The adversary and its optimizer, if its loss has a weight."""
        if not self.training.adversarial:
            return {}
        sizes = network.Architecture(self.architecture.image_size, df_dim=self.architecture.df_dim)
        self.adversary = network.Discriminator(sizes, 2 * self.seed + 1)
        return {"discriminator": self.adversary, "d_optimizer": make_adam(self.adversary, self.training)}

    def losses(self, faces, step):
        """By faces (B, S, S, 3) in [-1, 1].

        reconstruction_loss, and with an adversary d_loss and adversarial_loss (equation 2 of the paper,
        non-saturating).
        """
        training, known = self.training, self.draw_holes(faces, step)
        guesses = self.generator(faces, known, training=True)
        distance = reconstruction_loss(DISTANCES[training.distance], guesses, faces,
                                       hole_weights(known, training.border))
        losses, loss = {"reconstruction_loss": distance}, (1 - training.adversarial) * distance
        if self.adversary:
            fakes = tf.where(known[..., None], faces, guesses)
            real, fake = (self.adversary(picture, training=True) for picture in (faces, fakes))
            losses["d_loss"] = adversarial.cross_entropy_d(real, fake)
            losses["adversarial_loss"] = adversarial.cross_entropy_g(fake)
            loss += training.adversarial * losses["adversarial_loss"]
        return loss, losses
