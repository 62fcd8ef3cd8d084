"""The settings of a training run as values, which a command makes once."""
import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Faces:
    """The faces that a run sees.

    dataset, validation : folders or packs of faces that it is trained on, and of other people's, or None
    strict : refuse unreadable files; flip : mirror faces at random; other_data : go on although the faces have changed
    """
    dataset: str
    validation: str | None = None
    strict: bool = False
    flip: bool = True
    other_data: bool = False


@dataclasses.dataclass(frozen=True)
class Run:
    """How long a run is, and how often it writes; `epoch` counts passes over the faces, `every` updates, `keep` saves.

    seed : decides weights, noise and order
    resume_from : step of the save to go on from, None for the newest
    begin_from : folder of the model whose weights a new run begins with, or None
    """
    epoch: int
    batch_size: int
    seed: int = 0
    save_every: int = 500
    sample_every: int = 250
    report_every: int = 10
    keep: int = 3
    resume_from: int | None = None
    begin_from: str | None = None


@dataclasses.dataclass(frozen=True)
class Devices:
    """Where a run computes: what training.devices.use_device and make_strategy take, and whether XLA compiles it."""
    device: str = "auto"
    strategy: str = "auto"
    xla: bool = False


@dataclasses.dataclass(frozen=True)
class Places:
    """Where a run writes.

    run : name of its folders in checkpoint_dir and log_dir
    export : folder of the model that is written at its end, or None; half : write its kernels in 16 bits
    """
    run: str
    checkpoint_dir: str = "checkpoint"
    log_dir: str = "logs"
    export: str | None = None
    half: bool = False

    @property
    def saves(self):
        """The run's folder of saves."""
        return Path(self.checkpoint_dir, self.run)

    @property
    def log(self):
        """The run's folder of curves and samples."""
        return Path(self.log_dir, self.run)


@dataclasses.dataclass(frozen=True)
class Settings:
    """All of a run; architecture, training : of the types that the model's class names."""
    faces: Faces
    run: Run
    devices: Devices
    places: Places
    architecture: object
    training: object


def ignore(*_):
    """Do nothing, whatever the arguments."""


@dataclasses.dataclass(frozen=True)
class Console:
    """How a run talks with its user.

    progress : function (total or None, unit, first=0) -> a context with update(count, **figures)
    check : function, called now and then; what it raises, such as helpers.Stopped, ends the run after a save
    say, warn : functions of a message
    hold : function, called when the run has come to its first step, from which on a stop has to wait for a save
    """
    progress: object
    check: object = ignore
    say: object = ignore
    warn: object = ignore
    hold: object = ignore
