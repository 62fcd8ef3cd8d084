"""Photos with several faces through the command."""
import os

import numpy as np
import pytest
from PIL import Image

import face_completion
from benchmarks.portraits import place_faces
from helpers import BAD_OUTPUT, write_picture
from pictures.photo import read_photo
from preprocess.affine import invert, move
from preprocess.faces import unwarp
from preprocess.templates import TEMPLATES
from shell.records import read_records

NAMES, SMALLER = ("A000369.jpg", "B001232.jpg"), 0.8


@pytest.fixture(scope="module")
def pair(samples, finder, tmp_path_factory):
    """(folder, photo, its two faces' holes): two portraits side by side, the right one smaller, a hole on each face."""
    left, right = (Image.open(samples / name) for name in NAMES)
    right = right.resize([round(SMALLER * side) for side in right.size])
    photo = np.full((max(left.height, right.height), left.width + right.width, 3), 128, np.uint8)
    photo[:left.height, :left.width], photo[:right.height, left.width:] = left, right
    folder, holes = tmp_path_factory.mktemp("pair"), []
    for matrix in place_faces(finder, photo):
        crop, hole = np.zeros((64, 64, 1)), np.zeros(photo.shape[:2], bool)
        crop[24:40, 20:44] = 1
        window, share, inside = unwarp(crop, matrix, *hole.shape, order=0)
        hole[window] = (share[..., 0] > 0) & inside
        holes.append(hole)
    write_picture(folder / "photos" / "both.png", photo)
    return folder / "photos" / "both.png", photo, holes


@pytest.fixture
def restore(run, tmp_path):
    def call(photo, hole, *arguments):
        mask = tmp_path / f"{hole.sum()}.png"
        if not mask.exists():                           # its time of change is a setting of the results
            write_picture(mask, np.where(hole, 255, 0).astype(np.uint8))
        return run(face_completion.main, photo, "--paste_back", "--method", "laplace", "--mask", mask,
                   "--out_dir", tmp_path / "out", *arguments)
    return call


def record_of(out, name="both"):
    record, = (record for record in read_records(out / "results.jsonl") if record["name"] == name)
    return record


@pytest.mark.parametrize("touched", [(0,), (0, 1)])
def test_a_face_placed_by_hand_does_not_lose_the_other_that_the_hole_touches(restore, pair, tmp_path, finder, touched):
    path, photo, holes = pair
    template = 64 * np.array(TEMPLATES["innerEyesAndBottomLip"][1])
    points = [f"{x:.1f},{y:.1f}" for x, y in move(invert(place_faces(finder, photo)[0]), template)]
    ended = restore(path, np.any([holes[number] for number in touched], axis=0), "--points", *points)
    assert ended.code == 0 and (tmp_path / "out/both/face_2/completed.png").exists() == (len(touched) == 2)
    assert any("placed by --points" in note for note in record_of(tmp_path / "out")["notes"])


def error(out, photo, hole):
    return np.abs(read_photo(out / "both/restored.png").pixels.astype(int) - photo)[hole].mean()


def test_a_hole_on_each_of_two_faces_is_completed_in_one_run(restore, pair, tmp_path):
    path, photo, holes = pair
    assert len(holes) == 2
    ended, out = restore(path, holes[0] | holes[1]), tmp_path / "out"
    assert ended.code == 0 and "1 completed, 0 skipped (done before), 0 failed" in ended.out
    restored = read_photo(out / "both/restored.png").pixels
    np.testing.assert_array_equal(restored[~(holes[0] | holes[1])], photo[~(holes[0] | holes[1])])
    assert all((restored[hole] != photo[hole]).any() and error(out, photo, hole) < 30 for hole in holes)
    record, own = record_of(out), {"original.png", "masked.png", "completed.png"}
    assert {"restored.png", "mask.png", "before.jpg", "after.jpg", *own} == {
        file for file in record["files"] if "/" not in file}
    assert {file for file in record["files"] if "/" in file} == {f"face_2/{file}" for file in own}
    further, = record["further_faces"]
    assert further["name"] == "both/face_2" and further["seed"] != record["seed"]
    assert not any("outside" in note for note in record["notes"])
    sides = [read_photo(out / "both" / folder / "original.png").pixels for folder in ("", "face_2")]
    assert [side.shape for side in sides] == [(128, 128, 3)] * 2 and (sides[0] != sides[1]).any()


