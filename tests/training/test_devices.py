"""Where training runs, and the batch that does not fit there."""
import os
from types import SimpleNamespace

import pytest

from helpers import OUT_OF_MEMORY, USAGE, UsageError
from network import DCGAN, Architecture, Training, tf
from training.devices import (
    BYTES_PER_FACE,
    check_memory,
    check_xla,
    is_slow,
    make_strategy,
    prepare,
    replicate,
    share,
    use_device,
)
from training.settings import Devices

without_gpu = pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="this machine has a GPU")


@without_gpu
def test_a_gpu_that_is_not_there_is_refused_with_what_to_do():
    with pytest.raises(UsageError, match="--device cpu") as caught:
        use_device("gpu")
    assert caught.value.exit_code == USAGE


@without_gpu
@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_without_a_gpu_the_processor_is_used(name):
    use_device(name)
    assert not tf.config.get_visible_devices("GPU")


@without_gpu
@pytest.mark.parametrize("precision, flags, slow", [
    ("bfloat16", "fpu avx avx2", True), ("bfloat16", "fpu avx avx512_bf16", False), ("bfloat16", "asimd bf16", False),
    ("bfloat16", None, False), ("float32", "fpu avx avx2", False)])
def test_a_processor_that_has_no_bfloat16_is_known(tmp_path, precision, flags, slow):
    if flags:
        (tmp_path / "cpuinfo").write_text(f"flags\t: {flags}\n")
    assert is_slow(precision, tmp_path / "cpuinfo") == slow


@without_gpu
@pytest.mark.fault("F42", "trained")
def test_a_batch_that_cannot_fit_is_refused_before_it_is_tried():
    with pytest.raises(UsageError, match="reduce --batch_size") as caught:
        check_memory(10**9, Architecture())
    assert caught.value.exit_code == OUT_OF_MEMORY


@without_gpu
def test_the_batches_of_the_report_fit():
    check_memory(300, Architecture())
    check_memory(64, Architecture(128))


@without_gpu
@pytest.mark.parametrize("larger", [Architecture(128), Architecture(gf_dim=64), Architecture(df_dim=64)])
def test_larger_networks_leave_room_for_fewer_faces(larger):
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    batch_size = int(0.5 * memory / BYTES_PER_FACE)
    check_memory(batch_size, Architecture())
    with pytest.raises(UsageError):
        check_memory(batch_size, larger)


def test_a_batch_is_shared_out_evenly_or_refused():
    three = SimpleNamespace(num_replicas_in_sync=3)
    assert share(12, three) == 4
    with pytest.raises(UsageError, match="--batch_size 7 cannot be shared out evenly to 3"):
        share(7, three)


def test_several_workers_need_to_be_named_and_do_not_train_alone(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(UsageError, match="TF_CONFIG has to name the workers"):
        make_strategy("multi_worker")
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}')
    for name in ("one", "mirrored"):
        with pytest.raises(UsageError, match="each of the 2 workers"):
            make_strategy(name)


@pytest.fixture
def gpu(monkeypatch):
    """Have TensorFlow see a GPU of a compute capability."""
    def put(*capability):
        details = {"compute_capability": capability} if capability else {}
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["gpu:0"])
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    return put


def test_xla_is_refused_where_it_would_end_the_process(gpu):
    gpu(12, 0)
    with pytest.raises(UsageError, match=r"--xla: .* compute capability 12\.0: train without --xla") as caught:
        prepare(Devices(device="cpu", xla=True), 8, Architecture())
    assert caught.value.exit_code == USAGE and "\n" not in str(caught.value)


@pytest.mark.parametrize("capability", [(9, 0), (8, 9), ()])
def test_other_gpus_take_xla(gpu, capability):
    gpu(*capability)
    check_xla()


@without_gpu
def test_a_processor_takes_xla():
    check_xla()


@pytest.mark.slow
def test_an_update_compiled_by_xla_judges_real_faces_alike():
    faces, found = tf.random.stateless_uniform((4, 64, 64, 3), (1, 1), -1, 1), []
    for xla in (False, True):
        dcgan = DCGAN(Architecture(z_dim=4, gf_dim=1, df_dim=1))
        dcgan.prepare_training(Training())
        found.append(replicate(dcgan.train_step, tf.distribute.get_strategy(), xla)(faces, 0))
    plain, compiled = ({name: float(value) for name, value in one.items()} for one in found)
    assert plain.keys() == compiled.keys() and compiled["d_real"] == pytest.approx(plain["d_real"], rel=1e-5)
    assert compiled["d_loss"] == pytest.approx(plain["d_loss"], rel=0.02)       # its latents are others
