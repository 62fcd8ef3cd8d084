"""What an update of any network is made of: Adam, its falling rate, the replicas' mean, an average of the weights."""
from .layers import mean_of_replicas, replicas
from .setup import tf


def make_adam(network, training):
    """Adam for a network's trainable variables, its slots built, so that a save can be restored into it.

    training : has learning_rate and beta1
    """
    optimizer = tf.keras.optimizers.Adam(training.learning_rate, training.beta1)
    optimizer.build(network.trainable_variables)
    return optimizer


def copy_weights(source, target):
    """Give a network the weights and statistics of another one of the same sizes; returns it."""
    for old, new in zip(source.variables, target.variables):
        new.assign(old)
    return target


def falling(training, step, rate=None):
    """The learning rate of an update, a float32 scalar: over the last share `decay` of a run it falls to 0.

    training : has steps, learning_rate and decay; rate : takes the place of its learning_rate
    """
    progress = tf.cast(step, tf.float32) / training.steps
    rate = training.learning_rate if rate is None else rate
    return tf.convert_to_tensor(
        rate * (tf.clip_by_value((1 - progress) / training.decay, 0, 1) if training.decay else 1.0), tf.float32)


def descend(optimizer, network, rate, gradients):
    """Update a network by the mean of the replicas' gradients, at a learning rate; returns that mean's length."""
    optimizer.learning_rate = rate
    gradients = mean_of_replicas(gradients)
    optimizer.apply([gradient / replicas()[1] for gradient in gradients], network.trainable_variables)  # it sums them
    return tf.linalg.global_norm(gradients)


def follow(average, network, step, decay):
    """Move an exponential average of a network's weights, of decay min(decay, (1 + step) / (10 + step)), to them."""
    age = tf.cast(step, tf.float32)
    keep = tf.minimum(decay, (1 + age) / (10 + age))
    for kept, new in zip(average.variables, network.variables):
        kept.assign_sub((1 - keep) * (kept - new))
