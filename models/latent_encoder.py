"""Latent encoder: sees in a face with a hole the activations by which a trained generator makes the whole face.

The generator's weights stay as they are. What the encoder sees is an answer of its own, and where the latent search
begins that goes on from there (completion.search.Inner). What is most likely in a hole may be shown to it there, so
that it has only to say what that lacks to a face: details.
Sources: Zhu et al., "Generative Visual Manipulation on the Natural Image Manifold", ECCV 2016, section 3.1, for an
encoder as the start of a search; Larsen et al., "Autoencoding Beyond Pixels", ICML 2016, for a distance of what the
discriminator sees; Ohayon et al., "Posterior-Mean Rectified Flow", ICLR 2025, for the most likely answer as what a
lifelike one begins with; the activations behind the generator's first layer, instead of z, are ours.
"""
import dataclasses
import math

from helpers import BAD_CHECKPOINT, UsageError
from network import KERNEL, SMALLEST, Discriminator, Generator, initial_weights
from network import Architecture as GeneratorArchitecture
from nn import adversarial
from nn.choices import Schedule
from nn.layers import BatchNorm, convolve, dense_to_map, dense_to_vector, draw, fold, halve, scaled, variable
from nn.optimizer import copy_weights, make_adam
from nn.setup import tf
from training.checkpoint import load_model

from .hole_filling import HoleLearner, HoleSchedule, reconstruction_loss
from .patch_discriminator import PatchDiscriminator, hinge_losses
from .posterior_mean import PosteriorMean

WIDEST = 6                                              # of the outermost layer's filters: 32, 64, 128, 192
DENSE = 160
ADVERSARY = Schedule(learning_rate=0.0002, beta1=0.5)   # of its Adam; it falls with the encoder's
PATCHES_RATE = 0.0004                                   # of a PatchDiscriminator
REAL_LABEL, NOISE = 0.9, 0.1                            # its target on real faces, and the noise on what it sees
SEEN = 2048                                             # faces of G from which its activations' statistics come


@dataclasses.dataclass(frozen=True)
class Architecture:
    """image_size, z_dim, gf_dim, grown : of the generator; ef_dim : filters of the encoder's outermost layer

    corrections : hidden layers of the generator, from the innermost, whose activations are corrected too
    from_likely : whether a models.posterior_mean.PosteriorMean's answer fills the holes that it sees
    """
    image_size: int = 64
    z_dim: int = 100
    gf_dim: int = 16
    grown: int = 0
    ef_dim: int = 32
    corrections: int = 0
    from_likely: bool = False

    def __post_init__(self):
        hidden = self.generator.layers - 1
        if self.corrections > hidden:
            raise UsageError(f"a generator of {self.image_size} pixels has {hidden} hidden layers to correct, got "
                             f"{self.corrections}")

    @property
    def generator(self):
        """The architecture of the generator."""
        return GeneratorArchitecture(self.image_size, self.z_dim, self.gf_dim, grown=self.grown)


@dataclasses.dataclass(frozen=True)
class Training(HoleSchedule):
    """How it is trained.

    generator : folder of the model whose generator is to be understood
    outside : weight of the L1 distance of the known pixels, where that of the hole has 1
    features : weight of the L1 distance of what the discriminator's convolutions see in the completed and true face
    adversarial : weight of the adversarial loss, against a copy of the discriminator that goes on learning
    patches : whether a PatchDiscriminator takes the copy's place
    likely : folder of the network whose answer fills the holes, for an architecture that has them filled
    precision : what all networks compute in, one of nn.choices.PRECISIONS
    """
    learning_rate: float = 0.001
    beta1: float = 0.9
    decay: float = 0.5
    generator: str = "checkpoint/celeba64"
    outside: float = 0.3
    features: float = 0.0
    adversarial: float = 0.0
    patches: bool = False
    likely: str | None = None
    precision: str = "float32"


