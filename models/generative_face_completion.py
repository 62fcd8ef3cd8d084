"""Generative face completion: an encoder-decoder against two discriminators, that also has to get the parts right.

Source: Li et al., "Generative Face Completion", CVPR 2017: noise in the hole, a local discriminator that sees the hole
alone, a global one, a parsing network, and training in three phases. Ours are L1 for their L2, and labels of the parts
that are drawn from landmarks (face_parts.py).
"""
import dataclasses

import network
from network import KERNEL, initial_weights
from nn import adversarial
from nn.choices import Schedule, Sizes
from nn.layers import BatchNorm, double, draw, fold, halve, mean_of_replicas
from nn.optimizer import descend, falling, make_adam
from nn.setup import tf

from .encoder_decoder import EncoderDecoder
from .face_parts import PARTS, LabelledFaces
from .hole_filling import HoleFiller

PARSER_WIDTHS = 16, 32, 64


@dataclasses.dataclass(frozen=True)
class Training(Schedule):
    """How it is trained.

    local_from, global_from : shares of the run at which the second phase begins, with the local discriminator, and the
        third, with the global one and the parts
    local_weight, global_weight, parts_weight : of these losses, where the L1 distance of the whole face has 1
    """
    local_from: float = 0.4
    global_from: float = 0.7
    local_weight: float = 0.005
    global_weight: float = 0.005
    parts_weight: float = 0.01


class ParsingNetwork(tf.Module):
    """Faces (B, S, S, 3) in [-1, 1] -> logits (B, S, S, 6) of each pixel's part."""

    def __init__(self, seed=0):
        super().__init__("parser")
        weights, widths = initial_weights(seed), (3, *PARSER_WIDTHS)
        pairs = list(enumerate(zip(widths, widths[1:])))
        self.down = [weights((KERNEL, KERNEL, into, out), f"down_{i}") for i, (into, out) in pairs]
        self.up = [weights((KERNEL, KERNEL, out if i else len(PARTS), into), f"up_{i}")
                   for i, (out, into) in reversed(pairs)]
        self.norms = [BatchNorm(width) for width in (*PARSER_WIDTHS, *reversed(PARSER_WIDTHS[:-1]))]

    def __call__(self, faces, training=False):
        x, norms = faces, iter(self.norms)
        for kernel in self.down:
            x = tf.nn.leaky_relu(next(norms).after(halve, x, kernel, training, axis=3), 0.2)
        for kernel in self.up[:-1]:
            x = tf.nn.relu(next(norms).after(double, x, kernel, training, axis=2))
        return double(x, self.up[-1])


def draw_squares(count, size, seed):
    """Squares of half the side anywhere in a face: (known (count, S, S) bool, corners (count, 2) int32)."""
    side = size // 2
    corners = tf.cast(draw(tf.random.stateless_uniform, (count, 2), seed) * (size - side + 1), tf.int32)
    rows, columns = ((tf.range(size) >= first) & (tf.range(size) < first + side)
                     for first in (corners[:, :1], corners[:, 1:]))
    return ~(rows[:, :, None] & columns[:, None, :]), corners


