"""For whom a method is worse, by attributes of the faces."""
import csv
import json
import shutil

import numpy as np
import pytest

import evaluate_completion
from benchmarks import fairness
from benchmarks.fairness import compare_groups, find_worst, read_attributes
from helpers import NO_INPUT, USAGE, UsageError
from shell.records import RecordFile, read_records

NAMES = "Hard", "Odd", "Rare"


@pytest.fixture(scope="module")
def measured(openface, tmp_path_factory):
    """An evaluation of twelve portraits by two methods."""
    out = tmp_path_factory.mktemp("evaluation") / "out"
    assert evaluate_completion.main([str(openface), "--methods", "laplace", "telea", "--jobs", "1", "--out_dir",
                                     str(out)]) == 0
    return out


@pytest.fixture
def scores(measured):
    """{face: hole_psnr of laplace}, the worst first."""
    found = {record["face"]: record["hole_psnr"] for record in read_records(measured / "results.jsonl")
             if record["method"] == "laplace"}
    return dict(sorted(found.items(), key=lambda item: item[1]))


@pytest.fixture
def write_attributes(tmp_path):
    """Write CelebA's file of the attributes NAMES: write_attributes({face: has each}) -> path."""
    def write(faces):
        lines = [str(len(faces)), " ".join(NAMES) + " "]
        lines += [f"{face}.jpg  " + " ".join("1" if has else "-1" for has in values) for face, values in faces.items()]
        (tmp_path / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
        return tmp_path / "list_attr_celeba.txt"
    return write


@pytest.fixture
def attributes(scores, write_attributes):
    """The six worst faces are hard, every second one is odd, one is rare; a stranger is in the file, too."""
    faces = {face: (place < 6, place % 2, place == 0) for place, face in enumerate(scores)}
    return write_attributes(faces | {"stranger": (True, True, True)})


def test_celebas_file_is_read_as_it_is_and_as_csv():
    lines = ["2", "5_o_Clock_Shadow Bald ", "000001.jpg -1  1", "000002.jpg  1 -1", ""]
    for variant in (lines, lines[1:], ["image_id,5_o_Clock_Shadow,Bald", "000001.jpg,-1,1", "000002.jpg,1,-1"]):
        names, faces = read_attributes(variant)
        assert names == ["5_o_Clock_Shadow", "Bald"]
        assert {face: has.tolist() for face, has in faces.items()} == {"000001": [False, True], "000002": [True, False]}


def test_one_attribute_is_a_line_of_names_and_no_count():
    for lines in (["Bald", "a.jpg -1", "b.jpg 1"], ["2", "Bald", "a.jpg -1", "b.jpg 1"]):
        assert read_attributes(lines) == (["Bald"], {"a": [False], "b": [True]})


@pytest.mark.parametrize("lines, reason", [
    ([], "are empty"), (["0", "Bald Male"], "are empty"),
    (["000001.jpg 0", "000002.jpg 1"], "line 2 .*2 times 1 or -1"),                     # list_eval_partition.txt
    (["1", "lefteye_x lefteye_y", "000001.jpg 69 109"], "line 3 .*2 times 1 or -1"),    # list_landmarks_...
    (["1", "Bald Male", "000001.jpg -1"], "line 3 of the attributes is '000001.jpg -1'")])
def test_another_file_is_refused_by_its_first_wrong_line(lines, reason):
    with pytest.raises(UsageError, match=reason):
        read_attributes(lines)


def test_a_group_that_is_worse_is_told_from_one_that_is_so_by_chance():
    rng = np.random.default_rng(0)
    has = {"worse": np.arange(400) < 200, **{f"chance {index}": rng.random(400) < .5 for index in range(39)},
           "rare": np.arange(400) < 3}
    values = rng.normal(20, 2, 400) - has["worse"]
    rows = {row["attribute"]: row for row in compare_groups(values, has, "hole_psnr", 30)}
    assert len(rows) == 40 and [name for name, row in rows.items() if row["worse"]] == ["worse"]
    assert rows["worse"]["with"][:2] == (200, pytest.approx(values[:200].mean()))
    difference, low, high = rows["worse"]["difference"]
    assert difference == pytest.approx(values[:200].mean() - values[200:].mean()) and low < -1 < high < 0
    assert sum(row["difference"][1] > 0 or row["difference"][2] < 0 for row in rows.values()) > 1   # without correction
    assert find_worst(list(rows.values()), "hole_psnr")[0]["attribute"] == "worse"
    errors = compare_groups(values, has, "identity", 30)                # where less is better, the others are worse
    assert (errors[0]["worse"], find_worst(errors, "identity")[1]) == ("without", "without")


def test_the_worst_group_is_named_and_all_numbers_are_those_of_the_evaluation(
        run, measured, scores, attributes, tmp_path):
    out = tmp_path / "out"
    ended = run(fairness.main, measured, "--attributes", attributes, "--smallest", 3, "--out_dir", out)
    assert (ended.code, ended.err) == (0, "")
    values = np.array(list(scores.values()))
    hard, easy = values[:6], values[6:]
    assert f"center laplace hole_psnr: worst with Hard (6 faces): {hard.mean():.2f}, " in ended.out
    rows = {(row["method"], row["measure"], row["attribute"]): row
            for row in json.loads((out / "fairness.json").read_text())["rows"]}
    assert {key[2] for key in rows} == {"Hard", "Odd"}                  # one rare face makes no group
    assert {key[1] for key in rows} == set(fairness.MEASURES)
    row = rows["laplace", "hole_psnr", "Hard"]
    assert row["with"][:2] == [6, pytest.approx(hard.mean())] and row["without"][1] == pytest.approx(easy.mean())
    assert row["difference"][0] == pytest.approx(hard.mean() - easy.mean()) and row["worse"] == "with"
    assert rows["laplace", "hole_psnr", "Odd"]["worse"] == ""
    with open(out / "fairness.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(rows) and lines[0]["with_n"] == "6"
    table = (out / "fairness.md").read_text()
    assert "## center, laplace" in table and "| Odd | 6, 6 | " in table
    assert f"| Hard | 6, 6 | **{hard.mean() - easy.mean():+.2f} ± " in table


def test_against_another_method_faces_are_compared_by_their_differences(run, measured, attributes, tmp_path):
    ended = run(fairness.main, measured, "--attributes", attributes, "--smallest", 3, "--out_dir", tmp_path / "out",
                "--against", "telea")
    assert ended.code == 0 and "center laplace hole_psnr: " in ended.out and "telea" not in ended.out
    psnr = {(record["method"], record["face"]): record["hole_psnr"]
            for record in read_records(measured / "results.jsonl")}
    leads = [value - psnr["telea", face] for (method, face), value in psnr.items() if method == "laplace"]
    rows = [row for row in json.loads((tmp_path / "out/fairness.json").read_text())["rows"]
            if (row["measure"], row["attribute"]) == ("hole_psnr", "Hard")]
    assert [row["method"] for row in rows] == ["laplace"]
    assert (rows[0]["with"][1] + rows[0]["without"][1]) / 2 == pytest.approx(np.mean(leads))
    ended = run(fairness.main, measured, "--attributes", attributes, "--against", "vae", "--out_dir", tmp_path / "out")
    assert ended.code == USAGE and "has laplace, telea" in ended.err


def test_faces_without_attributes_are_named_and_none_ends_it(run, measured, scores, attributes, write_attributes,
                                                             tmp_path):
    def compared(*arguments):
        return run(fairness.main, measured, "--attributes", attributes, "--out_dir", tmp_path / "out", *arguments)

    first, *others = scores
    write_attributes({face: (place % 2, place % 2, False) for place, face in enumerate(others)})
    ended = compared("--smallest", 3)
    told = f"warning: left out: 1 of 12 faces, without a line in {attributes}, such as {first}"
    assert ended.code == 0 and told in ended.err
    ended = compared()
    assert ended.code == NO_INPUT and "two groups of 30 or more" in ended.err and ended.err.count("error") == 1
    write_attributes({"000001": (True, False, False)})
    ended = compared()
    assert ended.code == NO_INPUT and "none of 12 faces is in" in ended.err and "such as 000001" in ended.err


def test_what_is_no_evaluation_or_no_file_ends_it(run, measured, attributes, tmp_path):
    ended = run(fairness.main, tmp_path, "--attributes", attributes)
    assert ended.code == NO_INPUT and "no finished evaluation" in ended.err
    ended = run(fairness.main, measured, "--attributes", tmp_path / "absent.txt")
    assert ended.code == USAGE and ended.err.endswith("absent.txt: No such file or directory\n")
    assert "cannot read the attributes" in ended.err and ended.err.count("\n") == 1


def test_an_evaluation_of_an_older_version_has_no_tone(run, measured, attributes, tmp_path):
    old = shutil.copytree(measured, tmp_path / "old")
    records = [{key: value for key, value in record.items() if key not in ("hole_tone", "crc32")}
               for record in read_records(old / "results.jsonl")]
    (old / "results.jsonl").unlink()
    with RecordFile(old / "results.jsonl") as file:
        for record in records:
            file.append(record)
    ended = run(fairness.main, old, "--attributes", attributes, "--smallest", 3, "--out_dir", tmp_path / "out")
    assert ended.code == 0 and "has no hole_tone" in ended.err and "identity" in ended.out
