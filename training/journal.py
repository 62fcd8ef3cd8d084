"""The log of a run: curves and samples for TensorBoard, and the same as plain files."""
import contextlib
import importlib
import io
import json
import re
from pathlib import Path

from helpers import BAD_OUTPUT, UsageError, remove_files, write_file, write_picture
from nn.setup import plain_words, tf
from shell.records import RecordFile, read_records

from .run_folders import SAMPLES, SCALARS

# Of texts, pictures and settings; those of scalars follow from their names in scalars.jsonl.
TAGS = {"options", "settings", "samples", "completions", "_hparams_/session_start_info"}
# In which group TensorBoard shows a number; all others come from examinations.
GROUPS = {"loss": r"\w*loss|squared_error|evidence_lower_bound|divergence", "gradient": r"\w*gradient",
          "discriminator": "d_(real|fake|accuracy)", "run": "learning_rate|faces_per_second", "validation": ".*"}


def tag_of(name):
    """The tag of a number in TensorBoard: its group, and its name in scalars.jsonl."""
    return f"{next(group for group, names in GROUPS.items() if re.fullmatch(names, name))}/{name}"


class Journal:
    """Writes scalars.jsonl, samples/*.png and TensorBoard events into one folder.

    Opened at a step, it forgets what was logged after it, so that a resumed run leaves no gap and no double step; what
    others keep in the folder stays.
    Without TensorBoard `warn` is called once and the plain files are still written.
    """

    def __init__(self, folder, first_step, warn):
        self.folder = Path(folder)
        records = list(read_records(self.folder / SCALARS, step=int))
        self._events = None
        try:
            importlib.import_module("tensorboard.summary.v2")           # without it every call of tf.summary fails
            _rewind_events(self.folder, first_step, set().union(*records) - {"step"})
            with self._naming_the_trouble():
                self._events = tf.summary.create_file_writer(str(self.folder))
        except ImportError as error:
            warn(f"no curves for TensorBoard, which is not installed ({error}); scalars.jsonl is written all the same")
        _rewind_samples(self.folder / SAMPLES, first_step, max((record["step"] for record in records), default=0))
        # Last, for it says which of the rest is ours.
        self.kept = [record for record in records if 0 < record["step"] <= first_step]
        write_file(self.folder / SCALARS, "".join(json.dumps(record) + "\n" for record in self.kept).encode())
        self._scalars = RecordFile(self.folder / SCALARS, sealed=False)

    def text(self, name, step, value):
        """Log a text, such as the options of the run from this step on."""
        self._emit(tf.summary.text, {name: value}, step)

    def hparams(self, values):
        """Log the settings of the run for TensorBoard's table of runs."""
        if self._events:
            from tensorboard.plugins.hparams import api
            self._emit(lambda name, value, step: api.hparams(value, name), {self.folder.name: values}, 0)

    def scalars(self, step, values):
        """Log named numbers against the step."""
        values = {name: float(value) for name, value in values.items()}
        self._scalars.append({"step": step, **values})
        self._emit(tf.summary.scalar, {tag_of(name): value for name, value in values.items()}, step)

    def samples(self, step, sheet):
        """Log a sheet of generated faces, (H, W, 3) uint8."""
        write_picture(self.folder / SAMPLES / _sheet(step), sheet)
        self.picture("samples", step, sheet)

    def picture(self, name, step, sheet):
        """Log a picture for TensorBoard alone, (H, W, 3) uint8."""
        self._emit(tf.summary.image, {name: sheet[None]}, step)

    def flush(self):
        """Put everything on disk. Raises UsageError (exit code 5) if it is full, as the others do."""
        if self._events:
            with self._naming_the_trouble():
                self._events.flush()

    def _emit(self, kind, values, step):
        if self._events:
            with self._naming_the_trouble(), self._events.as_default():
                for name, value in values.items():
                    kind(name, value, step)

    @contextlib.contextmanager
    def _naming_the_trouble(self):
        try:
            yield
        except tf.errors.OpError as error:
            raise UsageError(f"cannot write TensorBoard's events to {self.folder}: {plain_words(error)}",
                             BAD_OUTPUT) from error


def _rewind_samples(folder, first, last):
    """Remove the sheets of the steps after `first` up to the last one logged."""
    steps = [int(path.stem) for path in folder.glob("*.png") if path.stem.isdecimal()]
    remove_files(folder, [_sheet(step) for step in steps if first < step <= last])


def _sheet(step):
    return f"{step:04d}.png"


def _rewind_events(folder, step, names):
    """Rewrite our event files, which have no other numbers than those of these names, without what came after `step`.

    At step 0 nothing is kept. The tags of numbers that were logged without their group get it.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter
    tags = {name: tag_of(name) for name in names}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        if path.is_symlink() or not path.is_file():
            continue
        whole = tf.data.TFRecordDataset(str(path)).ignore_errors()      # the last one of a killed process is not
        events = [Event.FromString(record) for record in whole.as_numpy_iterator()]
        values = [value for event in events for value in event.summary.value]
        if not values or {value.tag for value in values} - TAGS - tags.keys() - set(tags.values()):
            continue
        for value in values:
            value.tag = tags.get(value.tag, value.tag)
        content = io.BytesIO()
        for event in events:
            if event.step <= step:
                RecordWriter(content).write(event.SerializeToString())
        if step:
            write_file(path, content.getvalue())
        else:
            remove_files(folder, [path.name])