def test_a_speck_on_the_larger_face_does_not_win_against_a_hole_on_the_smaller(restore, pair, tmp_path):
    path, photo, (large, small) = pair
    row, column = np.argwhere(large).mean(axis=0).astype(int)
    speck = np.zeros_like(large)
    speck[row:row + 2, column:column + 2] = True
    assert restore(path, speck | small).code == 0
    assert error(tmp_path / "out", photo, speck) < 20 and error(tmp_path / "out", photo, small) < 30
    assert len(record_of(tmp_path / "out")["further_faces"]) == 1
    ended = restore(path, speck | small, "--faces", "largest")
    assert ended.code == BAD_OUTPUT and "faces" in ended.err
    assert restore(path, speck | small, "--faces", "largest", "--overwrite").code == 0
    record = record_of(tmp_path / "out")
    assert "further_faces" not in record
    assert any("of the hole lies outside the face: filled smoothly" in note for note in record["notes"])
    assert not (tmp_path / "out/both/face_2").exists()


def test_only_the_face_that_is_touched_is_completed_wherever_it_is(restore, pair, tmp_path):
    path, photo, (_, small) = pair
    assert restore(path, small).code == 0
    assert "further_faces" not in record_of(tmp_path / "out") and not (tmp_path / "out/both/face_2").exists()


def test_a_photo_is_done_only_when_all_of_its_faces_are_whole(restore, pair, tmp_path):
    path, _, holes = pair
    assert restore(path, holes[0] | holes[1]).code == 0
    assert "1 skipped" in restore(path, holes[0] | holes[1]).out
    for lost in ("face_2/completed.png", "after.jpg", "restored.png"):
        os.truncate(tmp_path / "out/both" / lost, 40)
        assert "1 completed, 0 skipped" in restore(path, holes[0] | holes[1]).out
        assert read_photo(tmp_path / "out/both" / lost)


def test_the_faces_of_a_photo_may_come_in_batches_of_one(restore, pair, tmp_path):
    path, photo, holes = pair
    write_picture(path.parent / "again.png", photo)
    assert restore(path.parent, holes[0] | holes[1], "--batch_size", "3").code == 0
    together = [(tmp_path / "out" / name / "restored.png").read_bytes() for name in ("both", "again")]
    assert restore(path.parent, holes[0] | holes[1], "--batch_size", "1", "--overwrite").code == 0
    assert together[0] == together[1] == (tmp_path / "out/both/restored.png").read_bytes()
    (path.parent / "again.png").unlink()


def test_a_photo_none_of_whose_faces_is_touched_is_refused(restore, pair, tmp_path):
    path, photo, _ = pair
    corner = np.zeros(photo.shape[:2], bool)
    corner[:9, :9] = True
    ended = restore(path, corner)
    assert ended.code == 1 and "hole_outside_face (the hole does not touch the 2 faces found around " in ended.err


def test_what_lies_outside_all_faces_is_filled_smoothly(restore, pair, tmp_path):
    path, photo, holes = pair
    hole = holes[0] | holes[1]
    hole[:40, :200] = True
    assert restore(path, hole).code == 0
    assert any("of the hole lies outside the 2 faces: filled smoothly" in note
               for note in record_of(tmp_path / "out")["notes"])


def test_a_photo_called_as_a_face_of_another_has_a_folder_of_its_own(restore, pair, tmp_path):
    path, photo, holes = pair
    write_picture(path.parent / "both/face_2.png", photo)
    assert restore(path.parent, holes[0] | holes[1]).code == 0
    names = sorted(record["name"] for record in read_records(tmp_path / "out/results.jsonl"))
    assert names == ["both", "both/face_2.png"] and (tmp_path / "out/both/face_2/completed.png").exists()


def test_no_face_is_written_through_a_link(restore, pair, tmp_path):
    path, _, holes = pair
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/both").mkdir(parents=True)
    (tmp_path / "out/both/face_2").symlink_to(tmp_path / "elsewhere")
    ended = restore(path, holes[0] | holes[1])
    assert ended.code == 1 and "unsafe_output" in ended.err and not os.listdir(tmp_path / "elsewhere")
