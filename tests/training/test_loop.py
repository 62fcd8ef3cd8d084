"""What a run refuses to erase, and what it forgets when it goes back."""
import json

import numpy as np
import pytest

from dataset.folder import open_faces
from dataset.store import write_pack
from helpers import BAD_OUTPUT, UsageError, read_json, write_picture
from shell.lock import find_kind
from training.chief import drop_best
from training.run_folders import check_log, mark
from training.settings import Places


@pytest.mark.parametrize("own, logged, steps, refused", [
    ("saves", None, 600, False), (None, None, 600, True), (None, None, 500, False), (None, None, 0, False),
    ("a", "a", 600, False), ("a", "b", 0, True), (None, "b", 0, True), ("a", None, 600, True), ("a", None, 0, False)])
def test_curves_of_another_run_are_not_erased(tmp_path, own, logged, steps, refused):
    places = Places("run", str(tmp_path / "checkpoint"), str(tmp_path / "logs"))
    for folder, name in ((places.saves, own), (places.log, logged)):
        folder.mkdir(parents=True)
        if name == "saves":                             # of a version that gave runs no id
            (folder / "step-00000500").mkdir()
        elif name:
            (folder / "run.json").write_text(json.dumps({"id": name}))
    lines = [json.dumps({"step": step, "d_loss": 1.0}) for step in range(0, steps + 1, 100)]
    (places.log / "scalars.jsonl").write_text("\n".join(lines))
    if not refused:
        return check_log(places, save_every=500)
    with pytest.raises(UsageError, match="curves of another run") as caught:
        check_log(places, save_every=500)
    assert caught.value.exit_code == BAD_OUTPUT


def test_a_log_of_something_else_is_no_runs(tmp_path):
    places = Places("run", str(tmp_path / "checkpoint"), str(tmp_path / "logs"))
    places.log.mkdir(parents=True)
    (places.log / "scalars.jsonl").write_text('{"epoch": 1}')
    with pytest.raises(UsageError, match="no curves of ours"):
        check_log(places, save_every=500)


def test_a_run_keeps_its_id(tmp_path):
    places, other = (Places(name, str(tmp_path / "checkpoint"), str(tmp_path / "logs")) for name in ("a", "b"))
    for _ in range(2):
        mark(places)
        mark(other)
    records = [read_json(path) for path in tmp_path.glob("*/*/run.json")]
    assert len(records) == 4 and len({record["id"] for record in records}) == 2
    assert [(find_kind(places.saves), find_kind(places.log))] == [("run", "log")]
    check_log(places, 1)


@pytest.mark.parametrize("step, kept", [(999, False), (1000, True), (1001, True)])
def test_a_best_model_of_later_steps_is_dropped_with_them(tmp_path, step, kept):
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "manifest.json").write_text('{"step": 1000}')
    for name in ("best", "absent"):
        drop_best(tmp_path / name, step)
    assert (tmp_path / "best").exists() == kept


@pytest.mark.parametrize("packed", [False, True])
def test_reading_the_faces_can_be_ended(tmp_path, packed):
    faces = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)
    if packed:
        write_pack(tmp_path / "faces", faces, shard=1)
    else:
        for index, face in enumerate(faces):
            write_picture(tmp_path / "faces" / f"{index}.png", face)
    calls = []

    def check():
        calls.append(None)
        if len(calls) == 3:
            raise InterruptedError
    with pytest.raises(InterruptedError):
        open_faces(tmp_path / "faces", 16, check)
    assert len(calls) == 3
