"""What the tests share: real portraits, and two ways to start a command."""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent


class Ended(NamedTuple):
    """How a command ended, and what it printed."""
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def samples():
    """The folder of raw portraits."""
    return ROOT / "samples"


@pytest.fixture(scope="session")
def openface():
    """The folder of OpenFace's own crops of some of the portraits, named alike."""
    return ROOT / "tests" / "data" / "openface64"


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A tiny model with random weights large enough for varied pictures, exported as the shipped one is."""
    import network
    from training.checkpoint import export
    folder = tmp_path_factory.mktemp("model") / "tiny"
    dcgan = network.DCGAN(network.Architecture(z_dim=8, gf_dim=2, df_dim=2))
    for kernel in (dcgan.generator.dense, *dcgan.generator.kernels):
        kernel.assign(15 * kernel)
    export(dcgan, folder, {"step": 0})
    return str(folder)


@pytest.fixture(scope="session")
def encoded(model, tmp_path_factory):
    """A copy of the model, with an encoder where it is looked for."""
    from models.latent_encoder import Architecture, LatentEncoder, Training
    from training.checkpoint import export
    folder = tmp_path_factory.mktemp("encoded") / "tiny"
    shutil.copytree(model, folder)
    encoder = LatentEncoder(Architecture(z_dim=8, gf_dim=2, ef_dim=2))
    encoder.prepare_training(Training(generator=str(folder)))
    export(encoder, f"{folder}-learned/latent_encoder", {})
    return folder


@pytest.fixture(scope="session")
def finder():
    """dlib's detector and landmark model."""
    from preprocess.faces import FaceFinder
    return FaceFinder()


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Let a command that is asked to stop in the tests' own process take its time: its hard end would be theirs."""
    monkeypatch.setattr("shell.signals.GRACE", 600)


@pytest.fixture(autouse=True)
def no_figure(monkeypatch):
    """Have evaluations in the tests' own process draw no figure: half of their time, for tests that do not look at it.

    Those of fixtures for many tests do draw it.
    """
    monkeypatch.setattr("evaluation.conclusion.write_figure", lambda *_: None)


@pytest.fixture
def run(capsys):
    """Call a command's main in this process: run(main, argument, ...) -> Ended."""
    def call(main, *arguments):
        capsys.readouterr()
        try:
            code = main([os.fspath(item) if isinstance(item, os.PathLike) else str(item) for item in arguments])
        except SystemExit as end:
            code = end.code
        return Ended(code, *capsys.readouterr())
    return call


@pytest.fixture
def start():
    """Start `python argument ...` in the root as the leader of a process group, which ends with the test."""
    started = []

    def call(*arguments, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        started.append(subprocess.Popen([sys.executable, *map(str, arguments)], cwd=ROOT, start_new_session=True,
                                        text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, **options))
        return started[-1]

    yield call
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with process:
            pass


@pytest.fixture
def finish(start):
    """Run `python argument ...` in the root to its end -> Ended."""
    def call(*arguments, **options):
        process = start(*arguments, **options)
        out, err = process.communicate(timeout=300)
        return Ended(process.returncode, out, err)
    return call


@pytest.fixture(scope="session")
def two_workers():
    """A Dask cluster of two processes; the address of its scheduler is its `scheduler_address`."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster:
        yield cluster
