"""A model with a weight that is no number, or of another kind, is refused in one line by what loads it."""
import dataclasses
import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import evaluate_completion
import face_completion
import train_network
from benchmarks import compare_models
from helpers import BAD_CHECKPOINT, BAD_OUTPUT, UsageError, read_json, write_json
from methods import completion_options
from models import LEARNED, SEARCHED, model_type, samples, shipped, train
from models.posterior_mean import Architecture, PosteriorMean
from training.checkpoint import export, load_model
from training.manifest import ROOT, manifest_digest

FACES = Path(__file__).parent / "data" / "openface64"
VALUES = {"dcgan": np.nan, "context_encoder": np.inf, "latent_encoder": np.nan, "autoencoder": -np.inf, "vae": np.nan,
          "generative_face_completion": np.nan, "posterior_mean": np.inf, "damage": np.inf, "placement": np.nan}


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """{kind: folder of a small model of which the last weight of its last network is not finite}"""
    folders = {}
    for kind in VALUES:
        cls = model_type(kind)
        names = {field.name for field in dataclasses.fields(cls.architecture_type)}
        model = cls(cls.architecture_type(**dict.fromkeys(names & {"gf_dim", "df_dim", "mf_dim"}, 2)), 0)
        network = [part for part in model.shipped.values() if hasattr(part, "variables")][-1]
        weight = network.variables[-1]
        weight.assign(np.full(weight.shape, VALUES[kind]))
        folders[kind] = tmp_path_factory.mktemp("broken") / kind
        export(model, folders[kind], {"step": 0})
    return folders


@pytest.mark.parametrize("found, command, needed", [
    ("dcgan", ["face_completion", FACES, "--method", "vae", "--checkpoint"], "vae"),
    ("posterior_mean", ["face_completion", FACES, "--checkpoint"], "dcgan"),
    ("latent_encoder", ["face_completion", FACES, "--model", "autoencoder", "--checkpoint"], "autoencoder"),
    ("vae", ["face_completion", FACES, "--encoder"], "latent_encoder"),
    ("latent_encoder", ["face_completion", FACES, "--likely"], "posterior_mean"),
    ("placement", ["face_completion", FACES, "--mask"], "damage"),
    ("vae", ["evaluate_completion", FACES, "--methods", "latent", "context_encoder", "--checkpoint"], "dcgan"),
    ("dcgan", ["evaluate_completion", FACES, "--methods", "vae", "--learned"], "vae"),
    ("damage", ["train_network", "--dataset", FACES, "--begin_from"], "dcgan"),
    ("vae", ["models.train", "autoencoder", "--dataset", FACES, "--begin_from"], "autoencoder"),
    ("vae", ["models.train", "latent_encoder", "--dataset", FACES, "--generator"], "dcgan"),
    ("damage", ["models.samples", "rows.png"], "dcgan or autoencoder or vae"),
    ("vae", ["completion.export"], "dcgan"),
    ("vae", ["completion.latent", "project", FACES, "projected", "--checkpoint"], "dcgan"),
    ("vae", ["benchmarks.compare_models", FACES, 2], "dcgan")], ids=str)
def test_a_model_of_another_kind_is_refused_by_what_it_is_and_what_is_needed(run, tmp_path, monkeypatch, found,
                                                                            command, needed):
    monkeypatch.chdir(tmp_path)
    module, *words = command
    place = f"auto:{ROOT / shipped(found)}" if "--mask" in words else ROOT / shipped(found)
    if "--learned" in words:
        place = shutil.copytree(place, tmp_path / "learned/vae").parent
    ended = run(importlib.import_module(module).main, *words, place, *["out.onnx"] * (module == "completion.export"))
    error = ended.err.splitlines()[-1]
    assert ended.code == BAD_CHECKPOINT and f": its kind is {found}, not {needed};" in error
    examples = [shipped(kind, side) for kind in needed.split(" or ") for side in (64, 128)]
    for example in examples:
        assert (example in error) == (ROOT / example).exists()
    assert [path.name for path in tmp_path.rglob("*.png")] == []


def refused(ended):
    assert ended.code == BAD_CHECKPOINT and "a weight is not finite" in ended.err, ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("method", ["latent", *LEARNED])
def test_completion_refuses_it_by_every_method(run, broken, tmp_path, method):
    folder = broken["dcgan" if method == "latent" else LEARNED[method]]
    refused(run(face_completion.main, FACES, "--method", method, "--checkpoint", folder, "--out_dir", tmp_path / "out"))
    assert written(tmp_path / "out") == []


def written(folder):
    """The files in a folder that hold something, but for the lock."""
    return [path.name for path in folder.rglob("*") if path.is_file() and path.stat().st_size and path.name != ".lock"]


