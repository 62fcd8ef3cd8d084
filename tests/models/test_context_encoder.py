"""The context encoder: its losses, its holes, that nothing leaks into a face, and its training from end to end."""
import shutil
from pathlib import Path

import numpy as np
import pytest

import evaluate_completion
import face_completion
from completion.face import FaceReader
from completion.holes import StandardHoles
from completion.masks import MASKS, center
from helpers import BAD_CHECKPOINT, BAD_OUTPUT, USAGE, to_float, to_uint8, write_picture
from methods.classical import make_fill_batch
from methods.learned import load_filler
from methods.method_settings import MethodSettings
from models import CLASSES, LEARNED, shipped, train
from models.context_encoder import Architecture, ContextEncoder, Training, hole_weights
from models.hole_filling import DrawnHoles, reconstruction_loss
from network import tf
from nn.layers import dense_by_channel
from pictures.photo import read_photo
from shell.records import read_records
from tests.models.filling import check_that_faces_are_filled_alone, weights
from training.checkpoint import export, load_model
from training.health import score

ROOT = Path(train.__file__).parents[1]
TINY = ["--batch_size", "4", "--gf_dim", "2", "--df_dim", "2", "--save_every", "2", "--sample_every", "3",
        "--report_every", "1", "--average", "0.9", "--keep", "9"]


def smooth_faces(count, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture(scope="module")
def model():
    """One whose batch norm has seen faces, so that it is not blind."""
    model = ContextEncoder(Architecture(gf_dim=2, df_dim=2, skips=True))
    faces, known = to_float(smooth_faces(4)), np.repeat(center(64)[None], 4, axis=0)
    for _ in range(20):
        model.generator(tf.constant(faces), tf.constant(known), training=True)
    return model


def test_the_border_of_the_hole_is_heavier_and_what_lies_further_away_has_no_weight():
    weights = hole_weights(center(64)[None], 10.0).numpy()[0]
    assert (weights[16:48, 16:48] == 1).all()
    ring = np.zeros((64, 64), bool)
    ring[14:50, 14:50] = True
    assert (weights[ring & center(64)] == 10).all() and (weights[~ring] == 0).all()


def test_a_constant_error_costs_itself_whatever_the_hole():
    known = np.stack([MASKS[name](64, np.random.default_rng(0)) for name in ("center", "random", "none")])
    truth, weights = tf.zeros((3, 64, 64, 3)), hole_weights(known, 10.0)
    for distance, cost in ((tf.square, 0.25), (tf.abs, 0.5)):
        loss = reconstruction_loss(distance, truth + 0.5, truth, weights)
        assert float(loss) == pytest.approx(cost * 2 / 3)               # the face without a hole costs nothing


def test_holes_are_drawn_of_every_kind_and_by_the_seed_alone():
    holes = DrawnHoles(["center", "center", "O6"], 64, 0)
    drawn = [holes(300, tf.constant([seed, 1], tf.int64)).numpy() for seed in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()
    kinds = [np.array([(known == MASKS[name](64)).all() for known in drawn[0]]) for name in ("center", "O6")]
    assert (kinds[0] ^ kinds[1]).all() and kinds[0].mean() == pytest.approx(2 / 3, abs=0.1)


def test_a_random_hole_of_the_stock_is_one_of_its_kind():
    known = DrawnHoles(["half", "center"], 64, 3)(50, tf.constant([0, 0], tf.int64)).numpy()
    assert set((~known).mean(axis=(1, 2))) == {0.5, 0.25}


def test_a_face_is_filled_alike_alone_and_in_company_and_nothing_under_the_hole_is_seen(model):
    filled = check_that_faces_are_filled_alone(model, to_float(smooth_faces(5)))
    assert np.ptp(filled[0][16:48, 16:48]) > 0


@pytest.mark.parametrize("skips", [False, True])
def test_its_layers_have_the_sizes_of_the_description(skips):
    network = ContextEncoder(Architecture(gf_dim=2, skips=skips)).generator
    assert [kernel.shape[-1] for kernel in network.encoder] == [2, 4, 8, 16]
    assert [kernel.shape[-1] for kernel in network.decoder] == ([16, 16, 8, 4] if skips else [16, 8, 4, 2])
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 16)).astype(np.float32)
    dense = np.einsum("bhwc,hwcq->bqc", x, network.by_channel.numpy()).reshape(2, 4, 4, 16)
    np.testing.assert_allclose(dense_by_channel(tf.constant(x), network.by_channel), dense, atol=1e-6)


