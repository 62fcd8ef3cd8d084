"""The layers of the networks: convolutions, transposed convolutions, dense layers, and what normalizes them.

All of them compute in the precision of their input, float32 or bfloat16; weights and statistics are float32.
"""
from .setup import tf

MOMENTUM, EPSILON = 0.9, 1e-5                           # of the batch-norm statistics


def variable(value, name, trainable=True):
    """A variable to which all replicas assign the same value."""
    return tf.Variable(value, trainable=trainable, name=name, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)


def replicas():
    """(which replica of the training step this is, how many there are); (0, 1) outside of one."""
    context = tf.distribute.get_replica_context()
    return (context.replica_id_in_sync_group, context.num_replicas_in_sync) if context else (0, 1)


def mean_of_replicas(tensors):
    """The mean of each tensor over the replicas; gradients pass."""
    if replicas()[1] == 1:
        return tensors
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, tensors)


def draw(distribution, shape, seed, *limits):
    """Random numbers (B, ...) by a stateless generator of TensorFlow for this replica's part of the batch.

    They are the part's rows of what one replica would draw for the whole batch.
    """
    this, all_of_them = replicas()
    if all_of_them == 1:
        return distribution(shape, seed, *limits)
    count = shape[0]
    whole = distribution((all_of_them * count, *shape[1:]), seed, *limits)
    return whole[this * count:(this + 1) * count]


def fold(seed, *salt):
    """Another seed pair of TensorFlow's stateless generators for every seed pair and integers."""
    seed = tf.convert_to_tensor(seed, tf.int64)
    for value in salt:
        seed = tf.random.fold_in(seed, tf.cast(value, tf.int64))
    return seed


def scaled(kernel, inputs=None):
    """A kernel (..., out) with the deviation that keeps the variance of its inputs (He et al., ICCV 2015).

    inputs : how many each output has, the product of all sides but the last unless it is given
    """
    inputs = tf.cast(inputs or tf.reduce_prod(kernel.shape[:-1]), tf.float32)
    kernel.assign(kernel / tf.math.reduce_std(kernel) * tf.sqrt(2 / inputs))
    return kernel


def mean_with_mirror_image(network, faces, known):
    """The mean of what a network makes of faces (B, S, S, 3) and known (B, S, S), and of their mirror images."""
    return (network(faces, known) + network(faces[:, :, ::-1], known[:, :, ::-1])[:, :, ::-1]) / 2


def convolve(x, kernel, stride=1, dilation=1):
    """Convolution: (B, H, W, C) -> (B, H / stride, W / stride, out)."""
    return tf.nn.conv2d(x, kernel, stride, "SAME", dilations=dilation)


def halve(x, kernel):
    """5x5 convolution of stride 2: (B, H, W, C) -> (B, H / 2, W / 2, out)."""
    return convolve(x, kernel, 2)


def double(x, kernel):
    """5x5 transposed convolution of stride 2: (B, H, W, C) -> (B, 2 H, 2 W, out)."""
    _, height, width, _ = x.shape
    return tf.nn.conv2d_transpose(x, kernel, (tf.shape(x)[0], 2 * height, 2 * width, kernel.shape[2]), 2, "SAME")


# To three channels oneDNN's transposed convolution takes twice the time of the same sum as an ordinary convolution, in
# which every input pixel gives the four output pixels that it becomes. Only that direction is rewritten.

@tf.custom_gradient
def double_to_pixels(x, kernel):
    """double for very few output channels: G's last layer."""
    def gradient(above):
        return halve(above, kernel), _kernel_gradient(above, kernel, x)
    return _double_by_blocks(x, kernel), gradient


@tf.custom_gradient
def halve_pixels(x, kernel):
    """halve for very few input channels: D's first layer."""
    def gradient(above):
        return _double_by_blocks(above, kernel), _kernel_gradient(x, kernel, above)
    return halve(x, kernel), gradient


def _double_by_blocks(x, kernel):
    """double as a 3x3 convolution to (B, H, W, 4 * out), whose channels are 2x2 blocks of the result.

    Output row 2 m + p is the sum over j of input row m - j times kernel row 2 j + 1 + p, where there is one.
    """
    _, height, width, _ = x.shape
    _, _, out, into = kernel.shape
    blocks = tf.reshape(tf.pad(kernel, ((1, 0), (1, 0), (0, 0), (0, 0))), (3, 2, 3, 2, out, into))
    blocks = tf.reshape(tf.transpose(tf.reverse(blocks, (0, 2)), (0, 2, 5, 1, 3, 4)), (3, 3, into, 4 * out))
    doubled = tf.reshape(tf.nn.conv2d(x, blocks, 1, "SAME"), (-1, height, width, 2, 2, out))
    return tf.reshape(tf.transpose(doubled, (0, 1, 3, 2, 4, 5)), (-1, 2 * height, 2 * width, out))


