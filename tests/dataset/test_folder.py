"""A folder of faces in memory: whole, in order, and honest about what was left out."""
import numpy as np
from PIL import Image

from dataset.folder import fingerprint, load_faces


def write_face(path, seed, size=(64, 64)):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


def test_faces_are_read_exactly_and_in_the_order_of_their_names(tmp_path):
    written = {name: write_face(tmp_path / name, seed) for seed, name in enumerate(["c.png", "a.png", "b/1.png"])}
    faces, failures = load_faces(tmp_path, 64)
    assert faces.dtype == np.uint8 and not failures
    np.testing.assert_array_equal(faces, np.stack([written[name] for name in ("a.png", "b/1.png", "c.png")]))


def test_a_corrupt_file_is_left_out_and_reported(tmp_path):
    kept = [write_face(tmp_path / name, seed) for seed, name in enumerate(["a.png", "c.png"])]
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:999])
    faces, [(path, problem)] = load_faces(tmp_path, 64)
    np.testing.assert_array_equal(faces, np.stack(kept))
    assert (path, problem.reason) == (str(tmp_path / "b.png"), "truncated")


def test_a_face_of_another_size_is_left_out_and_its_size_named(tmp_path):
    write_face(tmp_path / "a.png", 0, (64, 63))
    expected = write_face(tmp_path / "b.png", 1)
    faces, [(path, problem)] = load_faces(tmp_path, 64)
    np.testing.assert_array_equal(faces, expected[None])
    assert (path, problem.reason) == (str(tmp_path / "a.png"), "wrong_size")
    assert "64x63" in problem.detail


def test_a_folder_without_faces_gives_none(tmp_path):
    faces, failures = load_faces(tmp_path, 64)
    assert faces.shape == (0, 64, 64, 3) and not failures


def test_the_fingerprint_knows_the_faces_and_their_order_again():
    faces = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    changed = faces.copy()
    changed[1, 2, 3, 0] ^= 1
    assert fingerprint(faces) == fingerprint(faces.copy())
    assert len({fingerprint(other) for other in (faces, faces[::-1].copy(), faces[:2], changed)}) == 4
