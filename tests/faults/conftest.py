"""How tests of faults start every command on little work.

A test with the fixture `command` runs once for every command that its markers name, and is slow for those of a marker
with slow=True.
"""
import ctypes
import importlib
import json
import os
import shutil

import numpy as np
import pytest

from tests.fault_table import expand

STEMS = "A000369", "B001273", "C001070"
TRAINED = ("--epoch", 1, "--batch_size", 3, "--z_dim", 4, "--gf_dim", 1, "--df_dim", 1)


def pytest_generate_tests(metafunc):
    """Run a test that asks for `command` once for each that it is marked with."""
    if "command" in metafunc.fixturenames:
        slow = {name: bool(mark.kwargs) for mark in metafunc.definition.iter_markers("fault")
                for name in expand(mark.args[1:])}
        if slow:
            metafunc.parametrize("command", [pytest.param(name, marks=[pytest.mark.slow] * slow[name])
                                             for name in slow])


def words(command, inputs, out):
    """[module, argument, ...] of a command that reads `inputs` and writes into `out` or, training, a folder beside."""
    run = ["--dataset", inputs, "--checkpoint_dir", out.parent, "--run", out.name, "--log_dir", out.parent / "logs",
           *TRAINED]
    return {
        "alignment": ["preprocess.align_dlib", inputs, "align", "innerEyesAndBottomLip", out, "--jobs", 1],
        "split": ["preprocess.split_dataset", inputs, out, "--train", 2, "--validation", 1, "--test", 0],
        "pack": ["preprocess.pack_dataset", inputs, out],
        "training": ["train_network", *run],
        "learned": ["models.train", "vae", *run],
        "completion": ["face_completion", inputs, "--method", "laplace", "--out_dir", out],
        "evaluation": ["evaluate_completion", inputs, "--methods", "laplace", "--jobs", 1, "--out_dir", out],
        "masks": ["completion.masks", out, "--masks", "center", "--count", 3],
        "samples": ["models.samples", out / "rows.png", inputs],
        "shape": ["preprocess.learn_shape", inputs, out / "shape.npy"]}[command]


@pytest.fixture
def words_of(command):
    """words_of(inputs, out) -> [module, argument, ...] of the command."""
    return lambda inputs, out: words(command, inputs, out)


@pytest.fixture
def obey_permissions():
    """A function that takes from the superuser, in a new process, the right to pass over permissions."""
    def call():
        for capability in (1, 2) if os.geteuid() == 0 else ():      # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            ctypes.CDLL(None).prctl(24, capability)                 # PR_CAPBSET_DROP
    return call


@pytest.fixture
def put(command, tmp_path, samples, openface):
    """put(name, stem) copies a face as the command takes it, aligned or not, to the folder put.folder; its path."""
    def call(name, stem=STEMS[0]):
        path = call.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return shutil.copyfile(samples / f"{stem}.jpg" if command == "alignment" else openface / f"{stem}.png", path)

    call.folder = tmp_path / "faces"
    return call


@pytest.fixture
def inputs(command, put, model, tmp_path):
    """What the command reads: a folder of three faces, a model, or records of landmarks."""
    if command == "samples":
        return model
    if command == "shape":
        landmarks = np.random.default_rng(0).uniform(0, 100, (40, 68, 2)).tolist()
        lines = (json.dumps({"source": str(index), "status": "done", "landmarks": points})
                 for index, points in enumerate(landmarks))
        (tmp_path / "alignment.jsonl").write_text("\n".join(lines) + "\n")
        return tmp_path / "alignment.jsonl"
    for stem in STEMS:
        put(f"{stem}.png", stem)
    return put.folder


@pytest.fixture
def out(tmp_path):
    """Where the command writes."""
    return tmp_path / "home" / "out"


@pytest.fixture
def call(command, run, out):
    """Call the command in this process: call(inputs or None, option, ...) -> Ended."""
    def call(inputs, *options, out=out):
        module, *arguments = [word for word in words(command, inputs, out) if word is not None]
        module = f"{module}.__main__" if module == "completion.masks" else module
        return run(importlib.import_module(module).main, *arguments, *options)
    return call


@pytest.fixture
def spawn(command, finish, out):
    """Run the command in a process of its own: spawn(inputs, option, ...) -> Ended."""
    return lambda inputs, *options, **more: finish("-m", *words(command, inputs, out), *options, **more)


@pytest.fixture
def start_command(command, start, out):
    """Start the command in a process of its own: start_command(inputs, option, ...) -> Popen."""
    return lambda inputs, *options, **more: start("-m", *words(command, inputs, out), *options, **more)


@pytest.fixture
def done(command, out):
    """done() -> how many faces, holes or files the command has finished."""
    def call(out=out):
        if command == "pack":
            return json.loads((out / "pack.json").read_text())["faces"]
        if command in ("training", "learned"):
            return max(json.loads(path.read_text())["faces"] for path in out.glob("step-*/manifest.json"))
        return len([path for path in out.glob({
            "alignment": "**/*.png", "split": "*/*", "completion": "**/completed.png", "masks": "*/*.png",
            "evaluation": "pictures/center/laplace/**/*.png"}.get(command, "*.*")) if path.is_file()])
    return call
