"""Which face is trained on and which is tested on: never the same photo on two sides."""
import hashlib
import itertools

import numpy as np

from helpers import UsageError

SIDES = ("train", "validation", "test")


def split_by_seed(names, sizes, seed):
    """Deal names out at random.

    names : list of str
    sizes : {side: number of names}; Raises UsageError if there are fewer names than asked for
    seed : the same names and seed give the same split

    Returns {side: sorted list of names}.
    """
    wanted = sum(sizes.values())
    if wanted > len(names):
        raise UsageError(f"asked for {wanted} faces ({', '.join(f'{n} {side}' for side, n in sizes.items())}), "
                         f"there are {len(names)} different ones")
    shuffled = iter(np.random.default_rng(seed).permutation(sorted(names)).tolist())
    return {side: sorted(itertools.islice(shuffled, size)) for side, size in sizes.items()}


def split_by_partition(stems, partition, sizes):
    """Deal faces out as a partition file says, whatever their suffix is now.

    stems : {file stem: name}
    partition : lines "000040.jpg 0" of CelebA's list_eval_partition.txt; 0 train, 1 validation, 2 test
    sizes : {side: largest number of names, or None for all}

    Returns ({side: sorted list of names}, [names that the partition does not know]).
    """
    sides = {}
    for number, line in enumerate(partition, 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 2 or fields[1] not in ("0", "1", "2"):
            raise UsageError(f"line {number} of the partition is {line.strip()!r}, expected a file name and 0, 1 or 2")
        sides[fields[0].rsplit(".", 1)[0]] = SIDES[int(fields[1])]
    dealt = {side: sorted(name for stem, name in stems.items() if sides.get(stem) == side)[:sizes[side]]
             for side in SIDES}
    return dealt, sorted(name for stem, name in stems.items() if stem not in sides)


def without_copies(contents):
    """The first name of every group of equal files; `contents` yields (name, bytes) in any order."""
    first = {}
    for name, content in contents:
        digest = hashlib.sha256(content).digest()
        first[digest] = min(name, first.get(digest, name))
    return sorted(first.values())
