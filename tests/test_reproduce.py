"""Tables of the documentation that are measured again."""
import json
import re
import shutil
import signal
import time

import pytest

from benchmarks import reproduce
from benchmarks.reproduce import TABLES, Table, check_row, find_differences, name_model, read_cell, read_row, write_list
from helpers import NO_INPUT, SOME_FAILED, UsageError, read_json, write_json
from methods import documented
from shell.lock import claim_folder
from training.manifest import LIKELY, ROOT, describe_model

NAMES = "A000369", "B001273", "C001070"


@pytest.mark.parametrize("cell, expected", [
    ("`latent` (`best`)", ("latent", ["--recipe", "best"])),
    ("`latent`, `--detail 1`", ("latent", ["--detail", "1"])),
    ("`latent`, `--recipe pool`", ("latent", ["--recipe", "pool"])),
    ("`vae`, its latent searched by `pool`", ("vae", [])),
    ("`moodoki`", ("latent", ["--recipe", "moodoki"])),
    ("`--detail 0.4`, that of `best`", ("latent", ["--detail", "0.4"])),
])
def test_a_rows_first_cell_is_its_command(cell, expected):
    assert read_row(cell) == expected


@pytest.mark.parametrize("name", TABLES)
def test_every_row_and_cell_of_the_documentation_can_be_read(name):
    table = TABLES[name]
    _, head, rows = documented.read_table(table.page, table.heading)
    assert len(rows) > 2 and table.columns.keys() <= set(head)
    for row in rows:
        read_row(row[0])
        assert not re.search(r"\d", re.sub("`[^`]+`", "", row[0])), "a setting that the row's command would not have"
        cells = [read_cell(row[head.index(column)], table.metrics) for column in table.columns]
        assert any(cells)
        assert all(set(cell) == set(table.metrics) and 0 < cell["hole_ssim"] < 1 for cell in cells if cell)


def test_every_kind_of_method_takes_the_models_of_the_tables_size():
    shipped = str(ROOT / "checkpoint" / "celeba128")
    assert name_model("latent", "checkpoint/celeba128") == ["--checkpoint", shipped]
    assert name_model("posterior_mean", "checkpoint/celeba128") == ["--learned", f"{shipped}-learned"]
    assert name_model("telea", "checkpoint/celeba128") == []


def test_a_row_without_a_method_is_refused():
    with pytest.raises(UsageError, match="no method"):
        read_row("the paper's")


def test_figures_differ_by_more_than_their_tolerance():
    figures = read_cell("22.98 / .694 / .421", ("hole_psnr", "hole_ssim", "identity"))
    assert find_differences(figures, {"hole_psnr": 22.9949, "hole_ssim": .6954, "identity": .4196}) == []
    assert find_differences(figures, {"hole_psnr": 22.9951, "hole_ssim": .6956, "identity": .4194}) == [
        "hole_psnr", "hole_ssim", "identity"]
    assert find_differences(figures, {"hole_psnr": 22.98, "hole_ssim": .694}) == ["identity"]
    assert read_cell("–", ("hole_psnr",)) == {}


@pytest.mark.parametrize("name", TABLES)
def test_what_is_said_of_a_row_fits_a_terminal(name, tmp_path, capsys):
    table = TABLES[name]
    _, head, rows = documented.read_table(table.page, table.heading)
    means = {metric: (10. if metric == "hole_psnr" else .1234, None, None) for metric in table.metrics}
    write_json(tmp_path / "summary.json", {"rows": [{"mask": mask, "metrics": means} for mask in
                                                    table.columns.values()]})
    assert all(check_row(table, row, head, tmp_path) for row in rows)
    said = capsys.readouterr().out.splitlines()
    assert max(map(len, said)) <= 100 and len(said) == len(rows) * len(table.columns)
    if name == "recipes":
        assert "`pool`, center: 10.00 (21.93!) .123 (.629!)" in said


@pytest.fixture
def write_table(monkeypatch, tmp_path):
    """Make a page with one table of two rows; the figures of `telea` are given."""
    monkeypatch.setattr(documented, "PAGES", tmp_path)
    monkeypatch.setattr(reproduce, "TABLES", {"tiny": Table(
        "page.md", "Tiny", "three.txt", 3, {"centre": "center", "half": "half"}, ("hole_psnr", "hole_ssim"))})
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "three.txt").write_text("".join(f"{name}.png\n" for name in NAMES))

    def write(centre):
        (tmp_path / "page.md").write_text("# Page\n\n## Tiny\n\nOf three faces:\n\n| method | centre | half |\n"
                                          f"|---|---|---|\n| `telea` | {centre} | – |\n")
    return write


