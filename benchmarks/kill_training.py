"""Kill a training run at random moments with SIGKILL, let it go on each time, and compare it with an untouched one.

python -m benchmarks.kill_training --kills 20 --seed 0
python -m benchmarks.kill_training --minutes 60 --every 120 --epoch 1600
"""
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from helpers import counted
from nn.setup import tf
from shell.command import command
from shell.options import Parser, number, whole_number
from training.manifest import ROOT, list_saves

FACES, PER_EPOCH = 24, 3
OPTIONS = ("--batch_size", FACES // PER_EPOCH, "--z_dim", 8, "--gf_dim", 2, "--df_dim", 2,
           "--save_every", 5, "--sample_every", 12, "--report_every", 1, "--keep", 99, "--decay", 0.5, "--noise", 0.1,
           "--average", 0.9)
LIFE = 0.8                                              # seconds at most from a process's first save to its end


def write_faces(folder, count=FACES):
    """Write smooth random pictures; returns their folder."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(count):
        corners = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        corners.resize((64, 64), Image.Resampling.BICUBIC).save(folder / f"{index:02d}.png")
    return folder


def start(faces, home, epochs):
    """Start the run, or let it go on."""
    command = [sys.executable, str(ROOT / "train_network.py"), "--dataset", str(faces), "--checkpoint_dir",
               str(home / "checkpoint"), "--log_dir", str(home / "logs"), "--epoch", str(epochs), *map(str, OPTIONS)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def newest(home):
    """The step of the newest save."""
    return max((int(save.name.removeprefix("step-")) for save in list_saves(home / "checkpoint" / "dcgan")), default=0)


def tensors(home):
    """{name: value} of every number in the last save: weights, averages, statistics and the optimizers' slots."""
    reader = tf.train.load_checkpoint(str(list_saves(home / "checkpoint" / "dcgan")[0] / "tensors"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if "VARIABLE_VALUE" in name}


def curves(home):
    """The points of the curves, but for the speed."""
    lines = (home / "logs" / "dcgan" / "scalars.jsonl").read_text().splitlines()
    return [{tag: value for tag, value in json.loads(line).items() if tag != "faces_per_second"} for line in lines]


def run_to_the_end(faces, home, epochs):
    process = start(faces, home, epochs)
    messages = process.communicate()[1]
    if process.returncode:
        sys.exit(f"the run failed: {messages}")


def kill(process, home, moment, from_start):
    """Kill a run `moment` seconds after its start, or its first save; says whether it was still alive."""
    before = newest(home)
    while not from_start and process.poll() is None and newest(home) == before:
        time.sleep(0.001)
    try:
        messages = process.communicate(timeout=moment)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    if process.returncode:
        sys.exit(f"the run failed: {messages}")
    return False


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("--kills", type=whole_number(1), default=20, metavar="N", help="how often")
    parser.add_argument("--minutes", type=whole_number(1), metavar="M", help="for how long, instead of --kills; what "
                        "comes to its end begins anew")
    parser.add_argument("--every", type=number(above=0), metavar="SECONDS", help="life of a process from its start "
                        f"(without it, at random up to {LIFE} from its first save)")
    parser.add_argument("--epoch", type=whole_number(1), default=400, metavar="N", help="passes over the faces")
    parser.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides when")
    return parser.parse_args(argv)


@command
def main(argv=None):
    kill_training(**vars(parse(argv)))


def kill_training(kills, minutes, every, epoch, seed):
    """Kill the run again and again; prints a line a kill."""
    rng, folder = random.Random(seed), Path(tempfile.mkdtemp())
    faces, untouched, killed = write_faces(folder / "faces"), folder / "untouched", folder / "killed"
    run_to_the_end(faces, untouched, epoch)
    begun, survived = time.monotonic(), 0
    while time.monotonic() - begun < 60 * minutes if minutes else survived < kills:
        if not kill(start(faces, killed, epoch), killed, every or rng.uniform(0, LIFE), from_start=bool(every)):
            compare(untouched, killed)                  # it came to its end before its kill
            shutil.rmtree(killed)
            continue
        survived += 1
        print(f"kill {survived}, newest save {newest(killed)}, "
              f"{len(list(killed.rglob('.step-*')))} unfinished", flush=True)
    run_to_the_end(faces, killed, epoch)
    compare(untouched, killed)
    print(f"{counted(survived, 'kill')} in {time.monotonic() - begun:.0f} s: weights, slots, statistics and curves "
          "equal bit for bit")
    shutil.rmtree(folder)


def compare(first, second):
    """Exit with a message unless both runs ended with the same numbers."""
    a, b = tensors(first), tensors(second)
    if a.keys() != b.keys() or not all(np.array_equal(a[name], b[name]) for name in a):
        sys.exit(f"the weights of {first} and {second} differ")
    if curves(first) != curves(second):
        sys.exit(f"the curves of {first} and {second} differ")
    print("a whole run, equal bit for bit", flush=True)


if __name__ == "__main__":
    sys.exit(main())
