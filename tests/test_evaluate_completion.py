import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import evaluate_completion
from evaluation.evaluated_folder import EvaluatedFolder
from evaluation.report import write_figure, write_page
from evaluation.tables import read_measured
from helpers import BAD_OUTPUT, UsageError, file_stamp
from methods import CLASSICAL
from methods.classical import FILLS, FROM_FACES
from shell.records import RecordFile, read_records
from training.manifest import ROOT

FACES = Path(__file__).parent / "data" / "openface64"
METHODS = ["latent", "laplace", "nearest", "mean_face"]


def evaluate(out, *arguments, model):
    needed = ["--checkpoint", model] if "latent" in arguments else []
    needed += ["--train_faces", str(FACES)] if "nearest" in arguments else []
    return evaluate_completion.main([str(FACES), "--out_dir", str(out), "--limit", "4", "--jobs", "1", *needed,
                                     *arguments])


def read_data(path):
    """The record that a page carries."""
    return json.loads(re.search(r'id="data">(.*?)</script>', path.read_text(), re.DOTALL)[1])


@pytest.fixture(scope="module")
def finished(model, tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluation") / "out"
    assert evaluate(out, "--methods", *METHODS, "--masks", "center", "random", model=model) == 0
    return out


def test_every_face_mask_and_method_has_one_record(finished):
    records = list(read_records(finished / "results.jsonl"))
    assert len(records) == 4 * 2 * len(METHODS) == len({(r["face"], r["mask"], r["method"]) for r in records})
    for record in records:
        assert record["hole_psnr"] is None or record["hole_psnr"] < record["image_psnr"]
        assert 0 <= record["identity"] < 1.5
        assert (finished / "pictures" / record["mask"] / record["method"] / f"{record['face']}.png").exists()


def test_the_nearest_of_the_faces_themselves_is_the_face_itself(finished):
    for record in read_records(finished / "results.jsonl"):
        if record["method"] == "nearest":
            assert record["hole_l1"] == 0 and record["identity"] < 1e-4


def test_the_summary_holds_means_with_intervals_and_distances_of_the_sets(finished):
    rows = json.loads((finished / "summary.json").read_text())["rows"]
    assert [(row["mask"], row["method"]) for row in rows] == [
        (mask, method) for mask in ("center", "random") for method in METHODS]
    for row in rows:
        mean, low, high = row["metrics"]["hole_ssim"]
        assert row["n"] == 4 and low <= mean <= high and row["metrics"]["face_frechet"][0] >= 0
    with open(finished / "summary.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(rows) and float(table[0]["hole_ssim"]) == pytest.approx(rows[0]["metrics"]["hole_ssim"][0])
    assert all((finished / name).stat().st_size > 10_000 for name in ("report.html", "figure.png", "figure.pdf"))
    with open(finished / "summary_long.csv", newline="") as file:
        assert {(line["mask"], line["method"]) for line in csv.DictReader(file)} == {
            (row["mask"], row["method"]) for row in rows}


def test_the_figure_shows_every_method_the_best_first_or_those_that_are_named(finished, model, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("evaluation.report.write_comparison", lambda paths, *shown: drawn.append(shown))
    folder = EvaluatedFolder(finished, {path.stem: file_stamp(path) for path in FACES.glob("*.png")})
    faces, groups = {path.stem: path for path in FACES.glob("*.png")}, read_measured(folder, ["center"], METHODS)
    write_figure(folder, faces, groups)
    write_figure(folder, faces, groups, ["random"], ["mean_face", "laplace"])
    (all_rows, columns), (rows, named) = drawn
    assert list(all_rows) == ["center", "random"] and [len(part) for part in all_rows.values()] == [3, 3]
    assert columns[:3] == ["original", "masked", "nearest"]                 # which found the faces themselves
    psnr = {method: np.mean([group.value(face, "hole_psnr") for (_, of), group in groups.items() if of == method
                             for face in group.places]) for method in METHODS if method != "nearest"}
    assert columns[3:] == sorted(psnr, key=psnr.get, reverse=True)
    assert (list(rows), named, len(rows["random"])) == (["random"], ["original", "masked", "mean_face", "laplace"], 4)
    originals = [[row["original"].tobytes() for row in part] for part in all_rows.values()]
    assert originals[0] == originals[1] and len(set(originals[0])) == 3     # the same faces under every mask
    with pytest.raises(UsageError, match="nothing was measured"):
        write_figure(folder, faces, groups, ["half"])


@pytest.mark.fault("F15", "evaluation")
def test_the_same_command_again_computes_nothing(finished, model, capsys):
    before = (finished / "results.jsonl").read_bytes(), (finished / "report.html").stat().st_mtime_ns
    assert evaluate(finished, "--methods", *METHODS, "--masks", "center", "random", model=model) == 0
    assert "0 results computed, 32 were there" in capsys.readouterr().out
    assert before == ((finished / "results.jsonl").read_bytes(), (finished / "report.html").stat().st_mtime_ns)


@pytest.mark.fault("F16 F49", "evaluation")
@pytest.mark.parametrize("method", ["laplace", "latent"])
def test_a_result_whose_picture_is_missing_is_made_again_alone(finished, model, tmp_path, capsys, method):
    out = shutil.copytree(finished, tmp_path / "out")
    victim = next((out / "pictures/center" / method).iterdir())
    victim.unlink()
    assert evaluate(out, "--methods", *METHODS, "--masks", "center", "random", model=model) == 0
    assert "1 result computed" in capsys.readouterr().out and victim.exists()


def test_other_faces_of_the_same_names_are_measured_anew(model, tmp_path, capsys):
    faces, out = tmp_path / "faces", tmp_path / "out"
    faces.mkdir()
    first, second = sorted(FACES.glob("*.png"))[:2]
    shutil.copy(first, faces / "a.png")
    arguments = [str(faces), "--methods", "laplace", "--out_dir", str(out), "--jobs", "1"]
    assert evaluate_completion.main(arguments) == 0
    (faces / "a.png").unlink()
    shutil.copy(second, faces / "a.png")
    assert evaluate_completion.main(arguments) == 0
    assert capsys.readouterr().out.count("1 result computed, 0 were there") == 2


def test_fewer_faces_get_a_table_of_their_own(finished, model, tmp_path):
    out = shutil.copytree(finished, tmp_path / "out")
    assert evaluate(out, "--methods", *METHODS, "--masks", "center", "random", "--limit", "2", model=model) == 0
    assert {row["n"] for row in json.loads((out / "summary.json").read_text())["rows"]} == {2}


def test_faces_that_cannot_be_measured_are_named_once_with_their_reason(tmp_path, run):
    Image.new("RGB", (64, 60)).save(tmp_path / "odd.png")
    (tmp_path / "text.png").write_text("no picture")
    shutil.copy(sorted(FACES.glob("*.png"))[0], tmp_path / "a.png")
    arguments = [tmp_path, "--methods", "laplace", "telea", "--masks", "center", "half", "--jobs", 1, "--out_dir",
                 tmp_path / "out"]
    for computed, there in ((4, 0), (0, 4)):
        ended = run(evaluate_completion.main, *arguments)
        assert ended.code == 1 and ended.err.count("odd.png: wrong_size (64x60") == 1
        assert f"{computed} results computed, {there} were there, 2 photos failed" in ended.out
        named = read_data(tmp_path / "out/report.html")["failures"]
        assert [(Path(path).name, reason.split(" (")[0]) for path, reason in named] == [
            ("odd.png", "wrong_size"), ("text.png", "not_an_image")]
    (tmp_path / "text.png").unlink()
    ended = run(evaluate_completion.main, *arguments)
    assert "1 photo failed" in ended.out and len(read_data(tmp_path / "out/report.html")["failures"]) == 1


@pytest.mark.parametrize("kind", ["empty", "raw"])
def test_training_faces_that_cannot_be_used_end_it_before_any_work(tmp_path, capsys, kind):
    (tmp_path / "train").mkdir()
    if kind == "raw":
        Image.new("RGB", (100, 80)).save(tmp_path / "train" / "raw.png")
    assert evaluate_completion.main([str(FACES), "--methods", "nearest", "--train_faces", str(tmp_path / "train"),
                                     "--out_dir", str(tmp_path / "out")]) == 3
    assert "no faces of 64x64 pixels" in capsys.readouterr().err


@pytest.mark.fault("F16", "evaluation")
@pytest.mark.parametrize("file", ["pictures/center/laplace/*.png", "pictures/center/latent.steps/*.png",
                                  "descriptors/center-laplace.jsonl", "results.jsonl"])
def test_a_flipped_byte_has_just_that_result_measured_again(finished, model, tmp_path, capsys, file):
    out = shutil.copytree(finished, tmp_path / "out")
    victim = sorted(out.glob(file))[0]
    content = bytearray(victim.read_bytes())
    content[100] = ord("7") if content[100] != ord("7") else ord("8")
    victim.write_bytes(content)
    assert evaluate(out, "--methods", *METHODS, "--masks", "center", "random", model=model) == 0
    assert "1 result computed, 31 were there" in capsys.readouterr().out
    assert evaluate(out, "--methods", *METHODS, "--masks", "center", "random", model=model) == 0
    assert "0 results computed, 32 were there" in capsys.readouterr().out


@pytest.mark.parametrize("file", ["results.jsonl", "descriptors/center-laplace.jsonl"])
def test_a_record_without_its_checksum_is_measured_again(finished, model, tmp_path, capsys, file):
    out = shutil.copytree(finished, tmp_path / "out")
    first, *others = (out / file).read_text().splitlines()
    (out / file).write_text("\n".join([first.split(', "crc32"')[0] + "}", *others, ""]))
    assert evaluate(out, "--methods", *METHODS, "--masks", "center", "random", model=model) == 0
    assert "1 result computed, 31 were there" in capsys.readouterr().out


@pytest.mark.parametrize("part", ["face_sha256", "hole_sha256"])
def test_evaluations_of_other_faces_or_holes_are_not_compared(finished, tmp_path, capsys, part):
    shutil.copytree(finished, tmp_path / "other")
    lines = (tmp_path / "other/results.jsonl").read_text().splitlines()
    record = next(read_records(tmp_path / "other/results.jsonl")) | {part: "0" * 16}
    (tmp_path / "other/results.jsonl").write_text("\n".join(lines[1:]) + "\n")
    with RecordFile(tmp_path / "other/results.jsonl") as file:
        file.append(record)
    assert evaluate_completion.main(["--compare", str(finished), str(tmp_path / "other")]) == 2
    assert part.split("_")[0] in capsys.readouterr().err


def test_other_settings_need_another_folder(finished, model, capsys):
    assert evaluate(finished, "--methods", "laplace", "--seed", "3", model=model) == BAD_OUTPUT
    assert "seed" in capsys.readouterr().err


def test_methods_that_need_faces_say_so(model, tmp_path, capsys):
    assert evaluate_completion.main([str(FACES), "--methods", "nearest", "--out_dir", str(tmp_path)]) == 2
    assert "--train_faces" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, refused", [
    (["--compare", "a", "b", "--limit", "4"], "--limit"), (["--compare", "a", "b", "--methods", "vae"], "--methods"),
    (["--compare", "a", "b", "--recipe", "seed"], "--recipe"), (["--compare", "a", "b", FACES], str(FACES)),
    (["--compare", "a", "b", "--from_file", "list"], "--from_file"),
    ([FACES, "--methods", "laplace", "--figure_methods", "telea"], "telea"),
    ([FACES, "--methods", "laplace", "--figure_masks", "half"], "half"),
    ([FACES, "--methods", "laplace", "--checkpoint", "dir"], "--checkpoint"),
    ([FACES, "--methods", "laplace", "vae", "--train_faces", "dir"], "--train_faces"),
    ([FACES, "--methods", "latent", "laplace", "--learned", "dir"], "--learned"),
    ([FACES, "--methods", "laplace", "nearest", "--train_faces", FACES, "--device", "gpu"], "--device")])
def test_options_that_would_do_nothing_are_refused(run, arguments, refused):
    ended = run(evaluate_completion.main, *arguments)
    assert ended.code == 2 and refused in ended.err and ended.err.count("\n") == 1


def test_every_method_of_the_tables_can_be_asked_for():
    assert CLASSICAL == (*FILLS, *FROM_FACES)


def test_faces_of_another_size_than_the_models_are_refused_before_anything_is_written(model, tmp_path, run):
    for name in ("a", "b"):
        Image.new("RGB", (128, 128), (90, 80, 70)).save(tmp_path / f"{name}.png")
    for _ in range(2):
        ended = run(evaluate_completion.main, tmp_path, "--methods", "latent", "--checkpoint", model, "--out_dir",
                    tmp_path / "out")
        assert ended.code == 2 and "completes faces of 64 pixels a side, these have 128" in ended.err
        assert len(ended.err.splitlines()) == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize("method, size, advice", [
    (["latent"], 128, "--checkpoint, such as checkpoint/celeba128\n"),
    (["posterior_mean", "latent"], 128, "--checkpoint, such as checkpoint/celeba128\n"),
    (["posterior_mean"], 128, "--learned, such as checkpoint/celeba128-learned\n"),
    (["posterior_mean"], 96, "--learned\n")])
def test_models_of_another_size_are_refused_with_the_option_that_names_others(tmp_path, run, method, size, advice):
    Image.new("RGB", (size, size), (90, 80, 70)).save(tmp_path / "a.png")
    ended = run(evaluate_completion.main, tmp_path / "a.png", "--methods", *method, "--out_dir", tmp_path / "out")
    assert ended.code == 2 and ended.err.endswith(f"name one of that size by {advice}")


def test_what_was_refused_leaves_nothing_that_the_corrected_command_would_have_to_respect(tmp_path, run):
    (tmp_path / "empty").mkdir()
    command = [FACES, "--limit", 2, "--methods", "nearest", "--jobs", 1, "--out_dir", tmp_path / "out", "--train_faces"]
    assert run(evaluate_completion.main, *command, tmp_path / "empty").code == 3
    assert run(evaluate_completion.main, *command, FACES).code == 0


def test_methods_that_share_no_face_are_shown_each_with_its_own(tmp_path, run):
    command = [FACES / "A000369.png", FACES / "B001273.png", "--methods", "laplace", "telea", "--jobs", 1, "--out_dir",
               tmp_path / "out"]
    assert run(evaluate_completion.main, *command).code == 0
    for method, face in (("laplace", "A000369"), ("telea", "B001273")):
        (tmp_path / "out/pictures/center" / method / f"{face}.png").unlink()
    ended = run(evaluate_completion.main, *command[:2], "--methods", "biharmonic", "--jobs", 1, "--out_dir",
                tmp_path / "out")
    assert ended.code == 0, ended.err                   # lost pictures of methods that nobody asked for are left out
    shutil.rmtree(tmp_path / "out/pictures/center/biharmonic")
    folder = EvaluatedFolder(tmp_path / "out", {path.stem: file_stamp(path) for path in command[:2]})
    groups = read_measured(folder, ["center"], ["laplace"])
    assert {key[1]: list(group.places) for key, group in groups.items()} == {"laplace": ["B001273"],
                                                                             "telea": ["A000369"]}
    write_page(folder, {path.stem: path for path in command[:2]}, groups, [], 60)
    assert "A000369" in (tmp_path / "out/report.html").read_text()


def test_a_result_whose_descriptor_was_lost_is_measured_again(finished, model, tmp_path, capsys):
    for lost in ("center-laplace.jsonl", "original.jsonl"):
        out = tmp_path / lost
        shutil.copytree(finished, out)
        lines = (out / "descriptors" / lost).read_text().splitlines()
        (out / "descriptors" / lost).write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:50])
        assert evaluate(out, "--methods", *METHODS, "--masks", "center", "random", model=model) == 0
        printed = capsys.readouterr().out
        assert f"{'1 result' if lost.startswith('center') else '8 results'} computed" in printed
        assert evaluate(out, "--methods", *METHODS, "--masks", "center", "random", model=model) == 0
        assert "0 results computed, 32 were there" in capsys.readouterr().out


