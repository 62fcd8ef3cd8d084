"""The examination of a run tells a healthy one from the two classical ways to fail."""
import numpy as np
import pytest

from completion.masks import center
from network import DCGAN, Architecture, tf
from training.health import Health, diagnose, diversity, quality

# Of a run of `--preset best` on 1,263 faces, every fourth epoch.
YOUNG = [0.011, 0.098, 0.098, 0.382, 0.555, 0.647, 0.721, 0.727, 0.781, 0.777]


def course(values, name="diversity"):
    return [{"step": 100 * number, name: value} for number, value in enumerate(values, 1)]


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
    assert "collapsing" in diagnose([*course(YOUNG), numbers | {"step": 1100}])


def test_a_young_generator_is_never_called_a_collapsing_one():
    assert not any(diagnose(course(YOUNG)[:count]) for count in range(1, len(YOUNG) + 1))
    assert not any(diagnose(course(values)) for values in ([0.01], [0.15, 0.01], [0.9, 0.5], [0.8, 0.3, 0.35]))


def test_a_model_whose_samples_are_one_blur_is_never_the_best():
    young, later = {"diversity": 0.011, "hole_ssim": 0.42}, {"diversity": 0.87, "hole_ssim": 0.364}
    assert quality(young) < quality(later) < quality(later | {"hole_ssim": 0.37})
    assert quality({"error": 2.0}) < quality({"error": 1.0}) and quality(young) > quality(young | {"hole_ssim": 0.4})


def test_a_fall_from_the_peak_is_told_once_with_a_way_back_that_there_is():
    fall = course([*YOUNG, 0.3])
    assert "do, 78% at step 900; go back with --resume_from 500 " in diagnose(fall, saves=[1000, 500, 300])
    assert "begin again in another --run" in diagnose(fall, saves=[1000])
    assert diagnose([*fall, {"step": 1200, "diversity": 0.28}]) is None


def test_a_discriminator_that_has_won_is_told_once():
    assert "D has won" in diagnose(course([0.9, 0.999], "d_wins"))
    assert diagnose(course([0.9, 0.999, 0.998], "d_wins")) is None


def test_an_examination_shows_what_it_completed(dcgan):
    health = Health(dcgan, smooth_faces(6, 0), unseen := smooth_faces(5, 1))
    health()
    holes, filled, true = health.completions.reshape(3, 64, 5, 64, 3).swapaxes(1, 2)
    known = center(64)
    np.testing.assert_array_equal(true, unseen)
    assert (holes[:, known] == unseen[:, known]).all() and (filled[:, known] == unseen[:, known]).all()
    assert (holes[:, ~known] == 128).all() and (filled[:, ~known] != 128).any()


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
    assert "D has won" in diagnose([numbers | {"step": 100, "diversity": 0.9}])
