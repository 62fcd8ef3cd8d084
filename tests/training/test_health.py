"""The examination of a run tells a healthy one from the two classical ways to fail."""
import numpy as np
import pytest

from network import DCGAN, Architecture, tf
from training.health import Health, diagnose, diversity

HEALTHY = {"diversity": 0.9, "d_wins": 0.8}


def smooth_faces(count, seed):
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(16, axis=1).repeat(16, axis=2)


@pytest.fixture(scope="module")
def dcgan():
    return DCGAN(Architecture(z_dim=8, gf_dim=2, df_dim=2))


def test_diversity_is_the_mean_distance_of_pairs():
    faces = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
    pairs = [np.sqrt(((a.astype(float) - b) ** 2).mean()) for i, a in enumerate(faces) for b in faces[:i]]
    assert diversity(faces) == pytest.approx(np.mean(pairs))
    assert diversity(faces[:1]) == 0 and diversity(np.repeat(faces[:1], 3, axis=0)) == pytest.approx(0, abs=1e-3)


def test_the_same_run_is_examined_alike_twice(dcgan):
    first, second = (Health(dcgan, smooth_faces(6, 0), smooth_faces(5, 1))() for _ in range(2))
    assert first == second and all(np.isfinite(value) for value in first.values())
    assert 0 <= first["d_wins"] <= 1 and first["hole_psnr"] > 3 and -1 <= first["hole_ssim"] <= 1


def test_a_generator_whose_samples_are_one_has_collapsed(dcgan):
    dead = DCGAN(Architecture(z_dim=8, gf_dim=2, df_dim=2))
    dead.generator.dense.assign(tf.zeros_like(dead.generator.dense))
    numbers = Health(dead, smooth_faces(6, 0), smooth_faces(5, 1))()
    assert numbers["diversity"] < 0.01
    assert "collapsing" in diagnose(numbers) and "--resume_from" in diagnose(numbers)


def test_a_discriminator_that_knows_its_training_faces_shows_a_gap(dcgan, monkeypatch):
    seen, unseen = smooth_faces(6, 0), smooth_faces(5, 1)
    known = {face.tobytes() for face in seen}

    def realism(faces):
        pixels = np.rint((np.asarray(faces) + 1) * 127.5).astype(np.uint8)
        return tf.constant([3.0 if face.tobytes() in known else -1.0 for face in pixels])
    health = Health(dcgan, seen, unseen)
    monkeypatch.setattr(dcgan, "realism", realism)
    monkeypatch.setattr(health, "_complete", dict)
    numbers = health()
    assert numbers["d_gap"] == 4 and numbers["d_wins"] == 1
    assert "D has won" in diagnose(numbers | {"diversity": 0.9})


def test_nothing_is_said_of_a_healthy_run():
    assert diagnose(HEALTHY) is None
    assert all(diagnose(HEALTHY | illness) for illness in ({"d_wins": 0.999}, {"diversity": 0.1}))
