"""What a model has to offer to be trained, saved, shown and examined."""
from abc import abstractmethod
from typing import ClassVar, Protocol


class Trainable(Protocol):
    """A model as training.loop and training.checkpoint take it; it is made by `Model(architecture, seed)`.

    kind : its name in manifests; architecture_type, training_type : frozen dataclasses of its settings; the first has
        image_size, the second has steps, learning_rate, beta1 and decay
    examined : what it is examined by every epoch, a name of training.health.EXAMINATIONS
    main : name of the network in `shipped` that learns to make the results; a run may keep its average as "average"
    optional : names in architecture_type of what a model may have though the one whose weights it takes has not
    beginning : folder of the shipped model with whose weights a run on few faces better begins, or None
    switches : names in training_type whose being 0 or not decides what a save holds
    architecture, training, seed : its settings, `training` once prepare_training was called
    parts : {name: object} of all that training changes and a save holds, once prepare_training was called
    """
    kind: ClassVar[str]
    architecture_type: ClassVar[type]
    training_type: ClassVar[type]
    examined: ClassVar[str]
    main: ClassVar[str]
    optional: ClassVar[tuple[str, ...]] = ()
    beginning: ClassVar[str | None] = None
    switches: ClassVar[tuple[str, ...]] = ()
    architecture: object
    training: object
    seed: int
    parts: dict

    @property
    @abstractmethod
    def shipped(self):
        """{name: network or variable} of what completion needs; an average takes its network's place."""

    @property
    def precision(self):
        """What its convolutions compute in while it is trained, one of nn.choices.PRECISIONS."""
        return getattr(self.training, "precision", "float32")

    @property
    def foundations(self):
        """Folders of the trained models on which this one is built."""
        return []

    @abstractmethod
    def prepare_training(self, training):
        """Make what train_step needs, and `parts`."""

    @abstractmethod
    def train_step(self, faces, step):
        """One update by a batch of what `annotate` gives, scaled to [-1, 1]; step : int64 scalar -> {name: scalar}.

        In a replica of tf.distribute, its part of one. Seed and step decide all noise: a resumed run repeats itself.
        """

    @abstractmethod
    def samples(self, faces):
        """Faces (N, S, S, 3) in [-1, 1] that show how far it is, such as `faces`, up to 8 true ones, completed."""

    def grow(self, smaller):
        """Take the weights of a model of half the side that has all layers of this one but an outer one.

        What `grown` in architecture_type counts; a model without it cannot.
        """
        raise NotImplementedError

    def annotate(self, faces, folder, console):
        """What it is trained on, made of faces (N, S, S, 3) uint8 or a Pack: len(), .shape and rows, uint8.

        folder : of the run, where what takes long is kept; console : a training.settings.Console
        """
        return faces
