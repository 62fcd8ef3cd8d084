"""Batches of faces in an order that depends on the seed and the step alone."""
import tensorflow as tf


def batches(faces, *, batch_size, epochs, seed, first_step=0, flip=True):
    """Stream shuffled batches, from any step of any epoch on.

    Parameters
    ----------
    faces : (N, S, S, 3) uint8, with N >= batch_size; kept in memory once
    batch_size : faces a step; an epoch has N // batch_size steps and leaves out the remainder of its own shuffle
    epochs : passes over the faces, counted from step 0
    seed : decides order and flips together with the step
    first_step : where to begin
    flip : mirror each face with probability 1/2

    Returns a tf.data.Dataset of (B, S, S, 3) float32 in [-1, 1].
    """
    count, steps = len(faces), len(faces) // batch_size
    pixels = tf.constant(faces)

    def order(epoch):
        shuffled = tf.random.experimental.stateless_shuffle(tf.range(count), (seed, tf.cast(epoch, tf.int32)))
        return tf.data.Dataset.from_tensor_slices(shuffled).batch(batch_size, drop_remainder=True)

    def batch(step, indices):
        chosen = tf.gather(pixels, indices)
        if flip:
            turned = tf.random.stateless_uniform((batch_size, 1, 1, 1), (seed + 1, tf.cast(step, tf.int32))) < 0.5
            chosen = tf.where(turned, tf.reverse(chosen, [2]), chosen)
        return tf.cast(chosen, tf.float32) / 127.5 - 1

    indices = tf.data.Dataset.range(first_step // steps, epochs).flat_map(order).skip(first_step % steps)
    return indices.enumerate(first_step).map(batch).prefetch(2)