def test_learned_models_are_pinned_while_a_run_makes_new_saves(tmp_path):
    for step in (5, 7):
        shutil.copytree(ROOT / "checkpoint/celeba64-learned/vae", tmp_path / "vae" / f"step-{step:08d}")
    _, _, methods, _ = evaluate_completion.parse([str(FACES), "--methods", "vae", "--learned", str(tmp_path)])
    assert methods["vae"].checkpoint == str(tmp_path / "vae" / "step-00000007")


def test_several_answers_and_processes_change_no_measured_picture(finished, model, tmp_path):
    out = tmp_path / "out"
    assert evaluate(out, "--methods", "latent", "laplace", "--masks", "center", "--jobs", "2", model=model) == 0
    for path in (out / "pictures/center").rglob("*.png"):
        assert path.read_bytes() == (finished / path.relative_to(out)).read_bytes()
    assert evaluate(tmp_path / "several", "--methods", "latent", "--completions", "2", "--starts", "2", "--answer",
                    "best", model=model) == 0
    config = json.loads((tmp_path / "several/config.json").read_text())
    assert config["completions"] == 2
    for record in read_records(tmp_path / "several/results.jsonl"):
        assert 0 < record["covered"] <= 1 and record["half_width"] > 0 and "diversity_rms" in record
        assert record["best_psnr"] == pytest.approx(record["hole_psnr"], abs=1e-4)      # --answer best


@pytest.mark.parametrize("config", [None, "{broken"])
def test_results_whose_settings_are_lost_are_not_taken_for_others(finished, model, tmp_path, run, config):
    shutil.copytree(finished, tmp_path / "out")
    (tmp_path / "out/config.json").unlink()
    if config:
        (tmp_path / "out/config.json").write_text(config)
    ended = run(evaluate_completion.main, FACES, "--methods", "laplace", "--jobs", 1, "--out_dir", tmp_path / "out")
    assert ended.code == BAD_OUTPUT and "are lost" in ended.err and len(ended.err.splitlines()) == 1


def test_another_kind_of_model_is_found_without_its_folder():
    _, _, methods, _ = evaluate_completion.parse([str(FACES), "--methods", "latent", "--model", "vae"])
    assert methods["latent"].checkpoint.endswith("celeba64-learned/vae")
