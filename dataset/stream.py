"""Batches of faces in an order that depends on the seed and the step alone."""
from nn.setup import tf


def batches(faces, *, batch_size, epochs, seed, first_step=0, flip=True, replicas=(0, 1, 1)):
    """Stream shuffled batches, from any step of any epoch on.

    Parameters
    ----------
    faces : (N, S, S, 3) uint8, an array or dataset.store.Pack, with N >= batch_size; rows are read as they are needed
    batch_size : faces a step; an epoch has N // batch_size steps and leaves out the remainder of its own shuffle
    epochs : passes over the faces, counted from step 0
    seed : decides order and flips together with the step
    first_step : where to begin
    flip : mirror each face with probability 1/2
    replicas : (first, last, of): stream only the parts of each batch for the replicas first to last - 1 of all `of`

    Returns a tf.data.Dataset of (B, S, S, 3) float32 in [-1, 1], B = batch_size / of, one for each replica in turn.
    """
    count, steps = len(faces), len(faces) // batch_size
    key = tf.constant([seed, seed + 1], tf.int64)
    first, last, of = replicas
    share = batch_size // of

    def order(epoch):
        shuffled = tf.random.experimental.stateless_shuffle(tf.range(count), tf.stack((key[0], epoch)))
        return tf.data.Dataset.from_tensor_slices(shuffled).batch(batch_size, drop_remainder=True)

    def parts(step, indices):
        turned = tf.random.stateless_uniform((batch_size, 1, 1, 1), tf.stack((key[1], step))) < 0.5
        return tf.data.Dataset.from_tensor_slices(tuple(
            tf.reshape(rows, (of, share, *rows.shape[1:]))[first:last] for rows in (indices, turned)))

    def read(indices, turned):
        chosen = tf.numpy_function(faces.__getitem__, [indices], tf.uint8)
        chosen = tf.ensure_shape(chosen, (share, *faces.shape[1:]))
        if flip:
            chosen = tf.where(turned, tf.reverse(chosen, [2]), chosen)
        return tf.cast(chosen, tf.float32) / 127.5 - 1

    indices = tf.data.Dataset.range(first_step // steps, epochs).flat_map(order).skip(first_step % steps)
    parted = indices.enumerate(first_step).flat_map(parts)
    return parted.map(read, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2 * (last - first))
