"""A pack gives back the faces that went in, in any order, and nothing that was damaged."""
import json
import tracemalloc

import numpy as np
import pytest

from dataset.folder import fingerprint
from dataset.store import Pack, is_pack, write_pack
from dataset.stream import batches
from helpers import BAD_OUTPUT, NO_INPUT, UsageError

FACES = np.random.default_rng(0).integers(0, 256, (11, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    assert write_pack(tmp_path / "pack", FACES, shard=4) == 11
    return tmp_path / "pack"


def test_a_pack_is_a_few_files_and_their_description(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["faces-00000.npy", "faces-00001.npy", "faces-00002.npy",
                                                              "pack.json"]
    assert is_pack(folder) and not is_pack(folder.parent)
    assert not list(folder.parent.glob(".*"))


@pytest.mark.parametrize("rows", [slice(None), slice(0, 5), slice(9, 99), np.array([10, 0, 3, 4, 4]),
                                  np.array([], np.int32)], ids=str)
def test_rows_are_those_of_the_array(folder, rows):
    pack = Pack(folder, 8)
    assert len(pack) == 11 and pack.shape == FACES.shape
    np.testing.assert_array_equal(pack[rows], FACES[rows])


def test_a_row_that_is_not_there_is_an_error(folder):
    with pytest.raises(IndexError):
        Pack(folder, 8)[np.array([11])]


def test_the_fingerprint_is_that_of_the_faces(folder):
    assert fingerprint(Pack(folder, 8)) == fingerprint(FACES)


def test_a_pack_is_streamed_as_the_faces_in_memory_are(folder):
    streams = [batches(faces, batch_size=3, epochs=2, seed=1) for faces in (FACES, Pack(folder, 8))]
    pairs = list(zip(*(stream.as_numpy_iterator() for stream in streams)))
    assert len(pairs) == 6
    for from_memory, from_pack in pairs:
        np.testing.assert_array_equal(from_memory, from_pack)


@pytest.mark.fault("F23", "pack")
def test_packing_holds_no_more_than_a_file_in_memory(tmp_path):
    face = np.zeros((64, 64, 3), np.uint8)
    tracemalloc.start()
    write_pack(tmp_path / "pack", (face for _ in range(2000)), shard=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 100 * face.nbytes < 2000 * face.nbytes


def test_a_pack_that_is_broken_off_leaves_nothing(tmp_path):
    def faces():
        yield from FACES[:6]
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        write_pack(tmp_path / "pack", faces(), shard=4)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("faces, there, code", [([], False, NO_INPUT), (FACES, True, BAD_OUTPUT)])
def test_nothing_is_packed_over_something_or_of_nothing(tmp_path, faces, there, code):
    if there:
        (tmp_path / "pack").mkdir()
    with pytest.raises(UsageError) as caught:
        write_pack(tmp_path / "pack", faces)
    assert caught.value.exit_code == code and (tmp_path / "pack").exists() == there


@pytest.mark.parametrize("changes", [
    {"shard": 0}, {"shard": 3}, {"shard": 10 ** 9}, {"shard": "4"}, {"shard": 4.0}, {"files": {"/dev/zero": ""}},
    {"files": {"../faces-00000.npy": ""}}, {"image_size": 16}, {"files": ["faces-00000.npy"]}])
def test_a_description_that_an_enemy_wrote_is_refused(folder, changes):
    description = json.loads((folder / "pack.json").read_bytes())
    (folder / "pack.json").write_text(json.dumps(description | changes))
    with pytest.raises(UsageError) as caught:
        Pack(folder, changes.get("image_size", 8))
    assert caught.value.exit_code == NO_INPUT


def test_a_single_file_may_be_shorter_than_any_file_has_to_be(tmp_path):
    write_pack(tmp_path / "pack", np.zeros((2, 8, 8, 3), np.uint8))
    description = json.loads((tmp_path / "pack/pack.json").read_bytes())
    (tmp_path / "pack/pack.json").write_text(json.dumps(description | {"shard": 10 ** 400}))
    assert Pack(tmp_path / "pack", 8)[:].shape == (2, 8, 8, 3)


@pytest.mark.parametrize("file, damage", [
    ("faces-00001.npy", lambda whole: whole[:-1]), ("faces-00001.npy", lambda whole: whole[:-1] + b"?"),
    ("faces-00001.npy", None), ("pack.json", lambda whole: b"{}"), ("pack.json", lambda whole: b"<html>")])
@pytest.mark.fault("F16", "pack")
def test_a_damaged_pack_is_refused(folder, file, damage):
    whole = (folder / file).read_bytes()
    (folder / file).unlink()
    if damage:
        (folder / file).write_bytes(damage(whole))
    with pytest.raises(UsageError, match=file) as caught:
        Pack(folder, 8)
    assert caught.value.exit_code == NO_INPUT


def test_faces_of_another_size_are_refused(folder):
    with pytest.raises(UsageError, match="8x8 pixels, --image_size is 64"):
        Pack(folder, 64)
