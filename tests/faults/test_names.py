"""What inputs may be called, how they are listed, and where results of such names go."""
import csv
import os

import pytest

from helpers import BAD_OUTPUT, NO_INPUT, SOME_FAILED
from shell.records import read_records

ODD = ["with space.png", "-dash.png", "\N{SMILING FACE WITH SMILING EYES}.png", "line\nbreak.png", "not\udcffutf8.png",
       "x" * 251 + ".png"]
HOSTILE = ["<img src=x onerror=alert(1)>.png", "=1+2.png"]


@pytest.mark.fault("F13 F14", "alignment", "check", "pack", "learned", "onnx")
@pytest.mark.fault("F13 F14", "training", "evaluation", "latent", slow=True)
def test_faces_of_odd_and_of_equal_names_are_all_done(command, put, call, done):
    for name in (*ODD, "a/1.png", "b/1.png", "1.jpg", "1.png"):
        put(name)
    ended = call(put.folder)
    assert (ended.code, done()) == (0, len(ODD) + 4), ended.err


@pytest.mark.fault("F14", "split")
def test_faces_of_equal_names_keep_their_folders_or_are_refused_before_any_work(command, put, call, done, tmp_path):
    put("a/1.png"), put("b/1.png", "B001273"), put("b/1.jpg", "C001070")
    (tmp_path / "partition.txt").write_text("1.jpg 0\n")
    ended = call(put.folder, "--partition", tmp_path / "partition.txt")
    assert ended.code == 2 and "share a file name" in ended.err
    assert call(put.folder).code == 0
    files = [path.relative_to(put.folder.parent / "home/out").parts[1:]
             for path in (put.folder.parent / "home/out").rglob("1.*")]
    assert sorted(files) == [("a", "1.png"), ("b", "1.jpg"), ("b", "1.png")]


@pytest.mark.fault("F18", "alignment", "split", "pack", "training", "onnx")
@pytest.mark.fault("F18", "learned", "evaluation", "latent", slow=True)
def test_results_inside_the_input_folder_are_not_taken_for_inputs(command, inputs, call, done):
    for place in ("once", "twice") if command in ("pack", "latent") else ("once", "once"):
        ended = call(inputs, "--quiet", *["--strict"] * (command in ("training", "learned")), out=inputs / place)
        assert (ended.code, done(inputs / place)) == (0, 3)
        assert all("are no pictures" in line or "holds results" in line for line in ended.err.splitlines())


@pytest.mark.fault("F19", "pack")
def test_no_pack_is_written_through_a_link(command, inputs, call, out, tmp_path):
    (tmp_path / "theirs").mkdir(), out.parent.mkdir()
    (out.parent / f".{out.name}.unfinished").symlink_to(tmp_path / "theirs")
    assert call(inputs).code == BAD_OUTPUT and not list((tmp_path / "theirs").iterdir())


@pytest.mark.fault("F19", "learned")
def test_no_curves_are_written_through_a_link(command, inputs, call, out, tmp_path):
    (tmp_path / "theirs").mkdir(), (out.parent / "logs" / out.name).mkdir(parents=True)
    (out.parent / "logs" / out.name / "samples").symlink_to(tmp_path / "theirs")
    assert call(inputs).code == BAD_OUTPUT and not list((tmp_path / "theirs").iterdir())


@pytest.mark.fault("F19", "samples", "shape")
@pytest.mark.fault("F19", "latent", "export", slow=True)
def test_a_link_in_the_place_of_the_file_is_replaced_or_refused_and_not_followed(command, inputs, call, out, tmp_path):
    file = out / {"samples": "rows.png", "shape": "shape.npy", "latent": "projected_000.png",
                  "export": "answer.onnx"}[command]
    out.mkdir(parents=True)
    (tmp_path / "mine").write_text("mine")
    file.symlink_to(tmp_path / "mine")
    refused = command == "latent"                       # which replaces nothing that it does not know
    assert call(inputs).code == (BAD_OUTPUT if refused else 0)
    assert (tmp_path / "mine").read_text() == "mine" and file.is_symlink() == refused


@pytest.mark.fault("F19", "completion", "onnx", "evaluation")
def test_paths_of_a_list_that_lead_up_and_out_lead_to_no_result_outside(command, put, call, done, tmp_path,
                                                                        monkeypatch):
    put("../beside.png"), put("../deep/one.png"), put("here.png")
    monkeypatch.chdir(put.folder)
    (put.folder / "list").write_text(f"../beside.png\n{tmp_path}/deep/../deep/one.png\n")
    before = set(tmp_path.rglob("*"))
    ended = call(None, "--from_file", "list")
    assert (ended.code, done()) == (0, 2), ended.err
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "home", *(tmp_path / "home").rglob("*")}


@pytest.mark.fault("F24", "readers", "split", "check")
@pytest.mark.fault("F24", "latent", slow=True)
def test_nothing_to_read_is_said_with_what_was_searched(command, call, tmp_path, out):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "*.png"):
        ended = call(folder)
        assert ended.code == NO_INPUT and f"no images found in {folder}" in ended.err.splitlines()[-1]
    assert not list(out.glob("[!.]*"))


@pytest.mark.fault("F24", "shape")
def test_records_without_faces_are_no_input(command, call, tmp_path):
    for content in ("", '{"name": "a", "status": "done"}\n', '{"name": "a"}\n[]\n<html>\n'):
        (tmp_path / "records.jsonl").write_text(content)
        ended = call(tmp_path / "records.jsonl")
        assert ended.code == NO_INPUT and "0 faces in" in ended.err.splitlines()[-1]


@pytest.mark.fault("F24", "completion", "onnx", "evaluation")
def test_an_empty_list_is_said_to_be_empty(command, call, tmp_path):
    (tmp_path / "list").write_text("\n\n")
    ended = call(None, "--from_file", tmp_path / "list")
    assert (ended.code, ended.err.count("\n")) == (NO_INPUT, 1) and f"no images found in {tmp_path}/list" in ended.err


@pytest.mark.fault("F25", "completion", "onnx", "evaluation")
def test_a_list_may_come_from_anywhere_and_what_it_names_twice_is_done_once(command, put, call, done, tmp_path):
    lines = [put("1.png"), "", put("2.png"), put("1.png"), tmp_path / "missing.png", "  "]
    (tmp_path / "list").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(map(str, lines)).encode())
    ended = call(None, "--from_file", tmp_path / "list")
    assert (ended.code, done()) == (SOME_FAILED, 2) and f"{tmp_path}/missing.png: missing" in ended.err


@pytest.mark.fault("F53", "completion", "onnx", "evaluation")
def test_names_that_are_markup_or_formulas_reach_neither_page_nor_table(command, put, call, out):
    for name in HOSTILE:
        put(name)
    assert call(put.folder).code == 0
    page = (out / "report.html").read_text()
    assert "<img src=x" not in page and "onerror=alert(1)" in page
    for path in out.glob("*.csv"):
        with open(path, newline="") as table:
            assert not [field for row in csv.reader(table) for field in row if field.startswith(tuple("=+@"))]
    if command != "evaluation":
        assert {os.path.basename(record["source"]) for record in read_records(out / "results.jsonl")} == set(HOSTILE)