def test_the_variant_with_skips_completes_the_mirror_image_alike():
    model, faces = ContextEncoder(Architecture(gf_dim=2, skips=True)), to_float(smooth_faces(2))
    known = np.stack([MASKS["left"](64, np.random.default_rng(1))] * 2)
    mirrored = model.fill_batch(faces[:, :, ::-1], known[:, :, ::-1], range(2))
    np.testing.assert_allclose(mirrored[:, :, ::-1], model.fill_batch(faces, known, range(2)), atol=1e-5)


def test_training_learns_to_fill_and_its_distance_falls(model):
    learner = ContextEncoder(Architecture(gf_dim=4, df_dim=2))
    learner.prepare_training(Training(steps=30, learning_rate=0.01))
    step = tf.function(learner.train_step)
    losses = [step(to_float(smooth_faces(4)), tf.constant(number, tf.int64)) for number in range(30)]
    assert losses[-1]["reconstruction_loss"] < 0.6 * losses[0]["reconstruction_loss"]
    assert set(losses[0]) == {"reconstruction_loss", "d_loss", "adversarial_loss", "g_gradient", "learning_rate"}


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    for index, face in enumerate(smooth_faces(9)):
        write_picture(folder / f"{index}.png", face)
    return folder


def command(faces, home, *more):
    return ["context_encoder", *TINY, "--dataset", faces, "--checkpoint_dir", home / "saves", "--log_dir",
            home / "logs", *more]


@pytest.mark.fault("F36", "learned")
def test_a_resumed_run_equals_an_unbroken_one_and_its_model_fills_faces(faces, tmp_path, run):
    more = "--masks", "half", "center", "--validation", faces
    assert not run(train.main, *command(faces, tmp_path / "once", *more, "--epoch", 2, "--export", tmp_path / "m")).code
    shutil.copytree(tmp_path / "once", tmp_path / "twice")
    shutil.rmtree(tmp_path / "twice" / "saves" / "context_encoder" / "step-00000004")
    assert "step-00000002" in run(train.main, *command(faces, tmp_path / "twice", *more[:3], "--epoch", 2)).out
    once, twice = (weights(tmp_path / home / "saves/context_encoder/step-00000004") for home in ("once", "twice"))
    assert any("discriminator" in name for name in once) and any("average" in name for name in once)
    for name, value in once.items():
        np.testing.assert_array_equal(value, twice[name], err_msg=name)

    model, manifest = load_model(tmp_path / "m", ContextEncoder)
    assert (manifest["kind"], manifest["training"]["masks"]) == ("context_encoder", "half center")
    shipped = [name for name, _ in tf.train.list_variables(str(tmp_path / "m" / "tensors")) if "VARIABLE" in name]
    assert shipped and all(name.startswith("generator/") for name in shipped)
    truth, known = to_float(smooth_faces(2)), np.repeat(center(64)[None], 2, axis=0)
    fill = load_filler(MethodSettings("context_encoder", tmp_path / "once" / "saves" / "context_encoder"))[0]
    np.testing.assert_array_equal(fill(truth, known, [0, 1]), model.fill_batch(truth, known, [0, 1]))
    assert (tmp_path / "once" / "logs" / "context_encoder" / "samples" / "0003.png").exists()


