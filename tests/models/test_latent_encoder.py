"""The latent encoder: what its numbers mean, what its training leaves alone, and its training from end to end."""
import dataclasses

import numpy as np
import pytest

from completion.masks import center
from helpers import BAD_CHECKPOINT, UsageError, to_float, to_uint8, write_picture
from models import latent_encoder, train
from models.latent_encoder import Architecture, LatentEncoder, Training
from models.posterior_mean import Architecture as Likely
from models.posterior_mean import PosteriorMean
from network import DCGAN, tf
from network import Architecture as Sizes
from tests.models.filling import check_that_faces_are_filled_alone
from training.checkpoint import export, load_model, take_weights

SIZES = Architecture(z_dim=8, gf_dim=2, ef_dim=2)
CORRECTING = Architecture(z_dim=8, gf_dim=2, ef_dim=2, corrections=2)


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    """The folder of a DCGAN whose faces have colours."""
    folder, dcgan = tmp_path_factory.mktemp("models") / "dcgan", DCGAN(Sizes(z_dim=8, gf_dim=2, df_dim=2), seed=3)
    for kernel in dcgan.generator.kernels:
        kernel.assign(10 * kernel)
    export(dcgan, folder, {})
    return folder


@pytest.fixture(scope="module")
def faces(generator):
    """Faces that the generator can make."""
    dcgan, _ = load_model(generator)
    return to_uint8(dcgan.generate(dcgan.latents(8, 5)))


@pytest.fixture(scope="module")
def model(generator, faces):
    """One that has learned a little."""
    model = LatentEncoder(SIZES)
    model.prepare_training(Training(generator=str(generator), steps=20, average=0.5, learning_rate=0.01))
    update, batch = tf.function(model.train_step), tf.constant(to_float(faces))
    model.losses = [update(batch, tf.constant(step, tf.int64)) for step in range(20)]
    return model


def test_activations_are_counted_in_deviations_from_the_generators_mean(generator, model):
    dcgan, _ = load_model(generator)
    z = dcgan.latents(500, 9)
    seen = (dcgan.generator.first(z) - model.mean) / tf.maximum(model.deviation, 1e-9)
    np.testing.assert_allclose([np.mean(seen), np.std(seen)], [0, 1], atol=0.05)
    np.testing.assert_allclose(model.decode(tf.reshape(seen, (500, -1))), dcgan.generate(z), atol=1e-5)


@pytest.mark.parametrize("patches", [False, True])
def test_it_learns_nearly_the_same_in_bfloat16(generator, likely, faces, patches):
    losses = []
    for precision in ("float32", "bfloat16"):
        model = LatentEncoder(dataclasses.replace(CORRECTING, from_likely=patches))
        model.prepare_training(Training(generator=str(generator), steps=20, features=0.1, adversarial=0.1,
                                        patches=patches, likely=str(likely) if patches else None, precision=precision))
        losses.append(model.losses(tf.constant(to_float(faces)), tf.constant(0, tf.int64))[1])
    assert losses[0].keys() == losses[1].keys() and losses[1]["hole_loss"].dtype == tf.float32
    assert float(losses[0]["hole_loss"]) != float(losses[1]["hole_loss"])
    for name in losses[0]:
        assert float(losses[1][name]) == pytest.approx(float(losses[0][name]), rel=0.05, abs=0.01), name


def test_training_lowers_the_losses_and_leaves_the_generator_alone(generator, model, faces):
    first, last = model.losses[0], model.losses[-1]
    assert last["hole_loss"] < 0.9 * first["hole_loss"] and last["known_loss"] < 0.9 * first["known_loss"]
    for mine, its in zip(model.generator.variables, load_model(generator)[0].generator.variables):
        np.testing.assert_array_equal(mine, its)


def test_a_face_is_seen_alike_alone_and_in_company_and_nothing_under_the_hole_is_seen(model, faces):
    check_that_faces_are_filled_alone(model, to_float(faces[:5]))


