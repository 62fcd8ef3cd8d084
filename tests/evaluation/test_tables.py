"""Numbers of many faces in little room, and the table that is made of them."""
import csv
import io
import math

import numpy as np
import pytest

from evaluation.evaluated_folder import ORIGINAL, DescriptorFiles, EvaluatedFolder, PictureFiles, picture_of
from evaluation.tables import FEW, Measured, as_csv, as_long_csv, as_table, mark_best, read_measured, summarize
from helpers import write_picture
from metrics.distributions import sliced_wasserstein
from shell.records import RecordFile


def record(face, mask="center", method="telea", **numbers):
    return {"face": face, "mask": mask, "method": method, "face_sha256": "0", "fingerprint": [1, 2], **numbers}


def test_numbers_are_kept_by_face_and_a_later_record_replaces_an_earlier_one():
    measured = Measured()
    for entry in (record("a", hole_psnr=20.0), record("b", hole_psnr=None, identity=0.5), record("a", hole_psnr=22.0)):
        measured.add(entry)
    assert [measured.value(face, "hole_psnr") for face in "ab"] == [22.0, None]
    assert [measured.value(face, "identity") for face in "ab"] == [None, 0.5]
    assert measured.values("hole_psnr") == [22.0] and measured.value("a", "nonsense") is None


def test_groups_come_in_the_order_asked_for_and_only_of_the_faces_asked_for(tmp_path):
    entries = [record(face, mask, method, hole_psnr=1.0) for face in ("a", "b") for mask in ("half", "center", "O1")
               for method in ("telea", "laplace")]
    entries.append(record("c", fingerprint=[3, 4]))     # measured on a file that has changed since
    entries.append(record("b", method="biharmonic"))    # a result whose picture and descriptor are lost
    with RecordFile(tmp_path / "results.jsonl") as results:
        for entry in entries:
            results.append(entry)
    descriptors = DescriptorFiles(tmp_path)
    descriptors.append("a", ORIGINAL, np.zeros(128, np.float32))
    for entry in entries[:6]:
        descriptors.append("a", (entry["mask"], entry["method"]), np.zeros(128, np.float32))
        write_picture(tmp_path / picture_of("a", entry["mask"], entry["method"]), np.zeros((8, 8, 3), np.uint8))
    folder = EvaluatedFolder(tmp_path, dict.fromkeys("abc", (1, 2)))
    groups = read_measured(folder, ["half", "center"], ["telea"])
    assert list(groups) == [("half", "telea"), ("half", "laplace"), ("center", "telea"), ("center", "laplace"),
                            ("O1", "telea"), ("O1", "laplace")]
    assert all(list(group.places) == ["a"] for group in groups.values())


@pytest.fixture
def row(tmp_path):
    rng, measured, faces = np.random.default_rng(0), Measured(), {}
    pictures = rng.integers(0, 256, (2, 5, 32, 32, 3), dtype=np.uint8)
    descriptors, files = rng.normal(size=(2, 5, 128)).astype(np.float32), DescriptorFiles(tmp_path)
    for index, name in enumerate("abcde"):
        faces[name] = tmp_path / f"{name}.png"
        write_picture(faces[name], pictures[0, index])
        write_picture(tmp_path / f"pictures/center/telea/{name}.png", pictures[1, index])
        measured.add(record(name, hole_psnr=20.0 + index, hole_ssim=None, seconds=0.5))
        files.append(name, ORIGINAL, descriptors[0, index])
        files.append(name, ("center", "telea"), descriptors[1, index])
    np.testing.assert_array_equal(files.read(ORIGINAL, "ca"), descriptors[0, [2, 0]])
    return summarize(tmp_path, ("center", "telea"), measured, faces, 3), pictures


def test_a_row_has_the_means_and_the_distances_of_the_sets(row):
    summary, pictures = row
    mean, low, high = summary["metrics"]["hole_psnr"]
    assert summary["n"] == 5 and mean == 22 and 20 <= low < 22 < high <= 24
    assert summary["metrics"]["seconds"] == (0.5, None, None)           # of the batch, though each face has it
    assert summary["metrics"]["hole_ssim"] is None and summary["metrics"]["face_frechet"][0] > 1
    assert summary["metrics"]["sliced_wasserstein"][0] == sliced_wasserstein(*pictures, 3)


