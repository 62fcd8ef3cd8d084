"""What is missing or damaged is told by name."""
import shutil

import pytest

from preprocess import pack_dataset, split_dataset
from preprocess.check_dataset import main
from shell.records import RecordFile


@pytest.fixture
def crops(tmp_path, openface):
    return shutil.copytree(openface, tmp_path / "crops")


def test_a_whole_folder_is_called_whole(run, crops):
    ended = run(main, crops, "--count", 12)
    assert (ended.code, ended.out, ended.err) == (0, "12 whole (12 of 64x64), 0 damaged, 0 missing\n", "")
    assert run(main, crops, "--count", 13).code == 1


def test_damaged_and_missing_pictures_are_named(tmp_path, run, crops):
    first, second, third = sorted(crops.iterdir())[:3]
    first.write_bytes(first.read_bytes()[:500])
    second.unlink()
    lines = ["2", "name side", *(f"{path.stem}.jpg 0" for path in (first, second, third))]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    with RecordFile(crops / "alignment.jsonl") as account:
        for source, output in ("a.jpg", "a.png"), ("b.jpg", third.name):
            account.append({"source": source, "status": "done", "output": output})
        account.append({"source": "c.jpg", "status": "failed", "reason": "no_face"})
    with open(crops / "alignment.jsonl", "a") as account:
        account.write('{"source": "d.jpg", "status": "done", "output": ["not ours"]}\n')
    ended = run(main, crops, "--list", tmp_path / "list.txt")
    assert ended.code == 1 and "10 whole (10 of 64x64), 1 damaged, 2 missing" in ended.out
    assert f"failed: {first}: truncated" in ended.err
    assert "failed: a.png: missing" in ended.err and f"failed: {second.stem}.jpg: missing" in ended.err


def test_a_split_is_held_to_its_lists(tmp_path, run, crops, monkeypatch):
    run(split_dataset.main, crops, tmp_path / "split", "--train", 8, "--validation", 3, "--test", 1)
    monkeypatch.chdir(tmp_path)
    for spelling in ("split", "./split", "split//"):
        assert run(main, spelling).code == 0
    lost = sorted((tmp_path / "split/validation").iterdir())[0]
    lost.unlink()
    ended = run(main, tmp_path / "split")
    assert ended.code == 1 and f"failed: validation/{lost.name}: missing" in ended.err


@pytest.mark.fault("F16", "check")
def test_a_pack_is_held_to_its_checksums(tmp_path, run, crops):
    run(pack_dataset.main, crops, tmp_path / "pack")
    ended = run(main, tmp_path / "pack", "--count", 12)
    assert (ended.code, ended.out, ended.err) == (0, "a pack of 12 faces (64x64), whole\n", "")
    assert run(main, tmp_path / "pack", "--count", 13).code == 1
    with open(tmp_path / "pack/faces-00000.npy", "r+b") as file:
        file.seek(500)
        file.write(b"changed")
    ended = run(main, tmp_path / "pack")
    assert ended.code == 3 and "was changed or cut" in ended.err
    (tmp_path / "pack/pack.json").write_text("{}")
    assert run(main, tmp_path / "pack").code == 3 and run(main, tmp_path / "pack", "--list", "x").code == 2


def test_an_empty_folder_and_a_list_that_is_none_are_refused(tmp_path, run, crops):
    (tmp_path / "empty").mkdir()
    assert run(main, tmp_path / "empty").code == 3
    assert run(main, crops, "--list", tmp_path / "absent").code == 2
    (tmp_path / "list.txt").write_text("\n \n")
    assert "the file is empty" in (ended := run(main, crops, "--list", tmp_path / "list.txt")).err and ended.code == 2
