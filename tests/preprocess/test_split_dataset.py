import os
import resource
import shutil
from pathlib import Path

import pytest
from PIL import Image

from helpers import BAD_OUTPUT
from preprocess.split_dataset import PAGE, main

SIDES = ("train", "validation", "test")


@pytest.fixture
def crops(tmp_path, openface):
    """A folder of twelve faces in two folders of people."""
    for number, path in enumerate(sorted(openface.iterdir())):
        target = tmp_path / "crops" / f"people {number % 2}" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path / "crops"


@pytest.fixture
def split(run, crops, tmp_path):
    """Split the twelve faces into 6, 4 and 2, or as the options say."""
    def call(*options, source=crops, output=tmp_path / "out", sizes=(6, 4, 2)):
        numbers = [item for side, size in zip(SIDES, sizes, strict=True) if size is not None
                   for item in (f"--{side}", size)]
        return run(main, source, output, *numbers, *options)
    return call


def sides(output):
    """{side: names of the files in its folder}."""
    return {side: sorted(str(path.relative_to(output / side)) for path in (output / side).rglob("*") if path.is_file())
            for side in SIDES}


def test_every_face_goes_to_one_side_unchanged_and_the_lists_tell_which(tmp_path, crops, split):
    ended = split()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("6 train, 4 validation, 2 test")
    found = sides(tmp_path / "out")
    assert [len(found[side]) for side in SIDES] == [6, 4, 2]
    assert sorted(sum(found.values(), [])) == sorted(str(path.relative_to(crops)) for path in crops.rglob("*.png"))
    for side in SIDES:
        assert (tmp_path / "out" / f"{side}.txt").read_text().splitlines() == found[side]
        for name in found[side]:
            assert (tmp_path / "out" / side / name).read_bytes() == (crops / name).read_bytes()


@pytest.mark.fault("F16", "split")
def test_a_file_that_was_half_copied_is_mended(tmp_path, crops, split):
    split()
    name = sides(tmp_path / "out")["train"][0]
    (tmp_path / "out" / "train" / name).unlink()
    (tmp_path / "out" / "train" / name).write_bytes(b"half")
    assert split().code == 0
    assert (tmp_path / "out" / "train" / name).read_bytes() == (crops / name).read_bytes()


def test_another_split_into_the_same_folder_is_refused(tmp_path, split):
    split()
    found = sides(tmp_path / "out")
    ended = split("--seed", 1)
    assert (ended.code, ended.err.count("\n")) == (BAD_OUTPUT, 1)
    assert sides(tmp_path / "out") == found


def test_the_seed_decides(tmp_path, split):
    for seed in (0, 1):
        split("--seed", seed, output=tmp_path / str(seed))
    assert sides(tmp_path / "0") != sides(tmp_path / "1")


def test_the_same_photo_never_comes_to_two_sides(tmp_path, crops, split):
    for path in sorted(crops.rglob("*.png")):
        shutil.copyfile(path, path.with_name(f"copy of {path.name}"))
    ended = split()
    assert ended.code == 0 and "12 copies" in ended.err
    contents = [(tmp_path / "out" / side / name).read_bytes()
                for side, names in sides(tmp_path / "out").items() for name in names]
    assert len(set(contents)) == len(contents) == 12


