"""Two evaluations face by face, and folders that are none."""
import shutil
from pathlib import Path

import pytest

import evaluate_completion
from helpers import NO_INPUT, SOME_FAILED, counted
from shell.records import RecordFile, read_records

FACES = Path(__file__).parent / "data" / "openface64"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Four faces under one hole by two methods."""
    out = tmp_path_factory.mktemp("evaluation") / "out"
    assert evaluate_completion.main([str(FACES), "--methods", "laplace", "total_variation", "--limit", "4", "--jobs",
                                     "1", "--out_dir", str(out)]) == 0
    return out


def test_two_evaluations_of_the_same_faces_are_compared(finished, tmp_path, run):
    shutil.copytree(finished, tmp_path / "other")
    ended = run(evaluate_completion.main, "--compare", finished, tmp_path / "other")
    assert (ended.code, ended.err) == (0, "")
    assert "center laplace hole_psnr: +0.0000 [+0.0000, +0.0000] over 4 faces" in ended.out
    assert ended.out.startswith(f"4 faces in both: {finished} has 4, {tmp_path}/other has 4")


def test_the_better_of_two_evaluations_is_named_by_the_metrics_direction(finished, tmp_path, run):
    shutil.copytree(finished, tmp_path / "other")
    records = list(read_records(tmp_path / "other/results.jsonl"))
    (tmp_path / "other/results.jsonl").unlink()
    with RecordFile(tmp_path / "other/results.jsonl") as file:
        for record in records:
            file.append(record | {name: record[name] + .1 for name in ("hole_psnr", "identity")})
    out = run(evaluate_completion.main, "--compare", finished, tmp_path / "other").out
    assert f"laplace hole_psnr: +0.1000 [+0.1000, +0.1000] over 4 faces: {tmp_path}/other is better" in out
    assert f"laplace identity: +0.1000 [+0.1000, +0.1000] over 4 faces: {finished} is better" in out
    assert out.count("no clear difference") == 2


def test_evaluations_that_share_some_faces_are_compared_by_these(finished, tmp_path, run):
    shutil.copytree(finished, tmp_path / "other")
    records = [record for record in read_records(tmp_path / "other/results.jsonl") if record["method"] == "laplace"]
    kept = [record for record in records if record["face"] != records[0]["face"]]
    strangers = [record | {"face": "stranger"} for record in kept[:1]]
    for name, lines in (("other", kept + strangers), ("foreign", strangers)):
        (tmp_path / name / "results.jsonl").unlink(missing_ok=True)
        with RecordFile(tmp_path / name / "results.jsonl") as file:
            for line in lines:
                file.append(line)
    ended = run(evaluate_completion.main, "--compare", finished, tmp_path / "other")
    assert ended.code == SOME_FAILED and f"{tmp_path}/other is unfinished or damaged, with 4 whole results" in ended.err
    first, *lines = ended.out.splitlines()
    assert first == f"3 faces in both: {finished} has 4, {tmp_path}/other has 4"
    assert len(lines) == 3 and all(" laplace " in line and "over 3 faces" in line for line in lines)
    ended = run(evaluate_completion.main, "--compare", finished, tmp_path / "foreign")
    assert ended.code == 2 and "share no face" in ended.err and ended.err.count("\n") == 1


@pytest.mark.fault("F24", "compare")
@pytest.mark.parametrize("kind", ["absent", "empty", "completion", "page", "unsealed", "foreign"])
def test_what_is_no_evaluation_is_not_compared(finished, tmp_path, run, kind):
    other = tmp_path / "other"
    if kind != "absent":
        other.mkdir()
    content = {"completion": '{"name": "a", "status": "done"}\n', "page": "<!doctype html>\n" * 9, "foreign": "[]\n",
               "unsealed": '{"face": "a", "mask": "center", "method": "laplace", "hole_psnr": 9}\n'}
    if kind in content:
        (other / "results.jsonl").write_text(content[kind])
    ended = run(evaluate_completion.main, "--compare", finished, other)
    assert ended.code == NO_INPUT and str(other) in ended.err.splitlines()[-1] and not ended.out
    assert ("another kind (completion)" if kind == "completion" else "no finished evaluation") in ended.err


@pytest.mark.fault("F16", "compare")
def test_of_a_damaged_evaluation_what_is_whole_is_compared_and_the_rest_told(finished, tmp_path, run):
    for name, change in (("flipped", lambda content: content.replace(b'"hole_psnr": 1', b'"hole_psnr": 2', 1)),
                         ("cut", lambda content: content[:-40]), ("killed", lambda content: content)):
        shutil.copytree(finished, tmp_path / name)
        content = change((tmp_path / name / "results.jsonl").read_bytes())
        (tmp_path / name / "results.jsonl").write_bytes(content)
    (tmp_path / "killed" / "summary.json").unlink()
    for name, whole in (("flipped", 7), ("cut", 7), ("killed", 8)):
        ended = run(evaluate_completion.main, "--compare", finished, tmp_path / name)
        assert ended.code == SOME_FAILED and f"damaged, with {counted(whole, 'whole result')}" in ended.err, ended.err
        assert "4 faces in both" in ended.out