def _kernel_gradient(large, kernel, small):
    """Gradient of a stride-2 kernel between the picture that it halves and the one that it doubles."""
    return tf.raw_ops.Conv2DBackpropFilter(input=large, filter_sizes=kernel.shape, out_backprop=small,
                                           strides=(1, 2, 2, 1), padding="SAME")


# The dense layers are convolutions, which oneDNN sums in the same order whatever the batch. It does not so sum matrix
# products, and a face's completion would depend on its neighbours.

def dense_to_map(x, kernel):
    """Dense layer (B, C) -> (B, H, W, out) with a kernel of (C, H, W, out)."""
    channels, height, width, out = kernel.shape
    values = tf.nn.conv2d(x[:, None, None], tf.reshape(kernel, (1, 1, channels, -1)), 1, "VALID")
    return tf.reshape(values, (-1, height, width, out))


def dense_to_vector(x, weights):
    """Dense layer (B, H, W, C) -> (B, out) with weights of (H * W * C, out)."""
    _, height, width, channels = x.shape
    return tf.nn.conv2d(x, tf.reshape(weights, (height, width, channels, -1)), 1, "VALID")[:, 0, 0]


def dense_by_channel(x, kernel):
    """Each of the C channels of (B, H, W, C) through a dense layer of its own, by a kernel (H, W, C, H * W)."""
    _, height, width, channels = x.shape
    dense = tf.nn.depthwise_conv2d(tf.cast(x, tf.float32), kernel, (1, 1, 1, 1), "VALID")
    return tf.cast(tf.transpose(tf.reshape(dense, (-1, channels, height, width)), (0, 2, 3, 1)), x.dtype)


class BatchNorm(tf.Module):
    """Batch normalization of the channels that a layer gives (B, H, W, C)."""

    def __init__(self, channels, name=None):
        super().__init__(name)
        self.scale = variable(tf.ones(channels), "scale")
        self.offset = variable(tf.zeros(channels), "offset")
        self.mean = variable(tf.zeros(channels), "mean", trainable=False)
        self.variance = variable(tf.ones(channels), "variance", trainable=False)

    def after(self, layer, x, kernel, training, axis):
        """Normalize layer(x, kernel), whose output channels are the kernel's `axis`.

        By the statistics of the whole batch, all replicas', in training, and these are learned; else by the learned
        ones, which are folded into the kernel and so cost no pass over the activations.
        """
        if not training:
            scale = self.scale * tf.math.rsqrt(self.variance + EPSILON)
            along = [1] * len(kernel.shape)
            along[axis] = -1
            shift = self.offset - self.mean * scale
            return layer(x, tf.cast(kernel * tf.reshape(scale, along), x.dtype)) + tf.cast(shift, x.dtype)
        normalized, mean, variance = self._normalize(layer(x, tf.cast(kernel, x.dtype)))
        for learned, seen in ((self.mean, mean), (self.variance, variance)):
            learned.assign_sub((1 - MOMENTUM) * (learned - seen))
        return normalized

    def _normalize(self, x):
        """(normalized, mean, unbiased variance) of (B, H, W, C)."""
        if replicas()[1] == 1:
            return tf.compat.v1.nn.fused_batch_norm(x, self.scale, self.offset, epsilon=EPSILON)
        exact = tf.cast(x, tf.float32)
        mean, square = mean_of_replicas([tf.reduce_mean(moment, (0, 1, 2)) for moment in (exact, exact ** 2)])
        variance = tf.maximum(square - mean ** 2, 0)    # which rounding may take below 0 where a channel is constant
        normalized = tf.nn.batch_normalization(exact, mean, variance, self.offset, self.scale, EPSILON)
        count = tf.cast(replicas()[1] * tf.reduce_prod(tf.shape(x)[:3]), tf.float32)
        return tf.cast(normalized, x.dtype), mean, variance * count / (count - 1)


class Bias(tf.Module):
    """What takes the place of BatchNorm in a network that has none."""

    def __init__(self, channels, name=None):
        super().__init__(name)
        self.offset = variable(tf.zeros(channels), "offset")

    def after(self, layer, x, kernel, training, axis):
        """layer(x, kernel) and the bias."""
        return layer(x, tf.cast(kernel, x.dtype)) + tf.cast(self.offset, x.dtype)


class SpectralNorm(tf.Module):
    """Divides a kernel (..., out) by an estimate of its largest singular value as a matrix of `out` columns.

    One power iteration a training pass follows the kernel.
    Source: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018, algorithm 1.
    """

    def __init__(self, out):
        super().__init__()
        self.direction = variable(tf.fill((out, 1), out ** -0.5), "direction", trainable=False)

    def __call__(self, kernel, training):
        matrix = tf.reshape(kernel, (-1, kernel.shape[-1]))
        left = tf.math.l2_normalize(tf.stop_gradient(matrix) @ self.direction)
        if training:
            self.direction.assign(tf.math.l2_normalize(tf.matmul(tf.stop_gradient(matrix), left, transpose_a=True)))
        return kernel / tf.reduce_sum(left * (matrix @ self.direction))