def test_a_partition_decides_who_goes_where(tmp_path, crops, split):
    stems = sorted(path.stem for path in crops.rglob("*.png"))
    lines = [f"{stem}.jpg {number % 3}" for number, stem in enumerate(stems[:-1])]
    (tmp_path / "partition.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    ended = split("--partition", tmp_path / "partition.txt", sizes=(None, None, 1))
    assert ended.code == 0 and stems[-1] in ended.err
    found = {side: [Path(name).stem for name in names] for side, names in sides(tmp_path / "out").items()}
    assert sorted(found["train"]) == stems[:-1][::3]
    assert sorted(found["validation"]) == stems[:-1][1::3]
    assert len(found["test"]) == 1 and found["test"][0] in stems[:-1][2::3]


@pytest.mark.parametrize("content, problem", [("", "the file is empty"), ("999999.jpg 0\n", "none of the photos")])
def test_a_partition_of_other_photos_is_refused(tmp_path, split, content, problem):
    (tmp_path / "partition.txt").write_text(content)
    ended = split("--partition", tmp_path / "partition.txt", sizes=(None, None, None))
    assert ended.code == 2 and problem in ended.err and not (tmp_path / "out").exists()


def test_shares_are_of_all_faces(tmp_path, split):
    assert split(sizes=(0.5, 0.25, 0.25)).code == 0
    assert [len(names) for names in sides(tmp_path / "out").values()] == [6, 3, 3]
    assert split(sizes=(0.5, 0.4, 0.2), output=tmp_path / "more").code == 2
    assert "share above 0 and below 1" in split(sizes=(1.5, 1, 1)).err


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_never_refused_for_near_duplicates(tmp_path, crops, split, seed):
    for path in sorted(crops.rglob("*.png"))[:7]:
        Image.open(path).save(path.with_suffix(".jpg"), quality=60)
    assert split("--seed", seed, sizes=(0.5, 0.25, 0.25)).code == 0
    found = sides(tmp_path / "out")
    assert sum(map(len, found.values())) == 19 and 9 <= len(found["train"]) <= 12
    assert sum(len({Path(name).stem for name in names}) for names in found.values()) == 12


@pytest.mark.parametrize("how", ["folder", "file"])
def test_a_person_is_on_one_side(tmp_path, crops, split, how):
    paths = sorted(crops.rglob("*.png"))
    person = {path.stem: number // 2 if how == "file" else path.parent.name for number, path in enumerate(paths)}
    (tmp_path / "people.txt").write_text("".join(f"{stem}.jpg {who}\n" for stem, who in person.items()))
    sizes, people = ((6, 6, 0), "folder") if how == "folder" else ((6, 3, 2), tmp_path / "people.txt")
    assert split("--identity", people, sizes=sizes).code == 0
    found = {side: {person[Path(name).stem] for name in names} for side, names in sides(tmp_path / "out").items()}
    assert not found["train"] & found["validation"] and not found["train"] & found["test"]


def test_near_duplicates_go_to_one_side_and_are_shown(tmp_path, crops, split):
    for path in sorted(crops.rglob("*.png")):
        Image.open(path).save(path.with_suffix(".jpg"), quality=60)
    assert split(sizes=(12, 8, 4)).code == 0
    found = [{Path(name).stem for name in names} for names in sides(tmp_path / "out").values()]
    assert sum(map(len, found)) == 12
    assert "near-duplicates (12)" in (tmp_path / "out" / PAGE).read_text()
    assert "near-duplicates" not in (split("--near", 0, sizes=(12, 8, 4), output=tmp_path / "all"),
                                     (tmp_path / "all" / PAGE).read_text())[1]


@pytest.mark.parametrize("content", [None, b"<!doctype html>\n", b"\xff\xfe\0"])
def test_a_partition_that_cannot_be_read_is_refused(tmp_path, split, content):
    if content is not None:
        (tmp_path / "partition.txt").write_bytes(content)
    ended = split("--partition", tmp_path / "partition.txt")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("sizes", [(10, 2, 1), (6, None, 2)])
def test_sizes_that_cannot_be_had_are_refused(tmp_path, split, sizes):
    ended = split(sizes=sizes)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert not (tmp_path / "out").exists()


@pytest.mark.fault("F13", "split")
def test_odd_names_are_dealt(tmp_path, crops, split):
    names = ["a b.png", "-x.png", "\U0001f642.png", b"\xff\xfe.png", "x" * 251 + ".png"]
    for path, name in zip(sorted(crops.rglob("*.png")), names, strict=False):
        os.rename(path, os.path.join(os.fsencode(crops), os.fsencode(name)))
    assert split().code == 0
    found = sum(sides(tmp_path / "out").values(), [])
    assert len(found) == 12 and {os.fsdecode(name) for name in names} <= set(found)


def test_a_file_where_the_folder_of_a_side_must_be_is_refused(tmp_path, split):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/train").write_text("kept")
    ended = split()
    assert (ended.code, ended.err.count("\n")) == (5, 1)
    assert (tmp_path / "out/train").read_text() == "kept"


@pytest.mark.fault("F21", "split")
def test_a_full_disk_is_told_and_the_same_command_goes_on(tmp_path, crops, split, finish):
    (crops / "people 0").rename(crops / ("people of a long name, " * 8))
    ended = finish("-m", "preprocess.split_dataset", crops, tmp_path / "out", "--train", 10, "--validation", 1,
                   "--test", 1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600)))
    assert (ended.code, ended.err.count("\n")) == (5, 1)
    assert not list((tmp_path / "out").glob(".*.tmp"))
    assert split(sizes=(10, 1, 1)).code == 0


def test_what_a_killed_process_left_half_is_no_file_of_another_split(tmp_path, split):
    assert split(sizes=(10, 1, 1)).code == 0
    (tmp_path / "out" / "train" / ".1234-0.tmp").write_bytes(b"half")
    assert split(sizes=(10, 1, 1)).code == 0
    (tmp_path / "out" / "train" / "strange.png").write_bytes(b"")
    assert "holds 1 file of another split, such as strange.png" in split(sizes=(10, 1, 1)).err
