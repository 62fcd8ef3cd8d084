"""How fast training and completion are on this machine, median of nine: make bench.

train     faces a second of one update of both networks, batch 300
complete  face-iterations a second of the latent search with the prior (recipe seed), batches of 64 and 256
"""
import statistics
import sys
import time

import numpy as np

import network
from completion.recipes import Recipe
from completion.search import Search
from network import tf

REPEATS = 9


def median_seconds(work):
    """Median time of a call, after two calls to warm up."""
    seconds = []
    for repeat in range(REPEATS + 2):
        begun = time.perf_counter()
        work(repeat)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[2:])


def train(batch=300):
    """Print the speed of training."""
    dcgan = network.DCGAN()
    dcgan.prepare_training()
    update, faces = tf.function(dcgan.train_step), tf.random.uniform((batch, 64, 64, 3), -1, 1)
    seconds = median_seconds(lambda step: float(update(faces, tf.constant(step, tf.int64))["g_loss"]))
    print(f"train, batch {batch}, float32: {batch / seconds:.0f} faces/s")


def complete(batch, intervals=REPEATS, iterations=10):
    """Print the speed of the search, one look at the faces every ten iterations included."""
    dcgan, rng, times = network.DCGAN(), np.random.default_rng(0), []
    faces, known = rng.uniform(-1, 1, (batch, 64, 64, 3)).astype(np.float32), rng.random((batch, 64, 64)) < 0.5
    search = Search(dcgan.generate, dcgan.realism, 100, Recipe(num_iter=(intervals + 2) * iterations))
    search(faces, known, range(batch), interval=iterations, on_step=lambda _: times.append(time.perf_counter()))
    seconds = statistics.median(np.diff(times)[2:])     # the first compile and warm up
    print(f"complete, batch {batch}, float32: {batch * iterations / seconds:.0f} face-iterations/s")


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["train", "complete"]
    if "train" in wanted:
        train()
    if "complete" in wanted:
        complete(64)
        complete(256)
