"""Which face is trained on and which is tested on: never the same photo on two sides."""
import hashlib

import numpy as np

from helpers import UsageError, counted

SIDES = ("train", "validation", "test")


def split_by_seed(names, sizes, seed, groups=(), shares=()):
    """Deal names out at random.

    names : list of str
    sizes : {side: number of names}; Raises UsageError if there are fewer names than asked for
    seed : the same names and seed give the same split
    groups : lists of names that no two sides share, as join_groups gives them; without them each name is its own. What
        a side has no place for is left out, and UsageError raised if others then have too few
    shares : the sides whose size is approximate: groups go whole to the one that lacks most, and what has no place in
        it to the first

    Returns {side: sorted list of names}.
    """
    parts = ", ".join(f"{size} {side}" for side, size in sizes.items())
    asked = f"asked for {counted(sum(sizes.values()), 'face')} ({parts}), "
    if sum(sizes.values()) > len(names):
        raise UsageError(f"{asked}different ones found: {len(names)}")
    members = {group[0]: group for group in groups or ([name] for name in names)}
    shuffled, split = iter(np.random.default_rng(seed).permutation(sorted(members)).tolist()), {}
    for side, size in sizes.items():
        if side in shares:
            continue
        dealt = []
        while len(dealt) < size and (first := next(shuffled, None)) is not None:
            dealt += members[first]
        if len(dealt) < size:
            raise UsageError(f"{asked}{counted(len(dealt), 'face')} left for {side} where groups stay together: "
                             "ask for fewer")
        split[side] = dealt[:size]
    split |= _deal_whole([members[first] for first in shuffled], {side: sizes[side] for side in shares})
    return {side: sorted(split[side]) for side in sizes}


def _deal_whole(groups, lacks):
    """{side: names} of whole groups, until all sides together have what they lack, {side: number of names}."""
    split, lacks = {side: [] for side in lacks}, dict(lacks)
    for group in groups:
        if sum(lacks.values()) <= 0:
            break
        side = max(lacks, key=lacks.get)
        side = side if len(group) <= lacks[side] else next(iter(lacks))
        split[side] += group
        lacks[side] -= len(group)
    return split


def join_groups(names, keys, pairs):
    """Lists of the names, in their order, that belong together.

    keys : of each name, alike where names do, such as people; pairs : of indices of names that do too
    """
    from scipy.cluster.hierarchy import DisjointSet
    groups, first = DisjointSet(range(len(names))), {}
    for index, key in enumerate(keys):
        groups.merge(index, first.setdefault(key, index))
    for pair in pairs:
        groups.merge(*pair)
    return [[names[index] for index in sorted(group)] for group in groups.subsets()]


def read_identities(lines):
    """{file stem: person} of the lines "000001.jpg 2880" of CelebA's identity_CelebA.txt."""
    return _read_pairs(lines, "the identities", "a person")


def _read_pairs(lines, name, what, known=None):
    """{file stem: second word} of lines of two words, the second one of `known` or any."""
    pairs = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if words and (len(words) != 2 or known and words[1] not in known):
            raise UsageError(f"line {number} of {name} is {line.strip()!r}, expected a file name and {what}")
        pairs.update([(words[0].rsplit(".", 1)[0], words[1])] if words else [])
    return pairs


def split_by_partition(stems, partition, sizes):
    """Deal faces out as a partition file says, whatever their suffix is now.

    stems : {file stem: name}
    partition : lines "000040.jpg 0" of CelebA's list_eval_partition.txt; 0 train, 1 validation, 2 test
    sizes : {side: largest number of names, or None for all}

    Returns ({side: sorted list of names}, [names that the partition does not know]).
    """
    sides = _read_pairs(partition, "the partition", "0, 1 or 2", known=("0", "1", "2"))
    dealt = {side: sorted(name for stem, name in stems.items() if sides.get(stem) == number)[:sizes[side]]
             for number, side in zip("012", SIDES)}
    return dealt, sorted(name for stem, name in stems.items() if stem not in sides)


def without_copies(contents):
    """The first name of every group of equal files; `contents` yields (name, bytes) in any order."""
    first = {}
    for name, content in contents:
        digest = hashlib.sha256(content).digest()
        first[digest] = min(name, first.get(digest, name))
    return sorted(first.values())