def test_a_list_names_faces_with_or_without_their_suffix(write_table, openface, tmp_path):
    write_table("1 / .5")
    for lines in ("A000369.png\nB001273.png\n", "A000369\nB001273\n"):
        (tmp_path / "lists" / "three.txt").write_text(lines)
        path, names = write_list(reproduce.TABLES["tiny"], openface, tmp_path, 3)
        assert names == ["A000369", "B001273"]
        assert path.read_text().splitlines() == [str(openface / f"{name}.png") for name in names]


@pytest.mark.fault("F24", "reproduce")
def test_faces_that_are_not_there_end_it(run, write_table, tmp_path):
    write_table("1 / .5")
    ended = run(reproduce.main, "tiny", "--dataset", tmp_path, "--out_dir", tmp_path / "out")
    assert ended.code == NO_INPUT and "3 faces of three.txt" in ended.err


@pytest.mark.slow
def test_a_table_is_measured_again_and_what_differs_is_named(run, write_table, openface, tmp_path):
    def reproduced(*arguments):
        return run(reproduce.main, "tiny", "--dataset", openface, "--out_dir", tmp_path / "out", *arguments)

    write_table("1 / **.5**")
    ended = reproduced()
    assert ended.code == SOME_FAILED and "(1.00!) " in ended.out and "(.500!)\n" in ended.out, ended.err
    assert "half" not in ended.out.replace("half: not in the table", "")
    row, = json.loads((tmp_path / "out" / "telea" / "summary.json").read_text())["rows"]
    assert (row["n"], row["mask"]) == (3, "center")
    write_table(" / ".join(f"{row['metrics'][name][0]:.{digits}f}" for name, digits in
                           (("hole_psnr", 2), ("hole_ssim", 3))))
    ended = reproduced()
    assert ended.code == 0 and "!)" not in ended.out
    faces = next(line for line in ended.out.splitlines() if line.startswith("faces: ")).removeprefix("faces: ")
    digests = {"three.txt": {"3": {"faces": faces, "center": "0" * 16}}}
    (tmp_path / "lists" / "digests.json").write_text(json.dumps(digests))
    ended = reproduced()
    assert ended.code == SOME_FAILED and f"the table's were {'0' * 16}" in ended.out
    write_table("1 / .5")
    ended = run(reproduce.main, "tiny", "--dataset", openface, "--out_dir", tmp_path / "two", "--limit", 2)
    assert ended.code == 0 and "!)" in ended.out and "of 2 of the table's 3 faces" in ended.out


@pytest.mark.slow
@pytest.mark.fault("F39", "reproduce")
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_the_evaluation_that_it_has_started(start, openface, tmp_path, number, code):
    first = (documented.PAGES / "lists" / "validation_first_1000.txt").read_text().splitlines()[0]
    (tmp_path / "faces").mkdir()
    shutil.copy(openface / f"{NAMES[0]}.png", tmp_path / "faces" / first)
    process = start("-m", "benchmarks.reproduce", "recipes", "--limit", 1, "--dataset", tmp_path / "faces", "--out_dir",
                    tmp_path / "out")
    while process.poll() is None and not (locks := list((tmp_path / "out").glob("*/.lock"))):
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=300)
    assert process.returncode == code and "go on with: " in err and "Traceback" not in err, err
    claim_folder(locks[0].parent).close()


def test_the_weights_of_the_tables_of_64_pixels_are_the_shipped_ones():
    lists, names = read_json(ROOT / "docs/lists/digests.json"), {"encoder": "latent_encoder", "likely": LIKELY}
    kinds = {kind: f"checkpoint/celeba64-learned/{names.get(kind, kind)}" for kind in reproduce.MODELS}
    kinds["model"] = "checkpoint/celeba64"
    named = {(kind, digest) for table in lists.values() for faces, digests in table.items() if "by" not in faces
             for kind, digest in digests.items() if kind in kinds}
    assert len(named) > 5
    assert named == {(kind, describe_model(ROOT / kinds[kind])["model"]) for kind, _ in named}
