"""A U-Net of residual blocks that sees a face with a hole and its mirror image, for likely answers."""
from network import initial_weights
from nn.layers import BatchNorm, convolve, dense_by_channel, scaled, variable
from nn.setup import tf

LEVELS = 3                                              # sides of a half, a quarter and an eighth of the face's
KERNEL = 3


class ResidualUNet(tf.Module):
    """Faces with a hole (B, S, S, 3) and known (B, S, S) -> whole faces (B, S, S, 3) float32, computed as the former.

    The face, its hole and both mirrored (Li et al., "Learning Symmetry Consistent Deep CNNs for Face Completion", IEEE
    Trans. Image Processing 29, 2020) are seen in blocks of 2x2 pixels. Every level has residual blocks of two 3x3
    convolutions with batch norm and leaky ReLU 0.2 (He et al., CVPR 2016) before it goes inwards and when it has come
    back, beside the activations of the way in (Ronneberger et al., MICCAI 2015); the innermost has a layer between in
    which every channel is fully connected to itself (Pathak et al., CVPR 2016, section 3.1). Blocks of pixels come out
    of channels (Shi et al., CVPR 2016).

    width : filters of the outermost level, every level inwards has twice as many; blocks : residual blocks of a level
    on each way
    """

    def __init__(self, size, width, blocks, seed=0):
        super().__init__("residual_unet")
        weights = initial_weights(seed)
        widths = [width << level for level in range(LEVELS)]
        self.inwards = [Convolution(*sizes, weights) for sizes in zip((32, *(4 * width for width in widths)), widths)]
        self.before, self.after = ([[Residual(width, weights) for _ in range(blocks)] for width in widths]
                                   for _ in range(2))
        side = size >> LEVELS
        self.everywhere = weights((side, side, widths[-1], side * side), "everywhere")
        self.outwards = [Convolution(inner, 4 * outer, weights) for outer, inner in zip(widths, widths[1:])]
        self.beside = [Convolution(2 * width, width, weights) for width in widths[:-1]]
        self.last, self.bias = weights((KERNEL, KERNEL, width, 12), "last"), variable(tf.zeros(12), "bias")

    def __call__(self, faces, known, training=False):
        x, seen = with_mirror_image(faces, known), []
        for convolution, blocks in zip(self.inwards, self.before):
            x = convolution(tf.nn.space_to_depth(x, 2), training)
            for block in blocks:
                x = block(x, training)
            seen.append(x)
        x += self._everywhere_at_once(x) if training else dense_by_channel(x, self.everywhere)
        for level in reversed(range(LEVELS)):
            if level < LEVELS - 1:
                doubled = tf.nn.depth_to_space(self.outwards[level](x, training), 2)
                x = self.beside[level](tf.concat((doubled, seen[level]), axis=3), training)
            for block in self.after[level]:
                x = block(x, training)
        return to_pixels(x, self.last, self.bias)

    def _everywhere_at_once(self, x):
        """dense_by_channel as matrix products, whose gradient takes a fortieth of the time."""
        _, height, width, channels = x.shape
        kernel = tf.cast(tf.reshape(self.everywhere, (height * width, channels, height * width)), x.dtype)
        dense = tf.einsum("bic,ico->boc", tf.reshape(x, (-1, height * width, channels)), kernel)
        return tf.reshape(dense, (-1, height, width, channels))


class Convolution(tf.Module):
    """3x3 convolution, batch norm, leaky ReLU 0.2."""

    def __init__(self, into, out, weights):
        super().__init__("convolution")
        self.kernel, self.norm = scaled(weights((KERNEL, KERNEL, into, out), "kernel")), BatchNorm(out)

    def __call__(self, x, training):
        return tf.nn.leaky_relu(self.norm.after(convolve, x, self.kernel, training, axis=3), 0.2)


class Residual(tf.Module):
    """Two 3x3 convolutions of which the second's batch norm begins at 0, so that at first nothing is changed."""

    def __init__(self, width, weights):
        super().__init__("residual")
        self.first = Convolution(width, width, weights)
        self.kernel, self.norm = scaled(weights((KERNEL, KERNEL, width, width), "kernel")), BatchNorm(width)
        self.norm.scale.assign(tf.zeros(width))

    def __call__(self, x, training):
        return x + self.norm.after(convolve, self.first(x, training), self.kernel, training, axis=3)


def with_mirror_image(faces, known):
    """Faces (B, S, S, 3), 0 where not known (B, S, S), what is known, and both mirrored: (B, S, S, 8)."""
    known = tf.cast(known, faces.dtype)[..., None]
    seen = tf.concat((faces * known, known), axis=3)
    return tf.concat((seen, seen[:, :, ::-1]), axis=3)


def to_pixels(x, kernel, bias):
    """Activations (B, H, W, C) -> pixels (B, 2 H, 2 W, 3) float32, by a kernel (h, w, C, 12) and a bias (12,)."""
    blocks = convolve(x, tf.cast(kernel, x.dtype)) + tf.cast(bias, x.dtype)
    return tf.cast(tf.nn.depth_to_space(blocks, 2), tf.float32)
