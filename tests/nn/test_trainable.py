"""Every model offers what a training run asks of it."""
import inspect

import numpy as np
import pytest

from models import CLASSES, model_type
from network import tf
from nn.choices import PRECISIONS, Schedule, Sizes
from nn.trainable import Trainable
from training.checkpoint import export
from training.health import EXAMINATIONS

KINDS = list(CLASSES)


@pytest.fixture
def prepared(model, request):
    """A tiny model of a kind, ready to be trained with everything that its settings switch on."""
    kind = model_type(request.param)
    sizes = {name: 2 for name in ("gf_dim", "df_dim", "ef_dim", "pf_dim")} | {"z_dim": 8, "image_size": 64}
    known = inspect.signature(kind.architecture_type).parameters
    trained = kind(kind.architecture_type(**{name: size for name, size in sizes.items() if name in known}), 0)
    more = {"generator": model} if "generator" in inspect.signature(kind.training_type).parameters else {}
    trained.prepare_training(kind.training_type(steps=3, **dict.fromkeys(kind.switches, 0.5), **more))
    yield trained
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": True})


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_says_what_it_is(kind):
    told = model_type(kind)
    assert Trainable in told.__mro__ and not inspect.isabstract(told) and told.kind == kind
    assert "image_size" in inspect.signature(told.architecture_type).parameters
    assert issubclass(told.training_type, Schedule) and told.examined in EXAMINATIONS
    assert set(told.optional) <= inspect.signature(told.architecture_type).parameters.keys()
    assert set(told.switches) <= inspect.signature(told.training_type).parameters.keys()


def test_what_leaves_something_out_is_no_model():
    class Half(Trainable):
        kind, architecture_type, training_type, examined = "half", Sizes, Schedule, "holes"

        def samples(self, faces):
            return faces
    with pytest.raises(TypeError, match="prepare_training|shipped|train_step"):
        Half()


@pytest.mark.parametrize("prepared", KINDS, indirect=True)
def test_a_model_that_is_ready_has_everything_that_a_run_asks_for(prepared, tmp_path):
    for name in (*Trainable.__annotations__, *(name for name in vars(Trainable) if not name.startswith("_"))):
        assert inspect.getattr_static(prepared, name) is not inspect.getattr_static(Trainable, name, None) or name in (
            "beginning", "optional", "switches", "precision", "foundations", "annotate", "grow"), name
    assert prepared.precision in PRECISIONS and prepared.training.steps == 3
    assert prepared.main in prepared.shipped.keys() & prepared.parts.keys()
    assert ("average" in prepared.parts) == ("average" in prepared.switches)
    faces = np.zeros((4, 64, 64, 3), np.uint8)
    assert prepared.samples(np.zeros((2, 64, 64, 3), np.float32)).shape[3] == 3
    annotated = {"parser", "finder"} & prepared.parts.keys()
    batch = tf.fill((4, 64, 64, 4 if annotated else 3), -1.0)
    figures = prepared.train_step(batch, tf.constant(0, tf.int64))
    assert "learning_rate" in figures and all(np.isfinite(value) and value.shape == () for value in figures.values())
    assert callable(EXAMINATIONS[prepared.examined](prepared, faces, faces))
    export(prepared, tmp_path / "model", {})
