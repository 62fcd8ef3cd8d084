"""What the models have in common of which one network learns by one loss."""
from abc import abstractmethod

from .layers import mean_of_replicas
from .optimizer import copy_weights, descend, falling, follow, make_adam
from .setup import tf
from .trainable import Trainable


class Learner(Trainable):
    """A model of which one network learns, kept as an average too if `training` has one, and an adversary against it.

    The network is the attribute that `main` names.

    optimizer_name, gradient_name : of its optimizer in saves, and of its gradient's length in curves
    average, adversary : networks, None where training has none; adversary_rate : learning rate, None for the network's
    """
    optimizer_name, gradient_name = "optimizer", "gradient"
    average = adversary = adversary_rate = None

    @abstractmethod
    def losses(self, faces, step):
        """(what is minimized, {name: scalar} to be reported) of what train_step takes.

        With an adversary, d_loss among the latter is what that minimizes.
        """

    def make_network(self):
        """A network as the one that learns; a model whose training has `average` offers it."""
        raise NotImplementedError

    def prepare_others(self):
        """{name: part} of what else a save holds, made or loaded here, the adversary and its d_optimizer among it."""
        return {}

    @property
    def used(self):
        """The network as completion uses it: with the average of its weights, if that is kept."""
        return self.average or getattr(self, self.main)

    @property
    def shipped(self):
        """{name: network} of what completion needs."""
        return {self.main: self.used}

    def prepare_training(self, training):
        """Make the optimizer and what else is asked for; needed before train_step."""
        self.training, network = training, getattr(self, self.main)
        self.optimizer = make_adam(network, training)
        self.parts = {self.main: network, self.optimizer_name: self.optimizer, **self.prepare_others()}
        if getattr(training, "average", 0):
            self.average = self.parts["average"] = copy_weights(network, self.make_network())

    def train_step(self, faces, step):
        """One update; returns the scalars of `losses`, the gradient's length and learning_rate."""
        rate, network = falling(self.training, step), getattr(self, self.main)
        with tf.GradientTape(persistent=True) as tape:
            loss, figures = self.losses(faces, step)
        if self.adversary:
            descend(self.parts["d_optimizer"], self.adversary, falling(self.training, step, self.adversary_rate),
                    tape.gradient(figures["d_loss"], self.adversary.trainable_variables))
        length = descend(self.optimizer, network, rate, tape.gradient(loss, network.trainable_variables))
        if self.average:
            follow(self.average, network, step, self.training.average)
        return mean_of_replicas(figures) | {self.gradient_name: length, "learning_rate": rate}
