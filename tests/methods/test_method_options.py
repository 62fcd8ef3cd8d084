"""The recipe that is chosen with and without an encoder, and searches that begin at its answer."""
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import evaluate_completion
import face_completion
import network
from helpers import BAD_CHECKPOINT, BAD_OUTPUT
from models.autoencoders import VAE
from models.autoencoders import Architecture as AutoencoderSizes
from models.latent_encoder import Architecture, LatentEncoder, Training
from models.posterior_mean import Architecture as Likely
from models.posterior_mean import PosteriorMean
from pictures.photo import read_photo
from shell.records import read_records
from training.checkpoint import export
from training.devices import is_slow
from training.manifest import describe_model

FACES = [Path(__file__).parents[1] / "data" / "openface64" / name for name in ("A000369.png", "B001273.png")]


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    """The folder of a DCGAN whose encoder lies where it is looked for."""
    folder = tmp_path_factory.mktemp("encoded") / "dcgan"
    dcgan = network.DCGAN(network.Architecture(z_dim=8, gf_dim=2, df_dim=2))
    for kernel in dcgan.generator.kernels:
        kernel.assign(5 * kernel)
    export(dcgan, folder, {})
    encoder = LatentEncoder(Architecture(z_dim=8, gf_dim=2, ef_dim=2))
    encoder.prepare_training(Training(generator=str(folder)))
    export(encoder, f"{folder}-learned/latent_encoder", {})
    return folder


@pytest.fixture
def complete(run, tmp_path):
    def call(model, *arguments):
        ended = run(face_completion.main, *FACES, "--out_dir", tmp_path / "out", "--checkpoint", model,
                    "--num_iter", 4, *arguments)
        config = tmp_path / "out" / "config.json"
        return ended, json.loads(config.read_text()) if config.exists() else None
    return call


def test_where_there_is_an_encoder_the_search_begins_at_its_answer(complete, encoded, tmp_path):
    ended, settings = complete(encoded, "--no-mirror", "--hold", 0)
    assert ended.code == 0 and not ended.err, ended.err
    assert settings["recipe"]["space"] == "activations" and settings["encoder"]
    for record in read_records(tmp_path / "out" / "results.jsonl"):
        assert record["iterations"] == 4 and record["context_loss"] < record["budget"]["context_loss"][0]


def test_several_answers_are_scattered_about_the_one_answer(complete, encoded, tmp_path):
    pictures = {}
    for count in (1, 3):
        ended, settings = complete(encoded, "--overwrite", "--completions", count)
        assert ended.code == 0 and settings["recipe"]["starts"] == 1
        assert ("uncertainty.png" in ended.err) == (count > 1)
        folder = tmp_path / "out" / FACES[0].stem
        pictures[count] = read_photo(folder / "completed.png").pixels
    answers = np.stack([read_photo(folder / f"completed_{rank}.png").pixels for rank in (1, 2, 3)])
    np.testing.assert_array_equal(pictures[3], pictures[1])
    assert len({answer.tobytes() for answer in answers}) == 3
    assert np.abs(answers.mean(axis=0) - pictures[1]).max() < 2         # but where an answer is cut at black or white


@pytest.mark.parametrize("how", [[], ["--recipe", "seed", "--lam", "3"]], ids=["activations", "latent"])
def test_in_bfloat16_the_search_ends_near_where_it_ends_in_float32(complete, encoded, tmp_path, how):
    guesses = {}
    for precision in ("float32", "bfloat16"):
        ended, settings = complete(encoded, *how, "--overwrite", "--precision", precision)
        assert ended.code == 0 and settings["recipe"]["precision"] == precision
        assert ended.err.count("no instructions for bfloat16") == is_slow(precision)
        guesses[precision] = [read_photo(path).pixels.astype(int)
                              for path in sorted(tmp_path.glob("out/*/completed.png"))]
    apart = np.abs(np.subtract(*guesses.values()))
    assert apart.any() and apart.mean() < 1 and apart.max() < 25


def test_without_iterations_the_answer_is_the_encoders(complete, encoded, tmp_path):
    ended, _ = complete(encoded, "--num_iter", 0)
    assert ended.code == 0 and not ended.err and "2 completed" in ended.out
    for face in tmp_path.glob("out/*/completed.png"):
        assert face.read_bytes() == face.with_name("0000.png").read_bytes()
    assert [record["iterations"] for record in read_records(tmp_path / "out" / "results.jsonl")] == [0, 0]


