"""A result is taken for another photo's only if neither the place nor the content is the same."""
import shutil

import pytest

from dataset.origin import digest_place, may_be_of, refuse_others, take_origin
from helpers import BAD_OUTPUT, UsageError, file_stamp


@pytest.fixture
def photos(tmp_path):
    """Two photos of one name, and a copy of the first in a third folder."""
    for folder, content in (("a", b"first"), ("b", b"second photo")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").write_bytes(content)
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    return [tmp_path / folder / "1.png" for folder in ("a", "b", "copy")]


def test_the_same_place_or_the_same_content_is_the_same_photo_and_nothing_else(photos, monkeypatch):
    first, second, copy = photos
    record = take_origin(first)
    assert [may_be_of(record, path) for path in photos] == [True, False, True]
    monkeypatch.chdir(first.parent)
    assert may_be_of(record, "1.png") and not may_be_of(take_origin("1.png"), second)
    first.write_bytes(b"retouched")
    assert may_be_of(record, first) and may_be_of(record, copy)


def test_older_records_say_it_by_the_path_as_it_was_typed_and_by_the_size(photos):
    first, second, copy = photos
    for old in ({"source": str(first), "stamp": list(file_stamp(first))},
                {"source": str(first), "fingerprint": list(file_stamp(first))}):
        assert [may_be_of(old, path) for path in photos] == [True, False, True]
    assert may_be_of({"fingerprint": [1, 2]}, second)   # which says neither


def test_a_photo_that_is_gone_is_no_other(photos):
    record = take_origin(photos[0])
    photos[0].unlink()
    assert take_origin(photos[0]) == {"place": digest_place(photos[0]), "sha256": ""}
    assert may_be_of(record, photos[0]) and not may_be_of(record, photos[1])


def test_the_first_of_the_others_is_named_and_the_rest_counted():
    refuse_others("out", {}, "choose another --out_dir")
    with pytest.raises(UsageError, match="out holds the result of another photo called a, which b/a.png would replace "
                                         "and 1 more: choose") as caught:
        refuse_others("out", {"a": "b/a.png", "c": "b/c.png"}, "choose another --out_dir")
    assert caught.value.exit_code == BAD_OUTPUT
