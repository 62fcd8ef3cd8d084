"""The picture of what models make up."""
import numpy as np

from models import samples
from models.autoencoders import VAE, Architecture
from pictures.photo import read_photo
from training.checkpoint import export


def test_every_model_gets_a_row(run, model, tmp_path):
    export(VAE(Architecture(z_dim=8, gf_dim=2, df_dim=2)), tmp_path / "vae", {})
    ended = run(samples.main, tmp_path / "rows.png", tmp_path / "vae", model, "--count", 3)
    assert not ended.code and "vae" in ended.out and "dcgan" in ended.out
    picture = read_photo(tmp_path / "rows.png").pixels
    assert picture.shape == (128, 192, 3) and np.ptp(picture[64:]) > np.ptp(picture[:64])


def test_a_picture_of_another_format_is_refused(run, model, tmp_path):
    ended = run(samples.main, tmp_path / "rows.jpg", model)
    assert ended.code == 2 and "rows.jpg.png" in ended.err and not any(tmp_path.iterdir())
