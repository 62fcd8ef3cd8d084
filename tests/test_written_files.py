"""Files that are written whole or not at all, stay in their folder, and are removed only if they are ours."""
import fcntl
import itertools
import json
import os
import resource
import signal

import numpy as np
import pytest

import helpers
from helpers import (
    BAD_OUTPUT,
    BadPhoto,
    UsageError,
    file_crc32,
    remove_files,
    within,
    write_file,
    write_json,
    write_picture,
)
from pictures.photo import read_photo


def test_a_written_picture_reads_back_equal(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    crc32 = write_picture(tmp_path / "new" / "picture.png", pixels)
    photo = read_photo(tmp_path / "new" / "picture.png")
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert photo.notes == []
    assert crc32 == file_crc32(tmp_path / "new" / "picture.png") != file_crc32(tmp_path / "absent.png")


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path):
    for content in (b"old", b"", b"new and longer"):
        write_file(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_keeps_the_old_file_and_leaves_no_part(tmp_path, finish):
    (tmp_path / "file").write_bytes(b"old")
    ended = finish("-c", """if True:
        import sys, helpers
        try:
            helpers.write_file(sys.argv[1], bytes(100_000))
        except helpers.UsageError as error:
            print(error.exit_code, error)""", tmp_path / "file",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
    assert ended.out.startswith(f"{BAD_OUTPUT} cannot write {tmp_path / 'file'}: ")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_what_a_killed_process_left_is_swept_and_what_another_is_writing_stays(tmp_path, finish):
    killed = finish("-c", """if True:
        import os, signal, sys, helpers
        helpers.os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
        helpers.write_file(sys.argv[1], b"half")""", tmp_path / "file")
    assert killed.code == -signal.SIGKILL
    left, = os.listdir(tmp_path)
    others = [".notes.tmp", "1-2.tmp", ".1-2.tmp.png"]
    for name in others:
        (tmp_path / name).write_bytes(b"somebody's")
    (tmp_path / ".5-6.tmp").symlink_to(tmp_path / others[0])
    (tmp_path / ".7-8.tmp").mkdir()
    with open(tmp_path / ".1-2.tmp", "wb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        write_file(tmp_path / "file", b"whole")
        assert sorted(os.listdir(tmp_path)) == sorted(["file", ".1-2.tmp", ".5-6.tmp", ".7-8.tmp", *others])
        assert left not in others


def test_a_process_of_the_same_number_elsewhere_is_not_disturbed(tmp_path, monkeypatch):
    monkeypatch.setattr(helpers, "_serial", itertools.count())
    with open(tmp_path / f".{os.getpid()}-0.tmp", "wb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        write_file(tmp_path / "file", b"mine")
        writing.write(b"theirs")
    assert (tmp_path / f".{os.getpid()}-0.tmp").read_bytes() == b"theirs"
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_file_cannot_be_written_below_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError) as caught:
        write_file(tmp_path / "file" / "inside", b"content")
    assert caught.value.exit_code == BAD_OUTPUT


def test_json_reads_back_equal(tmp_path):
    record = {"a": [1, 2.5, None], "b": {"name": "\udcff"}}
    write_json(tmp_path / "record.json", record)
    assert json.loads((tmp_path / "record.json").read_text()) == record


def test_an_output_stays_in_its_folder(tmp_path):
    (tmp_path / "out" / "sub").mkdir(parents=True)
    (tmp_path / "out" / "link").symlink_to(tmp_path)
    (tmp_path / "out" / "inner").symlink_to("sub")
    for name in ("1.png", "sub/1.png", "inner/1.png", "new/deep/1.png"):
        assert within(tmp_path / "out", name) == os.path.join(tmp_path, "out", name)
    for name in ("../1.png", "link/1.png", "link/new/1.png", "/etc/1.png"):
        with pytest.raises(BadPhoto, match="unsafe_output"):
            within(tmp_path / "out", name)


def test_files_of_our_own_are_removed_and_nothing_else(tmp_path):
    folder = tmp_path / "ours"
    for name in ("ours/a", "ours/b", "ours/folder/a", "beside"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (folder / "link").symlink_to(tmp_path / "beside")
    (tmp_path / "door").symlink_to(folder)
    remove_files(tmp_path / "door", ["a", "b"])
    assert len(list(folder.iterdir())) == 4
    remove_files(folder, ["a", "absent", "folder", "link", "../beside", "folder/a", "", "."])
    assert sorted(path.name for path in folder.iterdir()) == ["b", "folder", "link"]
    assert (folder / "folder" / "a").exists() and (tmp_path / "beside").exists()
    (folder / "link").unlink()
    remove_files(folder / "folder", ["a"])
    remove_files(folder, ["b"])
    assert not folder.exists()
