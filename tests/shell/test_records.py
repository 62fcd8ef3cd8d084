import os
import resource
import tracemalloc

import pytest

from helpers import BAD_OUTPUT, UsageError
from shell.records import RecordFile, compact, read_records, tell_changes

RECORDS = [{"source": "b", "value": 1}, {"source": "line\nbreak \udcff", "value": None}, {"source": "a", "value": [2]}]


def append(path, *records):
    with RecordFile(path) as file:
        for record in records:
            file.append(record)


def test_records_read_back_in_order_and_one_stands_on_each_line(tmp_path):
    append(tmp_path / "r.jsonl", *RECORDS[:2])
    append(tmp_path / "r.jsonl", *RECORDS[2:])
    assert list(read_records(tmp_path / "r.jsonl")) == RECORDS
    assert (tmp_path / "r.jsonl").read_bytes().count(b"\n") == len(RECORDS)


BEFORE = {"seed": 0, "intact": False, "flip": True, "mask": None, "paste_back": None, "model": "0123456789abcdef",
          "encoder": "1123456789abcdef", "completions": 1, "checkpoint": "here", "masks": "center parts",
          "latent_encoder": "3123456789abcdef",
          "recipe": {"detail": 0.3, "num_iter": 12, "by_depth": True, "starts": 1, "hold": 3, "space": "latent",
                     "mirror": True},
          "larger": {"128": {"checkpoint": "there", "model": "2123456789abcdef", "recipe": {"detail": 0.3}}}}


@pytest.mark.parametrize("new, told", [
    ({}, ""), ({"checkpoint": "elsewhere"}, ""),
    ({"masks": "center", "seed": 1}, "--masks center parts, asked for center; --seed 0, asked for 1"),
    ({"masks": ""}, "--masks center parts, asked for none"),
    ({"recipe": {"detail": 1, "num_iter": 9, "by_depth": False}},
     "--detail 0.3, asked for 1; --num_iter 12, asked for 9"),
    ({"recipe": {"by_depth": False}}, "--num_iter was not given"),
    ({"recipe": {"mirror": False}}, "--no-mirror was not given"),
    ({"latent_encoder": "ffffffffffffffff"}, "another --learned (latent_encoder)"),
    ({"recipe": {"detail": 0, "num_iter": 1, "starts": 8, "hold": 0}, "encoder": None}, "another --recipe"),
    ({"intact": True, "flip": False}, "--intact was not given; --no-flip was not given"),
    ({"mask": ["a.png", [1, 2]], "tolerance": 9}, "another --mask"),
    ({"tolerance": 9}, "--tolerance none, asked for 9"),
    ({"paste_back": "outerEyesAndNose", "faces": "touched"}, "--paste_back was not given"),
    ({"completions": 4, "uncertainty_scale": 2}, "--completions 1, asked for 4"),
    ({"model": "ffffffffffffffff"}, "another --checkpoint"),
    ({"image_size": 64}, "size of the faces none, asked for 64"),
    ({"recipe": {"detail": 1}, "larger": {"128": {"model": "2123456789abcdef", "recipe": {"detail": 1}}}},
     "--detail 0.3, asked for 1"),
    ({"larger": {"128": {"model": "ffffffffffffffff"}}}, "another model for faces of 128 pixels"),
    ({"larger": {"256": {"model": "ffffffffffffffff"}}}, "another model for faces of 256 pixels"),
    ({"larger": None}, "fewer sizes of faces")])
def test_what_changed_is_told_by_the_options_as_one_types_them(new, told):
    new = {key: BEFORE["recipe"] | value if key == "recipe" else value for key, value in new.items()}
    assert tell_changes(BEFORE, new) == told


def test_landmarks_are_told_by_their_own_option():
    assert tell_changes({"paste_back": "a"}, {"paste_back": "b"}) == "--landmarks a, asked for b"


def test_no_file_holds_no_records(tmp_path):
    assert list(read_records(tmp_path / "r.jsonl")) == []


def test_a_record_is_on_disk_before_append_returns(tmp_path):
    with RecordFile(tmp_path / "r.jsonl") as file:
        for count, record in enumerate(RECORDS, 1):
            file.append(record)
            assert list(read_records(tmp_path / "r.jsonl")) == RECORDS[:count]


