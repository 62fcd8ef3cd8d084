"""The log of a run: curves and samples for TensorBoard, and the same as plain files."""
import json
import os
from pathlib import Path

from helpers import RecordFile, read_records, write_file, write_picture
from nn import tf

SCALARS = "scalars.jsonl"


class Journal:
    """Writes scalars.jsonl, samples/*.png and TensorBoard events into one folder.

    Opened at a step, it forgets what was logged after it, so that a resumed run leaves no gap and no double step.
    Without TensorBoard `warn` is called once and the plain files are still written.
    """

    def __init__(self, folder, first_step, warn):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        for sheet in (self.folder / "samples").glob("*.png"):
            if sheet.stem.isdigit() and int(sheet.stem) > first_step:
                sheet.unlink()
        path = self.folder / SCALARS
        kept = [record for record in read_records(path) if record["step"] <= first_step] if first_step else []
        write_file(path, "".join(json.dumps(record) + "\n" for record in kept).encode())
        self._scalars = RecordFile(path)
        self._events = None
        try:
            import tensorboard.summary.v2  # noqa: F401   # what tf.summary needs; without it every call would fail
            _rewind_events(self.folder, first_step)
            self._events = tf.summary.create_file_writer(str(self.folder))
        except ImportError as error:
            warn(f"no curves for TensorBoard, which is not installed ({error}); scalars.jsonl is written all the same")

    def text(self, name, value, step=0):
        """Log a text, such as the options of the run."""
        self._emit(tf.summary.text, {name: value}, step)

    def scalars(self, step, values):
        """Log named numbers against the step."""
        values = {name: float(value) for name, value in values.items()}
        self._scalars.append({"step": step, **values})
        self._emit(tf.summary.scalar, values, step)

    def samples(self, step, sheet):
        """Log a sheet of generated faces, (H, W, 3) uint8."""
        write_picture(self.folder / "samples" / f"{step:04d}.png", sheet)
        self._emit(tf.summary.image, {"samples": sheet[None]}, step)

    def flush(self):
        """Put everything on disk."""
        if self._events:
            self._events.flush()

    def _emit(self, kind, values, step):
        if self._events:
            with self._events.as_default():
                for name, value in values.items():
                    kind(name, value, step)


def _rewind_events(folder, step):
    """Rewrite the event files without what was logged after `step`; at step 0 nothing is kept."""
    from tensorboard.compat.proto.event_pb2 import Event
    for path in sorted(folder.glob("events.out.tfevents.*")):
        if not step:
            path.unlink()
            continue
        kept = []
        try:
            for content in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
                if Event.FromString(content).step <= step:
                    kept.append(content)
        except tf.errors.DataLossError:                 # the end that a killed process wrote half
            pass
        rewritten = path.with_name(f".{path.name}")
        with tf.io.TFRecordWriter(str(rewritten)) as writer:
            for content in kept:
                writer.write(content)
        os.replace(rewritten, path)
