import contextlib
import os
import random
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from dataset.listing import Source, find_photos
from helpers import NO_INPUT, USAGE, UsageError, write_json
from shell.sources import find_inputs, output_names, read_list

ROOT = Path(__file__).parents[2]


@pytest.fixture
def put(tmp_path, samples):
    """Copy a portrait to some places below the test's folder."""
    def call(*names):
        for name in names:
            path = os.path.join(os.fsencode(tmp_path), name if isinstance(name, bytes) else os.fsencode(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copyfile(samples / "A000369.jpg", path)
    return call


@pytest.mark.parametrize("kind, there", [("completion", False), ("evaluation", False), ("pack", True), (None, True)])
def test_pictures_of_results_are_no_photos_unless_they_are_named(put, tmp_path, kind, there):
    put("faces/a.jpg", "faces/out/b.jpg", "faces/out/c/d.jpg", "faces/out/e/f.jpg")
    if kind:
        write_json(tmp_path / "faces/out/config.json", {"kind": kind})
    said = []
    sources, _ = find_photos([tmp_path / "faces"], warn=said.append)
    assert [Path(source.path).name for source in sources] == ["a.jpg", "b.jpg", "d.jpg", "f.jpg"][:1 + 3 * there]
    assert any("holds results" in line for line in said) != there
    said.clear()
    results = tmp_path / "faces/out"
    assert len(find_photos([results / "b.jpg", results / "c", results / "e"], warn=said.append)[0]) == 3
    assert said == ([] if there else [f"{results}/c lies in {results}, which holds results: all its pictures are taken "
                                      "for photos"])
    with contextlib.nullcontext() if there else pytest.raises(UsageError, match="name those pictures") as refused:
        assert len(find_photos([results / "c", results])[0]) == 3
    assert there or refused.value.exit_code == NO_INPUT


def found(*paths, exclude=None, below):
    sources, failures = find_photos(paths, exclude)
    return ([os.path.relpath(source.path, below) for source in sources],
            {os.path.relpath(path, below): problem.reason for path, problem in failures})


def test_a_folder_gives_every_picture_below_it_in_order_and_nothing_else(tmp_path, put):
    put("b/2.JPG", "a/1.jpeg", "c", "z.PNG", ".hidden/3.jpg", ".thumb.jpg", "b/d/e/4.tif")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "README").write_text("no picture")
    assert found(tmp_path, below=tmp_path) == (["a/1.jpeg", "b/2.JPG", "b/d/e/4.tif", "c", "z.PNG"], {})


@pytest.mark.fault("F10", "completion", "alignment", "split", "pack", "training")
@pytest.mark.parametrize("image_format", ["BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP"])
def test_a_picture_without_suffix_is_found_by_its_content(tmp_path, samples, image_format):
    Image.open(samples / "A000369.jpg").resize((8, 8)).save(tmp_path / "face", image_format)
    assert found(tmp_path, below=tmp_path) == (["face"], {})


@pytest.mark.parametrize(("names", "said"), [
    (["1.jpg"], []), (["1.jpg", "a/notes.txt"], ["a/notes.txt is no picture: passed over"]),
    (["1.jpg", "empty", "notes.txt", "alignment.jsonl", ".hidden"],
     ["2 files are no pictures, such as empty: passed over"])])
def test_what_is_no_picture_is_counted_in_one_line(tmp_path, put, names, said):
    put(*names)
    for name in names[1:]:
        (tmp_path / name).write_text("BM" if name == "notes.txt" else "")
    lines = []
    find_photos([tmp_path], warn=lines.append)
    assert [line.replace(f"{tmp_path}/", "") for line in lines] == said


def test_a_file_named_itself_counts_whatever_it_is_called(tmp_path, put):
    put(".hidden.jpg", "odd.dat")
    paths = [tmp_path / ".hidden.jpg", tmp_path / "odd.dat"]
    assert found(*paths, below=tmp_path) == ([".hidden.jpg", "odd.dat"], {})


def test_a_photo_named_twice_or_by_links_is_taken_once(tmp_path, put):
    put("a/1.jpg")
    (tmp_path / "a" / "same.jpg").symlink_to("1.jpg")
    (tmp_path / "b").symlink_to("a")
    sources, failures = find_photos([tmp_path, tmp_path / "a", tmp_path / "a" / "1.jpg", tmp_path / "b"])
    assert [source.path for source in sources] == [str(tmp_path / "a" / "1.jpg")]
    assert not failures


def test_what_cannot_be_opened_is_told_with_its_reason(tmp_path, put):
    put("good.jpg")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "dangling.png").symlink_to("nowhere")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "back").symlink_to("..")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    assert found(tmp_path, below=tmp_path) == (["good.jpg"], {
        "folder.png": "not_a_file", "dangling.png": "dangling_link", "loop.png": "link_loop",
        "zero.png": "not_a_file", "deep/back": "link_loop", "pipe.png": "not_a_file"})


