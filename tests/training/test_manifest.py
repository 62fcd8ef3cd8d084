"""What a model says of itself."""
import os
import shutil

import pytest

from helpers import BAD_CHECKPOINT, UsageError, read_json, write_json
from training.checkpoint import load_model
from training.manifest import MANIFEST, ROOT, describe_model, manifest_digest


def test_of_a_run_the_newest_good_save_is_described_which_is_the_one_that_is_loaded(model, tmp_path):
    for step in (1, 2, 3):
        shutil.copytree(model, tmp_path / f"run/step-{step:08d}")
    (tmp_path / "run/step-00000003/manifest.json").unlink()
    (tmp_path / "run/step-00000002/tensors.index").write_bytes(b"")
    troubles = []
    assert load_model(tmp_path / "run", warn=troubles.append)[1]["step"] == 0
    assert describe_model(tmp_path / "run") == describe_model(model) and len(troubles) == 2
    assert "step-00000003 is incomplete" in troubles[0] and "step-00000002" in troubles[1]


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


def forge(folder, **changes):
    """Change a model's manifest as an enemy would, with its digest made anew."""
    manifest = read_json(folder / MANIFEST) | changes
    write_json(folder / MANIFEST, manifest | {"manifest": manifest_digest(manifest)})


@pytest.mark.parametrize("changes", [
    {"architecture": ["image_size"]}, {"architecture": "image_size"}, {"architecture": {"image_size": "64"}},
    {"architecture": {"image_size": 64, "gf_dim": -1}}, {"architecture": {"image_size": 64, "gf_dim": 10 ** 9}},
    {"architecture": {"image_size": 64, "gf_dim": [[]]}}, {"architecture": {}}, {"kind": ["dcgan"]}, {"files": []},
    {"files": {"/dev/zero": "0"}}, {"files": {"../tensors.index": "0"}}, {"files": {"pipe": "0"}}, {"step": "1"}])
def test_a_manifest_that_an_enemy_wrote_is_refused(model, tmp_path, changes):
    shutil.copytree(model, tmp_path / "model")
    os.mkfifo(tmp_path / "model/pipe")
    forge(tmp_path / "model", **changes)
    for read in (describe_model, load_model):
        with pytest.raises(UsageError, match="no usable model") as caught:
            read(tmp_path / "model")
        assert caught.value.exit_code == BAD_CHECKPOINT


def test_a_manifest_that_is_a_pipe_does_not_block(tmp_path):
    (tmp_path / "model").mkdir()
    os.mkfifo(tmp_path / "model" / MANIFEST)
    with pytest.raises(UsageError, match="is incomplete"):
        describe_model(tmp_path / "model")
