"""The latent method without TensorFlow: what is exported, and face_completion.py --onnx."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import face_completion
from completion.blend import blend_matern
from completion.detail import mix
from completion.export import main as export
from completion.masks import make_hole
from helpers import (
    BAD_CHECKPOINT,
    BAD_OUTPUT,
    OUT_OF_MEMORY,
    SOME_FAILED,
    USAGE,
    file_sha256,
    to_float,
    to_uint8,
)
from pictures.photo import read_photo

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
ROOT = Path(__file__).parents[1]
FACES = ROOT / "tests" / "data" / "openface64"
FACE = FACES / "A000369.png"
MODEL = ROOT / "checkpoint" / "celeba64"


def write_graph(path, outputs=("lifelike", "likely"), side=64, known="BOOL"):
    """An ONNX file that answers every hole with the half, and as likely with minus the half, of what is known."""
    tensor = onnx.helper.make_tensor_value_info
    shape, kind = ["n", side, side, 3], onnx.TensorProto
    nodes = [onnx.helper.make_node("Mul", ["faces", f"{output} factor"], [output]) for output in outputs]
    factors = [onnx.helper.make_tensor(f"{output} factor", kind.FLOAT, [], [factor])
               for output, factor in zip(outputs, (0.5, -0.5))]
    graph = onnx.helper.make_graph(
        nodes, "answer", [tensor("faces", kind.FLOAT, shape), tensor("known", getattr(kind, known), shape[:3])],
        [tensor(output, kind.FLOAT, shape) for output in outputs], factors)
    content = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(content.SerializeToString())
    return path


@pytest.fixture
def complete(run, tmp_path):
    """complete(option, ...) completes one face -> (how it ended, its pixels or None)."""
    def call(*arguments):
        ended = run(face_completion.main, FACE, "--out_dir", tmp_path / "out", "--overwrite", *arguments)
        path = tmp_path / "out" / FACE.stem / "completed.png"
        return ended, read_photo(path).pixels if path.exists() else None
    return call


def test_tensorflow_is_not_imported(tmp_path):
    path = write_graph(tmp_path / "answer.onnx")
    arguments = [str(FACES), "--out_dir", "out", "--onnx", str(path), "--mask_type", "half"]
    code = ("import sys, face_completion; "
            f"code = face_completion.main({arguments!r}); sys.exit(code or 'tensorflow' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "12 completed" in done.stdout
    settings = json.loads((tmp_path / "out" / "config.json").read_text())
    assert settings["onnx"] == file_sha256(path)[:16] and settings["image_size"] == 64
    assert (settings["method"], settings["blend"], settings["detail"]) == ("latent", "matern", 0.25)


@pytest.mark.fault("F51", "onnx")
def test_the_guess_is_blended_and_the_dial_goes_from_likely_to_lifelike(complete, tmp_path):
    path, face, known = write_graph(tmp_path / "answer.onnx"), read_photo(FACE).pixels, make_hole("center", 64, "", 0)
    faces = to_float(face)[None]
    lifelike, likely = (blend_matern(faces, factor * faces, known[None])[0] for factor in (0.5, -0.5))
    for detail, expected in ((1, lifelike), (0, mix(lifelike[None], likely[None], known[None], 0)[0])):
        ended, pixels = complete("--onnx", path, "--detail", detail)
        assert ended.code == 0, ended.err
        np.testing.assert_array_equal(pixels[known], face[known])
        np.testing.assert_allclose(pixels.astype(int), to_uint8(expected), atol=1)
    ended, pixels = complete("--onnx", path, "--blend", "none", "--detail", 1)
    np.testing.assert_array_equal(pixels[~known], to_uint8(0.5 * faces[0])[~known])


def test_without_what_is_likely_all_is_detail(complete, tmp_path):
    path = write_graph(tmp_path / "answer.onnx", ["lifelike"])
    ended, _ = complete("--onnx", path)
    assert ended.code == 0 and json.loads((tmp_path / "out/config.json").read_text())["detail"] == 1
    ended, _ = complete("--onnx", path, "--detail", 0.5)
    assert ended.code == BAD_CHECKPOINT and "has none" in ended.err


@pytest.mark.parametrize("option", ["--num_iter 0", "--learning_rate 0.1", "--completions 2", "--recipe best",
                                    f"--checkpoint {MODEL}", "--method laplace", "--device cpu", "--log_dir log",
                                    "--scheduler tcp://host:8786", "--encoder x", "--no-mirror"])
def test_options_without_use_are_refused(complete, tmp_path, option):
    ended, pixels = complete("--onnx", write_graph(tmp_path / "answer.onnx"), *option.split())
    assert ended.code == USAGE and pixels is None and ended.err.count("\n") == 1
    assert "-onnx" in ended.err or "--device is of networks" in ended.err or "has no use" in ended.err


@pytest.mark.fault("F33 F34 F38", "onnx")
@pytest.mark.parametrize("content", [None, b"", b"rubbish" * 99, {"outputs": ["a", "b"]}, {"known": "FLOAT"},
                                     {"side": "s"}, {"side": None}], ids=str)
def test_a_broken_or_foreign_file_is_refused(complete, tmp_path, content):
    path = tmp_path / "answer.onnx"
    if isinstance(content, dict):
        write_graph(path, **content)
    elif content is not None:
        path.write_bytes(content)
    ended, pixels = complete("--onnx", path)
    assert ended.code == BAD_CHECKPOINT and pixels is None and str(path) in ended.err and ended.err.count("\n") == 1


def write_nodes(path, array, *nodes):
    """An ONNX file of nodes (operator, inputs, output, attributes) that may take an array beside the faces."""
    tensor, kind, shape = onnx.helper.make_tensor_value_info, onnx.TensorProto, ["n", 64, 64, 3]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(operator, inputs.split(), [output], **more) for operator, inputs, output, more in nodes],
        "broken", [tensor("faces", kind.FLOAT, shape), tensor("known", kind.BOOL, shape[:3])],
        [tensor("lifelike", kind.FLOAT, shape)], [onnx.numpy_helper.from_array(array, "array")])
    content = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(content.SerializeToString())
    return path


HUGE = (("ConstantOfShape", "array", "zeros", {}), ("ReduceSum", "zeros", "sum", {"keepdims": 0}),
        ("Mul", "faces sum", "lifelike", {}))


@pytest.mark.fault("F38 F42", "onnx")
@pytest.mark.parametrize("array, nodes, code, said", [
    (np.array([7, 64, 64, 3]), [("Reshape", "faces array", "lifelike", {})], BAD_CHECKPOINT, "cannot be computed"),
    (np.array([0]), [("Concat", "faces faces", "lifelike", {"axis": 0})], BAD_CHECKPOINT, "another shape"),
    (np.array([2 ** 20, 2 ** 20]), HUGE, OUT_OF_MEMORY, "out of memory"),
    (np.float32(np.nan), [("Mul", "faces array", "lifelike", {})], SOME_FAILED, "not_finite")])
def test_a_file_that_answers_nothing_of_use_is_told(complete, tmp_path, array, nodes, code, said):
    ended, pixels = complete("--onnx", write_nodes(tmp_path / "broken.onnx", array, *nodes), "--detail", 1)
    assert ended.code == code and pixels is None and said in ended.err and ended.err.count("\n") == 1, ended.err


@pytest.mark.parametrize("module", ["onnxruntime", pytest.param("tf2onnx", marks=pytest.mark.slow)])
def test_what_to_install_is_said(run, tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    ended = (run(face_completion.main, FACE, "--out_dir", tmp_path / "out", "--onnx", write_graph(tmp_path / "a.onnx"))
             if module == "onnxruntime" else run(export, MODEL, tmp_path / "b.onnx"))
    assert ended.code == USAGE and f"needs {module}: pip install -r requirements-onnx.txt" in ended.err
    assert not (tmp_path / "b.onnx").exists()


def test_a_model_without_an_encoder_is_told_what_to_train(run, tmp_path):
    shutil.copytree(MODEL, tmp_path / "mine")
    ended = run(export, tmp_path / "mine", tmp_path / "a.onnx")
    assert ended.code == BAD_CHECKPOINT
    assert f"latent_encoder --generator {tmp_path}/mine ... --export {tmp_path}/mine-learned/latent_enc" in ended.err


def test_a_place_that_cannot_be_written_is_refused_before_any_work(run, tmp_path):
    (tmp_path / "there.onnx").mkdir()
    for out in (tmp_path / "there.onnx", tmp_path, FACE / "answer.onnx"):
        ended = run(export, MODEL, out)
        assert ended.code == BAD_OUTPUT and ended.err.count("\n") == 1, ended.err
    ended = run(export, tmp_path, tmp_path / "answer.onnx")
    assert ended.code == BAD_CHECKPOINT and os.listdir(tmp_path) == ["there.onnx"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The shipped model as an ONNX file, at the place of a link."""
    pytest.importorskip("tf2onnx")
    folder = tmp_path_factory.mktemp("exported")
    (folder / "elsewhere").write_text("kept")
    (folder / "celeba64.onnx").symlink_to("elsewhere")
    assert export([str(MODEL), str(folder / "celeba64.onnx")]) == 0
    assert sorted(os.listdir(folder)) == ["celeba64.onnx", "elsewhere"]
    assert (folder / "elsewhere").read_text() == "kept" and not (folder / "celeba64.onnx").is_symlink()
    return folder / "celeba64.onnx"