@pytest.mark.slow
@pytest.mark.fault("F36", "learned")
def test_the_command_trains_resumes_exactly_and_ships_what_completes_alike(tmp_path, run, generator, likely, faces):
    for index, face in enumerate(faces):
        write_picture(tmp_path / "faces" / f"{index}.png", face)
    common = ["latent_encoder", "--generator", generator, "--dataset", tmp_path / "faces", "--ef_dim", "2",
              "--batch_size", "4", "--save_every", "2", "--report_every", "1", "--masks", "center", "O1",
              "--corrections", "2", "--features", "0.1", "--adversarial", "0.1", "--patches", "--likely", likely]

    def trained(name, *more):
        ended = run(train.main, *common, "--checkpoint_dir", tmp_path / name, "--log_dir", tmp_path / f"{name}_logs",
                    *more)
        assert ended.code in (0, None), ended.err
        return load_model(tmp_path / name / "latent_encoder", LatentEncoder)[0]
    whole = trained("whole", "--epoch", "2", "--export", tmp_path / "shipped")
    trained("cut", "--epoch", "2")
    (tmp_path / "cut" / "latent_encoder" / "step-00000004" / "manifest.json").unlink()
    resumed = trained("cut", "--epoch", "2")
    for one, other in zip(whole.encoder.variables, resumed.encoder.variables):
        np.testing.assert_array_equal(one, other)
    assert any(np.any(correction.last) for correction in whole.encoder.corrections)
    shipped, manifest = load_model(tmp_path / "shipped", LatentEncoder)
    for model in (shipped, whole):
        model.use_likely(load_model(likely, PosteriorMean)[0], likely)
    known = np.repeat(center(64)[None], 2, axis=0)
    np.testing.assert_array_equal(shipped.fill_batch(to_float(faces[:2]), known, [0, 1]),
                                  whole.fill_batch(to_float(faces[:2]), known, [0, 1]))
    assert manifest["architecture"] == {"image_size": 64, "z_dim": 8, "gf_dim": 2, "grown": 0, "ef_dim": 2,
                                        "corrections": 2, "from_likely": True}
    export(DCGAN(Sizes(z_dim=8, gf_dim=2, df_dim=2), seed=4), tmp_path / "other", {})
    ended = run(train.main, *common, "--checkpoint_dir", tmp_path / "cut", "--log_dir", tmp_path / "cut_logs",
                "--generator", tmp_path / "other")
    assert ended.code == BAD_CHECKPOINT and "other networks" in ended.err


def test_the_distance_of_features_draws_the_faces_to_what_the_discriminator_sees(generator, faces):
    def seen(weight):
        model = LatentEncoder(SIZES)
        model.prepare_training(Training(generator=str(generator), steps=20, learning_rate=0.01, features=weight))
        update, batch = tf.function(model.train_step), tf.constant(to_float(faces))
        for step in range(20):
            found = update(batch, tf.constant(step, tf.int64))
        known = np.repeat(center(64)[None], len(faces), axis=0)
        completed = np.where(known[..., None], batch, model.decode(model.encode(batch, known)))
        return float(model._features_loss(completed, batch)), found
    (without, plain), (drawn, found) = seen(0.0), seen(1.0)
    assert drawn < without and "features_loss" in found and "features_loss" not in plain


@pytest.fixture(scope="module")
def correcting(generator, faces):
    """One that corrects the generator's activations too."""
    model = LatentEncoder(CORRECTING)
    model.prepare_training(Training(generator=str(generator), steps=20, learning_rate=0.01))
    update, batch = tf.function(model.train_step), tf.constant(to_float(faces))
    for step in range(20):
        update(batch, tf.constant(step, tf.int64))
    return model


def test_corrections_of_nothing_change_nothing_and_others_are_counted_in_deviations(generator, correcting):
    dcgan, _ = load_model(generator)
    seen = tf.reshape((dcgan.generator.first(dcgan.latents(4, 9)) - correcting.mean) / correcting.deviation, (4, -1))
    corrections = np.zeros((4, 8 * 8 * 8 + 16 * 16 * 4), np.float32)
    np.testing.assert_allclose(correcting.decode(tf.concat((seen, corrections), axis=1)),
                               dcgan.generate(dcgan.latents(4, 9)), atol=1e-5)
    corrections[:, 0] = 0.5                             # the first value of the first channel
    dcgan.generator.norms[1].scale.assign(2 * dcgan.generator.norms[1].scale)
    x = dcgan.generator.double(correcting.mean + tf.reshape(seen, (4, 4, 4, 16)) * correcting.deviation, 0)
    moved = x + dcgan.generator.norms[1].scale / 2 * tf.one_hot(0, 8) * tf.reshape(tf.one_hot(0, 64), (1, 8, 8, 1))
    correcting.generator.norms[1].scale.assign(dcgan.generator.norms[1].scale)
    np.testing.assert_allclose(correcting.decode(tf.concat((seen, corrections), axis=1)),
                               dcgan.generator.rest(moved, done=1), atol=1e-5)
    correcting.generator.norms[1].scale.assign(dcgan.generator.norms[1].scale / 2)