class Encoder(tf.Module):
    """Faces (B, S, S, 3), their holes filled, and known (B, S, S) -> activations (B, 4, 4, C), counted in deviations.

    5x5 stride-2 convolutions with batch norm and leaky ReLU 0.2 down to 4x4; from there a dense layer to DENSE numbers
    and one back, which see the whole face, and beside them a 3x3 convolution, which sees each place better. Second
    comes what the convolutions gave, from the outermost inwards, for the Corrections. It computes in the faces'
    precision; the activations are float32.
    """

    def __init__(self, architecture, seed=0):
        super().__init__("encoder")
        widths = [min(width, WIDEST * architecture.ef_dim) for width in
                  architecture.generator.filters(architecture.ef_dim)]
        out, *outs = architecture.generator.filters(architecture.gf_dim)[::-1]
        weights = initial_weights(seed)
        self.kernels = [scaled(weights((KERNEL, KERNEL, into, width), f"kernel_{i}"))
                        for i, (into, width) in enumerate(zip([4, *widths], widths))]
        self.norms = [BatchNorm(width, f"norm_{i}") for i, width in enumerate(widths)]
        self.dense = scaled(weights((SMALLEST * SMALLEST * widths[-1], DENSE), "dense"))
        self.dense_norm = BatchNorm(DENSE)
        self.back = scaled(weights((DENSE, SMALLEST, SMALLEST, out), "back"), DENSE)
        self.beside = scaled(weights((3, 3, widths[-1], out), "beside"))
        self.bias = variable(tf.zeros((SMALLEST, SMALLEST, out)), "bias")
        self.corrections = [Correction(widths[-2 - layer], outs[layer], weights)
                            for layer in range(architecture.corrections)]

    def __call__(self, faces, known, training=False):
        known = tf.cast(known, faces.dtype)[..., None]
        x, seen = tf.concat((faces, known), axis=3), []
        for kernel, norm in zip(self.kernels, self.norms):
            x = tf.nn.leaky_relu(norm.after(halve, x, kernel, training, axis=3), 0.2)
            seen.append(x)
        whole = tf.nn.leaky_relu(self.dense_norm.after(_gather, x, self.dense, training, axis=1)[:, 0, 0], 0.2)
        places = dense_to_map(whole, tf.cast(self.back, x.dtype)) + convolve(x, tf.cast(self.beside, x.dtype))
        return tf.cast(places, tf.float32) + self.bias, seen

    def grow(self, smaller):
        """Take the weights of an encoder of half the side: all but those of the second layer are its."""
        for old, new in zip(smaller.kernels, (self.kernels[0], *self.kernels[2:])):
            new.assign(old)
        for olds, news in ((smaller.norms, (self.norms[0], *self.norms[2:])), (smaller.corrections, self.corrections),
                           ([smaller.dense_norm], [self.dense_norm])):
            for old, new in zip(olds, news):            # of corrections one may have more than the other
                copy_weights(old, new)
        for name in ("dense", "back", "beside", "bias"):
            getattr(self, name).assign(getattr(smaller, name))


class Correction(tf.Module):
    """The generator's activations (B, H, W, out) and what the encoder saw at that size -> what to add to the former.

    Two 3x3 convolutions, of which the second begins at 0: at first nothing is corrected.
    """

    def __init__(self, seen, out, weights):
        super().__init__("correction")
        self.kernel, self.norm = scaled(weights((3, 3, seen + out, out), "kernel")), BatchNorm(out)
        self.last, self.bias = variable(tf.zeros((3, 3, out, out)), "last"), variable(tf.zeros(out), "bias")

    def __call__(self, activations, seen, training):
        x = tf.concat((tf.nn.relu(activations), seen), axis=3)
        x = tf.nn.leaky_relu(self.norm.after(convolve, x, self.kernel, training, axis=3), 0.2)
        return tf.cast(convolve(x, tf.cast(self.last, x.dtype)), tf.float32) + self.bias


def _gather(x, kernel):
    return dense_to_vector(x, kernel)[:, None, None]


