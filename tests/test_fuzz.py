"""Some seconds of `make fuzz`: files that are broken at random are read, or refused by their reason."""
import random

import pytest

from benchmarks.fuzz import break_record, fuzz, judge, make_input, mend_png
from benchmarks.fuzz_inputs import KINDS, pngs
from helpers import BadPhoto


@pytest.mark.fault("F02", "completion")
def test_broken_files_are_read_or_refused(tmp_path):
    counts, outcomes, finds = fuzz(5, seed=1, kinds=list(KINDS), keep=tmp_path)
    assert not finds and counts.keys() == KINDS.keys()
    assert all(outcomes[kind]["refused"] for kind in ("manifest", "pack", "shard", "list", "partition", "points"))


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_read(tmp_path, kind):
    whole, read = KINDS[kind]
    expected = {"tiff": {"read", "unsupported"}, "list": {"refused"}}.get(kind, {"read"})   # its photos are not there
    assert {judge(read, content, tmp_path) for content in whole(tmp_path)} == {(name, "") for name in expected}


def test_another_exception_is_a_find_and_says_where_it_was_raised(tmp_path):
    def fail(content, folder):
        raise KeyError("x")

    def refuse(content, folder):
        raise BadPhoto("empty")
    assert judge(refuse, b"", tmp_path) == ("empty", "")
    name, place = judge(fail, b"", tmp_path)
    assert name == "KeyError" and place.startswith("test_fuzz.py:")


def test_a_seed_breaks_the_same_files_in_the_same_way():
    wholes = pngs(None)
    first, again, other = (make_input(wholes, random.Random(seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert break_record({"a": [1, 2]}, random.Random(3)) == break_record({"a": [1, 2]}, random.Random(3))


def test_a_png_whose_sums_are_made_right_is_read_again():
    whole = pngs(None)[0]
    broken = whole[:29] + bytes(4) + whole[33:]
    assert broken != whole == mend_png(broken)
