"""What an update of any network is made of: Adam, its falling rate, the replicas' mean, an average of the weights."""
from . import keras, tf
from .layers import mean_of_replicas, replicas


def make_adam(network, rate, beta1):
    """Adam for a network's trainable variables, its slots built, so that a save can be restored into it."""
    optimizer = keras.optimizers.Adam(rate, beta1)
    optimizer.build(network.trainable_variables)
    return optimizer


def copy_weights(source, target):
    """Give a network the weights and statistics of another one of the same sizes."""
    for old, new in zip(source.variables, target.variables):
        new.assign(old)


def falling(rate, decay, progress):
    """The learning rate when a share `progress` of a run is done; over its last share `decay` it falls to 0."""
    return rate * (tf.clip_by_value((1 - progress) / decay, 0, 1) if decay else 1.0)


def apply(optimizer, network, gradients):
    """Update a network by the mean of the replicas' gradients; returns its length."""
    gradients = mean_of_replicas(gradients)
    optimizer.apply([gradient / replicas()[1] for gradient in gradients], network.trainable_variables)  # it sums them
    return tf.linalg.global_norm(gradients)


def follow(average, network, step, decay):
    """Move an exponential average of a network's weights, of decay min(decay, (1 + step) / (10 + step)), to them."""
    age = tf.cast(step, tf.float32)
    keep = tf.minimum(decay, (1 + age) / (10 + age))
    for kept, new in zip(average.variables, network.variables):
        kept.assign_sub((1 - keep) * (kept - new))
