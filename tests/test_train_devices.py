"""Training on several devices and machines equals training on one, and goes on when one of them is lost."""
import json
import shutil
import signal
import socket
import time

import numpy as np
import pytest
from PIL import Image

from helpers import USAGE
from network import tf

pytestmark = pytest.mark.slow

STEPS = 24
OPTIONS = ["--epoch", 8, "--batch_size", 8, "--z_dim", 8, "--gf_dim", 2, "--df_dim", 2, "--save_every", 4, "--keep", 99,
           "--report_every", 1, "--sample_every", 12, "--noise", 0.1, "--average", 0.9]
TWO_DEVICES = """
import sys
from nn.setup import tf
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0],
                                           [tf.config.LogicalDeviceConfiguration()] * 2)
import train_network
sys.exit(train_network.main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("faces"), np.random.default_rng(0)
    for index in range(24):
        corners = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        corners.resize((64, 64), Image.Resampling.BICUBIC).save(folder / f"{index:02d}.png")
    return folder


def options(faces, home):
    return ["--dataset", faces, "--checkpoint_dir", home / "checkpoint", "--log_dir", home / "logs", *OPTIONS]


@pytest.fixture(scope="module")
def alone(faces, tmp_path_factory):
    """The folder of a run on one device."""
    import train_network
    home = tmp_path_factory.mktemp("alone")
    assert train_network.main([str(option) for option in options(faces, home)]) == 0
    return home


@pytest.fixture
def halfway(alone, tmp_path):
    """A copy of that run as if it had ended at its half."""
    home = tmp_path / "halfway"
    shutil.copytree(alone, home)
    for save in (home / "checkpoint/dcgan").glob("step-*"):
        if int(save.name.removeprefix("step-")) > STEPS // 2:
            shutil.rmtree(save)
    return home


@pytest.fixture
def start_workers(start, monkeypatch):
    """Start both workers of a run -> [process, process]."""
    def call(chief, other=None):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("localhost", 0)), second.bind(("localhost", 0))
            workers = [f"localhost:{each.getsockname()[1]}" for each in (first, second)]
        processes = []
        for index, arguments in enumerate((chief, other or chief)):
            monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"worker": workers},
                                                        "task": {"type": "worker", "index": index}}))
            processes.append(start("train_network.py", *arguments))
        return processes
    return call


def finish_all(processes):
    return [(process.communicate(timeout=240)[1], process.returncode)[::-1] for process in processes]


def assert_nearly_equal(home, alone):
    last = f"checkpoint/dcgan/step-{STEPS:08d}/tensors"
    saves = [tf.train.load_checkpoint(str(each / last)) for each in (home, alone)]
    names = [name for name in saves[1].get_variable_to_shape_map() if "VARIABLE_VALUE" in name]
    assert len(names) > 50
    for name in names:
        np.testing.assert_allclose(*(save.get_tensor(name) for save in saves), rtol=1e-3, atol=1e-4, err_msg=name)
    curves = [[json.loads(line) for line in (each / "logs/dcgan/scalars.jsonl").read_text().splitlines()]
              for each in (home, alone)]
    assert [point["step"] for point in curves[0]] == list(range(1, STEPS + 1))
    for point, expected in zip(*curves):
        for name in expected.keys() - {"faces_per_second"}:
            assert point[name] == pytest.approx(expected[name], rel=1e-3, abs=1e-4), (name, point["step"])


def test_two_devices_go_on_with_a_run_of_one_as_one_would(faces, alone, halfway, finish):
    ended = finish("-c", TWO_DEVICES, *options(faces, halfway), "--strategy", "mirrored")
    assert ended.code == 0 and "going on from" in ended.out, ended.err
    assert_nearly_equal(halfway, alone)


def test_when_a_worker_dies_the_other_says_so_and_both_go_on_when_started_again(faces, tmp_path, start_workers, alone):
    chief, other = start_workers(options(faces, tmp_path))
    while not list(tmp_path.glob("checkpoint/dcgan/step-*")) and chief.poll() is None:
        time.sleep(0.05)
    chief.send_signal(signal.SIGKILL)
    (_, _), (code, messages) = finish_all([chief, other])
    assert code == USAGE and "another worker stopped answering" in messages, messages
    assert 'train_network.py", line' not in messages    # Python's own pools may complain at its exit
    for code, messages in finish_all(start_workers(options(faces, tmp_path))):
        assert code == 0, messages
    assert_nearly_equal(tmp_path, alone)


def test_workers_that_do_not_see_the_same_saves_are_refused(faces, halfway, tmp_path, start_workers):
    shared, apart = options(faces, halfway), options(faces, tmp_path / "apart")
    for code, messages in finish_all(start_workers(shared, apart)):
        assert code == USAGE and "--checkpoint_dir has to be one folder that all workers see" in messages, messages


@pytest.mark.parametrize("text", ["{", "[]", '{"cluster": {"worker": ["a:1"]}}',
                                  '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
                                  '{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}}'])
def test_a_cluster_that_makes_no_sense_is_refused(faces, tmp_path, finish, monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    ended = finish("train_network.py", *options(faces, tmp_path))
    assert ended.code == USAGE and "TF_CONFIG has to be like" in ended.err and "Traceback" not in ended.err
