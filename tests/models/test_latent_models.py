"""Autoencoder and VAE: their densities against closed forms, their completion, and their training from end to end."""
import math

import numpy as np
import pytest
from scipy import stats

import face_completion
from completion.masks import MASKS, center
from completion.recipes import Recipe
from helpers import to_float, write_picture
from methods.learned import load_filler
from methods.method_settings import MethodSettings
from models import model_type, train
from models.autoencoders import VAE, Architecture, Autoencoder, divergence
from network import tf
from nn.choices import Schedule
from pictures.photo import read_photo
from training.checkpoint import export, load_model

SMALL = Architecture(z_dim=8, gf_dim=2, df_dim=2)


def smooth_faces(count):
    coarse = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(16, axis=1).repeat(16, axis=2)


@pytest.fixture(scope="module")
def vae():
    """One whose batch norm has seen faces and whose decoder tells latents apart."""
    vae = VAE(SMALL)
    for _ in range(20):
        vae.coder.decoder(vae.coder.encode(tf.constant(to_float(smooth_faces(4))), training=True)[:, :8], training=True)
    vae.coder.decoder.dense.assign(10 * vae.coder.decoder.dense)
    return vae


def test_the_divergence_is_that_of_two_normal_densities():
    mean, log_variance = np.array([[0.5, -1.0], [0, 0]], np.float32), np.array([[0.2, -0.7], [0, 0]], np.float32)
    x = np.linspace(-12, 12, 20001)
    expected = 0
    for m, v in zip(mean[0], np.exp(log_variance[0])):
        p, q = stats.norm(m, math.sqrt(v)), stats.norm()
        expected += np.trapezoid(p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), x)
    np.testing.assert_allclose(divergence(mean, log_variance), [expected, 0], atol=1e-5)


def test_the_negative_log_likelihood_is_that_of_all_pixels(vae):
    faces, decoded = to_float(smooth_faces(3)), np.full((3, 64, 64, 3), 0.1, np.float32)
    vae.coder.log_variance.assign(math.log(0.3 ** 2))
    expected = -stats.norm(decoded, 0.3).logpdf(faces).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(vae.coder.negative_log_likelihood(faces, decoded), expected, rtol=1e-4)


def test_uniform_z_become_latents_of_their_own_density_and_the_prior_is_its_logarithm():
    model = Autoencoder(SMALL)
    mean, deviation = np.linspace(-1, 1, 8), np.linspace(0.5, 2, 8)
    model.coder.mean.assign(mean)
    model.coder.deviation.assign(deviation)
    z = np.random.default_rng(0).uniform(-1, 1, (200, 8)).astype(np.float32)
    z[0], z[1] = -1, 1
    latents = model.normal_latents(z).numpy()
    assert np.isfinite(latents).all()
    np.testing.assert_allclose(latents[2:], stats.norm(mean, deviation).ppf((z[2:] + 1) / 2), atol=0.01)
    density = stats.norm(mean, deviation).logpdf(latents).sum(axis=1)
    np.testing.assert_allclose(model.prior_loss(z), -density, rtol=1e-3, atol=1e-3)


def test_the_autoencoder_follows_the_statistics_of_its_latents():
    model = Autoencoder(SMALL)
    model.prepare_training(Schedule(steps=1))
    model.coder.bias.assign(tf.fill(8, 3.0))
    for step in range(2):
        model.train_step(tf.constant(to_float(smooth_faces(4))), tf.constant(step, tf.int64))
    assert (model.coder.mean.numpy() > 0.03).all() and (model.coder.deviation.numpy() < 1).all()


@pytest.mark.parametrize("kind", ["autoencoder", "vae"])
def test_training_learns_to_give_faces_back(kind):
    model = model_type(kind)(SMALL)
    model.prepare_training(Schedule(steps=40, learning_rate=0.02))
    step = tf.function(model.train_step)
    found = [step(to_float(smooth_faces(4)), tf.constant(number, tf.int64)) for number in range(40)]
    assert found[-1]["squared_error"] < 0.6 * found[0]["squared_error"] and found[-1]["loss"] < found[0]["loss"]
    if kind == "vae":
        assert float(found[3]["evidence_lower_bound"]) == -float(found[3]["loss"]) and found[3]["divergence"] > 0


def test_a_prior_draws_the_search_to_likelier_latents(vae):
    faces, known = to_float(smooth_faces(2)), np.repeat(center(64)[None], 2, axis=0)
    losses = [vae.make_search(Recipe(num_iter=20, learning_rate=0.05, lam=lam))(faces, known, [0, 1])
              for lam in (0, 100)]
    assert (losses[1].prior < losses[0].prior).all()
    assert (losses[0].context < losses[1].context).all()


def test_iterated_encoding_fills_each_face_alone_and_sees_nothing_under_the_hole(vae):
    faces = to_float(smooth_faces(3))
    known = np.stack([MASKS[name](64, np.random.default_rng(0)) for name in ("center", "left", "random")])
    together = vae.fill_by_encoding(faces, known, range(3), rounds=3)
    np.testing.assert_array_equal(together[known], faces[known])
    alone = vae.fill_by_encoding(np.where(known[..., None], faces, 1)[1:2].astype(np.float32), known[1:2], rounds=3)
    np.testing.assert_array_equal(alone[0][~known[1]], together[1][~known[1]])
    assert (vae.fill_by_encoding(faces, known, rounds=1) != together).any()


def test_the_latent_search_of_the_command_goes_through_a_vae(vae, openface, tmp_path, run):
    export(vae, tmp_path / "vae", {})
    search = ["--num_iter", 2, "--starts", 1, "--pool", 0, "--checkpoint", tmp_path / "vae"]
    ended = run(face_completion.main, openface / "A000369.png", "--out_dir", tmp_path / "out", "--model", "vae",
                *search)
    assert not ended.code, ended.err
    assert read_photo(tmp_path / "out" / "A000369" / "completed.png").pixels.shape == (64, 64, 3)
    ended = run(face_completion.main, openface / "A000369.png", "--out_dir", tmp_path / "other", *search)
    assert ended.code == 4 and "its kind is vae" in ended.err


def test_the_seed_decides_the_pool_of_a_method_that_searches(vae, tmp_path):
    export(vae, tmp_path / "vae", {})
    faces, known = to_float(smooth_faces(1)), center(64)[None]
    first, again, other = (load_filler(MethodSettings("vae", tmp_path / "vae", seed=seed))[0](faces, known, [0])
                           for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_vae_that_a_command_has_trained_fills_faces(tmp_path, run):
    for index, face in enumerate(smooth_faces(9)):
        write_picture(tmp_path / "faces" / f"{index}.png", face)
    faces, best = tmp_path / "faces", tmp_path / "saves/vae/best"
    assert not run(train.main, "vae", "--dataset", faces, "--validation", faces, "--checkpoint_dir", tmp_path / "saves",
                   "--log_dir", tmp_path / "logs", "--batch_size", 4, "--epoch", 1, "--gf_dim", 2, "--df_dim", 2,
                   "--z_dim", 8).code
    model, manifest = load_model(best, VAE)
    assert manifest["kind"] == "vae" and np.isfinite(manifest["scores"]["validation_error"])
    faces, known = to_float(smooth_faces(2)), np.repeat(center(64)[None], 2, axis=0)
    filled = load_filler(MethodSettings("vae_encoding", best))[0](faces, known, [0, 1])
    np.testing.assert_array_equal(filled, model.fill_by_encoding(faces, known))
