"""The order of training faces: a function of the seed and the step."""
import hashlib

import numpy as np
import pytest

import helpers
from dataset.stream import batches


def numbered_faces(count):
    """Faces that tell their number in the green channel, dark on the left and bright on the right in the red one."""
    faces = np.zeros((count, 4, 4, 3), np.uint8)
    faces[..., 1] = np.arange(count)[:, None, None]
    faces[..., 0] = [0, 80, 160, 255]
    return faces


def stream(count=12, batch_size=4, epochs=3, seed=7, first_step=0, flip=True):
    return [batch.numpy() for batch in batches(numbered_faces(count), batch_size=batch_size, epochs=epochs, seed=seed,
                                               first_step=first_step, flip=flip)]


def numbers(batch):
    return np.rint((batch[:, 0, 0, 1] + 1) * 127.5).astype(int).tolist()


def flipped(batch):
    return batch[:, 0, 0, 0] > batch[:, 0, -1, 0]


@pytest.mark.parametrize("count", [12, 14])
def test_a_stream_begun_at_any_step_goes_on_as_the_whole_one_does(count):
    whole = stream(count)
    assert len(whole) == 9
    for first_step in (1, 3, 8, 9):
        rest = stream(count, first_step=first_step)
        assert len(rest) == 9 - first_step
        for batch, expected in zip(rest, whole[first_step:]):
            np.testing.assert_array_equal(batch, expected)


def test_every_epoch_shows_every_face_once_and_in_an_order_of_its_own():
    order = [number for batch in stream() for number in numbers(batch)]
    epochs = [order[start:start + 12] for start in (0, 12, 24)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_the_remainder_of_an_epoch_is_left_out_and_no_face_comes_twice_in_it():
    order = [number for batch in stream(count=14, epochs=8) for number in numbers(batch)]
    epochs = [order[start:start + 12] for start in range(0, len(order), 12)]
    assert len(epochs) == 8
    assert all(len(set(epoch)) == 12 for epoch in epochs)
    assert {number for epoch in epochs for number in epoch} == set(range(14))


def test_faces_come_in_the_range_that_helpers_converts_to():
    [batch] = stream(count=4, epochs=1, flip=False)
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch, helpers.to_float(numbered_faces(4))[numbers(batch)])
    assert batch.min() == -1 and batch.max() == 1


def test_about_half_of_the_faces_are_mirrored_from_left_to_right_and_nothing_else():
    plain, turned = stream(epochs=40, flip=False), stream(epochs=40)
    was_flipped = np.concatenate([flipped(batch) for batch in turned])
    assert not any(flipped(batch).any() for batch in plain)
    assert abs(was_flipped.mean() - 0.5) < 0.1
    for before, after in zip(plain, turned):
        expected = np.where(flipped(after)[:, None, None, None], before[:, :, ::-1], before)
        np.testing.assert_array_equal(after, expected)


def test_a_face_is_not_turned_the_same_way_in_every_epoch():
    seen = {}
    for batch in stream(epochs=12):
        for number, turned in zip(numbers(batch), flipped(batch)):
            seen.setdefault(number, set()).add(bool(turned))
    assert all(ways == {True, False} for ways in seen.values())


@pytest.mark.parametrize("seed, digest", [(0, "6c5c307d84d7d089"), (7, "a5dbc53ce9e3a1f0"),
                                          (2 ** 29, "230a3cd324443277"), (2 ** 31 - 1, "79bc257c4cc81f99")])
def test_the_order_of_a_seed_stays_what_it_was_when_runs_were_begun_with_it(seed, digest):
    faces = np.arange(7 * 4 * 4 * 3).reshape(7, 4, 4, 3).astype(np.uint8)
    shown = [batch.numpy() for batch in batches(faces, batch_size=3, epochs=3, seed=seed)]
    assert hashlib.sha256(np.concatenate(shown)).hexdigest()[:16] == digest
