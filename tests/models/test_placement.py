"""The placement network: what it learns from, what it answers, and its training from end to end."""
import numpy as np
import pytest

from benchmarks.portraits import place_faces
from helpers import to_float, to_uint8, write_picture
from models import load_locator, train
from models.displaced_faces import affine_maps, cut, displace, template_points
from models.placement import Architecture, Placement, Training
from network import tf
from pictures.photo import read_photo
from preprocess.faces import warp

TEMPLATE, SEED = "innerEyesAndBottomLip", tf.constant([3, 4], tf.int64)


@pytest.fixture(scope="module")
def faces(finder, samples):
    """Portraits with room around them, (N, 128, 128, 3) uint8."""
    paths = sorted(samples.glob("*.jpg"))[:8]
    return np.stack([first_face(finder, read_photo(path).pixels, 128, margin=0.5) for path in paths])


def first_face(finder, photo, size, margin):
    return warp(photo, place_faces(finder, photo, size, margin)[0], size)[0]


def test_a_margin_is_room_around_the_same_crop(finder, samples):
    photo = read_photo(samples / "A000369.jpg").pixels
    plain, wide = (first_face(finder, photo, size, margin) for size, margin in ((64, 0.0), (128, 0.5)))
    np.testing.assert_array_equal(wide[32:96, 32:96], plain)


def test_displaced_points_are_where_the_landmarks_have_gone(faces):
    settings = Training(shift=6, scale=0.2, turn=10, jitter=1)
    batch = displace(tf.constant(to_float(faces)), TEMPLATE, settings, SEED)
    right = template_points(TEMPLATE, 64)
    back = cut(batch.crops, affine_maps(tf.broadcast_to(right, batch.points.shape), batch.points), 64).numpy()
    truth = to_float(faces[:, 32:96, 32:96])
    core = slice(16, 44), slice(18, 46)
    for one, face in zip(back, truth):                  # whatever its tone, it is the face or its mirror image
        alike = [np.corrcoef(one[core].mean(axis=-1).ravel(), other[core].mean(axis=-1).ravel())[0, 1]
                 for other in (face, face[:, ::-1])]
        assert max(alike) > 0.85
    moved = np.linalg.norm(batch.points - right, axis=-1)
    assert 2 < moved.mean() < 10 and 0.3 < batch.known.numpy().mean() < 0.95


def test_without_displacement_the_landmarks_lie_on_the_template(faces):
    settings = Training(shift=0, scale=0, turn=0, jitter=0)
    batch = displace(tf.constant(to_float(faces)), TEMPLATE, settings, SEED)
    np.testing.assert_allclose(batch.points, np.repeat(template_points(TEMPLATE, 64)[None], len(faces), 0), atol=1e-4)


def test_the_shipped_network_finds_a_displaced_face_with_hidden_eyes(finder, samples):
    locator, photo = load_locator(), read_photo(samples / "C001056.jpg").pixels
    matrix = place_faces(finder, photo)[0]
    known = np.ones((64, 64), bool)
    known[2:24] = False
    moved = matrix + np.array([(0, 0, 3.0), (0, 0, -2)])
    points, errors = locator.locate(warp(photo, moved, 64)[0], known)
    assert np.linalg.norm(points - template_points(TEMPLATE, 64) - (3, -2), axis=1).mean() < 1.6
    assert (0.3 < errors).all() and (errors < 4).all()
    crop = warp(photo, moved, 64)[0]
    again, _ = locator.locate(np.where(known[..., None], crop, np.uint8(9)), known)
    np.testing.assert_array_equal(again, points)


def test_a_mirrored_crop_has_mirrored_answers(faces):
    model, crop, known = Placement(seed=1), faces[0, 32:96, 32:96], np.ones((64, 64), bool)
    points, errors = model.locate(crop, known)
    mirrored, its = model.locate(crop[:, ::-1], known)
    np.testing.assert_allclose(mirrored, (63, 0) + points[[1, 0, 2]] * (-1, 1), atol=1e-3)
    np.testing.assert_allclose(its, errors[[1, 0, 2]], rtol=1e-4)


def test_training_lowers_the_error(faces):
    model = Placement(Architecture(image_size=64, pf_dim=4))
    model.prepare_training(Training(steps=40, learning_rate=0.003))
    update, batch = tf.function(model.train_step), tf.constant(to_float(faces[:, ::2, ::2]))
    same = tf.constant(0, tf.int64)                     # the same displacements again and again
    figures = [update(batch, same) for _ in range(40)]
    assert figures[-1]["placement_loss"] < figures[0]["placement_loss"] - 0.3
    assert figures[-1]["error"] < 0.7 * figures[0]["error"]


def test_it_is_trained_by_a_command(faces, tmp_path, run):
    for number, face in enumerate(faces):
        write_picture(tmp_path / "faces" / f"{number}.png", to_uint8(to_float(face)))
    arguments = ("placement", "--dataset", tmp_path / "faces", "--validation", tmp_path / "faces", "--epoch", 2,
                 "--batch_size", 4, "--pf_dim", 2, "--checkpoint_dir", tmp_path / "runs", "--log_dir",
                 tmp_path / "logs")
    assert run(train.main, *arguments, "--export", tmp_path / "model").code == 0
    assert (tmp_path / "model" / "manifest.json").exists() and (tmp_path / "runs/placement/best").exists()
