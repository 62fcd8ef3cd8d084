"""A discriminator that judges every place of a completed face for itself.

Source: Yu et al., "Free-Form Image Inpainting with Gated Convolution", ICCV 2019, section 3.3 (SN-PatchGAN).
"""
from network import KERNEL, initial_weights
from nn.layers import SpectralNorm, convolve, variable
from nn.setup import tf

FILTERS, STRIDES = (48, 96, 192, 192, 1), (2, 2, 2, 1, 1)


class PatchDiscriminator(tf.Module):
    """Faces (B, S, S, 3) in [-1, 1] and known (B, S, S) -> logits (B, S / 8, S / 8), high where a face looks real.

    5x5 convolutions divided by their spectral norms, leaky ReLU 0.2. It computes in its dtype; the logits are float32.
    """

    def __init__(self, seed=0):
        super().__init__("patch_discriminator")
        self.dtype, weights = tf.float32, initial_weights(seed)
        self.kernels = [weights((KERNEL, KERNEL, into, out), f"kernel_{i}")
                        for i, (into, out) in enumerate(zip((4, *FILTERS), FILTERS))]
        self.biases = [variable(tf.zeros(out), "bias") for out in FILTERS]
        self.limits = [SpectralNorm(out) for out in FILTERS]

    def __call__(self, faces, known, training=False):
        x = tf.cast(tf.concat((faces, tf.cast(known, faces.dtype)[..., None]), axis=3), self.dtype)
        for layer, (kernel, limit, bias, stride) in enumerate(zip(self.kernels, self.limits, self.biases, STRIDES)):
            kernel = tf.cast(limit(tf.convert_to_tensor(kernel), training), self.dtype)
            x = convolve(tf.nn.leaky_relu(x, 0.2) if layer else x, kernel, stride) + tf.cast(bias, self.dtype)
        return tf.cast(x[..., 0], tf.float32)


def hinge_losses(real, fake, hole):
    """(loss of the discriminator, loss of what it judges) of logits (B, h, w), where hole (B, S, S) is 1.

    Each place counts by the hole's share in it, every face alike. Source: Lim and Ye, "Geometric GAN", 2017.
    """
    side = hole.shape[1] // real.shape[1]
    shares = tf.nn.avg_pool2d(hole[..., None], side, side, "VALID")[..., 0]
    shares = tf.math.divide_no_nan(shares, tf.reduce_sum(shares, axis=(1, 2), keepdims=True))

    def mean(values):
        return tf.reduce_mean(tf.reduce_sum(shares * values, axis=(1, 2)))
    return mean(tf.nn.relu(1 - real) + tf.nn.relu(1 + fake)), -mean(fake)