def test_a_missing_path_is_a_failure_and_the_others_are_found(tmp_path, put):
    put("1.jpg")
    assert found(tmp_path / "0.jpg", tmp_path / "1.jpg", below=tmp_path) == (["1.jpg"], {"0.jpg": "missing"})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_a_failure(tmp_path, put):
    put("1.jpg", "closed/2.jpg")
    (tmp_path / "closed").chmod(0)
    try:
        assert found(tmp_path, below=tmp_path) == (["1.jpg"], {"closed": "permission"})
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_a_folder_of_pictures_may_be_named_like_a_picture(tmp_path, put):
    put("album.png/1.jpg")
    assert found(tmp_path, below=tmp_path) == (["album.png/1.jpg"], {})


@pytest.mark.parametrize("way", ["out", "link", "out/old"])
def test_what_lies_in_the_excluded_folder_is_no_input(tmp_path, put, way):
    put("1.jpg", "out/old/2.jpg", "outer/3.jpg")
    (tmp_path / "link").symlink_to("out")
    assert found(tmp_path, tmp_path / way, exclude=tmp_path / "out", below=tmp_path) == (["1.jpg", "outer/3.jpg"], {})


NAMES = ["a b.jpg", "line\nbreak.jpg", "\U0001f642.jpg", "-x.jpg", b"\xff\xfe.jpg", "%s {}.jpg", "x" * 251 + ".jpg"]


def test_odd_names_are_found_and_get_names_that_a_file_system_takes(tmp_path, put):
    put(*NAMES)
    sources, failures = find_photos([tmp_path])
    assert {os.fsencode(os.path.basename(source.path)) for source in sources} == {
        name if isinstance(name, bytes) else os.fsencode(name) for name in NAMES}
    assert not failures
    names = output_names(sources)
    assert len(set(names)) == len(NAMES)
    for name in names:
        Path(tmp_path, name + ".png").touch()


def test_a_list_forgives_line_ends_blank_lines_and_a_byte_order_mark():
    content = b"\xef\xbb\xbfa.png\r\n\r\n  \n-b c.png\n\xff.png\nlast"
    assert read_list(content) == ["a.png", "-b c.png", os.fsdecode(b"\xff.png"), "last"]
    assert read_list(b"") == []


def named(*paths, root="raw", **options):
    return output_names([Source(os.path.join(root, path), root) for path in paths], **options)


def test_a_lone_photo_is_called_by_its_stem():
    assert named("a/1.png", "b/1.png", "c.tar.jpg") == ["a/1", "b/1", "c.tar"]


@pytest.mark.fault("F14", "completion")
def test_no_output_has_the_name_of_what_lies_in_anothers_folder():
    inner = re.compile(r"original\.png")
    assert named("a.png", "a/original.png.png", "b/original.png.png", inner=inner) == [
        "a", "a/original.png.png", "b/original.png"]
    assert named("a.png", "a/ORIGINAL.png/b.png", inner=inner) == ["a", "raw/a/ORIGINAL.png/b.png"]
    for sources in trees():
        names = output_names(sources, inner=re.compile(r"a\.(png|jpg)"))
        assert not {f"{name}/a.{suffix}".casefold() for name in names for suffix in ("png", "jpg")} & {
            str(path).casefold() for name in names for path in (Path(name), *Path(name).parents)}, sources


