"""Where a command is to write is proven before anything is read, and before TensorFlow is loaded."""
from pathlib import Path

import pytest

from helpers import BAD_OUTPUT, USAGE, UsageError
from shell.lock import check_file

FACES = Path(__file__).parent / "data" / "openface64"
TRAIN = "train_network", "--dataset", FACES, "--checkpoint_dir", "{good}/saves", "--log_dir", "{good}/logs"
LEARN = "models.train", "vae", "--dataset", FACES, "--checkpoint_dir", "{good}/saves", "--log_dir", "{good}/logs"
COMPLETE = "face_completion", FACES, "--method", "laplace"
COMMANDS = {
    "completion": (*COMPLETE, "--out_dir", "{bad}"), "log": ("face_completion", FACES, "--out_dir", "{good}/out",
                                                             "--log_dir", "{bad}"),
    "evaluation": ("evaluate_completion", FACES, "--methods", "laplace", "--out_dir", "{bad}"),
    "alignment": ("preprocess.align_dlib", FACES, "align", "innerEyesAndBottomLip", "{bad}"),
    "split": ("preprocess.split_dataset", FACES, "{bad}", "--train", 1, "--validation", 1, "--test", 1),
    "pack": ("preprocess.pack_dataset", FACES, "{bad}"), "holes": ("completion.masks.__main__", "{bad}"),
    "shapes": ("preprocess.learn_shape", "absent.jsonl", "{bad}"),
    "samples": ("models.samples", "{bad}", "checkpoint/celeba64"), "training": (*TRAIN, "--export", "{bad}"),
    "curves": (*TRAIN, "--log_dir", "{bad}"), "saves": (*TRAIN, "--checkpoint_dir", "{bad}"),
    "learned": (*LEARN, "--export", "{bad}"), "latent": ("completion.latent", "project", FACES, "{bad}"),
    "exported": ("completion.export", "checkpoint/celeba64", "{bad}/answer.onnx"),
    "exported folder": ("completion.export", "checkpoint/celeba64", "{bad}"),
    "reproduced": ("benchmarks.reproduce", "recipes", "--dataset", FACES, "--out_dir", "{bad}")}
MAIN = """if True:
    import importlib, sys
    sys.modules["tensorflow"] = None
    sys.exit(importlib.import_module(sys.argv[1]).main(sys.argv[2:]))"""


@pytest.fixture
def refused(tmp_path, finish):
    """Run a command whose output is to go to a place; what it says when it has refused that."""
    def call(bad, command, code=BAD_OUTPUT):
        ended = finish("-c", MAIN, *(str(word).format(bad=bad, good=tmp_path) for word in command))
        assert ended.code == code and len(ended.err.splitlines()) == 1, ended
        return ended.err
    return call


@pytest.mark.fault("F20", "alignment", "split", "pack", "training", "learned", "completion", "evaluation", "masks",
                   "samples", "shape", "latent", "export", "reproduce")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path, refused, name):
    (tmp_path / "file").touch()
    assert "file" in refused(tmp_path / "file" / "out", COMMANDS[name])
    assert (tmp_path / "file").read_bytes() == b"" and not list(tmp_path.rglob("step-*"))


@pytest.mark.fault("F19", "training", "learned")
@pytest.mark.parametrize("name", ["training", "learned"])
def test_a_model_is_exported_to_no_link_and_into_nothing_else(tmp_path, refused, name):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    assert "link" in refused(tmp_path / "link", COMMANDS[name])
    assert "mine.txt" in refused(tmp_path / "full", COMMANDS[name])
    run = tmp_path / "saves" / ("dcgan" if name == "training" else "vae")
    assert "of the run itself" in refused(run, COMMANDS[name], USAGE)


def test_a_file_is_written_where_there_is_none_or_a_file_and_leaves_no_trace_before(tmp_path):
    (tmp_path / "file").write_text("old")
    check_file(tmp_path / "file")
    check_file(tmp_path / "new" / "deep" / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_text() == "old"
    for bad in (tmp_path, tmp_path / "file" / "inside", "/proc/none"):
        with pytest.raises(UsageError) as caught:
            check_file(bad)
        assert caught.value.exit_code == BAD_OUTPUT
