"""Kill a training run at random moments with SIGKILL, let it go on each time, and compare it with an untouched one.

python -m benchmarks.kill_training [kills, 20 without] [seed, 0 without]
"""
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from test_train_network import ROOT, arguments, curves, saves, tensors, write_faces

EPOCHS, PER_EPOCH = 400, 3
LIFE = 0.8                                              # seconds at most from a process's first save to its end


def start(faces, home):
    command = [sys.executable, str(ROOT / "train_network.py"), *arguments(faces, home, "--epoch", str(EPOCHS))]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def run_to_the_end(faces, home):
    process = start(faces, home)
    messages = process.communicate()[1]
    if process.returncode:
        sys.exit(f"the run failed: {messages}")


def kill(faces, home, moment):
    """Start the run and kill it `moment` seconds after its first save; says whether it was still alive."""
    before, process = max(saves(home), default=0), start(faces, home)
    while process.poll() is None and max(saves(home), default=0) == before:
        time.sleep(0.001)
    time.sleep(moment)
    process.kill()
    process.communicate()
    return process.returncode == -9


def main(kills=20, seed=0):
    rng, folder = random.Random(seed), Path(tempfile.mkdtemp())
    faces, untouched, killed = write_faces(folder / "faces", 24), folder / "untouched", folder / "killed"
    run_to_the_end(faces, untouched)
    begun, survived = time.monotonic(), 0
    while survived < kills:
        if not kill(faces, killed, rng.uniform(0, LIFE)):
            compare(untouched, killed)                  # it came to its end before its kill
            shutil.rmtree(killed)
            continue
        survived += 1
        print(f"kill {survived} of {kills}, newest save {max(saves(killed), default=0)}, "
              f"{len(list(killed.rglob('.step-*')))} unfinished", flush=True)
    run_to_the_end(faces, killed)
    compare(untouched, killed)
    print(f"{kills} kills in {time.monotonic() - begun:.0f} s: weights, slots, statistics and curves equal bit for bit")
    shutil.rmtree(folder)


def compare(first, second):
    """Exit with a message unless both runs ended with the same numbers."""
    last = EPOCHS * PER_EPOCH
    a, b = tensors(first, last), tensors(second, last)
    if a.keys() != b.keys() or not all(np.array_equal(a[name], b[name]) for name in a):
        sys.exit(f"the weights of {first} and {second} differ")
    if curves(first) != curves(second):
        sys.exit(f"the curves of {first} and {second} differ")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