def test_a_csv_has_no_more_digits_than_are_known():
    row = {"mask": "center", "method": "telea", "n": 5, "metrics": {"hole_psnr": (22.436715999999997, 1 / 3, 1e-9)}}
    assert as_csv([row]).endswith("center,telea,5,22.43672,0.3333333,1e-09\r\n")
    assert as_long_csv([row]).endswith("center,telea,5,hole_psnr,22.43672,0.3333333,1e-09\r\n")


def test_the_tables_say_what_the_rows_say(row):
    summary, _ = row
    line, = csv.DictReader(io.StringIO(as_csv([summary])))
    assert float(line["hole_psnr"]) == 22 and line["hole_ssim"] == "" and line["face_frechet_low"] == ""
    lines = list(csv.DictReader(io.StringIO(as_long_csv([summary]))))
    assert [line["metric"] for line in lines] == list(summary["metrics"])
    by_metric = {line["metric"]: line for line in lines}
    assert float(by_metric["hole_psnr"]["low"]) == pytest.approx(summary["metrics"]["hole_psnr"][1], rel=1e-6)
    assert by_metric["hole_ssim"]["mean"] == by_metric["face_frechet"]["low"] == ""
    assert {(line["mask"], line["method"]) for line in lines} == {("center", "telea")}
    assert {line["n"] for line in lines if line["metric"] != "hole_ssim"} == {"5"}
    assert by_metric["hole_ssim"]["n"] == "0"
    heading, text, *warning = as_table([summary]).splitlines()
    assert dict(zip(heading.split(), text.split()))["hole_psnr"] == "22.00" and " - " in text
    assert " ".join(warning) == FEW and len(as_table([summary | {"n": 500}]).splitlines()) == 2


def test_a_psnr_of_fewer_faces_says_so_for_some_answers_equal_the_truth(row, tmp_path):
    _, pictures = row
    measured, faces = Measured(), {name: tmp_path / f"{name}.png" for name in "abcde"}
    for index, name in enumerate(faces):
        measured.add(record(name, hole_psnr=20.0 if index else None, hole_ssim=0.5 if index else 1.0))
    summary = summarize(tmp_path, ("center", "telea"), measured, faces, 3)
    assert (summary["n"], summary["fewer"]) == (5, {"hole_psnr": 4})
    assert [summary["metrics"][name][0] for name in ("hole_psnr", "hole_ssim")] == [20, pytest.approx(0.6)]
    counts = {line["metric"]: line["n"] for line in csv.DictReader(io.StringIO(as_long_csv([summary])))}
    assert (counts["hole_psnr"], counts["hole_ssim"]) == ("4", "5")
    assert as_table([summary]).splitlines()[2] == (
        "center telea: mean of 5 faces, PSNR of 4: 1 equals the truth and has none")


def test_the_table_fits_a_terminal_whatever_its_methods_are_called(row):
    longest = {"mask": "pattern", "method": "generative_face_completion", "n": 1000}
    longest["metrics"] = dict.fromkeys(row[0]["metrics"], (22.222, None, None)) | {"seconds": (22.2, None, None)}
    assert max(map(len, as_table([longest, row[0]]).splitlines())) <= 100


def test_the_best_of_a_mask_is_named_where_the_faces_agree():
    groups, shifts = {}, {"telea": 0.0, "laplace": 0.2, "nearest": -3.0}
    for mask, sign in (("center", 1), ("half", -1)):
        for method, shift in shifts.items():
            group = groups[mask, method] = Measured()
            for face in range(30):
                group.add(record(str(face), mask, method, hole_psnr=float(face + sign * shift), context_loss=shift,
                                 seconds=shift, identity=(face * len(method)) % 7 / 7))
    rows = mark_best([{"mask": mask, "method": method} for mask, method in groups], groups)
    assert {(row["mask"], row["method"]): row["best"] for row in rows if row["best"]} == {
        ("center", "laplace"): ["hole_psnr"], ("half", "nearest"): ["hole_psnr"]}


def test_picture_files_are_read_as_they_are_sliced(tmp_path):
    pictures = np.random.default_rng(1).integers(0, 256, (3, 8, 6, 3), dtype=np.uint8)
    for index, picture in enumerate(pictures):
        write_picture(tmp_path / f"{index}.png", picture)
    files = PictureFiles(tmp_path / f"{index}.png" for index in range(3))
    assert files.shape == pictures.shape and len(files) == 3 and math.prod(files.shape) == pictures.size
    np.testing.assert_array_equal(files[1:], pictures[1:])
