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
        "check": ["preprocess.check_dataset", inputs],
        "completion": ["face_completion", inputs, "--method", "laplace", "--out_dir", out],
        "onnx": ["face_completion", inputs, "--out_dir", out],
        "evaluation": ["evaluate_completion", inputs, "--methods", "laplace", "--jobs", 1, "--out_dir", out],
        "compare": ["evaluate_completion", "--compare", inputs, inputs],
        "reproduce": ["benchmarks.reproduce", "recipes", "--limit", 1, "--dataset", inputs, "--out_dir", out],
        "latent": ["completion.latent", "project", inputs, out, "--num_iter", 1],
        "export": ["completion.export", inputs, out / "answer.onnx"],
        "masks": ["completion.masks", out, "--masks", "center", "--count", 3],
        "samples": ["models.samples", out / "rows.png", inputs],
        "shape": ["preprocess.learn_shape", inputs, out / "shape.npy"]}[command]


@pytest.fixture
def words_of(command, request):
    """words_of(inputs, out) -> [module, argument, ...] of the command, with the models that it needs."""
    options = {"onnx": ("--onnx", "graph"), "latent": ("--checkpoint", "encoded")}.get(command, ())
    models = [*options[:1], *map(request.getfixturevalue, options[1:])]
    return lambda inputs, out: [*words(command, inputs, out), *models]


@pytest.fixture(scope="session")
def graph(tmp_path_factory):
    """An ONNX file that answers at once."""
    from tests.test_onnx import write_graph
    return write_graph(tmp_path_factory.mktemp("graph") / "answer.onnx")


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory, openface):
    """A finished evaluation of three faces."""
    out = tmp_path_factory.mktemp("evaluated") / "out"
    module, *arguments = words("evaluation", openface, out)
    assert importlib.import_module(module).main([*map(str, arguments), "--limit", "3"]) == 0
    return out


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
def inputs(command, put, request, tmp_path):
    """What the command reads: a folder of three faces, a model, an evaluation, or records of landmarks."""
    if command in ("samples", "export", "compare"):
        return request.getfixturevalue({"samples": "model", "export": "encoded", "compare": "evaluated"}[command])
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
def call(words_of, run, out):
    """Call the command in this process: call(inputs or None, option, ...) -> Ended, which is call.ended then."""
    def call(inputs, *options, out=out):
        module, *arguments = [word for word in words_of(inputs, out) if word is not None]
        module = f"{module}.__main__" if module == "completion.masks" else module
        call.ended = run(importlib.import_module(module).main, *arguments, *options)
        return call.ended
    return call


@pytest.fixture
def spawn(words_of, finish, out):
    """Run the command in a process of its own: spawn(inputs, option, ...) -> Ended."""
    return lambda inputs, *options, **more: finish("-m", *words_of(inputs, out), *options, **more)


@pytest.fixture
def start_command(words_of, start, out):
    """Start the command in a process of its own: start_command(inputs, option, ...) -> Popen."""
    return lambda inputs, *options, **more: start("-m", *words_of(inputs, out), *options, **more)


@pytest.fixture
def done(command, out, call):
    """done() -> how many faces, holes or files the command has finished."""
    def count(out=out):
        if command in ("check", "compare"):             # who say it and write nothing
            return int(call.ended.out.split()[0])
        if command == "pack":
            return json.loads((out / "pack.json").read_text())["faces"]
        if command in ("training", "learned"):
            return max(json.loads(path.read_text())["faces"] for path in out.glob("step-*/manifest.json"))
        if command == "latent":
            return len(json.loads((out / "projected.json").read_text())["faces"])
        return len([path for path in out.glob({
            "alignment": "**/*.png", "split": "*/*", "completion": "**/completed.png", "masks": "*/*.png",
            "onnx": "**/completed.png",
            "evaluation": "pictures/center/laplace/**/*.png"}.get(command, "*.*")) if path.is_file()])
    return count
