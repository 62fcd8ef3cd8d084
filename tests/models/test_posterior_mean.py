"""The posterior mean: its losses, what its network sees, and its training from end to end."""
import numpy as np
import pytest

from completion.masks import MASKS, center
from helpers import UsageError, to_float, write_picture
from models import train
from models.posterior_mean import Architecture, PosteriorMean, Training, dissimilarity, log_error
from models.refinement import Refinement
from models.residual_unet import ResidualUNet
from network import tf
from pictures.photo import read_photo
from tests.models.filling import check_that_faces_are_filled_alone
from training.checkpoint import export, load_model, take_weights

TINY = Architecture(mf_dim=4)


@pytest.fixture(scope="module")
def faces(openface):
    return to_float(np.stack([read_photo(path).pixels for path in sorted(openface.glob("*.png"))[:5]]))


@pytest.fixture(scope="module")
def model(faces):
    """One whose batch norm has seen faces, and whose residual blocks do something."""
    model = PosteriorMean(TINY)
    model.prepare_training(Training(steps=20, average=0.5, learning_rate=0.01))
    update = tf.function(model.train_step)
    model.figures = [update(faces, tf.constant(step, tf.int64)) for step in range(20)]
    return model


def test_an_error_of_a_tenth_in_the_hole_alone_costs_its_logarithm(faces):
    hole = tf.cast(~center(64)[None], tf.float32)
    wrong = faces[:1] + 0.1 * hole[..., None] + 0.5 * (1 - hole[..., None])
    assert float(log_error(wrong, faces[:1], hole)) == pytest.approx(np.log(0.01 + 1e-4), abs=1e-4)


def test_what_is_alike_has_no_dissimilarity_and_a_flat_hole_has_much(faces):
    hole = tf.cast(~center(64)[None], tf.float32)
    assert float(dissimilarity(faces[:1], faces[:1], hole)) == pytest.approx(0, abs=1e-5)
    flat = tf.where(hole[..., None] > 0, faces[:1].mean(), faces[:1])
    assert 0.4 < float(dissimilarity(flat, faces[:1], hole)) < 1


def test_it_learns(model):
    first, last = model.figures[0], model.figures[-1]
    assert last["psnr"] > first["psnr"] + 2 and last["dissimilarity"] < first["dissimilarity"]


def test_a_face_is_filled_alike_alone_and_in_company_and_nothing_under_the_hole_is_seen(model, faces):
    check_that_faces_are_filled_alone(model, faces)


def test_the_mirror_image_is_completed_alike(model, faces):
    known = np.stack([MASKS["left"](64, np.random.default_rng(1))] * 5)
    mirrored = model.fill_batch(faces[:, :, ::-1], known[:, :, ::-1], range(5))
    np.testing.assert_allclose(mirrored[:, :, ::-1], model.fill_batch(faces, known, range(5)), atol=1e-5)


def test_every_pixel_of_the_other_side_is_seen_at_its_mirrored_place():
    network = ResidualUNet(64, 4, 0)
    known = np.ones((1, 64, 64), bool)
    dark, light = (np.full((1, 64, 64, 3), value, np.float32) for value in (0, 0))
    light[0, 20, 3] = 1
    change = np.abs(network(light, known).numpy() - network(dark, known).numpy()).sum(axis=(0, 3))
    assert change[20, 60] > 0 and change[20, 60] > 10 * change[50, 32]


def test_the_command_trains_it_and_ships_what_completes_alike(faces, tmp_path, run):
    for index, face in enumerate(faces):
        write_picture(tmp_path / "faces" / f"{index}.png", np.uint8(127.5 * face + 127.5))
    assert not run(train.main, "posterior_mean", "--dataset", tmp_path / "faces", "--epoch", 2, "--batch_size", 4,
                   "--mf_dim", 4, "--checkpoint_dir", tmp_path / "saves", "--log_dir", tmp_path / "logs",
                   "--export", tmp_path / "model").code
    shipped, manifest = load_model(tmp_path / "model", PosteriorMean)
    assert manifest["architecture"] == {"image_size": 64, "mf_dim": 4, "blocks": 1, "grown": 0}
    own, _ = load_model(tmp_path / "saves" / "posterior_mean", PosteriorMean)
    known = np.repeat(center(64)[None], 5, axis=0)
    np.testing.assert_array_equal(shipped.fill_batch(faces, known, range(5)), own.fill_batch(faces, known, range(5)))


def test_a_grown_network_begins_with_what_the_smaller_one_answers_and_leaves_that_as_it_is(model, faces, tmp_path):
    export(model, tmp_path / "small", {})
    grown = PosteriorMean(Architecture(image_size=128, mf_dim=4, grown=1), seed=5)
    take_weights(grown, tmp_path / "small")
    large = faces.repeat(2, axis=1).repeat(2, axis=2)
    known = np.repeat(center(128)[None], 5, axis=0)
    coarse = model.average(faces * known[:, ::2, ::2, None], known[:, ::2, ::2])
    np.testing.assert_allclose(grown.network(large, known), tf.image.resize(coarse, (128, 128)), atol=1e-5)

    before = [variable.numpy() for variable in grown.network.coarse.variables]
    grown.prepare_training(Training(steps=6, learning_rate=0.01))
    update = tf.function(grown.train_step)
    figures = [update(large, tf.constant(step, tf.int64)) for step in range(6)]
    assert figures[-1]["psnr"] > figures[0]["psnr"]
    for variable, value in zip(grown.network.coarse.variables, before):
        np.testing.assert_array_equal(variable, value)


def test_the_coarse_network_sees_the_mean_of_what_is_known_of_every_four_pixels():
    def coarse(faces, known):
        return tf.where(known[..., None], faces, -1)
    network = Refinement(coarse, 4, 0)
    faces, known = np.zeros((1, 64, 64, 3), np.float32), np.ones((1, 64, 64), bool)
    faces[0, :2, :2, 0] = [[1, 0.5], [9, 9]]
    known[0, 1], known[0, :, 32:] = False, False
    answer = network._guess(faces * known[..., None], known[..., None].astype(np.float32))
    assert float(answer[0, 0, 0, 0]) == 0.75 and float(answer[0, 9, 40, 0]) == -1


def test_a_face_that_cannot_be_halved_is_refused():
    with pytest.raises(UsageError, match="--grown"):
        Architecture(image_size=64, grown=4)


def test_in_bfloat16_it_answers_nearly_the_same_in_float32(faces, model):
    known, answers = tf.constant(np.stack([center(64)] * len(faces))), []
    for precision in ("bfloat16", "float32"):
        model.compute_in(precision)
        answers.append(model.guess(tf.where(known[..., None], faces, 0), known))
    assert answers[0].dtype == tf.float32 and 0 < np.abs(np.subtract(*answers)).mean() < 0.01
