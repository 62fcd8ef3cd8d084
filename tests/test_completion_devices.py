"""face_completion.py on several devices gives what it gives on one."""
import shutil
from pathlib import Path

import pytest

from methods.method_options import ENCODER, beside
from models.latent_encoder import Architecture, LatentEncoder, Training
from training.checkpoint import export

pytestmark = pytest.mark.slow

FACES = sorted(Path(__file__).parent.joinpath("data", "openface64").glob("*.png"))[:3]
TWO_DEVICES = """
import sys
from nn.setup import tf
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0],
                                           [tf.config.LogicalDeviceConfiguration()] * 2)
import face_completion
sys.exit(face_completion.main(sys.argv[1:]))
"""
LATENT = "--recipe", "pool", "--starts", 3, "--pool", 8
ACTIVATIONS = "--recipe", "best"


@pytest.fixture(scope="module")
def encoded(model, tmp_path_factory):
    """The folder of a copy of the tiny model, which has an encoder, with corrections, that has learned nothing."""
    folder = tmp_path_factory.mktemp("encoded") / "tiny"
    shutil.copytree(model, folder)
    encoder = LatentEncoder(Architecture(z_dim=8, gf_dim=2, ef_dim=2, corrections=2))
    encoder.prepare_training(Training(generator=str(folder)))
    export(encoder, beside(folder, ENCODER), {})
    return folder


@pytest.mark.parametrize("how", [LATENT, ACTIVATIONS])
def test_two_devices_give_the_pictures_of_one(finish, tmp_path, encoded, how):
    options = [*FACES, "--checkpoint", encoded, "--num_iter", 4, "--out_interval", 2, *how]
    for ended in (finish("face_completion.py", *options, "--out_dir", tmp_path / "one"),
                  finish("-c", TWO_DEVICES, *options, "--strategy", "mirrored", "--out_dir", tmp_path / "two")):
        assert ended.code == 0, ended.err
    pictures = {path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.png")}
    assert len(pictures) > 4 * len(FACES)
    for path in pictures:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