def test_without_an_encoder_the_search_begins_at_a_pool_and_says_so(complete, model):
    ended, settings = complete(model, "--pool", 8, "--starts", 2)
    assert ended.code == 0 and not ended.err
    assert ended.out.count("no latent encoder in") == 1 and "by recipe pool" in ended.out
    assert settings["recipe"]["space"] == "latent" and settings["encoder"] is None


def test_a_recipe_that_was_asked_for_is_not_replaced(complete, model):
    ended, settings = complete(model, "--recipe", "best")
    assert ended.code == BAD_CHECKPOINT and "no latent encoder in" in ended.err and settings is None
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("name, problem", [("other", "another generator"), ("none", "no usable model")])
def test_an_encoder_that_is_of_no_use_is_refused(complete, encoded, model, tmp_path, name, problem):
    ended, _ = complete(model if name == "other" else encoded, "--encoder",
                        f"{encoded}-learned/latent_encoder" if name == "other" else tmp_path / "none")
    assert ended.code == BAD_CHECKPOINT and problem in ended.err and len(ended.err.splitlines()) == 1


@pytest.fixture(scope="module")
def beginning(encoded, tmp_path_factory):
    """The folder of an encoder that begins with what is likely, beside the network that says so."""
    folder = tmp_path_factory.mktemp("beginning")
    export(PosteriorMean(Likely(mf_dim=2)), folder / "posterior_mean", {})
    encoder = LatentEncoder(Architecture(z_dim=8, gf_dim=2, ef_dim=2, from_likely=True))
    encoder.prepare_training(Training(generator=str(encoded), likely=str(folder / "posterior_mean")))
    export(encoder, folder / "latent_encoder", {"training": {"likely": str(folder / "posterior_mean")}})
    return folder


@pytest.mark.parametrize("detail", [1, 0.3])
def test_an_encoder_that_begins_with_what_is_likely_asks_the_network_beside_it(complete, encoded, beginning, detail):
    ended, settings = complete(encoded, "--encoder", beginning / "latent_encoder", "--detail", detail, "--num_iter", 0)
    assert ended.code == 0 and not ended.err and settings["likely"] and settings["encoder"]


def test_the_network_that_an_encoder_was_trained_with_is_the_last_resort(complete, encoded, beginning, tmp_path):
    shutil.copytree(beginning / "latent_encoder", tmp_path / "moved" / "latent_encoder")
    ended, settings = complete(encoded, "--encoder", tmp_path / "moved" / "latent_encoder")
    assert ended.code == 0 and not ended.err
    assert settings["likely"] == describe_model(beginning / "posterior_mean")["model"]


def test_another_network_changes_what_such_an_encoder_answers(complete, encoded, beginning, tmp_path):
    export(PosteriorMean(Likely(mf_dim=2), seed=7), tmp_path / "another", {})
    how, pictures, digests = ("--encoder", beginning / "latent_encoder", "--detail", 1, "--overwrite"), [], []
    for likely in (beginning / "posterior_mean", tmp_path / "another"):
        ended, settings = complete(encoded, *how, "--likely", likely)
        assert ended.code == 0 and not ended.err, ended.err
        pictures.append(read_photo(tmp_path / "out" / FACES[0].stem / "completed.png").pixels)
        digests.append(settings["likely"])
    assert np.any(pictures[0] != pictures[1]) and digests[0] != digests[1]


def test_an_encoder_that_lacks_what_is_likely_is_refused(complete, encoded, beginning, tmp_path):
    shutil.copytree(beginning / "latent_encoder", tmp_path / "alone" / "latent_encoder")
    ended, settings = complete(encoded, "--encoder", tmp_path / "alone" / "latent_encoder", "--detail", 1, "--likely",
                               tmp_path / "none")
    assert ended.code == BAD_CHECKPOINT and settings is None and len(ended.err.splitlines()) == 1
    assert "begins with what is likely" in ended.err and "name its folder by --likely" in ended.err


def test_the_learned_method_asks_it_too_and_says_by_which_weights(run, beginning, tmp_path):
    ended = run(face_completion.main, *FACES, "--out_dir", tmp_path / "out", "--method", "latent_encoder",
                "--checkpoint", beginning / "latent_encoder")
    settings = json.loads((tmp_path / "out" / "config.json").read_text())
    assert ended.code == 0 and not ended.err
    assert settings["likely"] == describe_model(beginning / "posterior_mean")["model"]


