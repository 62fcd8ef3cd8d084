"""The networks against numpy, and the update that trains them against its closed forms."""
import hashlib

import numpy as np
import pytest

from helpers import USAGE, UsageError
from network import DCGAN, Architecture, Training, initial_weights, tf
from tests.nn.test_layers import normalized_by_numpy

SMALL = Architecture(z_dim=8, gf_dim=2, df_dim=2)


def values(*networks):
    return [variable.numpy() for network in networks for variable in network.variables]


def equal(first, second):
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second))


def faces_for(architecture, count=8):
    side = architecture.image_size
    return tf.random.stateless_uniform((count, side, side, 3), (5, 5), -1, 1)


def step_at(number):
    return tf.constant(number, tf.int64)


def prepared(seed=0, **training):
    dcgan = DCGAN(SMALL, seed)
    dcgan.prepare_training(Training(**training))
    return dcgan


def trained(seed, **training):
    """A DCGAN after two steps, and what these returned."""
    dcgan = prepared(seed, **training)
    losses = [dcgan.train_step(faces_for(SMALL), step_at(step)) for step in range(2)]
    return dcgan, [{name: float(loss) for name, loss in step.items()} for step in losses]


def lively(architecture, seed=0):
    """A DCGAN whose batch-norm statistics and biases are not the trivial ones it begins with."""
    dcgan = DCGAN(architecture, seed)
    rng = np.random.default_rng(seed)
    for network in (dcgan.generator, dcgan.discriminator):
        for norm in network.norms:
            for variable, least, most in ((norm.scale, 0.5, 2), (norm.offset, -1, 1),
                                          (norm.mean, -0.1, 0.1), (norm.variance, 0.01, 0.2)):
                variable.assign(rng.uniform(least, most, variable.shape))
        network.bias.assign(rng.uniform(-0.5, 0.5, network.bias.shape))
    return dcgan


def conv_by_numpy(x, kernel):
    """A 5x5 convolution of stride 2, SAME: (B, 2n, 2n, in) -> (B, n, n, out)."""
    side = x.shape[1]
    x = np.pad(x, ((0, 0), (1, 2), (1, 2), (0, 0)))
    return sum(x[:, row:row + side:2, column:column + side:2] @ kernel[row, column]
               for row in range(5) for column in range(5))


def transposed_by_numpy(x, kernel):
    """The transpose of conv_by_numpy: (B, n, n, in) -> (B, 2n, 2n, out), kernel (5, 5, out, in)."""
    side = 2 * x.shape[1]
    result = np.zeros((len(x), side + 3, side + 3, kernel.shape[2]))
    for row in range(5):
        for column in range(5):
            result[:, row:row + side:2, column:column + side:2] += x @ kernel[row, column].T
    return result[:, 1:-2, 1:-2]


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


@pytest.mark.parametrize("size, widths", [(64, [128, 64, 32, 16]), (128, [256, 128, 64, 32, 16])])
def test_the_generator_halves_its_filters_from_4x4_on_down_to_three_colours(size, widths):
    generator = DCGAN(Architecture(size)).generator
    assert generator.dense.shape == (100, 4 * 4 * widths[0])
    assert [tuple(kernel.shape) for kernel in generator.kernels] == [
        (5, 5, out, into) for into, out in zip(widths, widths[1:] + [3])]
    assert [norm.scale.shape[0] for norm in generator.norms] == widths
    z = tf.zeros((2, 100))
    assert generator.first(z).shape == (2, 4, 4, widths[0])
    assert generator(z).shape == (2, size, size, 3)


@pytest.mark.parametrize("size, widths", [(64, [16, 32, 64, 128]), (128, [16, 32, 64, 128, 256])])
def test_the_discriminator_doubles_its_filters_and_ends_in_64_and_1(size, widths):
    discriminator = DCGAN(Architecture(size)).discriminator
    assert [tuple(kernel.shape) for kernel in discriminator.kernels] == [
        (5, 5, into, out) for into, out in zip([3] + widths, widths)]
    assert [norm.scale.shape[0] for norm in discriminator.norms] == widths[1:]
    assert discriminator.dense.shape == (4 * 4 * widths[-1], 64)
    assert discriminator.last.shape == (64, 1)
    assert discriminator(tf.zeros((2, size, size, 3))).shape == (2,)


def test_no_other_size_of_face_is_accepted():
    with pytest.raises(UsageError, match="96") as caught:
        Architecture(96)
    assert caught.value.exit_code == USAGE


@pytest.mark.parametrize("size", [64, 128])
def test_the_generator_computes_what_numpy_computes_layer_by_layer(size):
    architecture = Architecture(size, gf_dim=2)
    dcgan = lively(architecture)
    z = dcgan.latents(2)
    generator = dcgan.generator
    x = (z.numpy().astype(float) @ generator.dense.numpy()).reshape(2, 4, 4, -1)
    for norm, kernel in zip(generator.norms, generator.kernels):
        x = transposed_by_numpy(np.maximum(normalized_by_numpy(x, norm), 0), kernel.numpy())
    np.testing.assert_allclose(dcgan.generate(z), np.tanh(x + generator.bias.numpy()), atol=2e-5)


