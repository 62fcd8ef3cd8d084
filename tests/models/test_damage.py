"""The damage finder: its examples, its training, and what the shipped one finds in portraits."""
import numpy as np
import pytest
from PIL import Image

import face_completion
from helpers import to_float, write_picture
from models import DAMAGE, damage_finder, train
from models.damage import SIDE, Architecture, DamagedPhotos, DamageFinder
from network import tf
from pictures.photo import read_photo
from shell.records import read_records
from training.checkpoint import load_model


@pytest.fixture(scope="module")
def photos(samples):
    return [read_photo(path).pixels for path in sorted(samples.glob("*.jpg"))[:8]]


@pytest.fixture(scope="module")
def find():
    return damage_finder(DAMAGE)


def scratched(photo, color, width):
    """A portrait with a slanted line over it, and where that shows."""
    rows = np.arange(len(photo))
    hole = np.zeros(photo.shape[:2], bool)
    for shift in range(width):
        hole[rows, 120 + rows // 4 + shift] = True
    damaged = np.where(hole[..., None], np.uint8(color), photo)
    return damaged, np.abs(damaged.astype(int) - photo).max(axis=-1) > 20


def test_an_example_is_its_rows_alone(photos):
    pictures = np.stack([photo[:192, :192] for photo in photos])
    examples = DamagedPhotos(pictures, seed=3)
    assert len(examples) == 8 and examples.shape == (8, SIDE, SIDE, 4)
    np.testing.assert_array_equal(examples[2:4], examples[np.array([2, 3])])
    assert set(np.unique(examples[:][..., 3])) == {0, 255}
    assert (DamagedPhotos(pictures, seed=4)[:1] != examples[:1]).any()


def test_a_photo_of_any_size_gets_a_probability_for_every_pixel():
    model = DamageFinder(Architecture(ff_dim=4))
    probability = model.probability(np.zeros((45, 61, 3), np.uint8))
    assert probability.shape == (45, 61) and probability.dtype == np.float32
    assert 0 < probability.min() <= probability.max() < 1


def test_training_learns_to_find(photos):
    model = DamageFinder(Architecture(ff_dim=4))
    model.prepare_training(model.training_type(steps=12, learning_rate=0.03))
    examples = to_float(DamagedPhotos(np.stack([photo[:192, :192] for photo in photos[:4]]), 0)[:])
    step = tf.function(model.train_step)
    losses = [float(step(tf.constant(examples), tf.constant(number, tf.int64))["jaccard_loss"]) for number in range(12)]
    assert losses[-1] < losses[0] - 0.1


@pytest.mark.slow
def test_the_command_trains_examines_and_exports(samples, tmp_path, run):
    from preprocess import pack_dataset
    assert not run(pack_dataset.main, samples, tmp_path / "pack", "--size", 96, "--fit", "crop").code
    ended = run(train.main, "damage", "--dataset", tmp_path / "pack", "--validation", tmp_path / "pack", "--image_size",
                96, "--ff_dim", 4, "--epoch", 1, "--batch_size", 24, "--checkpoint_dir", tmp_path / "runs", "--log_dir",
                tmp_path / "logs", "--export", tmp_path / "model", "--half")
    assert not ended.code, ended.err
    model, manifest = load_model(tmp_path / "model", DamageFinder)
    assert manifest["step"] == 2 and model.architecture.ff_dim == 4 and (tmp_path / "runs/damage-finder/best").exists()


@pytest.mark.parametrize("color, width, least", [((250, 250, 245), 2, 0.6), ((20, 20, 20), 4, 0.4),
                                                 ((230, 225, 210), 7, 0.6)])
def test_the_shipped_one_finds_scratches(photos, find, color, width, least):
    overlaps = []
    for photo in photos[:3]:
        damaged, hole = scratched(photo, color, width)
        found = find(damaged)
        overlaps.append((found & hole).sum() / (found | hole).sum())
    assert np.mean(overlaps) > least, overlaps


@pytest.mark.slow
def test_the_shipped_one_finds_wide_lines_in_large_photos(photos, find):
    damaged, hole = scratched(photos[0], (250, 250, 245), 4)
    damaged, hole = (np.asarray(Image.fromarray(part).resize((3280, 4000))) for part in (damaged, hole))
    found = find(damaged)
    assert (found & hole).sum() / (found | hole).sum() > 0.5


def test_the_shipped_one_finds_next_to_nothing_where_nothing_is(photos, find):
    assert np.mean([find(photo).mean() for photo in photos[:5]]) < 0.0015


def test_a_scratched_portrait_is_mended_and_a_whole_one_copied(samples, tmp_path):
    photo = read_photo(samples / "A000369.jpg").pixels
    damaged, hole = scratched(photo, (250, 250, 250), 3)
    write_picture(tmp_path / "in/scratched.png", damaged)
    write_picture(tmp_path / "in/whole.png", photo)
    assert not face_completion.main([str(tmp_path / "in"), "--paste_back", "--mask", "auto", "--method", "laplace",
                                     "--out_dir", str(tmp_path / "out")])
    restored = read_photo(tmp_path / "out/scratched/restored.png").pixels
    assert np.abs(restored[hole].astype(int) - photo[hole]).mean() < 0.25 * np.abs(
        damaged[hole].astype(int) - photo[hole]).mean()
    np.testing.assert_array_equal(read_photo(tmp_path / "out/whole/restored.png").pixels, photo)
    notes = {record["name"]: record["notes"] for record in read_records(tmp_path / "out/results.jsonl")}
    assert "no damage found: copied" in notes["whole"] and "damage found in" in notes["scratched"][0]


def test_the_hole_of_an_aligned_face_is_written_to_be_edited(openface, tmp_path):
    face = read_photo(sorted(openface.glob("*.png"))[0]).pixels.copy()
    face[:, 30:32] = 255
    write_picture(tmp_path / "face.png", face)
    arguments = [str(tmp_path / "face.png"), "--mask", "auto", "--method", "laplace", "--out_dir",
                 str(tmp_path / "out")]
    assert not face_completion.main(arguments)
    mask = read_photo(tmp_path / "out/face/mask.png").pixels
    assert set(np.unique(mask)) == {0, 255} and (mask[:, 30:32] == 255).mean() > 0.8
    arguments[2:3] = [str(tmp_path / "out/face/mask.png")]
    assert not face_completion.main([*arguments[:-1], str(tmp_path / "again")])
    np.testing.assert_array_equal(read_photo(tmp_path / "out/face/completed.png").pixels,
                                  read_photo(tmp_path / "again/face/completed.png").pixels)


def test_what_does_not_go_with_it_is_refused(samples, tmp_path, run):
    photo = samples / "A000369.jpg"
    for option in ("--invert_mask", "--intact"):
        ended = run(face_completion.main, photo, "--mask", "auto", option, "--out_dir", tmp_path / "out")
        assert ended.code == 2 and option in ended.err
    ended = run(face_completion.main, photo, "--mask", f"auto:{tmp_path}", "--out_dir", tmp_path / "out")
    assert ended.code == 4 and "no usable model" in ended.err
