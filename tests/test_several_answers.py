"""face_completion.py with several answers a face, and what it tells of the search."""
import json
import os
from pathlib import Path

import numpy as np
import pytest

import face_completion
from helpers import BAD_OUTPUT
from methods.latent_search import BUDGET
from metrics.conformal import half_widths
from metrics.diversity import diversity
from output.figures import draw_levels
from pictures.photo import read_photo
from shell.records import read_records

FACES = [Path(__file__).parent / "data" / "openface64" / name for name in ("A000369.png", "B001273.png")]
QUICK = ["--num_iter", "4", "--out_interval", "2", "--pool", "0"]


@pytest.fixture
def complete(run, model):
    def call(out, *arguments):
        return run(face_completion.main, *FACES, "--out_dir", out, "--checkpoint", model, *QUICK, *arguments)
    return call


def results(out):
    return {record["name"]: record for record in read_records(out / "results.jsonl")}


def picture(folder, name):
    return read_photo(folder / f"{name}.png").pixels


def test_several_answers_are_ranked_written_compared_and_shown(complete, tmp_path):
    out = tmp_path / "out"
    ended = complete(out, "--completions", 3, "--starts", 2, "--answer", "best")
    assert ended.code == 0 and "differ by" in ended.out and "not known" in ended.err, ended.err
    for path in FACES:
        folder, record = out / path.stem, results(out)[path.stem]
        answers = np.stack([picture(folder, f"completed_{rank}") for rank in (1, 2, 3)])
        np.testing.assert_array_equal(picture(folder, "completed"), answers[0])
        known = (picture(folder, "masked") == picture(folder, "original")).all(axis=-1)
        assert (answers[:, known] == picture(folder, "original")[known]).all()
        assert len({answer.tobytes() for answer in answers}) == 3
        losses = [answer["context_loss"] for answer in record["completions"]]
        assert losses == sorted(losses) and losses[0] == record["context_loss"]
        assert record["completions"][0]["hole_psnr"] == record["hole_psnr"]
        assert record["completions"][0]["hole_ssim"] == record["hole_ssim"]
        hole = np.ones((64, 64), bool)
        hole[16:48, 16:48] = False
        assert {name: record[name] for name in ("diversity_rms", "diversity_ssim", "uncertainty")} == pytest.approx(
            diversity(answers, hole), abs=1e-5)
        widths = half_widths(answers, hole)
        assert record["half_width"] == pytest.approx(widths[~hole].mean(), abs=1e-5)
        assert "nominal_coverage" not in record         # of another recipe than the one that was calibrated
        np.testing.assert_array_equal(picture(folder, "uncertainty"), draw_levels(widths, 2))
    sheet = picture(out / "grids", "completions_000")
    assert sheet.shape == (2 * 64, 7 * 64, 3)
    np.testing.assert_array_equal(sheet[64:, -64:, 0], np.rint(2 * widths).clip(0, 255))
    assert "completed_1_000.png" not in os.listdir(out / "grids")
    page = (out / "report.html").read_text()
    assert all(text in page for text in ("completed_3", "uncertainty", "diversity "))
    assert json.loads((out / "config.json").read_text())["uncertainty_scale"] == 2


def test_one_answer_is_what_it_was_and_replaces_several(complete, tmp_path):
    assert complete(tmp_path / "one", "--starts", 2).code == 0
    assert complete(tmp_path / "out", "--starts", 2, "--completions", 2).code == 0
    assert complete(tmp_path / "out", "--starts", 2).code == BAD_OUTPUT
    name = FACES[0].stem
    np.testing.assert_array_equal(picture(tmp_path / "one" / name, "completed"),
                                  picture(tmp_path / "out" / name, "completed"))
    assert complete(tmp_path / "out", "--starts", 2, "--overwrite").code == 0
    assert sorted(os.listdir(tmp_path / "out" / name)) == sorted(os.listdir(tmp_path / "one" / name))
    assert os.listdir(tmp_path / "one" / name).count("uncertainty.png") == 0
    assert os.listdir(tmp_path / "out/grids").count("completions_000.png") == 0


def test_faces_without_a_hole_have_nothing_to_differ_in(complete, tmp_path):
    assert complete(tmp_path / "out", "--completions", 2, "--mask_type", "none").code == 0
    assert all("diversity_rms" not in record for record in results(tmp_path / "out").values())


def test_the_loss_budget_is_recorded_and_logged_and_depends_on_no_neighbour(complete, model, run, tmp_path):
    assert complete(tmp_path / "out", "--lam", "0.5", "--starts", 2).code == 0
    records = results(tmp_path / "out")
    for record in records.values():
        assert record["budget"]["step"] == [0, 2, 4]
        for name in BUDGET:
            assert len(record["budget"][name]) == 3 and record["budget"][name][-1] == record[name]
        assert record["context_gradient"] > 0 and record["prior_gradient"] > 0
    ended = run(face_completion.main, FACES[1], "--out_dir", tmp_path / "alone", "--checkpoint", model, *QUICK,
                "--lam", "0.5", "--starts", 2)
    assert ended.code == 0 and results(tmp_path / "alone")[FACES[1].stem]["budget"] == records[FACES[1].stem]["budget"]
    logged = complete(tmp_path / "out", "--lam", "0.5", "--starts", 2, "--log_dir", tmp_path / "logs")
    assert logged.code == 0 and "2 skipped" in logged.out           # the log is made of the records
    [log] = (tmp_path / "logs" / "completion").glob("out-*")
    points = list(read_records(log / "scalars.jsonl"))
    assert [point["step"] for point in points] == [0, 2, 4] and list(log.glob("events.out.tfevents.*"))
    for name in BUDGET:
        means = np.mean([record["budget"][name] for record in records.values()], axis=0)
        assert [point[name] for point in points] == pytest.approx(list(means))


def test_a_log_that_cannot_be_written_is_refused_before_the_search(complete, tmp_path):
    (tmp_path / "logs").touch()
    ended = complete(tmp_path / "out", "--log_dir", tmp_path / "logs")
    assert ended.code == 5 and ended.err.count("\n") == 1 and not (tmp_path / "out/config.json").exists()


def test_every_answer_is_poured_back_into_a_whole_photo(run, model, samples, tmp_path):
    ended = run(face_completion.main, samples / "A000369.jpg", "--paste_back", "--completions", 2, "--starts", 2,
                "--out_dir", tmp_path / "out", "--checkpoint", model, "--answer", "best", *QUICK)
    assert ended.code == 0, ended.err
    folder, record = tmp_path / "out/A000369", results(tmp_path / "out")["A000369"]
    restored, first, second = (picture(folder, f"restored{rank}") for rank in ("", "_1", "_2"))
    hole = picture(folder, "mask")[..., 0] > 0
    np.testing.assert_array_equal(restored, first)
    assert (first[hole] != second[hole]).any() and not os.path.exists(folder / "restored_3.png")
    np.testing.assert_array_equal(second[~hole], read_photo(samples / "A000369.jpg").pixels[~hole])
    assert {"restored.png", "restored_1.png", "restored_2.png"} < record["files"].keys()


def test_what_intervals_cover_is_claimed_of_the_recipe_that_was_calibrated(capsys):
    for options, known in (([], True), (["--paste_back", "--mask_type", "left"], True), (["--recipe", "pool"], False),
                           (["--detail", "1"], False)):
        _, _, settings, *_ = face_completion.parse([str(FACES[0]), "--completions", "4", *options])
        assert all(each.says_how_sure for each in settings) == known
        assert ("not known" in capsys.readouterr().err) != known
