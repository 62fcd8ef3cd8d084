"""The log of a run: nothing twice, nothing missing, with TensorBoard or without."""
import json
import sys

import numpy as np
import pytest
from PIL import Image

from helpers import BAD_OUTPUT, UsageError
from network import tf
from training.journal import Journal, tag_of

SHEET = np.full((8, 8, 3), 200, np.uint8)


def warned(message):
    pytest.fail(f"the journal warned: {message}")


def points(folder):
    return [json.loads(line) for line in (folder / "scalars.jsonl").read_text().splitlines()]


def read_events(folder):
    from tensorboard.compat.proto.event_pb2 import Event
    in_order = sorted(folder.glob("events.out.tfevents.*"), key=lambda path: (len(path.name), path.name))
    return [Event.FromString(content) for path in in_order
            for content in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()]


def events(folder):
    """(tag, step) of everything that TensorBoard would show."""
    return [(value.tag, event.step) for event in read_events(folder) for value in event.summary.value]


def write_run(folder, steps, first_step=0):
    journal = Journal(folder, first_step, warned)
    if first_step == 0:
        journal.text("options", 0, "the command")
        journal.samples(0, SHEET)
    for step in steps:
        journal.scalars(step, {"d_loss": step / 4, "g_loss": tf.constant(0.5)})
    journal.samples(steps[-1], SHEET)
    journal.flush()


