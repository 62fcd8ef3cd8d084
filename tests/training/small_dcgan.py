"""A small DCGAN that tests save and load."""
from network import DCGAN, Architecture, Training, tf

SMALL = Architecture(z_dim=4, gf_dim=2, df_dim=2)
RECORD = {"architecture": {"image_size": 64, "z_dim": 4, "gf_dim": 2, "df_dim": 2}, "training": {"average": 0.5}}
FILES = ["tensors.data-00000-of-00001", "tensors.index", "manifest.json"]


def prepared(seed=0):
    dcgan = DCGAN(SMALL, seed)
    dcgan.prepare_training(Training(average=0.5))
    return dcgan


def parts(dcgan):
    names = ("generator", "discriminator", "g_optimizer", "d_optimizer", "average")
    return {name: vars(dcgan)[name] for name in names if vars(dcgan).get(name)}


def values(dcgan):
    return [variable.numpy() for part in parts(dcgan).values() for variable in part.variables]


def faces_of(dcgan):
    return dcgan.generate(tf.random.stateless_uniform((8, 4), (9, 9), -1, 1)).numpy()