@pytest.mark.slow
@pytest.mark.parametrize("mask", ["center", "random", "half"])
def test_the_pixels_are_those_of_the_search_without_updates_within_a_level(run, tmp_path, exported, mask):
    pictures = []
    for name, how in (("search", ["--num_iter", 0]), ("onnx", ["--onnx", exported])):
        ended = run(face_completion.main, FACES, "--out_dir", tmp_path / name, "--mask_type", mask, *how)
        assert ended.code == 0 and "12 completed" in ended.out, ended.err
        pictures.append([read_photo(path).pixels.astype(int)
                         for path in sorted((tmp_path / name).glob("*/completed.png"))])
    assert np.abs(np.subtract(*pictures)).max() <= 1


@pytest.mark.slow
@pytest.mark.fault("F52", "onnx")
def test_the_saved_model_is_the_same_function(tmp_path, exported, run):
    import onnxruntime

    from nn.setup import tf
    assert run(export, MODEL, tmp_path / "saved").code == 0 and os.listdir(tmp_path) == ["saved"]
    known = np.stack([make_hole("random", 64, f"{index}", 0) for index in range(3)])
    faces = np.random.default_rng(0).uniform(-1, 1, (3, 64, 64, 3)).astype(np.float32)
    answer = tf.saved_model.load(str(tmp_path / "saved")).signatures["serving_default"]
    ours = answer(faces=tf.constant(faces), known=tf.constant(known))
    theirs = onnxruntime.InferenceSession(exported).run(["lifelike", "likely"], {"faces": faces, "known": known})
    for name, values in zip(("lifelike", "likely"), theirs):
        np.testing.assert_allclose(ours[name], values, atol=1e-4)
    faces[~known] = np.nan
    for name, value in answer(faces=tf.constant(faces), known=tf.constant(known)).items():
        np.testing.assert_array_equal(value, ours[name])
    assert run(export, MODEL, tmp_path / "saved").code == BAD_OUTPUT
