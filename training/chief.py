"""The worker that writes what a run leaves behind: curves, examinations, samples and saves."""
import json
import time

import numpy as np

from helpers import NOT_FINITE, Stopped, UsageError, read_json, to_float, to_uint8
from nn.setup import tf
from shell.messages import command_line
from shell.pictures import tile
from shell.records import in_words

from . import checkpoint
from .health import EXAMINATIONS, EXAMINED, diagnose, quality
from .journal import Journal
from .manifest import MANIFEST, list_saves
from .run_folders import mark, remove_save
from .settings import ignore


class Chief:
    """The keeper of one run's journal and saves; `record` describes the run in every save."""

    def __init__(self, model, store, record, settings, console):
        self.model, self.store, self.record, self.settings, self.console = model, store, record, settings, console
        self.run, self.last = settings.run, settings.training.steps
        self.per_epoch = record["faces"] // self.run.batch_size
        self.best = store.folder / "best"

    def begin(self, first, faces, validation):
        """Open the journal at a step; faces, validation : as training.loop.prepare_faces gives them."""
        mark(self.settings.places)
        drop_best(self.best, first)
        self.journal = Journal(self.settings.places.log, first, self.console.warn)
        self.examined = [record for record in self.journal.kept if EXAMINED & record.keys()]
        self.shown = to_float((faces if validation is None else validation)[:8])
        self.examination = (None if validation is None else
                            EXAMINATIONS[self.model.examined](self.model, faces, validation))
        self.reported, self.clock = first, time.monotonic()
        if first in (0, *(part["until"] for part in self.record["earlier"])):
            record = json.dumps(self.record, indent=2)
            self.journal.text("options", first and first + 1, f"`{command_line()}`\n\n```\n{record}\n```")
        if not first:
            settings = self.record["architecture"] | self.record["training"] | {
                name: self.record[name] for name in ("faces", "batch_size", "flip", "seed")}
            self.journal.hparams({name: in_words(value) for name, value in settings.items()})
            self._show(first)

    def report(self, step, figures, progress):
        """Show what train_step returned, and log it, if a report is due; show the last step in any case."""
        due = step % self.run.report_every == 0
        if due or step == self.last:
            figures = {name: float(value) for name, value in figures.items()}
            count = (step - self.reported) * self.run.batch_size
            progress.update(count, epoch=f"{step / self.per_epoch:.2f}", **{
                name: f"{value:.3f}" for name, value in figures.items() if name.endswith("loss")})
        if due:
            self.journal.scalars(step, figures | {"faces_per_second": count / (time.monotonic() - self.clock)})
            self.reported, self.clock = step, time.monotonic()

    def examine(self, step):
        """At the end of an epoch, examine the model, and keep it if it is the best by training.health.quality."""
        if self.examination and step % self.per_epoch == 0:
            scores = self.examination()
            self.journal.scalars(step, scores)
            kept = read_json(self.best / MANIFEST).get("scores")
            if not kept or quality(scores) > quality(kept):
                checkpoint.export(self.model, self.best, self.record | {"step": step, "scores": scores})
            if (sheet := getattr(self.examination, "completions", None)) is not None:
                self.journal.picture("completions", step, sheet)
            self.examined.append(scores | {"step": step})
            saves = [int(save.name.removeprefix("step-")) for save in list_saves(self.store.folder)]
            if trouble := diagnose(self.examined, saves):
                self.console.warn(f"step {step}: {trouble}")

    def sample(self, step):
        """Log a sheet of samples, if one is due."""
        if step % self.run.sample_every == 0 or step == self.last:
            self._show(step)

    def _show(self, step):
        self.journal.samples(step, tile(to_uint8(self.model.samples(self.shown))))

    def save(self, step):
        """Save if a save is due, or if console.check asks for an end, which is passed on then."""
        stopped = None
        try:
            self.console.check()
        except Stopped as request:
            stopped = request
        if stopped or step % self.run.save_every == 0 or step == self.last:
            check_finite(self.model.parts.values(), step, self.store.folder)
            self.journal.flush()
            self.store.save(step, epoch=step // self.per_epoch, **self.record)
        if stopped:
            raise stopped

    def export(self, step):
        """At the end, write the model folder that was asked for."""
        if self.settings.places.export:
            checkpoint.export(self.model, self.settings.places.export, self.record | {"step": step},
                              self.settings.places.half)


class Bystander:
    """What stands in a Chief's place in the other workers: it writes nothing, and stops when it is asked to."""

    begin = report = examine = sample = export = ignore

    def __init__(self, *_, console):
        self.console = console

    def save(self, step):
        """Save nothing; what console.check raises ends the run."""
        self.console.check()


def drop_best(folder, step):
    """Remove the best model if it comes from after the step to which the run has gone back; it is found again."""
    if read_json(folder / MANIFEST).get("step", 0) > step:
        remove_save(folder)


def check_finite(values, step, saves):
    """Raise UsageError (exit code 6) if a number, or a weight of a model's parts, is NaN or infinite."""
    if not are_finite(values):
        advice = (f"the saves in {saves} are untouched, go on from there" if list_saves(saves) else
                  "nothing was saved yet, begin again")
        raise UsageError(f"step {step}: a loss or weight is no longer finite; {advice} with a smaller --learning_rate",
                         NOT_FINITE)


def are_finite(values):
    """Whether numbers, variables and the weights and statistics of networks are finite; optimizers do not count."""
    numbers = [value for value in values if isinstance(value, (float, tf.Tensor, tf.Variable))]
    numbers += [weight for part in values if isinstance(part, tf.Module) for weight in part.variables]
    return all(np.isfinite(number).all() for number in numbers)