def test_what_is_encoded_decodes_to_what_was_trained(correcting, faces):
    truth, known = to_float(faces), np.repeat(center(64)[None], len(faces), axis=0)
    _, activations = correcting._see(correcting.encoder, truth, known)
    np.testing.assert_allclose(correcting.decode(correcting.encode(truth, known)),
                               correcting.generator.rest(activations, done=2), atol=1e-5)


def test_a_larger_one_begins_with_the_weights_of_a_smaller_one(tmp_path, model, faces):
    export(model, tmp_path / "smaller", {})
    larger = LatentEncoder(CORRECTING, seed=5)
    take_weights(larger, tmp_path / "smaller")
    truth, known = to_float(faces), np.repeat(center(64)[None], len(faces), axis=0)
    seen = larger.encode(truth, known)
    np.testing.assert_array_equal(seen[:, :256], model.encode(truth, known))
    assert not np.any(seen[:, 256:])


def test_no_more_layers_are_corrected_than_there_are():
    with pytest.raises(UsageError, match="has 3 hidden layers to correct, got 4"):
        Architecture(corrections=4)


def test_the_adversarial_losses_are_what_their_formulas_say_and_move_both_sides(generator, faces, monkeypatch):
    def prepared(weight):
        model = LatentEncoder(SIZES)
        model.prepare_training(Training(generator=str(generator), steps=30, learning_rate=0.01, adversarial=weight))
        return model
    monkeypatch.setattr(latent_encoder, "NOISE", 0.0)
    batch, known = tf.constant(to_float(faces)), tf.constant(np.repeat(center(64)[None], len(faces), axis=0))
    plain, model = prepared(0.0), prepared(1.0)
    found, _ = model._losses(batch, known, 0), plain.train_step(batch, tf.constant(0, tf.int64))
    _, activations = model._see(model.encoder, tf.where(known[..., None], batch, 0), known, training=True)
    completed = tf.where(known[..., None], batch, model.generator.rest(activations))
    real, fake = (model.adversary(seen, training=True) for seen in (batch, completed))
    np.testing.assert_allclose(found["adversarial_loss"], np.mean(np.log1p(np.exp(-fake))), rtol=1e-5)
    np.testing.assert_allclose(found["d_loss"], np.mean(0.9 * np.log1p(np.exp(-real)) + 0.1 * np.log1p(np.exp(real))
                                                        + np.log1p(np.exp(fake))), rtol=1e-5)
    model.train_step(batch, tf.constant(0, tf.int64))
    assert np.any(model.adversary.dense != model.discriminator.dense)
    assert np.any(model.encoder.dense != plain.encoder.dense) and "adversary" not in plain.parts


@pytest.fixture(scope="module")
def likely(tmp_path_factory):
    """The folder of a network that says what is likely."""
    folder = tmp_path_factory.mktemp("likely") / "posterior_mean"
    export(PosteriorMean(Likely(mf_dim=2)), folder, {})
    return folder


@pytest.fixture(scope="module")
def beginning(generator, likely):
    """A model whose holes a network fills, ready to be trained against a discriminator of patches."""
    model = LatentEncoder(dataclasses.replace(CORRECTING, from_likely=True))
    model.prepare_training(Training(generator=str(generator), likely=str(likely), steps=30, learning_rate=0.01,
                                    adversarial=1.0, patches=True))
    return model


def test_an_encoder_may_begin_with_what_is_likely_in_the_hole(beginning, faces):
    completed = check_that_faces_are_filled_alone(beginning, to_float(faces[:5]))
    truth, known = to_float(faces[:1]), center(64)[None]
    seen = np.where(known[..., None], truth, beginning.likely.guess(np.where(known[..., None], truth, 0), known))
    expected = beginning.blend(truth, beginning.decode(beginning.encode(seen.astype(np.float32), known)).numpy(), known)
    np.testing.assert_allclose(completed[0], expected[0], atol=1e-5)
    other = beginning.encode(truth, known)              # the truth in the hole
    assert np.abs(other - beginning.encode(seen.astype(np.float32), known)).max() > 1e-3