def test_both_commands_complete_faces_by_it(model, openface, tmp_path, run):
    export(model, tmp_path / "context_encoder", {})
    ended = run(face_completion.main, openface / "A000369.png", "--method", "context_encoder", "--mask_type", "half",
                "--checkpoint", tmp_path / "context_encoder", "--out_dir", tmp_path / "completed")
    assert not ended.code, ended.err
    evaluation = [openface, "--limit", 2, "--jobs", 1, "--methods", "context_encoder", "--masks", "half", "--learned",
                  tmp_path, "--out_dir", tmp_path / "evaluation"]
    assert "2 results computed" in run(evaluate_completion.main, *evaluation).out
    assert "0 results computed, 2 were there" in run(evaluate_completion.main, *evaluation).out
    face = FaceReader(StandardHoles("half"), 64)(openface / "A000369.png", "A000369")
    expected = to_uint8(model.fill_batch(to_float(face.pixels[None]), face.known[None], [face.seed]))[0]
    expected = np.where(face.known[..., None], face.pixels, expected)
    for path in ("completed/A000369/completed.png", "evaluation/pictures/half/context_encoder/A000369.png"):
        np.testing.assert_array_equal(read_photo(tmp_path / path).pixels, expected)
    results = list(read_records(tmp_path / "evaluation" / "results.jsonl"))
    assert [record["method"] for record in results] == ["context_encoder"] * 2 and results[0]["seconds"] > 0


def test_an_evaluation_refuses_a_model_that_is_not_there_and_another_in_its_place(model, openface, tmp_path, run):
    evaluation = [openface, "--limit", 1, "--jobs", 1, "--methods", "context_encoder", "--learned", tmp_path]
    assert run(evaluate_completion.main, *evaluation, "--out_dir", tmp_path / "out").code == BAD_CHECKPOINT
    for seed in (0, 1):
        export(model, tmp_path / "context_encoder", {"seed": seed})
        ended = run(evaluate_completion.main, *evaluation, "--out_dir", tmp_path / "out")
    assert ended.code == BAD_OUTPUT and "context_encoder" in ended.err


@pytest.mark.parametrize("more", [[], ["context_encoder"], ["context_encoder", "--dataset", "x", "--masks", "none"],
                                  ["painter", "--dataset", "x"]], ids=" ".join)
def test_a_wrong_option_is_a_usage_error_of_one_line(run, more):
    ended = run(train.main, *more)
    assert ended.code == USAGE and len(ended.err.splitlines()) == 1


def test_skips_change_what_is_learned_unless_it_is_said():
    for more, expected in (([], ("l2", 10, 0.001)), (["--skips"], ("l1", 0, 0)),
                           (["--skips", "--distance", "l2", "--adversarial", "0.01"], ("l2", 0, 0.01))):
        options = vars(train.parse(["context_encoder", "--dataset", "x", *more]))
        options |= train.complete(options)
        assert tuple(options[name] for name in ("distance", "border", "adversarial")) == expected


def test_every_learned_method_can_be_trained_and_asked_for():
    assert set(LEARNED.values()) | {"dcgan", "damage", "placement"} == set(CLASSES) == set(train.MODELS) | {"dcgan"}


def test_the_shipped_model_fills_portraits_better_than_the_smoothest_surface(openface):
    truth = np.stack([read_photo(path).pixels for path in sorted(openface.glob("*.png"))])
    known = np.repeat(center(64)[None], len(truth), axis=0)
    learned, _ = load_filler(MethodSettings("context_encoder", ROOT / shipped("context_encoder")))
    learned, smooth = (score(fill(to_float(truth), known, range(len(truth))), truth, known)
                       for fill in (learned, make_fill_batch("laplace", 64, None)))
    assert learned["hole_psnr"] > smooth["hole_psnr"] + 1 and learned["hole_ssim"] > smooth["hole_ssim"] + 0.1


def test_a_run_does_not_go_on_with_an_adversary_that_it_had_not(faces, tmp_path, run):
    assert not run(train.main, *command(faces, tmp_path, "--skips", "--epoch", 1)).code
    ended = run(train.main, *command(faces, tmp_path, "--skips", "--epoch", 2, "--adversarial", 0.1))
    assert ended.code == BAD_CHECKPOINT and "--adversarial 0.0" in ended.err