def cut_squares(faces, corners):
    """The squares (B, S / 2, S / 2, 3) of faces (B, S, S, 3) that draw_squares gave."""
    rows, columns = (corners[:, axis, None] + tf.range(faces.shape[1] // 2) for axis in (0, 1))
    return tf.gather(tf.gather(faces, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)


class GenerativeFaceCompletion(HoleFiller):
    """The encoder-decoder, and what it is trained against."""
    kind, architecture_type, training_type = "generative_face_completion", Sizes, Training
    main = "generator"

    def __init__(self, architecture, seed=0):
        self.architecture, self.seed = architecture, seed
        self.generator = EncoderDecoder(architecture.image_size, architecture.gf_dim, skips=False, seed=4 * seed)

    def guess(self, faces, known, seeds):
        """The generator's, with noise in the holes by each face's seed."""
        shape = self.architecture.image_size, self.architecture.image_size, 3
        noise = tf.map_fn(lambda seed: tf.random.stateless_uniform(shape, (seed, seed + 1), -1, 1), seeds,
                          fn_output_signature=tf.float32)
        return self.generator(faces, known, noise=noise)

    @property
    def shipped(self):
        """{name: network} of what completion needs."""
        return {"generator": self.generator}

    def annotate(self, faces, folder, console):
        """The faces with the labels of their parts, (N, S, S, 4) uint8."""
        return LabelledFaces(faces, folder, console)

    def prepare_training(self, training):
        """Make the discriminators, the parser and the optimizers; needed before train_step."""
        # Grappler would sum in another order each time this graph is built, and a resumed run would not be exact.
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
        sizes, seed, self.training = self.architecture, 4 * self.seed, training
        self.networks = {
            "generator": self.generator,
            "local": network.Discriminator(network.Architecture(sizes.image_size // 2, df_dim=sizes.df_dim), seed + 1),
            "global": network.Discriminator(network.Architecture(sizes.image_size, df_dim=sizes.df_dim), seed + 2),
            "parser": ParsingNetwork(seed + 3)}
        self.optimizers = {name: make_adam(part, training) for name, part in self.networks.items()}
        self.parts = self.networks | {f"{name}_optimizer": adam for name, adam in self.optimizers.items()}

    def train_step(self, faces, step):
        """One update by (B, S, S, 4): faces in [-1, 1], and the numbers of their parts out of 255, scaled alike.

        Returns scalars: reconstruction_loss, the mean L1 distance; d_loss and adversarial_loss of the local and global
        discriminators; parser_loss, the cross-entropy of the true faces' parts, and parts_loss, that of the completed
        ones'; gradient, the length of the generator's; learning_rate.
        """
        training, rate = self.training, falling(self.training, step)
        progress = tf.cast(step, tf.float32) / training.steps
        phases = {"local": tf.cast(progress >= training.local_from, tf.float32),
                  "global": tf.cast(progress >= training.global_from, tf.float32)}
        with tf.GradientTape(persistent=True) as tape:
            figures = self._losses(faces, step)
            losses = {"local": figures["local_d_loss"], "global": figures["global_d_loss"],
                      "parser": figures["parser_loss"], "generator": figures["reconstruction_loss"]
                      + phases["local"] * training.local_weight * figures["local_adversarial_loss"]
                      + phases["global"] * (training.global_weight * figures["global_adversarial_loss"]
                                            + training.parts_weight * figures["parts_loss"])}
        lengths = {}
        for name, part in self.networks.items():
            begun, count = phases.get(name, tf.ones(())), self.optimizers[name].iterations
            slopes = tape.gradient(losses[name], part.trainable_variables)
            lengths[name] = descend(self.optimizers[name], part, rate, [begun * slope for slope in slopes])
            count.assign(count * tf.cast(begun, count.dtype))       # Adam must not take its wait for small gradients
        return mean_of_replicas(figures) | {"gradient": lengths["generator"], "learning_rate": rate}

    def _losses(self, faces, step):
        faces, labels = faces[..., :3], tf.cast(tf.round((faces[..., 3] + 1) * 127.5), tf.int32)
        count, size = tf.shape(faces)[0], self.architecture.image_size
        known, corners = draw_squares(count, size, fold((self.seed, 1), step))
        noise = draw(tf.random.stateless_uniform, (count, size, size, 3), fold((self.seed, 2), step), -1, 1)
        guesses = self.generator(faces, known, training=True, noise=noise)
        fakes = tf.where(known[..., None], faces, guesses)
        losses = {"reconstruction_loss": tf.reduce_mean(tf.abs(guesses - faces))}
        for name, look in (("local", lambda faces: cut_squares(faces, corners)), ("global", lambda faces: faces)):
            real, fake = (self.networks[name](look(seen), training=True) for seen in (faces, fakes))
            losses[f"{name}_d_loss"] = adversarial.cross_entropy_d(real, fake)
            losses[f"{name}_adversarial_loss"] = adversarial.cross_entropy_g(fake)
        for name, seen in (("parser_loss", faces), ("parts_loss", fakes)):
            logits = self.networks["parser"](seen, training=name == "parser_loss")
            losses[name] = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        return losses