def test_what_fills_the_hole_stays_as_it_is_and_both_sides_of_the_adversary_learn(beginning, faces):
    def weights(network):
        return [value.numpy() for value in network.variables]
    networks = beginning.likely.network, beginning.encoder, beginning.adversary
    before = [weights(network) for network in networks]
    figures = tf.function(beginning.train_step)(tf.constant(to_float(faces)), tf.constant(0, tf.int64))
    changed = [any(np.any(old != new) for old, new in zip(olds, weights(network)))
               for olds, network in zip(before, networks)]
    assert changed == [False, True, True] and {"d_loss", "adversarial_loss"} <= figures.keys()
    assert set(beginning.shipped) == {"encoder", "generator", "mean", "deviation"}


@pytest.mark.parametrize("side, problem", [(None, "is none"), (128, "is one for faces of 128 pixels")])
def test_an_encoder_without_what_fills_its_holes_is_refused(side, problem):
    model = LatentEncoder(dataclasses.replace(CORRECTING, from_likely=True))
    with pytest.raises(UsageError, match=f"should be in there, where there {problem}") as refused:
        model.use_likely(side and PosteriorMean(Likely(image_size=side, mf_dim=2)), "there")
    assert refused.value.exit_code == BAD_CHECKPOINT
    LatentEncoder(CORRECTING).use_likely(None, "there")     # whose holes are empty


def test_a_generator_that_is_not_there_is_named(tmp_path, run):
    ended = run(train.main, "latent_encoder", "--dataset", tmp_path, "--generator", tmp_path / "none")
    assert ended.code == BAD_CHECKPOINT and len(ended.err.splitlines()) == 1 and "none" in ended.err


def test_a_grown_encoder_sees_what_the_smaller_one_would_at_every_layer_but_its_own(generator, tmp_path):
    small = LatentEncoder(CORRECTING)
    small.prepare_training(Training(generator=str(generator)))
    for number, norm in enumerate(small.encoder.norms):
        norm.offset.assign(tf.fill(norm.offset.shape, number + 1.0))
    export(small, tmp_path / "small", {})
    grown = LatentEncoder(dataclasses.replace(CORRECTING, image_size=128, grown=1), seed=5)
    take_weights(grown, tmp_path / "small")
    for new, old in zip(grown.encoder.kernels[2:], small.encoder.kernels[1:]):
        np.testing.assert_array_equal(new, old)
    assert [float(norm.offset[0]) for norm in grown.encoder.norms] == [1, 0, 2, 3, 4]
    for new, old in zip(grown.encoder.corrections, small.encoder.corrections):
        np.testing.assert_array_equal(new.kernel, old.kernel)
    known = np.stack([center(128, None)] * 2)
    assert grown.fill_batch(np.zeros((2, 128, 128, 3), np.float32), known, range(2)).shape == (2, 128, 128, 3)


@pytest.mark.parametrize("corrections", [1, 3])
def test_an_encoder_grows_with_more_or_fewer_corrections_too(generator, tmp_path, corrections):
    small = LatentEncoder(CORRECTING)
    small.prepare_training(Training(generator=str(generator)))
    small.encoder.dense_norm.offset.assign(tf.fill(small.encoder.dense_norm.offset.shape, 7.0))
    export(small, tmp_path / "small", {})
    grown = LatentEncoder(dataclasses.replace(CORRECTING, image_size=128, grown=1, corrections=corrections), seed=5)
    take_weights(grown, tmp_path / "small")
    np.testing.assert_array_equal(grown.encoder.dense_norm.offset, small.encoder.dense_norm.offset)
    np.testing.assert_array_equal(grown.encoder.corrections[0].kernel, small.encoder.corrections[0].kernel)


def test_patches_without_an_adversary_are_refused(tmp_path, run):
    ended = run(train.main, "latent_encoder", "--dataset", tmp_path, "--patches")
    assert ended.code == 2 and "add --adversarial" in ended.err and len(ended.err.splitlines()) == 1
