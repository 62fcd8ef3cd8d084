"""A model of 128 pixels that begins with the weights of one of 64."""
import numpy as np
import pytest

from network import DCGAN, Architecture
from training.checkpoint import export, take_weights

SMALL = {"z_dim": 8, "gf_dim": 2, "df_dim": 2}


@pytest.fixture
def folder(tmp_path):
    model = DCGAN(Architecture(32, **SMALL))
    for variable in (*model.generator.variables, *model.discriminator.variables):
        variable.assign(variable + np.random.default_rng(len(variable.name)).normal(0, .1, variable.shape))
    export(model, tmp_path / "small", {})
    return model, tmp_path / "small"


def test_a_grown_model_has_the_filters_of_the_smaller_one_and_as_many_again_outermost():
    architecture = Architecture(128, grown=1)
    assert architecture.filters(16) == [16, 16, 32, 64, 128]
    assert Architecture(64).filters(16) == [16, 32, 64, 128]


def test_it_begins_with_all_activations_of_the_smaller_one(folder):
    smaller, path = folder
    model = DCGAN(Architecture(64, grown=1, **SMALL), seed=5)
    take_weights(model, path)
    z = model.latents(3, 1)
    ours, theirs = model.generator.first(z), smaller.generator.first(z)
    for layer in range(2):
        ours, theirs = model.generator.double(ours, layer), smaller.generator.double(theirs, layer)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(model.discriminator.last, smaller.discriminator.last)
    assert model.generate(z).shape == (3, 64, 64, 3)
