"""The network that fills a hole in one pass."""
from network import KERNEL, SMALLEST, count_layers, initial_weights
from nn.layers import BatchNorm, convolve, dense_by_channel, double, double_to_pixels, halve, variable
from nn.setup import tf


class EncoderDecoder(tf.Module):
    """Faces with a hole (B, S, S, 3) and known (B, S, S) -> whole faces (B, S, S, 3) float32 in [-1, 1].

    5x5 stride-2 convolutions with batch norm and leaky ReLU 0.2 down to 4x4; a layer in which every channel is fully
    connected to itself, and a 1x1 convolution across the channels (Pathak et al., CVPR 2016, section 3.1); and
    transposed convolutions with batch norm and ReLU back up, tanh on the last. The fourth input channel is 1 in the
    hole, where the others are 0 or `noise` (B, S, S, 3). With `skips` every transposed convolution also sees the
    encoder's activations of its size (Ronneberger et al., "U-Net", MICCAI 2015).

    size : side of a face; width : filters of the outermost layer, every layer inwards has twice as many
    """

    def __init__(self, size, width, skips, seed=0):
        super().__init__("encoder_decoder")
        self.skips = skips
        layers = count_layers(size)
        widths = [width << layer for layer in range(layers)]
        seen = [1 + (skips and layer < layers - 1) for layer in range(layers)]      # decoder and encoder, or one
        weights = initial_weights(seed)
        self.encoder = [weights((KERNEL, KERNEL, into, out), f"encoder_{i}")
                        for i, (into, out) in enumerate(zip([4, *widths], widths))]
        self.encoder_norms = [BatchNorm(width, f"encoder_norm_{i}") for i, width in enumerate(widths)]
        self.by_channel = weights((SMALLEST, SMALLEST, widths[-1], SMALLEST * SMALLEST), "by_channel")
        self.across = weights((1, 1, widths[-1], widths[-1]), "across")
        self.across_norm = BatchNorm(widths[-1], "across_norm")
        self.decoder = [weights((KERNEL, KERNEL, out, into * seen[i]), f"decoder_{i}")
                        for i, (out, into) in reversed(list(enumerate(zip([3, *widths], widths))))]
        self.decoder_norms = [BatchNorm(width, f"decoder_norm_{i}") for i, width in enumerate(reversed(widths[:-1]))]
        self.bias = variable(tf.zeros(3), "bias")

    def __call__(self, faces, known, training=False, noise=0.0):
        hole = tf.cast(~known, tf.float32)[..., None]
        x, seen = tf.concat((faces * (1 - hole) + noise * hole, hole), axis=3), []
        for kernel, norm in zip(self.encoder, self.encoder_norms):
            x = tf.nn.leaky_relu(norm.after(halve, x, kernel, training, axis=3), 0.2)
            seen.append(x)
        x = dense_by_channel(x, self.by_channel)
        x = tf.nn.relu(self.across_norm.after(convolve, x, self.across, training, axis=3))
        for kernel, norm, activations in zip(self.decoder, self.decoder_norms, seen[-2::-1]):
            x = tf.nn.relu(norm.after(double, x, kernel, training, axis=2))
            x = tf.concat((x, activations), axis=3) if self.skips else x
        return tf.tanh(double_to_pixels(x, self.decoder[-1]) + self.bias)
