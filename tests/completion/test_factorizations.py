"""Factorisations that are kept, within a bound of memory."""
import numpy as np

from completion import matern, membrane
from completion.factorizations import BYTES_PER_NUMBER, Factorizations


class Factors:
    def __init__(self, nnz):
        self.nnz = nnz


def test_what_was_used_last_is_kept_as_far_as_it_fits():
    made = []

    def make(nnz, name):
        made.append(name)
        return Factors(nnz), name
    keep = Factorizations(make, limit=100 * BYTES_PER_NUMBER)
    for nnz, name in ((40, "a"), (40, "b"), (40, "a"), (40, "c"), (40, "a"), (40, "b"), (101, "large"), (101, "large")):
        assert keep(nnz, name)[1] == name
        assert keep.size <= keep.limit
    assert made == ["a", "b", "c", "b", "large", "large"]


def test_the_blends_keep_no_more_than_their_bound(monkeypatch):
    rng = np.random.default_rng(0)
    for module, fill in ((membrane, membrane.fill_harmonic), (matern, lambda *face: matern.fill_matern(*face, 0.5))):
        kept = Factorizations(module._factorize_once.make, limit=2_000_000)
        monkeypatch.setattr(module, "_factorize_once", kept)
        for _ in range(12):
            fill(rng.random((64, 64, 3)), rng.random((64, 64)) < 0.3)
        assert 0 < kept.size <= kept.limit and 0 < len(kept._kept) < 12