def test_photos_that_differ_in_suffix_keep_it():
    assert named("1.jpg", "1.png", "2.png") == ["1.jpg", "1.png", "2"]


def test_names_that_differ_in_case_only_are_told_apart():
    assert len({name.casefold() for name in named("A.png", "a.jpg", "B.png", "b.png")}) == 4


def trees():
    """Sets of sources that a file system could hold: no file stands where another has a folder."""
    for seed in range(300):
        chance = random.Random(seed)
        paths = {"/".join([chance.choice(["r", "s/r"])] + chance.choices(["a", "A", "a.png", "a.jpg", "a.jpg.png"],
                                                                         k=chance.randint(1, 3)))
                 for _ in range(chance.randint(2, 9))}
        paths = sorted(path for path in paths if not any(other.startswith(path + "/") for other in paths))
        yield [Source(path, path[:path.index("r") + 1]) for path in paths]


def test_output_names_are_relative_and_all_different_even_where_case_is_ignored():
    for sources in trees():
        names = output_names(sources)
        assert len({name.casefold() for name in names}) == len(names), sources
        assert not any(os.path.isabs(name) or ".." in name.split("/") for name in names)


def test_output_names_do_not_depend_on_the_order():
    for sources in trees():
        assert output_names(sources[::-1]) == output_names(sources)[::-1]


def test_no_output_stands_where_another_needs_a_folder():
    for sources in trees():
        outputs = {name + ".png" for name in output_names(sources)}
        folders = {str(folder) for output in outputs for folder in Path(output).parents}
        assert not outputs & folders, sources


def test_one_path_under_two_roots_gets_two_names():
    assert len(set(output_names([Source("x/r/1.png", "x/r"), Source("y/r/1.png", "y/r"),
                                 Source("y/1.png", "y")]))) == 3


def test_long_names_that_differ_at_their_ends_stay_different():
    names = named(*("ä" * 120 + end + ".jpg" for end in "abc"))
    assert len(set(names)) == 3
    assert all(len(os.fsencode(name + ".png")) <= 255 for name in names)


def test_lists_in_utf_16_and_with_nul_between_are_read_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / " a.png").touch()
    assert read_list("ä.png\r\nb.png\n".encode("utf-16")) == ["ä.png", "b.png"]
    assert read_list(b" a.png\0 b\nc.png\0") == [" a.png", "b\nc.png"]
    assert read_list(b" a.png\n b.png \n") == [" a.png", "b.png"]


def test_a_line_that_no_file_can_be_called_is_named_and_the_others_go_on(tmp_path, put):
    put("a.jpg")
    (tmp_path / "list").write_bytes(os.fsencode(tmp_path / "a.jpg") + b"\nb\0.jpg\n")
    sources, failures = find_inputs([], str(tmp_path / "list"))
    assert [source.path for source in sources] == [str(tmp_path / "a.jpg")]
    assert [(path, problem.reason) for path, problem in failures] == [("b\0.jpg", "bad_path")]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: shutil.copyfile(ROOT / "samples/A000369.jpg", path),
                                  lambda path: None])
def test_what_is_no_list_is_refused_at_once(tmp_path, make):
    make(tmp_path / "list")
    with pytest.raises(UsageError, match="list") as caught:
        find_inputs([], str(tmp_path / "list"))
    assert caught.value.exit_code == USAGE


def test_a_list_that_another_command_prints_is_read(tmp_path, put):
    put("a.jpg")
    reading, writing = os.pipe()
    os.write(writing, os.fsencode(tmp_path / "a.jpg"))
    os.close(writing)
    assert len(find_inputs([], f"/dev/fd/{reading}")[0]) == 1
    os.close(reading)


def test_folders_deeper_than_anybody_has_are_named_and_the_others_walked(tmp_path, put, monkeypatch):
    put("a.jpg")
    monkeypatch.chdir(tmp_path)
    for _ in range(250):
        os.mkdir("d")
        os.chdir("d")
    monkeypatch.chdir(tmp_path)
    sources, failures = find_photos([tmp_path])
    assert [os.path.basename(source.path) for source in sources] == ["a.jpg"]
    assert [problem.reason for _, problem in failures] == ["too_deep"]
