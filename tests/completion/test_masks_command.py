"""`python -m completion.masks` writes the very holes that faces of the same names get."""
import json

import numpy as np
import pytest

from completion.masks import MASKS, make_hole
from completion.masks.__main__ import main
from helpers import BAD_OUTPUT
from pictures.photo import read_photo


def test_every_hole_is_written_white_with_its_share(run, tmp_path):
    ended = run(main, tmp_path / "out", "--count", "2", "--seed", "7")
    assert ended.code == 0 and f"{2 * len(MASKS)} holes" in ended.out
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    for name, share in manifest["share_of_hole"].items():
        picture = read_photo(tmp_path / "out" / name).pixels
        assert set(np.unique(picture)) <= {0, 255} and picture.shape == (64, 64, 3)
        assert np.array_equal(picture[..., 0] == 0, make_hole(name.split("/")[0], 64, name[:-4], 7))
        assert share == pytest.approx((picture[..., 0] == 255).mean(), abs=1e-5)


def test_kinds_sizes_and_seeds_can_be_chosen(run, tmp_path):
    for seed in (1, 2):
        assert run(main, tmp_path / str(seed), "--masks", "random", "center", "--size", "128", "--count", "1",
                   "--seed", seed).code == 0
    pictures = {(seed, mask): (tmp_path / f"{seed}/{mask}/0000.png").read_bytes()
                for seed in (1, 2) for mask in ("random", "center")}
    assert pictures[1, "center"] == pictures[2, "center"] and pictures[1, "random"] != pictures[2, "random"]
    assert sorted(path.name for path in (tmp_path / "1").iterdir() if path.is_dir()) == ["center", "random"]


def test_an_unknown_kind_is_a_usage_error(run, tmp_path):
    ended = run(main, tmp_path, "--masks", "moon")
    assert ended.code == 2 and "moon" in ended.err


def test_a_size_that_no_memory_holds_is_a_usage_error(run, tmp_path):
    ended = run(main, tmp_path / "holes", "--size", 100000)
    assert ended.code == 2 and "from 8 to 8192" in ended.err and not (tmp_path / "holes").exists()


def test_holes_of_another_seed_or_size_go_elsewhere(tmp_path, run):
    command = [tmp_path / "holes", "--masks", "random", "--count"]
    assert run(main, *command, 2).code == 0 and run(main, *command, 1).code == 0
    for other in (["--seed", 1], ["--size", 32]):
        ended = run(main, *command, 1, *other)
        assert ended.code == BAD_OUTPUT and "choose another OUT" in ended.err


def test_the_record_keeps_the_holes_that_were_there_as_long_as_they_are(tmp_path, run):
    for masks, count in (("center", 2), ("left", 1), ("center", 1)):
        assert run(main, tmp_path, "--masks", masks, "--count", count).code == 0
    shares = json.loads((tmp_path / "manifest.json").read_text())["share_of_hole"]
    assert shares == {"center/0000.png": 0.25, "center/0001.png": 0.25, "left/0000.png": 0.5}
    (tmp_path / "center/0001.png").unlink()
    assert run(main, tmp_path, "--masks", "left", "--count", 1).code == 0
    assert json.loads((tmp_path / "manifest.json").read_text())["share_of_hole"].keys() == shares.keys() - {
        "center/0001.png"}
