"""A folder says what kind of results it holds, and another kind is refused before anything is written."""
import importlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import evaluate_completion
import face_completion
from completion.masks import __main__ as draw_masks
from helpers import BAD_OUTPUT, write_picture
from preprocess import align_dlib, split_dataset

FACES = Path(__file__).parent / "data" / "openface64"
NAMES = "A000369", "B001273", "C001070"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    for name in NAMES:
        shutil.copy(FACES / f"{name}.png", folder)
    return folder


def commands(faces, model):
    """{kind: (main, what stands before the output folder, the flag of the output folder or None)}"""
    return {"completion": (face_completion.main, [faces, "--method", "laplace"], "--out_dir"),
            "evaluation": (evaluate_completion.main, [faces, "--methods", "laplace", "--jobs", 1], "--out_dir"),
            "holes": (draw_masks.main, ["--masks", "center", "--count", 1], None),
            "split": (split_dataset.main, [faces, "--train", 1, "--validation", 1, "--test", 1], None),
            "alignment": (align_dlib.main, [faces, "align", "innerEyesAndBottomLip", "--jobs", 1], None)}


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"}


@pytest.fixture(scope="module")
def filled(faces, model, tmp_path_factory):
    """{kind: a folder with results of it}"""
    folders = {}
    for kind, (main, arguments, flag) in commands(faces, model).items():
        folders[kind] = tmp_path_factory.mktemp("filled") / kind
        main([*map(str, arguments), *([flag] if flag else []), str(folders[kind])])
    return folders | {"model": Path(model)}


@pytest.mark.parametrize("kind", ["completion", "evaluation", "holes", "split", "alignment", "model"])
@pytest.mark.parametrize("other", ["completion", "evaluation", "holes", "split", "alignment"])
def test_a_folder_of_one_kind_takes_no_other_kind(faces, model, filled, tmp_path, run, kind, other):
    main, arguments, flag = commands(faces, model)[other]
    shutil.copytree(filled[kind], tmp_path / "out")
    before = contents(tmp_path / "out")
    ended = run(main, *arguments, *([flag] if flag else []), tmp_path / "out")
    if kind == other:
        assert ended.code in (0, 1), ended.err
        return
    assert ended.code == BAD_OUTPUT and f"another kind ({kind}, not {other})" in ended.err, ended.err
    assert len(ended.err.splitlines()) == 1 and contents(tmp_path / "out") == before


@pytest.mark.fault("F14", "completion", "evaluation", "alignment")
@pytest.mark.parametrize("kind", ["completion", "evaluation", "alignment"])
def test_photos_named_as_outputs_of_others_get_outputs_of_their_own(faces, samples, tmp_path, run, kind):
    photo = samples / f"{NAMES[0]}.jpg" if kind == "alignment" else faces / f"{NAMES[0]}.png"
    for name in ("a.png", "a/original.png.png", "a/completed.png/b.png", "a.png.png", "b/a.png.png",
                 "alignment.jsonl/c.png", "results.jsonl/c.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, tmp_path / "in" / name)
    main, (_, *arguments), flag = commands(faces, None)[kind]
    for said in ("7 (completed|aligned|results? computed)", "7 (skipped|were there)"):
        ended = run(main, tmp_path / "in", *arguments, *([flag] if flag else []), tmp_path / "out")
        assert ended.code == 0 and re.search(said, ended.out), ended


def test_old_folders_without_a_kind_are_known_by_what_is_in_them(faces, model, filled, tmp_path, run):
    for kind, other in (("completion", "evaluation"), ("evaluation", "completion")):
        shutil.copytree(filled[kind], tmp_path / kind)
        config = tmp_path / kind / "config.json"
        config.write_text(config.read_text().replace(f'"kind": "{kind}",', ""))
        main, arguments, flag = commands(faces, model)[other]
        assert f"another kind ({kind}" in run(main, *arguments, flag, tmp_path / kind).err
        main, arguments, flag = commands(faces, model)[kind]
        ended = run(main, *arguments, flag, tmp_path / kind)
        assert ended.code == 0 and ("3 skipped" in ended.out or "3 were there" in ended.out)


def test_a_folder_of_other_files_may_be_used(faces, tmp_path, run):
    write_picture(tmp_path / "out" / "mine.png", np.zeros((9, 9, 3), np.uint8))
    main, arguments, flag = commands(faces, None)["completion"]
    assert run(main, *arguments, flag, tmp_path / "out").code == 0 and (tmp_path / "out/mine.png").exists()


@pytest.mark.parametrize("command, link", [
    (["evaluate_completion", "--methods", "laplace", "--out_dir"], "pictures"),
    (["evaluate_completion", "--methods", "laplace", "--out_dir"], "descriptors"),
    (["face_completion", "--method", "laplace", "--out_dir"], "grids"),
    (["completion.masks.__main__", "--count", "1"], "center"),
    (["preprocess.split_dataset", "--train", "1", "--validation", "0", "--test", "0"], "train"),
    (["train_network", "--log_dir"], "dcgan/samples")])
@pytest.mark.fault("F19", "split", "training", "completion", "evaluation", "masks")
def test_nothing_is_written_through_a_link(faces, tmp_path, capsys, command, link):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "out" / link).parent.mkdir(parents=True)
    (tmp_path / "out" / link).symlink_to(tmp_path / "theirs")
    module, *options = command
    inputs = {"completion.masks.__main__": [tmp_path / "out"], "train_network": [tmp_path / "out", "--dataset",
              faces, "--checkpoint_dir", tmp_path / "saves"], "preprocess.split_dataset": [
              faces, tmp_path / "out"]}.get(module, [tmp_path / "out", faces])
    code = importlib.import_module(module).main([*options, *map(str, inputs)])
    assert code == BAD_OUTPUT and "outside" in capsys.readouterr().err
    assert not list((tmp_path / "theirs").iterdir())
