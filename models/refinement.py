"""What a network of half the side answers, enlarged, and what a face of the whole side has beside it."""
from network import initial_weights
from nn.layers import variable
from nn.setup import tf

from .residual_unet import KERNEL, Convolution, Residual, to_pixels, with_mirror_image

SEEN = 2 * 2 * (8 + 3)                                  # channels of a block: face, hole, both mirrored, coarse answer


class Refinement(tf.Module):
    """Faces with a hole (B, S, S, 3) and known (B, S, S) -> whole faces (B, S, S, 3) float32, computed as the former.

    A coarse network sees the mean of the known pixels of every 2x2. To its answer, enlarged, is added what residual
    blocks make of it, the face, its hole and both mirrored, all in blocks of 2x2 pixels; at first nothing.
    Source, for coarse to fine: Yang et al., "High-Resolution Image Inpainting Using Multi-Scale Neural Patch
    Synthesis", CVPR 2017.

    coarse : of half the side, called as this one; it is not trained
    width : filters; blocks : residual blocks
    """

    def __init__(self, coarse, width, blocks, seed=0):
        super().__init__("refinement")
        weights = initial_weights(seed)
        self.coarse = coarse
        self.into = Convolution(SEEN, width, weights)
        self.blocks = [Residual(width, weights) for _ in range(blocks)]
        self.last, self.bias = variable(tf.zeros((KERNEL, KERNEL, width, 12)), "last"), variable(tf.zeros(12), "bias")

    def __call__(self, faces, known, training=False):
        seen = with_mirror_image(faces, known)
        guesses = self._guess(*tf.split(seen[..., :4], (3, 1), axis=3))
        x = tf.concat((seen, tf.cast(guesses, seen.dtype)), axis=3)
        x = self.into(tf.nn.space_to_depth(x, 2), training)
        for block in self.blocks:
            x = block(x, training)
        return guesses + to_pixels(x, self.last, self.bias)

    @property
    def trainable_variables(self):
        """Its own, without those of the coarse network."""
        kept = {id(weight) for weight in self.coarse.variables}
        return tuple(weight for weight in super().trainable_variables if id(weight) not in kept)

    def _guess(self, faces, known):
        """The coarse network's answer to faces (B, S, S, 3), 0 where known (B, S, S, 1) is 0, at the whole side."""
        share = tf.nn.avg_pool2d(known, 2, 2, "VALID")
        means = tf.math.divide_no_nan(tf.nn.avg_pool2d(faces, 2, 2, "VALID"), share)
        return tf.image.resize(self.coarse(means, share[..., 0] > 0), faces.shape[1:3])
