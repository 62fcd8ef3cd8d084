"""Sparse factorisations that are kept for the next face with the same hole."""
import collections

LIMIT = 256 * 2**20                                     # bytes that all of one kind may take
BYTES_PER_NUMBER = 12                                   # a float64 and its row


class Factorizations:
    """Keeps what was used last, as far as it fits into `limit` bytes.

    make : function of hashable arguments -> (scipy.sparse.linalg.SuperLU, whatever belongs to it)
    """

    def __init__(self, make, limit=LIMIT):
        self.make, self.limit, self.size = make, limit, 0
        self._kept = collections.OrderedDict()

    def __call__(self, *key):
        """make(*key), or what it gave before."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        self._kept[key] = solution = self.make(*key)
        self.size += _bytes(key, solution)
        while self.size > self.limit:                   # one that is too large alone is not kept either
            self.size -= _bytes(*self._kept.popitem(last=False))
        return solution


def _bytes(key, solution):
    """The memory of a factorisation and its key, which for a scratch across a large photo is the larger of the two."""
    return BYTES_PER_NUMBER * solution[0].nnz + sum(len(part) for part in key if isinstance(part, bytes))
