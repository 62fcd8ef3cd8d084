"""Small runs of train_network.py, and what they have left."""
import train_network
from benchmarks.kill_training import curves  # noqa: F401
from network import tf

STEPS = 24
OPTIONS = ["--epoch", "8", "--batch_size", "8", "--z_dim", "8", "--gf_dim", "2", "--df_dim", "2", "--save_every", "5",
           "--sample_every", "12", "--report_every", "1", "--keep", "99", "--decay", "0.5", "--noise", "0.1",
           "--average", "0.9"]


def arguments(faces, home, *more):
    return ["--dataset", str(faces), "--checkpoint_dir", str(home / "checkpoint"), "--log_dir", str(home / "logs"),
            *OPTIONS, *more]


def train(faces, home, *more):
    return train_network.main(arguments(faces, home, *more))


def saves(home):
    return sorted(int(path.name.removeprefix("step-")) for path in (home / "checkpoint" / "dcgan").glob("step-*"))


def tensors(home, step=STEPS):
    """{name: value} of every number in a save: weights, averages, statistics and the optimizers' slots."""
    reader = tf.train.load_checkpoint(str(home / "checkpoint" / "dcgan" / f"step-{step:08d}" / "tensors"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if "VARIABLE_VALUE" in name}


def read_events(home, tag):
    """[(step, value)] of a run's events of a tag."""
    from tensorboard.compat.proto.event_pb2 import Event
    read = [Event.FromString(content) for path in (home / "logs" / "dcgan").glob("events.out.tfevents.*")
            for content in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()]
    return [(event.step, value) for event in read for value in event.summary.value if value.tag == tag]


def event_steps(home, tag):
    return sorted(step for step, _ in read_events(home, tag))


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"}
