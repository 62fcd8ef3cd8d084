"""What a generator and a discriminator are trained on besides faces: losses, penalties and augmentation.

Functions of tensors alone; network.py puts them together.
"""
from functools import partial

from .layers import draw, fold
from .setup import tf


def _cross_entropy(logits, label):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.fill(tf.shape(logits), label), logits))


def cross_entropy_d(real, fake, real_label=1.0):
    """Binary cross-entropy of D's logits (B,) on real faces, whose target is `real_label`, and on fakes.

    Source: Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, equation 1; the smoothed label: Salimans et
    al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3.4.
    """
    return _cross_entropy(real, real_label) + _cross_entropy(fake, 0.0)


def cross_entropy_g(fake):
    """-log D(G(z)), the loss of G that does not saturate: Goodfellow et al., 2014, section 3."""
    return _cross_entropy(fake, 1.0)


def hinge_d(real, fake, real_label=1.0):
    """max(0, label - D(x)) + max(0, 1 + D(G(z))): Lim and Ye, "Geometric GAN", 2017."""
    return tf.reduce_mean(tf.nn.relu(real_label - real)) + tf.reduce_mean(tf.nn.relu(1 + fake))


def least_squares_d(real, fake, real_label=1.0):
    """((D(x) - label)^2 + D(G(z))^2) / 2: Mao et al., "Least Squares GANs", ICCV 2017, equation 9."""
    return (tf.reduce_mean((real - real_label) ** 2) + tf.reduce_mean(fake ** 2)) / 2


def least_squares_g(fake):
    """(D(G(z)) - 1)^2 / 2: Mao et al., ICCV 2017, equation 9."""
    return tf.reduce_mean((fake - 1) ** 2) / 2


def wasserstein_d(real, fake, real_label=1.0):
    """D(G(z)) - D(x), for a D that a penalty keeps smooth: Arjovsky et al., "Wasserstein GAN", ICML 2017."""
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def critic_g(fake):
    """-D(G(z)), G's loss under hinge and Wasserstein."""
    return -tf.reduce_mean(fake)


# name: (loss of D on its outputs (B,) for real faces and fakes and the real label, loss of G on D's outputs for fakes)
LOSSES = {"cross_entropy": (cross_entropy_d, cross_entropy_g), "hinge": (hinge_d, critic_g),
          "least_squares": (least_squares_d, least_squares_g), "wasserstein": (wasserstein_d, critic_g)}


def r1(discriminate, real, fake, mix):
    """Mean of |grad D(x)|^2 / 2 on real faces: Mescheder et al., "Which Training Methods for GANs do actually
    Converge?", ICML 2018, equation 9 without its weight.

    discriminate : function, (B, S, S, 3) -> (B,); real, fake : (B, S, S, 3); mix : (B, 1, 1, 1), unused
    """
    return tf.reduce_mean(_squared_slope(discriminate, real)) / 2


def wgan_gp(discriminate, real, fake, mix):
    """Mean of (|grad D| - 1)^2 between real faces and fakes: Gulrajani et al., "Improved Training of Wasserstein
    GANs", NeurIPS 2017, equation 3 without its weight.

    discriminate : function, (B, S, S, 3) -> (B,); real, fake : (B, S, S, 3); mix : (B, 1, 1, 1) in [0, 1]
    """
    between = _squared_slope(discriminate, mix * real + (1 - mix) * tf.stop_gradient(fake))
    return tf.reduce_mean((tf.sqrt(between + 1e-12) - 1) ** 2)


PENALTIES = {"r1": r1, "wgan_gp": wgan_gp}

# The output of D above which it takes a face for real; a critic has no such level.
REAL_ABOVE = {"cross_entropy": 0.0, "hinge": 0.0, "least_squares": 0.5}


def accuracy(loss, real, fake):
    """{"d_accuracy": the share of real faces and fakes that D tells right by its outputs (B,)}; {} without a level."""
    if (level := REAL_ABOVE.get(loss)) is None:
        return {}
    return {"d_accuracy": tf.reduce_mean(tf.cast(tf.concat((real > level, fake <= level), 0), tf.float32))}


def _squared_slope(discriminate, faces):
    """|grad D|^2 at each face, (B,)."""
    with tf.GradientTape() as tape:
        tape.watch(faces)
        total = tf.reduce_sum(discriminate(faces))
    return tf.reduce_sum(tape.gradient(total, faces) ** 2, axis=(1, 2, 3))


def change_color(faces, uniform):
    """Random brightness, saturation and contrast for each face."""
    faces = faces + uniform(0, -0.5, 0.5)
    faces = _away_from(tf.reduce_mean(faces, axis=3, keepdims=True), faces, uniform(1, 0, 2))
    return _away_from(tf.reduce_mean(faces, axis=(1, 2, 3), keepdims=True), faces, uniform(2, 0.5, 1.5))


def _away_from(mean, faces, strength):
    return mean + strength * (faces - mean)


def translate(faces, uniform):
    """Move each face by up to an eighth of its side, grey coming in."""
    size = faces.shape[1]
    reach = size // 8
    moved = tf.pad(faces, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    for axis in (1, 2):
        start = tf.cast(uniform(axis, 0, 2 * reach + 1), tf.int32)[:, :, 0, 0]
        moved = tf.gather(moved, start + tf.range(size), axis=axis, batch_dims=1)
    return moved


def cut_out(faces, uniform):
    """Paint a square of half the side of each face grey, wherever its centre falls."""
    size = faces.shape[1]
    places = tf.range(size, dtype=tf.float32)
    row, column = (tf.abs(tf.reshape(places, shape) - uniform(axis, 0, size)) < size / 4
                   for axis, shape in enumerate(((1, size, 1, 1), (1, 1, size, 1))))
    return tf.where(row & column, 0.0, faces)


AUGMENTATIONS = {"color": change_color, "translation": translate, "cutout": cut_out}


def augment(faces, kinds, seed):
    """Change faces at random in ways that gradients pass, before D sees them; the same for the same seed.

    faces : (B, S, S, 3); kinds : names of AUGMENTATIONS; seed : int64 pair of TensorFlow's stateless generators
    Source: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020.
    """
    for number, kind in enumerate(kinds):
        faces = AUGMENTATIONS[kind](faces, partial(_uniform, tf.shape(faces)[0], fold(seed, number)))
    return faces


def _uniform(count, seed, salt, low, high):
    """(count, 1, 1, 1) numbers in [low, high)."""
    return draw(tf.random.stateless_uniform, (count, 1, 1, 1), fold(seed, salt), low, high)
