"""What a model says of itself."""
import shutil

import pytest

from helpers import BAD_CHECKPOINT, UsageError
from training.checkpoint import load_model
from training.manifest import ROOT, describe_model


def test_of_a_run_the_newest_good_save_is_described_which_is_the_one_that_is_loaded(model, tmp_path):
    for step in (1, 2, 3):
        shutil.copytree(model, tmp_path / f"run/step-{step:08d}")
    (tmp_path / "run/step-00000003/manifest.json").unlink()
    (tmp_path / "run/step-00000002/tensors.index").write_bytes(b"")
    troubles = []
    assert describe_model(tmp_path / "run", troubles.append) == describe_model(model)
    assert ["step-00000003 is incomplete" in troubles[0], "step-00000002" in troubles[1], len(troubles)] == [1, 1, 2]
    load_model(tmp_path / "run")


def test_what_is_no_model_is_refused_with_what_is_wrong_with_it(model, tmp_path):
    shutil.copytree(model, tmp_path / "model")
    (tmp_path / "model/tensors.index").write_bytes(b"")
    with pytest.raises(UsageError, match="tensors.index was changed") as caught:
        describe_model(tmp_path / "model")
    assert caught.value.exit_code == BAD_CHECKPOINT
    with pytest.raises(UsageError, match="there is none"):
        describe_model(tmp_path / "nothing")


def test_a_shipped_model_is_found_from_any_folder_and_one_that_lies_there_comes_first(model, tmp_path, monkeypatch):
    shipped = describe_model(ROOT / "checkpoint/celeba64")
    monkeypatch.chdir(tmp_path)
    assert describe_model("checkpoint/celeba64") == shipped
    shutil.copytree(model, tmp_path / "checkpoint/celeba64")
    assert describe_model("checkpoint/celeba64") == describe_model(model) != shipped
    with pytest.raises(UsageError, match="no usable model in mine: there is none"):
        describe_model("mine")