@pytest.mark.parametrize("size", [64, 128])
def test_the_discriminator_computes_what_numpy_computes_layer_by_layer(size):
    architecture = Architecture(size, df_dim=2)
    dcgan = lively(architecture)
    faces = faces_for(architecture, 2)
    net = dcgan.discriminator
    x = conv_by_numpy(faces.numpy().astype(float), net.kernels[0].numpy()) + net.bias.numpy()
    for norm, kernel in zip(net.norms, net.kernels[1:]):
        x = normalized_by_numpy(conv_by_numpy(leaky(x), kernel.numpy()), norm)
    x = leaky(leaky(x).reshape(2, -1) @ net.dense.numpy() + net.dense_bias.numpy())
    expected = (x @ net.last.numpy() + net.last_bias.numpy())[:, 0]
    np.testing.assert_allclose(dcgan.realism(faces), expected, rtol=1e-4, atol=1e-5)


def test_weights_begin_with_a_deviation_of_two_hundredths():
    dcgan = DCGAN()
    for weights in (dcgan.generator.dense, dcgan.discriminator.dense, *dcgan.generator.kernels[:-1]):
        assert abs(np.std(weights) / 0.02 - 1) < 0.03
        assert abs(np.mean(weights)) < 0.001


def test_latents_depend_on_the_seed_and_the_salt_alone_and_fill_minus_one_to_one():
    dcgan = DCGAN(SMALL, seed=3)
    z = dcgan.latents(500, 1, 2).numpy()
    assert z.shape == (500, 8) and z.dtype == np.float32
    assert -1 <= z.min() < -0.99 and 0.99 < z.max() <= 1
    np.testing.assert_array_equal(z, DCGAN(SMALL, seed=3).latents(500, 1, 2))
    for other in (dcgan.latents(500, 1, 3), dcgan.latents(500, 2, 1), DCGAN(SMALL, seed=4).latents(500, 1, 2)):
        assert np.mean(z == other) < 0.01


@pytest.mark.parametrize("batch", [8, 16, 24])
@pytest.mark.parametrize("compute, draw", [(DCGAN.generate, DCGAN.latents),
                                           (DCGAN.realism, lambda dcgan, batch: faces_for(dcgan.architecture, batch))])
def test_no_face_feels_its_batch(compute, draw, batch):
    dcgan = lively(Architecture())
    inputs = draw(dcgan, batch).numpy()
    together = compute(dcgan, tf.constant(inputs)).numpy()
    for place in (0, batch // 2, batch - 1):
        alone = np.zeros((8, *inputs.shape[1:]), np.float32)
        alone[0] = inputs[place]
        np.testing.assert_array_equal(compute(dcgan, tf.constant(alone))[0], together[place])


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, same, other = DCGAN(SMALL, 1), DCGAN(SMALL, 1), DCGAN(SMALL, 2)
    assert equal(values(first.generator, first.discriminator), values(same.generator, same.discriminator))
    for network, rival in ((first.generator, other.generator), (first.discriminator, other.discriminator)):
        for weights, others in zip([network.dense, *network.kernels], [rival.dense, *rival.kernels]):
            assert not np.any(weights.numpy() == others.numpy())


def test_no_two_layers_of_a_network_begin_with_the_same_numbers():
    dcgan = DCGAN(Architecture())
    drawn = [net.numpy().ravel()[:50] for network in (dcgan.generator, dcgan.discriminator)
             for net in (network.dense, *network.kernels)]
    assert len({numbers.tobytes() for numbers in drawn}) == len(drawn)


def test_the_same_seed_trains_to_the_same_bits_and_another_seed_to_others():
    (first, losses), (same, same_losses), (other, other_losses) = (trained(seed, noise=0.1) for seed in (1, 1, 2))
    assert losses == same_losses
    assert losses != other_losses
    weights = values(first.generator, first.discriminator, first.g_optimizer, first.d_optimizer)
    assert equal(weights, values(same.generator, same.discriminator, same.g_optimizer, same.d_optimizer))
    assert not np.array_equal(first.generator.dense, other.generator.dense)


@pytest.mark.parametrize("real_label", [1.0, 0.9])
def test_the_losses_are_the_cross_entropies_of_the_logits_with_a_generator_that_does_not_saturate(real_label):
    faces, twin = faces_for(SMALL), DCGAN(SMALL)
    real = twin.discriminator(faces, training=True).numpy().astype(float)
    fakes = twin.generator(twin.latents(8, 0, 0), training=True)
    fake = twin.discriminator(fakes, training=True).numpy().astype(float)
    p, q = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))
    losses = prepared(real_label=real_label).train_step(faces, step_at(0))
    on_real = -np.mean(real_label * np.log(p) + (1 - real_label) * np.log(1 - p))
    assert float(losses["d_loss"]) == pytest.approx(on_real - np.mean(np.log(1 - q)), rel=1e-4)
    assert float(losses["g_loss"]) == pytest.approx(-np.mean(np.log(q)), rel=1e-4)
    assert float(losses["d_real"]) == pytest.approx(np.mean(p), rel=1e-4)
    assert float(losses["d_fake"]) == pytest.approx(np.mean(q), rel=1e-4)


