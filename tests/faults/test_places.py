"""Places that cannot be written, are full, or are taken."""
import os
import resource

import pytest

from helpers import BAD_OUTPUT, NO_INPUT
from shell.lock import claim_folder


@pytest.fixture
def without_tensorflow(tmp_path, monkeypatch):
    """No process that is started can import TensorFlow."""
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "tensorflow.py").write_text("raise ImportError('is loaded too early')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "absent"), prepend=os.pathsep)


@pytest.mark.fault("F20", "writers")
def test_an_output_that_is_a_file_is_refused_before_tensorflow_is_loaded(command, inputs, spawn, out,
                                                                         without_tensorflow):
    out.parent.mkdir()
    out.write_text("mine")
    ended = spawn(inputs)
    assert (ended.code, ended.err.count("\n")) == (BAD_OUTPUT, 1) and out.name in ended.err, ended.err
    assert out.read_text() == "mine"


@pytest.mark.fault("F20", "writers")
def test_an_output_that_may_not_be_written_is_refused_before_tensorflow_is_loaded(command, inputs, spawn, out,
                                                                                  without_tensorflow, obey_permissions):
    (out.parent if command == "pack" else out).mkdir(parents=True)
    (out.parent if command == "pack" else out).chmod(0o555)
    ended = spawn(inputs, preexec_fn=obey_permissions)
    assert (ended.code, ended.err.count("\n")) == (BAD_OUTPUT, 1) and "Permission denied" in ended.err, ended.err


def full_disk():
    """Let no file of a new process grow beyond 4,000 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))


@pytest.mark.fault("F21", "alignment", "pack", "completion", "onnx", "masks", "shape")
@pytest.mark.fault("F21", "evaluation", "samples", "latent", "export", slow=True)
def test_a_full_disk_leaves_no_part_of_a_file_and_the_same_command_goes_on(command, inputs, spawn, call, out):
    options = ["--size", 512, "--masks", "pattern"] if command == "masks" else []
    ended = spawn(inputs, *options, preexec_fn=full_disk)
    assert ended.code == BAD_OUTPUT and "Traceback" not in ended.err, ended.err
    assert "cannot write" in ended.err.splitlines()[-1] and not list(out.parent.rglob("*.tmp"))
    assert call(inputs, *options).code == 0


@pytest.mark.fault("F22", "alignment", "split", "learned", "completion", "onnx", "evaluation", "reproduce", "masks")
@pytest.mark.fault("F22", "latent", slow=True)
def test_a_folder_in_use_is_refused_and_its_process_named(command, inputs, call, out):
    with claim_folder(out):
        ended = call(inputs)
    assert ended.code == BAD_OUTPUT and f"in use by process {os.getpid()}" in ended.err
    assert os.listdir(out) == [".lock"]


OTHERS = {"alignment": ["--size", 32], "split": ["--seed", 1], "completion": ["--mask_type", "half"],
          "onnx": ["--detail", 0.5], "evaluation": ["--seed", 1], "masks": ["--seed", 1]}


@pytest.mark.parametrize("command", OTHERS)
def test_results_of_other_settings_are_refused_and_kept(command, inputs, call, out):
    assert call(inputs).code == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != ".lock"}
    ended = call(inputs, *OTHERS[command])
    assert (ended.code, ended.err.count("\n")) == (BAD_OUTPUT, 1) and "choose another" in ended.err, ended.err
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("command, code", [("completion", BAD_OUTPUT), ("evaluation", BAD_OUTPUT),
                                           ("compare", NO_INPUT)])
def test_records_without_permission_are_told(command, code, inputs, spawn, out, obey_permissions):
    out.mkdir(parents=True)
    (out / "results.jsonl").touch(0)
    ended = spawn(out if command == "compare" else inputs, preexec_fn=obey_permissions)
    assert (ended.code, ended.err.count("\n")) == (code, 1) and "Permission denied" in ended.err, ended.err
