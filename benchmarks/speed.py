"""How fast the toolkit is on this machine, each number the median of nine: make bench, or with the parts to measure.

python -m benchmarks.speed train complete

train     faces a second of one update of both networks, batches of 300 and 64, float32 and bfloat16
loop      what the training loop costs over the bare update: data, curves, samples and saves
layers    how much of this machine's rate of matrix products the layers reach, forward and backward
data      faces a second that a folder and a pack stream, without training
complete  face-iterations a second of the latent search with the prior (recipe seed), batches of 64 and 256
"""
import json
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

import network
from completion.recipes import Recipe
from completion.search import Latent, Search
from dataset.folder import open_faces
from dataset.store import write_pack
from dataset.stream import batches
from nn import layers
from nn.choices import PRECISIONS
from nn.setup import tf
from shell.command import command
from shell.options import Parser
from training.manifest import ROOT

REPEATS = 9


def median_seconds(work):
    """Median time of a call, after two calls to warm up."""
    seconds = []
    for repeat in range(REPEATS + 2):
        begun = time.perf_counter()
        work(repeat)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[2:])


def update_seconds(batch, precision):
    """Time of one update of both networks."""
    dcgan = network.DCGAN()
    dcgan.prepare_training(network.Training(precision=precision))
    update, faces = tf.function(dcgan.train_step), tf.random.uniform((batch, 64, 64, 3), -1, 1)
    return median_seconds(lambda step: float(update(faces, tf.constant(step, tf.int64))["g_loss"]))


def train():
    """Print the speed of training."""
    for batch in (300, 64):
        for precision in PRECISIONS:
            print(f"train, batch {batch}, {precision}: {batch / update_seconds(batch, precision):.0f} faces/s")


def loop(batch=300, steps=100):
    """Print what training takes over the bare update."""
    faces = np.random.default_rng(0).integers(0, 256, (batch * steps, 64, 64, 3), dtype=np.uint8)
    bare = batch / update_seconds(batch, "float32")
    with tempfile.TemporaryDirectory() as folder:
        write_pack(Path(folder, "pack"), faces)
        subprocess.run([sys.executable, "train_network.py", "--dataset", f"{folder}/pack", "--epoch", "1",
                        "--checkpoint_dir", f"{folder}/saves", "--log_dir", f"{folder}/logs", "--sample_every", "50",
                        "--save_every", "50"], cwd=ROOT, check=True)
        points = [json.loads(line) for line in Path(folder, "logs/dcgan/scalars.jsonl").read_text().splitlines()]
    whole = statistics.harmonic_mean([point["faces_per_second"] for point in points[1:]])    # the first compiles
    print(f"loop, batch {batch}, float32: {whole:.0f} faces/s, the bare update before it {bare:.0f} and after it "
          f"{batch / update_seconds(batch, 'float32'):.0f}")


def layer_rates(batch=300):
    """Print the rate of a large matrix product and of each convolution of the update, in GFLOP/s."""
    for precision in map(tf.as_dtype, PRECISIONS):
        square = tf.cast(tf.random.normal((2048, 2048)), precision)
        product = partial(tf.function(lambda square, _: square @ square), square)
        peak = 2 * 2048 ** 3 / median_seconds(product) / 1e9
        print(f"{precision.name}: matrix product {peak:.0f} GFLOP/s")
        for name, layer, side, into, out in (
                ("G 128 to 64", layers.double, 4, 128, 64), ("G 64 to 32", layers.double, 8, 64, 32),
                ("G 32 to 16", layers.double, 16, 32, 16), ("G 16 to 3", layers.double_to_pixels, 32, 16, 3),
                ("D 3 to 16", layers.halve_pixels, 64, 3, 16), ("D 16 to 32", layers.halve, 32, 16, 32),
                ("D 32 to 64", layers.halve, 16, 32, 64), ("D 64 to 128", layers.halve, 8, 64, 128)):
            print(f"  {name}: " + ", ".join(f"{what} {rate:.0f} ({rate / peak:.0%})" for what, rate in
                                             rates_of(layer, batch, side, into, out=out, precision=precision).items()))


def rates_of(layer, batch, side, into, out, precision):
    """{"forward" and "backward": GFLOP/s} of a layer."""
    up = layer in (layers.double, layers.double_to_pixels)
    x = tf.cast(tf.random.normal((batch, side, side, into)), precision)
    kernel = tf.cast(tf.random.normal((5, 5, out, into) if up else (5, 5, into, out)), precision)
    above = tf.ones_like(layer(x, kernel))

    def gradients(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch((x, kernel))
            result = layer(x, kernel)
        return tape.gradient(result, (x, kernel), above)
    forward, backward = tf.function(lambda x, kernel: layer(x, kernel)), tf.function(gradients)
    sums = 2 * batch * 25 * into * out * (side if up else side // 2) ** 2 / 1e9
    return {"forward": sums / median_seconds(lambda _: forward(x, kernel)),
            "backward": 2 * sums / median_seconds(lambda _: backward(x, kernel))}


def data(count=100_000):
    """Print the speed of reading, and the memory it took."""
    with tempfile.TemporaryDirectory() as folder:
        face = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        begun = time.perf_counter()
        write_pack(Path(folder, "pack"), (np.roll(face, row, 0) for row in range(count)))
        print(f"data, packing: {count / (time.perf_counter() - begun):.0f} faces/s")
        pack, _ = open_faces(f"{folder}/pack", 64)
        for name in ("pack", "memory"):
            faces = pack if name == "pack" else pack[:]
            begun = time.perf_counter()
            for _ in batches(faces, batch_size=300, epochs=1, seed=0):
                pass
            print(f"data, {name}: {count / (time.perf_counter() - begun):.0f} faces/s of {count}, the process holds "
                  f"{memory():.2f} GB that are not mapped files")


def memory():
    """This process's memory but for mapped files, in GB."""
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) / 1e6


def complete(batch, intervals=REPEATS, iterations=10):
    """Print the speed of the search, one look at the faces every ten iterations included."""
    dcgan, rng = network.DCGAN(), np.random.default_rng(0)
    faces, known = rng.uniform(-1, 1, (batch, 64, 64, 3)).astype(np.float32), rng.random((batch, 64, 64)) < 0.5
    search = Search(Latent(dcgan.generate, 100, dcgan.realism), Recipe(num_iter=(intervals + 2) * iterations))
    times = [time.perf_counter() for _ in search.steps(faces, known, range(batch), interval=iterations)]
    seconds = statistics.median(np.diff(times)[2:])     # the first compile and warm up
    print(f"complete, batch {batch}, float32: {batch * iterations / seconds:.0f} face-iterations/s")


PARTS = {"train": train, "loop": loop, "layers": layer_rates, "data": data,
         "complete": lambda: [complete(batch) for batch in (64, 256)]}


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (train and complete)")
    options = parser.parse_args(argv)
    if strange := set(options.parts) - PARTS.keys():
        parser.error(f"no part is called {', '.join(sorted(strange))} (choose from {', '.join(PARTS)})")
    return options.parts or ["train", "complete"]


@command
def main(argv=None):
    for part in parse(argv):
        PARTS[part]()


if __name__ == "__main__":
    sys.exit(main())