def test_wherever_a_process_died_the_whole_lines_stay_and_new_ones_follow(tmp_path):
    append(tmp_path / "r.jsonl", *RECORDS)
    content = (tmp_path / "r.jsonl").read_bytes()
    for length in range(len(content)):
        (tmp_path / "cut.jsonl").write_bytes(content[:length])
        kept = list(read_records(tmp_path / "cut.jsonl"))
        assert kept == RECORDS[:len(kept)]
        assert len(kept) >= content[:length].count(b"\n")
        append(tmp_path / "cut.jsonl", {"source": "new"})
        assert list(read_records(tmp_path / "cut.jsonl")) == [*kept, {"source": "new"}]


def test_lines_that_are_no_records_are_passed_over_with_one_warning(tmp_path, capsys):
    strange = b"\xff\xfe", b"[1]", b"7", b"null", b"[" * 100_000, b'{"b"', b'{"a": "3"}'
    (tmp_path / "r.jsonl").write_bytes(b"\n".join([*strange, b"", b'{"a": 1}', b'{"a": 3}', b'{"half']))
    assert list(read_records(tmp_path / "r.jsonl", a=int)) == [{"a": 1}, {"a": 3}]
    assert list(read_records(tmp_path / "r.jsonl", a=int)) == [{"a": 1}, {"a": 3}]
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "warning: passed over: 7 lines of" in err


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_holds_no_records(tmp_path, make):
    make(tmp_path / "r.jsonl")
    assert list(read_records(tmp_path / "r.jsonl")) == []


def test_compacting_keeps_the_newest_of_every_key_in_order(tmp_path):
    records = [{"source": source, "turn": turn} for turn, source in enumerate("cabcaab")]
    append(tmp_path / "r.jsonl", *records)
    compact(tmp_path / "r.jsonl", "source")
    newest = {record["source"]: record for record in records}
    assert list(read_records(tmp_path / "r.jsonl")) == [newest[source] for source in "abc"]


def test_compacting_holds_places_in_memory_and_no_lines(tmp_path):
    append(tmp_path / "r.jsonl", *({"source": f"{number}", "landmarks": "1" * 4000} for number in range(1000)))
    tracemalloc.start()
    compact(tmp_path / "r.jsonl", "source")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < (tmp_path / "r.jsonl").stat().st_size / 10


def test_a_record_that_was_changed_is_passed_over(tmp_path, capsys):
    append(tmp_path / "r.jsonl", *RECORDS)
    whole = (tmp_path / "r.jsonl").read_bytes()
    assert list(read_records(tmp_path / "r.jsonl", only_sealed=True)) == RECORDS
    (tmp_path / "r.jsonl").write_bytes(whole.replace(b'"value": 1', b'"value": 3'))
    assert list(read_records(tmp_path / "r.jsonl")) == RECORDS[1:] and "1 line of" in capsys.readouterr().err


def test_a_record_without_a_checksum_is_taken_unless_that_is_asked_for(tmp_path):
    (tmp_path / "r.jsonl").write_text('{"a": 1}\n')
    assert list(read_records(tmp_path / "r.jsonl")) == [{"a": 1}]
    assert list(read_records(tmp_path / "r.jsonl", only_sealed=True)) == []


def test_compacting_twice_changes_nothing_more(tmp_path):
    append(tmp_path / "r.jsonl", *RECORDS, *RECORDS)
    compact(tmp_path / "r.jsonl", "source")
    once = (tmp_path / "r.jsonl").read_bytes()
    compact(tmp_path / "r.jsonl", "source")
    assert (tmp_path / "r.jsonl").read_bytes() == once


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "r.jsonl"):
        with pytest.raises(UsageError) as caught:
            RecordFile(path)
        assert caught.value.exit_code == BAD_OUTPUT


def test_a_full_disk_ends_the_command_in_one_line_and_keeps_the_whole_records(tmp_path, finish):
    ended = finish("-c", """if True:
        import sys
        from shell.command import command
        from shell.records import RecordFile
        @command
        def main(argv):
            with RecordFile(argv[0]) as file:
                while True:
                    file.append({"source": "x" * 90})
        sys.exit(main(sys.argv[1:]))""", tmp_path / "r.jsonl",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1200, 1200)))
    assert "Traceback" not in ended.err
    assert ended.err.count("\n") == 1
    assert ended.code == BAD_OUTPUT
    assert list(read_records(tmp_path / "r.jsonl")) == [{"source": "x" * 90}] * 9