@pytest.mark.parametrize("arguments, problem", [
    (["--recipe", "seed", "--encoder", "x"], "--encoder is for recipes"),
    (["--recipe", "pool", "--space", "activations", "--completions", "3"], "choose a --scatter"),
    (["--pool", "9"], "--pool chooses latents"), (["--draw", "normal"], "--draw chooses latents"),
    (["--scatter", "1"], "--scatter is of several starts"),
    (["--space", "latent", "--scatter", "1"], "--scatter is of searches"),
    (["--recipe", "pool", "--draw", "normal"], "--draw is of starts without a pool"),
    (["--recipe", "seed", "--answer", "mean"], "--answer is of several searches"),
    (["--num_iter", "0", "--hold", "3"], "--hold is of updates"),
    (["--num_iter", "0", "--decay", "1"], "--decay is of updates"),
    (["--mask", "auto:"], "needs the folder of a network"),
    (["--seed", "3000000000"], "from 0 to 2147483647"), (["--dilate", "9" * 30], "from 0 to 2147483647")])
def test_options_that_would_do_nothing_are_refused(complete, encoded, arguments, problem):
    ended, settings = complete(encoded, *arguments)
    assert ended.code == 2 and problem in ended.err and settings is None and len(ended.err.splitlines()) == 1


def test_the_form_of_a_prior_is_of_no_use_to_a_model_with_a_density(run, tmp_path):
    export(VAE(AutoencoderSizes(z_dim=4, gf_dim=2, df_dim=2)), tmp_path / "vae", {"step": 0})
    ended = run(face_completion.main, *FACES, "--out_dir", tmp_path / "out", "--model", "vae", "--checkpoint",
                tmp_path / "vae", "--prior", "-log D")
    assert ended.code == 2 and "--prior is of a discriminator" in ended.err and not (tmp_path / "out").exists()


def test_the_latent_alone_is_searched_from_a_pool(complete, encoded):
    ended, settings = complete(encoded, "--space", "latent", "--pool", 8, "--starts", 2)
    assert ended.code == 0 and settings["encoder"] is None and settings["recipe"]["pool"] == 8


def test_a_start_that_failed_leaves_nothing_to_respect(complete, model):
    refused, _ = complete(model, "--encoder", "none")
    assert refused.code == BAD_CHECKPOINT
    assert complete(model, "--pool", 8, "--starts", 2)[0].code == 0


def test_a_method_without_a_search_asks_for_no_encoder(run, tmp_path):
    ended = run(face_completion.main, *FACES, "--out_dir", tmp_path / "out", "--method", "laplace")
    assert ended.code == 0 and not ended.err


def test_an_evaluation_knows_its_encoder(run, encoded, tmp_path):
    ended = run(evaluate_completion.main, *FACES, "--methods", "latent", "--checkpoint", encoded, "--jobs", 1,
                "--out_dir", tmp_path / "out")
    assert ended.code == 0, ended.err
    settings = json.loads((tmp_path / "out" / "config.json").read_text())
    assert settings["encoder"] and settings["recipe"]["space"] == "activations"
    ended = run(evaluate_completion.main, *FACES, "--methods", "latent", "--checkpoint", encoded, "--recipe", "pool",
                "--out_dir", tmp_path / "out")
    assert ended.code == BAD_OUTPUT and "other settings (another --recipe)" in ended.err


def test_from_any_folder_the_shipped_encoder_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    *_, (settings,), _, _ = face_completion.parse(["face.png"])
    assert settings.search.recipe.space == "activations" and Path(settings.search.encoder).is_dir()


@pytest.mark.parametrize(("words", "by_depth"), [
    ([], True), (["--num_iter", "12"], False), (["--completions", "4"], True), (["--starts", "2"], False),
    (["--recipe", "seed"], False), (["--hold", "10"], True)])
def test_the_hole_decides_the_updates_of_one_start_unless_their_number_is_given(words, by_depth):
    *_, (settings,), _, _ = face_completion.parse(["face.png", *words])
    assert settings.search.recipe.by_depth == by_depth


@pytest.mark.parametrize("words, detail", [
    ([], 0.25), (["--paste_back"], 0.7), (["--paste_back", "--recipe", "best"], 0.7),
    (["--paste_back", "--detail", "0"], 0), (["--paste_back", "--recipe", "pool"], 1)])
def test_whole_photos_get_more_detail_unless_it_is_chosen(words, detail):
    *_, settings, _, _ = face_completion.parse(["face.png", *words])
    assert {each.search.recipe.detail for each in settings} == {detail}
