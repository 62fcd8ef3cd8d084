"""Nearly the same picture is told from another face."""
import io

import numpy as np
import pytest
from PIL import Image

from dataset.duplicates import near_pairs, picture_hash
from pictures.photo import read_photo
from preprocess.split_dataset import NEAR


@pytest.fixture(scope="module")
def crops(openface):
    return [read_photo(path).pixels for path in sorted(openface.glob("*.png"))]


def recompressed(pixels):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=50)
    return np.asarray(Image.open(content).convert("RGB"))


@pytest.mark.parametrize("change", [
    recompressed, lambda pixels: np.clip(pixels.astype(int) + 20, 0, 255).astype(np.uint8),
    lambda pixels: np.asarray(Image.fromarray(pixels).resize((40, 40)))])
def test_another_compression_brightness_or_size_is_nearly_the_same(crops, change):
    hashes = np.array([picture_hash(pixels) for pixels in [*crops, *map(change, crops)]])
    found = list(near_pairs(hashes, NEAR))
    assert {(i, j) for i, j, _ in found} == {(i, i + len(crops)) for i in range(len(crops))}
    assert all(distance == (hashes[i] != hashes[j]).sum() for i, j, distance in found)


def test_large_sets_are_compared_in_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    hashes = rng.random((40, 255)) < 0.5
    hashes[33] = hashes[4] ^ (np.arange(255) < 7)
    monkeypatch.setattr("dataset.duplicates.BLOCK", 120)
    assert list(near_pairs(hashes, 7)) == [(4, 33, 7)] and not list(near_pairs(hashes, 6))
