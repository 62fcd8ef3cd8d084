"""Alignment on a Dask cluster."""
import os
import shutil
from pathlib import Path

import pytest

from preprocess import align_dlib
from shell.records import read_records
from tests.preprocess.aligned import FACES, TEMPLATE

pytestmark = pytest.mark.slow


@pytest.fixture
def align(tmp_path, raw, run, monkeypatch):
    """Align three portraits and a file that is none, raw/ into a folder: align(folder, option, ...) -> Ended."""
    (raw / "page.jpg").write_text("<html>")
    monkeypatch.chdir(tmp_path)                         # the workers are elsewhere
    return lambda folder, *options: run(align_dlib.main, "raw", "align", TEMPLATE, folder, *options)


def outcome(folder):
    """({name: content of the crop}, {source: its record}) of an alignment."""
    return ({path.name: path.read_bytes() for path in Path(folder).glob("*.png")},
            {record["source"]: record for record in read_records(Path(folder, align_dlib.RECORDS))})


def test_a_cluster_gives_the_crops_and_records_of_one_machine(align, two_workers):
    assert align("here", "--jobs", 1).code == align("there", "--scheduler", two_workers.scheduler_address).code == 1
    assert outcome("here") == outcome("there") and len(outcome("there")[0]) == len(FACES)


def test_an_output_folder_that_is_not_shared_is_told(align, two_workers, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "getcwd", lambda: str(tmp_path / "elsewhere"))
    shutil.copytree("raw", tmp_path / "elsewhere/raw")
    ended = align("out", "--scheduler", two_workers.scheduler_address)
    assert ended.code == 5 and "has to be a folder that all machines see" in ended.err
