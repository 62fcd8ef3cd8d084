"""What a run refuses to erase, and what it forgets when it goes back."""
import json

import numpy as np
import pytest

from dataset.folder import open_faces
from dataset.store import write_pack
from helpers import BAD_OUTPUT, UsageError, write_picture
from training.loop import check_log, drop_best


@pytest.mark.parametrize("first, logged, refused", [(0, 600, True), (0, 500, False), (600, 900, False), (0, 0, False)])
def test_curves_of_a_run_whose_saves_are_elsewhere_are_not_erased(tmp_path, first, logged, refused):
    lines = [json.dumps({"step": step, "d_loss": 1.0}) for step in range(0, logged + 1, 100)]
    (tmp_path / "scalars.jsonl").write_text("\n".join(lines))
    if not refused:
        return check_log(tmp_path, first, save_every=500)
    with pytest.raises(UsageError, match="up to step 600") as caught:
        check_log(tmp_path, first, save_every=500)
    assert caught.value.exit_code == BAD_OUTPUT


@pytest.mark.parametrize("step, kept", [(999, False), (1000, True), (1001, True)])
def test_a_best_model_of_later_steps_is_dropped_with_them(tmp_path, step, kept):
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "manifest.json").write_text('{"step": 1000}')
    drop_best(tmp_path / "best", step)
    assert (tmp_path / "best").exists() == kept


def test_without_a_best_model_there_is_nothing_to_drop(tmp_path):
    drop_best(tmp_path / "best", 0)


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