@pytest.fixture
def no_tensorboard(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"] + ["tensorboard"]:
        monkeypatch.setitem(sys.modules, name, None)


def test_what_is_logged_is_in_the_plain_files_and_in_the_events(tmp_path):
    write_run(tmp_path, [1, 2])
    assert points(tmp_path) == [{"step": 1, "d_loss": 0.25, "g_loss": 0.5}, {"step": 2, "d_loss": 0.5, "g_loss": 0.5}]
    assert events(tmp_path) == [("options", 0), ("samples", 0), ("loss/d_loss", 1), ("loss/g_loss", 1),
                                ("loss/d_loss", 2), ("loss/g_loss", 2), ("samples", 2)]
    for name in ("0000.png", "0002.png"):
        np.testing.assert_array_equal(Image.open(tmp_path / "samples" / name), SHEET)


def test_a_journal_opened_at_a_step_forgets_what_came_after_it_and_keeps_what_came_before(tmp_path):
    write_run(tmp_path, [1, 2, 3, 4])
    Journal(tmp_path, 2, warned)
    assert [point["step"] for point in points(tmp_path)] == [1, 2]
    assert [sheet.name for sheet in (tmp_path / "samples").iterdir()] == ["0000.png"]
    assert sorted(events(tmp_path)) == [("loss/d_loss", 1), ("loss/d_loss", 2), ("loss/g_loss", 1),
                                        ("loss/g_loss", 2), ("options", 0), ("samples", 0)]


def test_a_resumed_log_has_no_gap_and_no_double_step(tmp_path):
    write_run(tmp_path, [1, 2, 3, 4])
    write_run(tmp_path, [3, 4, 5], first_step=2)
    assert [point["step"] for point in points(tmp_path)] == [1, 2, 3, 4, 5]
    logged = events(tmp_path)
    assert len(set(logged)) == len(logged)
    assert [step for tag, step in sorted(logged) if tag == "loss/d_loss"] == [1, 2, 3, 4, 5]


def test_a_run_begun_anew_before_its_first_save_logs_its_beginning_once(tmp_path):
    write_run(tmp_path, [1, 2])
    write_run(tmp_path, [1, 2])
    assert [point["step"] for point in points(tmp_path)] == [1, 2]
    logged = events(tmp_path)
    assert sorted(logged) == sorted(set(logged))


def test_the_half_written_end_of_a_killed_process_is_dropped_and_the_rest_kept(tmp_path):
    write_run(tmp_path, [1, 2])
    for path in (tmp_path / "scalars.jsonl", *tmp_path.glob("events.out.tfevents.*")):
        path.write_bytes(path.read_bytes()[:-7])
    write_run(tmp_path, [2, 3], first_step=1)
    assert [point["step"] for point in points(tmp_path)] == [1, 2, 3]
    assert [step for tag, step in events(tmp_path) if tag == "loss/d_loss"] == [1, 2, 3]


@pytest.mark.parametrize("name, tag", [
    ("d_loss", "loss/d_loss"), ("squared_error", "loss/squared_error"), ("d_real", "discriminator/d_real"),
    ("context_gradient", "gradient/context_gradient"), ("learning_rate", "run/learning_rate"),
    ("hole_psnr", "validation/hole_psnr"), ("center/hole_ssim", "validation/center/hole_ssim")])
def test_numbers_are_shown_in_groups_under_their_own_names(name, tag):
    assert tag_of(name) == tag


def test_the_curves_of_an_older_run_go_on_in_their_groups(tmp_path, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr("training.journal.tag_of", lambda name: name)
        write_run(tmp_path, [1, 2, 3])
    before = read_events(tmp_path)
    assert ("d_loss", 3) in events(tmp_path)
    write_run(tmp_path, [3], first_step=2)
    after = read_events(tmp_path)
    assert sorted(events(tmp_path)) == [*((f"loss/{name}_loss", step) for name in "dg" for step in (1, 2, 3)),
                                        ("options", 0), ("samples", 0), ("samples", 3)]
    assert [event.wall_time for event in after[:7]] == [event.wall_time for event in before[:7]]
    assert after[3].summary.value[0].tensor == before[3].summary.value[0].tensor


def test_settings_and_further_pictures_are_for_tensorboard_alone(tmp_path):
    journal = Journal(tmp_path, 0, warned)
    journal.hparams({"loss": "hinge", "steps": 3, "noise": 0.1, "flip": True})
    journal.picture("completions", 1, SHEET)
    journal.flush()
    assert events(tmp_path) == [("_hparams_/session_start_info", 0), ("completions", 1)]
    assert not list((tmp_path / "samples").glob("*")) and points(tmp_path) == []
    Journal(tmp_path, 1, warned).flush()
    assert events(tmp_path) == [("_hparams_/session_start_info", 0), ("completions", 1)]


def test_without_tensorboard_one_warning_comes_and_the_plain_files_are_written(tmp_path, no_tensorboard):
    warnings = []
    journal = Journal(tmp_path, 0, warnings.append)
    journal.text("options", 0, "the command")
    journal.samples(0, SHEET)
    for step in (1, 2):
        journal.scalars(step, {"d_loss": 1})
    journal.flush()
    assert len(warnings) == 1 and "TensorBoard" in warnings[0]
    assert points(tmp_path) == [{"step": 1, "d_loss": 1.0}, {"step": 2, "d_loss": 1.0}]
    assert (tmp_path / "samples" / "0000.png").exists()
    assert not list(tmp_path.glob("events*"))


def write_foreign_events(folder, tag):
    writer = tf.summary.create_file_writer(str(folder), filename_suffix=".foreign")
    with writer.as_default():
        tf.summary.scalar(tag, 1.0, 3)
    writer.flush()
    path, = folder.glob("*.foreign")
    return path


@pytest.mark.parametrize("first_step", [0, 2])
def test_only_what_a_run_wrote_is_ever_removed(tmp_path, first_step):
    log, elsewhere = tmp_path / "log", tmp_path / "elsewhere"
    write_run(log, [1, 2, 3, 4])
    write_run(elsewhere, [1, 2, 3, 4])
    (log / "samples" / "0003.png").symlink_to(elsewhere / "samples" / "0004.png")
    (log / "events.out.tfevents.9").symlink_to(next(elsewhere.glob("events.out.tfevents.*")))
    (log / "events.out.tfevents.10").write_bytes(b"no events")
    for name in ("portrait.png", "0007.png", "4.png", "².png"):
        (log / "samples" / name).write_bytes(b"mine")
    mine = [write_foreign_events(log, "accuracy"), log / "events.out.tfevents.10", *elsewhere.rglob("*.*"),
            *(log / "samples" / name for name in ("0003.png", "portrait.png", "0007.png", "4.png", "².png"))]
    before = [path.read_bytes() for path in mine]
    Journal(log, first_step, warned)
    assert [path.read_bytes() for path in mine] == before and len(before) == 11
    assert not (log / "samples" / "0004.png").exists()


def test_event_files_in_a_folder_without_our_curves_stay(tmp_path):
    path = write_foreign_events(tmp_path, "d_loss")
    before = path.read_bytes()
    Journal(tmp_path, 0, warned)
    assert path.read_bytes() == before


@pytest.mark.parametrize("when", ["create_file_writer", "scalar"])
def test_a_full_disk_is_named_and_no_matter_of_memory(tmp_path, monkeypatch, when):
    def full(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "{{function_node x}} events: No space left on device [Op:W]")
    monkeypatch.setattr(tf.summary, when, full)
    with pytest.raises(UsageError, match="TensorBoard's events to .*: events: No space left on device$") as caught:
        Journal(tmp_path / "log", 0, warned).scalars(1, {"d_loss": 1})
    assert caught.value.exit_code == BAD_OUTPUT


def test_samples_behind_a_link_stay(tmp_path):
    write_run(tmp_path / "log", [1, 2])
    (tmp_path / "log" / "samples").rename(tmp_path / "elsewhere")
    (tmp_path / "log" / "samples").symlink_to(tmp_path / "elsewhere")
    Journal(tmp_path / "log", 0, warned)
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["0000.png", "0002.png"]
