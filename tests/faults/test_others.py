"""A photo of the same name from another folder replaces no result of the first."""
import os
import shutil

import pytest

from helpers import BAD_OUTPUT

RECORDS = {"alignment": "alignment.jsonl"}


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != ".lock"}


def forget_origins(path):
    """Rewrite records as they were before they said where their photo lay, and what it was."""
    from shell.records import RecordFile, read_records
    records = list(read_records(path))
    path.unlink()
    with RecordFile(path) as file:
        for record in records:
            file.append({key: value for key, value in record.items() if key not in ("place", "sha256")})


@pytest.fixture
def other(put):
    """Another photo of the name 1.png, in another folder."""
    return put("../other/1.png", "B001273")


@pytest.mark.fault("F14", "alignment", "completion", "onnx", "evaluation")
def test_another_photo_of_the_same_name_is_refused_and_nothing_is_written(command, put, call, out, other):
    photo = put("1.png")
    assert call(photo).code == 0
    before = contents(out)
    ended = call(other)
    assert ended.code == BAD_OUTPUT and ended.err.count("\n") == 1, ended.err
    assert "holds the result of another photo called 1" in ended.err and f"{other} would replace" in ended.err
    assert contents(out) == before and call(photo).code == 0


@pytest.mark.fault("F14", "alignment", "completion", "onnx", "evaluation")
def test_a_photo_that_was_moved_or_changed_where_it_lies_is_no_other(command, put, call, out, other):
    photo = put("1.png")
    assert call(photo).code == 0
    moved = shutil.copyfile(photo, photo.parent.parent / "1.png")
    assert call(moved).code == 0
    shutil.copyfile(other, moved)
    assert call(moved).code == 0


@pytest.mark.fault("F14", "alignment", "completion", "onnx", "evaluation")
def test_the_same_words_in_another_folder_mean_another_photo(command, put, call, out, other, monkeypatch):
    photo = put("1.png")
    monkeypatch.chdir(photo.parent)
    assert call("1.png").code == 0
    monkeypatch.chdir(other.parent)
    assert call("1.png").code == BAD_OUTPUT


@pytest.mark.fault("F14", "completion", "onnx")
def test_another_photo_takes_the_place_of_the_first_if_that_is_asked_for(command, put, call, out, other):
    assert call(put("1.png")).code == 0
    before = contents(out)
    assert call(other, "--overwrite").code == 0 and call(other).code == 0
    assert contents(out)["1/completed.png"] != before["1/completed.png"]


@pytest.mark.fault("F14", "alignment", "completion", "onnx", "evaluation")
def test_a_folder_from_before_origins_were_recorded_goes_on(command, put, call, out, other):
    photo = put("1.png")
    assert call(photo).code == 0
    forget_origins(out / RECORDS.get(command, "results.jsonl"))
    assert call(photo).code == 0
    os.utime(photo)                                     # as after a copy
    moved = shutil.move(photo, photo.parent.parent / "1.png")
    assert call(moved).code == 0
    if command != "evaluation":                         # whose older records do not name their photo
        shutil.rmtree(out)
        assert call(moved).code == 0
        forget_origins(out / RECORDS.get(command, "results.jsonl"))
        assert call(other).code == BAD_OUTPUT


@pytest.mark.fault("F14", "completion", "onnx")
def test_a_photo_of_another_suffix_is_another_photo(command, put, call, out):
    assert call(put("1.png")).code == 0
    ended = call(put("1.jpg", "B001273"))
    assert ended.code == BAD_OUTPUT and "1.jpg would replace" in ended.err
    assert call(put.folder).code == 0               # together they have names of their own
    assert {path.name for path in out.glob("1*")} == {"1", "1.jpg", "1.png"}
