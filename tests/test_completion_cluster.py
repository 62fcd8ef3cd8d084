"""face_completion.py on a Dask cluster."""
import shutil
from pathlib import Path

import pytest

import face_completion
from helpers import BAD_CHECKPOINT
from methods import method_settings
from shell.records import read_records

pytestmark = pytest.mark.slow

FACES = sorted(Path(__file__).parent.joinpath("data", "openface64").glob("*.png"))[:3]
FREE = "seconds",                                       # of a record: what no two runs have alike


@pytest.fixture
def complete(run, model, tmp_path, monkeypatch):
    """Complete three portraits and a file that is none: complete(folder, option, ...) -> Ended."""
    (tmp_path / "faces").mkdir()
    for path in FACES:
        shutil.copyfile(path, tmp_path / "faces" / path.name)
    (tmp_path / "faces/page.png").write_text("<html>")
    monkeypatch.chdir(tmp_path)                         # the workers are elsewhere

    def call(out, *options, checkpoint=model):
        return run(face_completion.main, "faces", "--out_dir", out, "--num_iter", 4, "--out_interval", 2, "--starts", 2,
                   "--pool", 0, "--batch_size", 2, *(["--checkpoint", checkpoint] if checkpoint else []), *options)
    return call


def outcome(folder):
    """({picture: its content}, {face: its record but for what is free}) of a finished run."""
    records = {record["name"]: {name: value for name, value in record.items() if name not in FREE}
               for record in read_records(Path(folder, "results.jsonl"))}
    return {path.relative_to(folder): path.read_bytes() for path in Path(folder).glob("*/*.png")}, records


def test_a_cluster_gives_the_pictures_and_records_of_one_process(complete, two_workers):
    assert complete("here").code == complete("there", "--scheduler", two_workers.scheduler_address).code == 1
    here, there = outcome("here"), outcome("there")
    assert here == there and len(here[1]) == 4 and len(here[0]) > 4 * len(FACES)
    ended = complete("there", "--scheduler", two_workers.scheduler_address)
    assert "0 completed, 3 skipped" in ended.out


def test_a_worker_that_sees_another_model_is_told(complete, model, two_workers, tmp_path, monkeypatch):
    shutil.copytree(model, tmp_path / "mine")
    monkeypatch.setattr(method_settings, "describe_model", lambda folder: {"model": "0", "image_size": 64})
    ended = complete("out", "--scheduler", two_workers.scheduler_address, checkpoint=tmp_path / "mine")
    assert ended.code == BAD_CHECKPOINT and "a worker sees another model" in ended.err