def test_the_first_update_is_adams_first_step_down_the_gradient_of_each_networks_own_loss():
    faces, twin = faces_for(SMALL), DCGAN(SMALL)
    with tf.GradientTape(persistent=True) as tape:
        fakes = twin.generator(twin.latents(8, 0, 0), training=True)
        real, fake = (twin.discriminator(seen, training=True) for seen in (faces, fakes))
        d_loss = tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))
        g_loss = tf.reduce_mean(tf.nn.softplus(-fake))
    dcgan = prepared(learning_rate=0.01)
    dcgan.train_step(faces, step_at(0))
    for network, old, loss in ((dcgan.generator, twin.generator, g_loss),
                               (dcgan.discriminator, twin.discriminator, d_loss)):
        for new, before, gradient in zip(network.trainable_variables, old.trainable_variables,
                                         tape.gradient(loss, old.trainable_variables)):
            gradient = gradient.numpy()
            expected = before - 0.01 * gradient / (np.abs(gradient) + 1e-7 / np.sqrt(1 - 0.999))
            clear = np.abs(gradient) > 1e-4 * np.abs(gradient).max()
            np.testing.assert_allclose(new.numpy()[clear], expected.numpy()[clear], atol=1e-3)


def test_the_average_follows_the_generator_by_its_formula_and_is_what_generate_samples():
    dcgan = prepared(average=0.15)
    expected = [weights.astype(float) for weights in values(dcgan.generator)]
    for step in range(3):
        dcgan.train_step(faces_for(SMALL), step_at(step))
        keep = min(0.15, (1 + step) / (10 + step))
        expected = [keep * kept + (1 - keep) * new for kept, new in zip(expected, values(dcgan.generator))]
    for kept, wanted in zip(values(dcgan.average), expected):
        np.testing.assert_allclose(kept, wanted, atol=1e-6)
    z = dcgan.latents(8)
    np.testing.assert_array_equal(dcgan.generate(z), dcgan.average(z))
    assert not np.array_equal(dcgan.generate(z), dcgan.generator(z))


def test_the_learning_rate_is_constant_at_first_and_falls_linearly_to_nothing_over_the_decay():
    dcgan = prepared(steps=10, learning_rate=0.001, decay=0.5)
    update, rates = tf.function(dcgan.train_step), []
    for step in range(11):
        update(faces_for(SMALL), step_at(step))
        rates.append([float(dcgan.g_optimizer.learning_rate), float(dcgan.d_optimizer.learning_rate)])
    expected = [0.001 * share for share in (1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0)]
    np.testing.assert_allclose(rates, np.transpose([expected, expected]), atol=1e-9)


def test_two_updates_of_the_generator_are_made_for_one_of_the_discriminator():
    dcgan, once = prepared(g_updates=2), prepared()
    twice_losses, once_losses = (net.train_step(faces_for(SMALL), step_at(0)) for net in (dcgan, once))
    assert int(dcgan.g_optimizer.iterations) == 2
    assert int(dcgan.d_optimizer.iterations) == 1
    assert not np.array_equal(dcgan.generator.dense, once.generator.dense)
    np.testing.assert_array_equal(dcgan.discriminator.dense, once.discriminator.dense)
    assert float(twice_losses["g_loss"]) != float(once_losses["g_loss"])


def test_noise_is_felt_at_first_and_gone_at_the_end_of_the_run():
    for step, felt in ((0, True), (10, False)):
        noisy, clean = (prepared(steps=10, noise=noise).train_step(faces_for(SMALL), step_at(step))
                        for noise in (0.5, 0.0))
        assert (float(noisy["d_loss"]) != float(clean["d_loss"])) == felt


def test_in_bfloat16_the_update_is_nearly_the_same_and_weights_stay_float32():
    exact, (first, second) = trained(0)
    rough, (first_rough, second_rough) = trained(0, precision="bfloat16")
    for name in ("d_loss", "g_loss", "d_real", "d_fake"):
        assert first_rough[name] == pytest.approx(first[name], rel=0.02) and first_rough[name] != first[name]
        assert second_rough[name] == pytest.approx(second[name], rel=0.05)
    for weights, expected in zip(values(rough.generator, rough.discriminator),
                                 values(exact.generator, exact.discriminator)):
        assert weights.dtype == np.float32
        np.testing.assert_allclose(weights, expected, atol=0.002)


@pytest.mark.parametrize("seed, digest", [(0, "40f4a7f3c8e9d2ae"), (7, "c652eb4df5a81cc2"),
                                          (2 ** 29, "ed62a384ce1610c3"), (2 ** 31 - 1, "4678c542f45ffa47")])
def test_the_first_weights_of_a_seed_stay_what_they_were(seed, digest):
    weights = initial_weights(4 * seed + 3)((3, 2), "largest multiple of a seed")
    assert hashlib.sha256(weights.numpy()).hexdigest()[:16] == digest
