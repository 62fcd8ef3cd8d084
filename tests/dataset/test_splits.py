import random

import pytest

from dataset.splits import SIDES, join_groups, read_identities, split_by_partition, split_by_seed, without_copies
from helpers import UsageError

NAMES = [f"person {number}/face.png" for number in range(40)]


def sizes(train, validation, test):
    return dict(zip(SIDES, (train, validation, test), strict=True))


@pytest.mark.parametrize("wanted", [(30, 5, 5), (20, 5, 1), (0, 0, 40), (40, 0, 0), (0, 0, 0), (1, 1, 1)])
def test_every_side_gets_the_number_it_asked_for(wanted):
    split = split_by_seed(NAMES, sizes(*wanted), seed=0)
    assert tuple(len(split[side]) for side in SIDES) == wanted


def test_every_name_is_dealt_once_and_each_side_is_sorted():
    split = split_by_seed(NAMES, sizes(20, 10, 10), 0)
    assert sorted(sum(split.values(), [])) == sorted(NAMES)
    assert all(split[side] == sorted(split[side]) for side in SIDES)


def test_the_same_seed_gives_the_same_split_in_whatever_order_the_names_come():
    shuffled = random.Random(0).sample(NAMES, len(NAMES))
    assert split_by_seed(NAMES, sizes(20, 10, 5), 3) == split_by_seed(shuffled, sizes(20, 10, 5), 3)


def test_other_seeds_give_other_splits():
    splits = [tuple(split_by_seed(NAMES, sizes(20, 10, 5), seed)["train"]) for seed in range(10)]
    assert len(set(splits)) == 10


def test_every_name_comes_to_every_side_under_some_seed():
    splits = [split_by_seed(NAMES[:6], sizes(2, 2, 2), seed) for seed in range(60)]
    for side in SIDES:
        assert set().union(*(split[side] for split in splits)) == set(NAMES[:6])


def test_names_come_back_as_they_were_given():
    odd = ["\udcff.png", "line\nbreak.png", "\U0001f642.png", " .png", "x" * 250]
    assert split_by_seed(odd, sizes(5, 0, 0), 0)["train"] == sorted(odd)


def test_more_names_than_there_are_cannot_be_asked_for():
    with pytest.raises(UsageError, match="asked for 41 faces.*different ones found: 40"):
        split_by_seed(NAMES, sizes(30, 10, 1), 0)


LINES = ["000001.jpg 0", "000002.jpg 1", "", "000003.jpg 2  ", "000004.jpg 0", "000005.jpg 0"]


def test_a_partition_deals_as_it_says_whatever_the_suffix_is_now():
    stems = {f"00000{number}": f"a/00000{number}.png" for number in range(1, 7)}
    split, unknown = split_by_partition(stems, LINES, sizes(None, None, None))
    assert split == {"train": ["a/000001.png", "a/000004.png", "a/000005.png"], "validation": ["a/000002.png"],
                     "test": ["a/000003.png"]}
    assert unknown == ["a/000006.png"]


def test_a_side_of_a_partition_may_be_shortened():
    stems = {f"00000{number}": f"00000{number}.png" for number in range(1, 6)}
    whole, _ = split_by_partition(stems, LINES, sizes(None, None, None))
    for most in range(4):
        split, unknown = split_by_partition(stems, LINES, sizes(most, None, 0))
        assert split == {"train": whole["train"][:most], "validation": whole["validation"], "test": []}
        assert unknown == []


@pytest.mark.parametrize("line", ["000002.jpg", "000002.jpg 3", "000002.jpg 1 1", "<!doctype html>"])
def test_a_line_that_is_no_partition_is_named(line):
    with pytest.raises(UsageError, match="line 2 .*expected a file name and 0, 1 or 2"):
        split_by_partition({}, ["000001.jpg 0", line], sizes(None, None, None))


def test_of_equal_files_the_first_name_stays_in_whatever_order_they_come():
    contents = [("c", b"1"), ("a", b"2"), ("b", b"1"), ("d", b"3"), ("e", b"2")]
    for seed in range(10):
        assert without_copies(random.Random(seed).sample(contents, len(contents))) == ["a", "b", "d"]
    assert without_copies([]) == []


def test_what_is_alike_directly_or_through_others_is_one_group():
    names = ["a", "b", "c", "d", "e"]
    assert join_groups(names, names, []) == [["a"], ["b"], ["c"], ["d"], ["e"]]
    assert join_groups(names, ["one", "two", "one", "three", "four"], [(2, 3)]) == [["a", "c", "d"], ["b"], ["e"]]


@pytest.mark.parametrize("seed", range(3))
def test_groups_stay_together_and_every_side_is_full(seed):
    groups = [NAMES[first:first + 4] for first in range(0, 40, 4)]
    split = split_by_seed(NAMES, sizes(17, 9, 3), seed, groups)
    assert [len(split[side]) for side in SIDES] == [17, 9, 3]
    side_of = {name: side for side, names in split.items() for name in names}
    assert all(len({side_of[name] for name in group if name in side_of}) <= 1 for group in groups)


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_kept_nearly_and_no_group_is_cut_or_left_out(seed):
    groups = [NAMES[first:first + 4] for first in range(0, 40, 4)]
    split = split_by_seed(NAMES, sizes(21, 10, 9), seed, groups, SIDES)
    assert sorted(sum(split.values(), [])) == sorted(NAMES)
    assert all(sum(set(group) <= set(names) for names in split.values()) == 1 for group in groups)
    assert (len(split["validation"]), len(split["test"])) == (8, 8)
    assert split_by_seed(NAMES, sizes(20, 10, 10), seed, [NAMES], SIDES) == {"train": sorted(NAMES), "validation": [],
                                                                             "test": []}


def test_beside_shares_a_count_stays_exact_and_what_nobody_asked_for_is_left_out():
    groups = [NAMES[first:first + 2] for first in range(0, 40, 2)]
    split = split_by_seed(NAMES, sizes(20, 4, 5), 0, groups, ["train", "validation"])
    assert [len(split[side]) for side in SIDES] == [20, 4, 5]


def test_groups_of_one_are_dealt_as_names_are():
    assert split_by_seed(NAMES, sizes(20, 10, 5), 3, [[name] for name in NAMES]) == split_by_seed(
        NAMES, sizes(20, 10, 5), 3)


def test_groups_that_do_not_fit_are_told():
    with pytest.raises(UsageError, match="0 faces left for validation where groups stay together"):
        split_by_seed(NAMES, sizes(20, 20, 0), 0, [NAMES])


def test_identities_are_read_and_a_strange_line_named():
    assert read_identities(["000001.jpg 2880", "", "b.c.jpg 7"]) == {"000001": "2880", "b.c": "7"}
    with pytest.raises(UsageError, match="line 2 of the identities is 'x'"):
        read_identities(["000001.jpg 2880", "x"])