class LatentEncoder(HoleLearner):
    """The encoder and the generator that it understands.

    likely : the PosteriorMean that fills the holes of its architecture, None before use_likely; whole faces need none
    """
    kind, architecture_type, training_type = "latent_encoder", Architecture, Training
    main, optional, switches = "encoder", ("corrections", "from_likely"), ("average", "adversarial", "patches")
    likely = None

    def __init__(self, architecture=Architecture(), seed=0):
        self.architecture, self.seed = architecture, seed
        self.encoder = self.make_network()
        self.generator = Generator(architecture.generator)
        self.mean, self.deviation = (variable(tf.zeros(self.encoder.bias.shape), name, trainable=False)
                                     for name in ("mean", "deviation"))

    def make_network(self):
        """The Encoder as it begins."""
        return Encoder(self.architecture, 2 * self.seed)

    @property
    def adversary_rate(self):
        """Learning rate of the adversary."""
        return PATCHES_RATE if self.training.patches else ADVERSARY.learning_rate

    def use_likely(self, likely, folder):
        """Have a PosteriorMean fill the holes, if the architecture has them filled.

        Raises UsageError (exit code 4) if it is None or for faces of another side; folder : where it was looked for
        """
        ours, side = self.architecture, likely and likely.architecture.image_size
        if ours.from_likely and side != ours.image_size:
            there = f"one for faces of {side} pixels" if likely else "none"
            raise UsageError("the encoder begins with what is likely in a hole, and the network that says so for faces "
                             f"of {ours.image_size} pixels should be in {folder}, where there is {there}",
                             BAD_CHECKPOINT)
        self.likely = likely if ours.from_likely else None

    def guess(self, faces, known, seeds):
        """G's faces of what the encoder sees."""
        if self.likely:
            faces = tf.where(known[..., None], faces, self.likely.guess(faces, known))
        return self.decode(self.encode(faces, known))

    def encode(self, faces, known):
        """Activations (B, n), in units of their deviation, of faces (B, S, S, 3) of which known (B, S, S) is true.

        Those behind the generator's first layer, then the corrections of the next ones. The holes are filled with what
        is likely where the architecture has them so, and else with 0.
        """
        parts, _ = self._see(self.used, tf.cast(faces, self.generator.dtype), known)
        return tf.concat([tf.reshape(part, (-1, part.shape[1:].num_elements())) for part in parts], axis=1)

    def draw(self, rng, count):
        """The activations (count, n) behind the first layer of G's faces at random, in units of their deviation."""
        z = tf.constant(rng.uniform(-1, 1, (count, self.architecture.z_dim)), tf.float32)
        drawn = (tf.cast(self.generator.first(z), tf.float32) - self.mean) / self.deviation
        return drawn.numpy().reshape(count, -1)

    def grow(self, smaller):
        """Take the encoder's weights of a model of half the side."""
        self.encoder.grow(smaller.used)

    def compute_in(self, precision):
        """Have the networks compute in one of nn.choices.PRECISIONS; activations and faces stay float32."""
        self.generator.dtype = tf.as_dtype(precision)

    def decode(self, activations):
        """G's faces (B, S, S, 3) of activations (B, n)."""
        channels = self.architecture.generator.filters(self.architecture.gf_dim)[::-1]
        shapes = [(SMALLEST << layer, SMALLEST << layer, channels[layer])
                  for layer in range(1 + self.architecture.corrections)]
        first, *corrections = (tf.reshape(part, (-1, *shape)) for shape, part in
                               zip(shapes, tf.split(activations, [math.prod(shape) for shape in shapes], axis=1)))
        x = tf.cast(self.mean + self.deviation * first, self.generator.dtype)
        for layer, correction in enumerate(corrections):
            x = self._correct(self.generator.double(x, layer), layer, correction)
        return self.generator.rest(x, done=len(corrections))

    def _see(self, encoder, faces, known, training=False):
        """([activations, corrections, ...], the generator's activations behind the last of them)."""
        x, seen = encoder(faces, known, training)
        parts, x = [x], tf.cast(self.mean + self.deviation * x, faces.dtype)
        for layer, correction in enumerate(encoder.corrections):
            x = self.generator.double(x, layer)
            parts.append(correction(x, seen[-2 - layer], training))
            x = self._correct(x, layer, parts[-1])
        return parts, x

    def _correct(self, x, layer, correction):
        """Batch norm's scale is the deviation of what it gives: the unit of the corrections."""
        return x + tf.cast(self.generator.norms[layer + 1].scale * correction, x.dtype)

    @property
    def shipped(self):
        """{name: network} of what completion needs."""
        return super().shipped | self._generator_parts

    @property
    def _generator_parts(self):
        return {"generator": self.generator, "mean": self.mean, "deviation": self.deviation}

    @property
    def foundations(self):
        """Folders of the model whose generator is understood, and of the network that fills the holes."""
        return [folder for folder in (self.training.generator, self.training.likely) if folder]

    def prepare_others(self):
        """The generator, what fills the holes, and the adversary if its loss has a weight.

        Raises UsageError (exit code 4) if there is no such generator, or nothing that fills the holes.
        """
        dcgan, _ = load_model(self.training.generator)
        copy_weights(dcgan.generator, self.generator)
        self.discriminator = dcgan.discriminator
        self.discriminator.dtype = tf.as_dtype(self.precision)
        activations = self.generator.first(dcgan.latents(SEEN))
        self.mean.assign(tf.reduce_mean(activations, axis=0))
        self.deviation.assign(tf.math.reduce_std(activations, axis=0))
        others = self._generator_parts
        self.use_likely(self.training.likely and load_model(self.training.likely, PosteriorMean)[0],
                        self.training.likely)
        if self.training.adversarial:
            self.adversary = (PatchDiscriminator(self.seed) if self.training.patches else
                              copy_weights(self.discriminator, Discriminator(dcgan.architecture)))
            self.adversary.dtype = tf.as_dtype(self.precision)
            others |= {"adversary": self.adversary, "d_optimizer": make_adam(self.adversary, ADVERSARY)}
        return others

    def losses(self, faces, step):
        """By faces (B, S, S, 3) in [-1, 1].

        hole_loss and known_loss, the mean L1 distances in the holes and outside; those that count of features_loss,
        that of the discriminator's features, adversarial_loss and d_loss, of the adversary the cross-entropies or, of
        patches, hinge losses.
        """
        training, losses = self.training, self._losses(faces, self.draw_holes(faces, step), step)
        weights = {"hole_loss": 1.0, "known_loss": training.outside, "features_loss": training.features,
                   "adversarial_loss": training.adversarial}
        return tf.add_n([weight * losses[name] for name, weight in weights.items() if weight]), losses

    def _losses(self, faces, known, step):
        inside = tf.cast(~known, tf.float32)
        visible = tf.cast(tf.where(known[..., None], faces, 0), self.precision)
        if self.likely:                                 # one view is as good to learn from, in half the time
            answer = tf.cast(self.likely.used(visible, known), visible.dtype)
            visible = tf.where(known[..., None], visible, tf.stop_gradient(answer))
        _, activations = self._see(self.encoder, visible, known, training=True)
        guesses = self.generator.rest(activations, done=self.architecture.corrections)
        completed = tf.where(known[..., None], faces, guesses)
        losses = {name: reconstruction_loss(tf.abs, guesses, faces, part)
                 for name, part in (("hole_loss", inside), ("known_loss", 1 - inside))}
        if self.training.features:
            losses["features_loss"] = self._features_loss(completed, faces)
        if self.adversary:
            losses |= self._adversary_losses(faces, completed, known, step)
        return losses

    def _adversary_losses(self, faces, completed, known, step):
        if self.training.patches:
            real, fake = (self.adversary(seen, known, training=True) for seen in (faces, completed))
            d_loss, g_loss = hinge_losses(real, fake, tf.cast(~known, tf.float32))
        else:
            noise = draw(tf.random.stateless_normal, (tf.shape(faces)[0], 2, *faces.shape[1:]),
                         fold((self.seed, 2), step), 0, NOISE)
            real, fake = (self.adversary(seen + noise[:, number], training=True)
                          for number, seen in enumerate((faces, completed)))
            d_loss, g_loss = adversarial.cross_entropy_d(real, fake, REAL_LABEL), adversarial.cross_entropy_g(fake)
        return {"d_loss": d_loss, "adversarial_loss": g_loss}

    def _features_loss(self, completed, faces):
        pairs = zip(self.discriminator.features(completed), self.discriminator.features(faces))
        return tf.add_n([tf.reduce_mean(tf.cast(tf.abs(one - other), tf.float32)) for one, other in pairs])
