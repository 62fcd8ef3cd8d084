"""Autoencoder: a decoder that gives back the faces that its encoder saw.

Source: Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 2006.
"""
from nn import tf
from nn.layers import mean_of_replicas

from .latent_model import LatentModel

MOMENTUM = 0.99                                         # of the latents' statistics


class Autoencoder(LatentModel):
    """Its latents are taken for normal, with the mean and deviation that they had in training."""
    kind, outputs = "autoencoder", 1

    def _losses(self, faces, step):
        latents = self.coder.encode(faces, training=True)
        mean, square = mean_of_replicas([tf.reduce_mean(moment, axis=0) for moment in (latents, latents ** 2)])
        deviation = tf.sqrt(tf.maximum(square - mean ** 2, 1e-6))
        for learned, seen in ((self.coder.mean, mean), (self.coder.deviation, deviation)):
            learned.assign_sub((1 - MOMENTUM) * (learned - seen))
        decoded = self.coder.decoder(latents, training=True)
        return {"loss": tf.reduce_mean(self.coder.negative_log_likelihood(faces, decoded)),
                "squared_error": tf.reduce_mean((faces - decoded) ** 2)}