@pytest.mark.parametrize("beside", ["latent_encoder", "posterior_mean"])
def test_nothing_is_written_before_what_lies_beside_the_model_is_loaded(run, encoded, broken, tmp_path, beside):
    home = shutil.copytree(encoded.parent, tmp_path / "home")
    shutil.rmtree(home / f"tiny-learned/{beside}", ignore_errors=True)
    shutil.copytree(broken[beside], home / f"tiny-learned/{beside}")
    arguments = FACES, "--checkpoint", home / "tiny", "--out_dir", tmp_path / "out"
    refused(run(face_completion.main, *arguments))
    assert written(tmp_path / "out") == []
    (home / f"tiny-learned/{beside}/manifest.json").unlink()
    ended = run(face_completion.main, *arguments)
    assert ended.code == BAD_CHECKPOINT and f"{beside}: there is none" in ended.err
    assert written(tmp_path / "out") == []


def test_photos_are_not_begun_where_what_places_faces_is_damaged(run, samples, tmp_path, monkeypatch):
    monkeypatch.setattr(completion_options, "PLACEMENT", tmp_path)
    ended = run(face_completion.main, samples / "A000369.jpg", "--paste_back", "--method", "laplace", "--out_dir",
                tmp_path / "out")
    assert ended.code == BAD_CHECKPOINT and "such as checkpoint/celeba64-placement" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", SEARCHED)
def test_the_search_refuses_another_model(run, broken, tmp_path, kind):
    refused(run(face_completion.main, FACES, "--model", kind, "--checkpoint", broken[kind], "--out_dir", tmp_path))


def test_the_search_refuses_an_encoder(run, broken, tmp_path):
    refused(run(face_completion.main, FACES, "--encoder", broken["latent_encoder"], "--out_dir", tmp_path))


def test_what_finds_damage_is_refused(run, broken, tmp_path):
    refused(run(face_completion.main, FACES, "--mask", f"auto:{broken['damage']}", "--out_dir", tmp_path))


def test_what_places_faces_is_refused(broken):
    with pytest.raises(UsageError, match="a weight is not finite"):
        load_model(broken["placement"], model_type("placement"))


def test_an_evaluation_refuses_it(run, broken, tmp_path):
    refused(run(evaluate_completion.main, FACES, "--checkpoint", broken["dcgan"], "--jobs", 1, "--out_dir", tmp_path))
    ended = run(evaluate_completion.main, FACES, "--methods", "laplace", "--seed", 5, "--limit", 1, "--jobs", 1,
                "--out_dir", tmp_path)
    assert ended.code == 0, ended.err                   # where nothing was measured, no settings are kept


@pytest.mark.parametrize("kind", ["vae", "posterior_mean"])
def test_an_evaluation_measures_nothing_before_the_networks_of_all_methods_are_loaded(run, broken, tmp_path, kind):
    arguments = [FACES, "--methods", "laplace", kind, "--limit", 1, "--jobs", 1, "--out_dir", tmp_path / "out"]
    refused(run(evaluate_completion.main, *arguments, "--learned", broken[kind].parent))
    assert written(tmp_path / "out") == []
    ended = run(evaluate_completion.main, *arguments)
    assert ended.code == 0 and "2 results computed" in ended.out, ended.err


def test_results_by_another_network_that_knows_what_is_likely_are_kept_apart(encoded, tmp_path, run):
    for dim, code in ((2, 0), (4, BAD_OUTPUT)):
        export(PosteriorMean(Architecture(mf_dim=dim)), tmp_path / f"{dim}", {"step": 0})
        ended = run(evaluate_completion.main, FACES, "--limit", 1, "--methods", "latent", "--jobs", 1, "--checkpoint",
                    encoded, "--likely", tmp_path / f"{dim}", "--out_dir", tmp_path / "out")
        assert ended.code == code, ended.err
    assert "other settings (another --likely)" in ended.err


def test_training_does_not_begin_with_it(run, broken, tmp_path):
    places = ["--dataset", FACES, "--checkpoint_dir", tmp_path / "saves", "--log_dir", tmp_path / "logs",
              "--batch_size", 12]
    sizes = ["--gf_dim", 2, "--df_dim", 2]
    refused(run(train_network.main, *places, *sizes, "--begin_from", broken["dcgan"]))
    refused(run(train.main, "latent_encoder", *places, "--generator", broken["dcgan"]))
    refused(run(train.main, "vae", *places, *sizes, "--begin_from", broken["vae"]))


def test_what_shows_and_compares_models_refuses_it(run, broken, tmp_path):
    for kind in ("dcgan", *SEARCHED):
        refused(run(samples.main, tmp_path / "samples.png", broken[kind]))
    refused(run(compare_models.main, FACES, 2, broken["dcgan"]))


def test_weights_of_another_architecture_are_told_in_one_line_to_the_end_of_the_process(tmp_path):
    export(PosteriorMean(Architecture(mf_dim=4)), tmp_path / "model", {"step": 0})
    path = tmp_path / "model" / "manifest.json"
    manifest = read_json(path)
    manifest["architecture"]["mf_dim"] = 2
    write_json(path, manifest | {"manifest": manifest_digest(manifest)})
    ended = subprocess.run([sys.executable, ROOT / "face_completion.py", FACES, "--method", "posterior_mean",
                            "--checkpoint", tmp_path / "model", "--out_dir", tmp_path / "out", "--quiet"],
                           capture_output=True, text=True)
    assert ended.returncode == BAD_CHECKPOINT and "its tensors do not fit its description" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
