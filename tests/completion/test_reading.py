"""Batches of faces, and what belongs together of them again."""
import dataclasses

import numpy as np
import pytest

import face_completion
from completion.face import Face, Told
from completion.reading import Gatherer, read_batches
from helpers import BadPhoto


def faces_of(source, count):
    pixels = np.zeros((64, 64, 3), np.uint8)
    return [Face(f"{source}_{number}", source, (), pixels, None, seed=0, notes=[], number=number, faces=count)
            for number in range(1, count + 1)]


@pytest.mark.parametrize("size, sizes", [(1, [1] * 6), (2, [2, 2, 2]), (4, [4, 2]), (9, [6])])
def test_batches_are_full_however_many_faces_a_photo_has(size, sizes):
    counts, failed = {"a": 3, "bad": 0, "b": 1, "c": 2}, []

    def read(source, name):
        if not counts[source]:
            raise BadPhoto("empty")
        return faces_of(source, counts[source])
    tasks = [(source, source) for source in counts]
    batches = list(read_batches(tasks, read, size, lambda *failure: failed.append(failure[0]), lambda: None))
    assert [len(batch) for batch in batches] == sizes and failed == ["bad"]
    assert [face.name for batch in batches for face in batch] == ["a_1", "a_2", "a_3", "b_1", "c_1", "c_2"]


def test_faces_of_one_size_come_together():
    sides = {"a": 64, "b": 128, "c": 64, "d": 128, "e": 64}

    def read(source, name):
        face, = faces_of(source, 1)
        return [dataclasses.replace(face, pixels=np.zeros((sides[source],) * 2 + (3,), np.uint8))]
    batches = read_batches([(name, name) for name in sides], read, 2, None, lambda: None)
    assert [[face.source for face in batch] for batch in batches] == [["a", "c"], ["b", "d"], ["e"]]


def test_no_photo_is_read_ahead_of_its_batch():
    read = []
    batches = read_batches([(name, name) for name in "abc"],
                           lambda source, name: read.append(name) or faces_of(source, 2), 2, None, lambda: None)
    assert next(batches) and read == ["a"]


def test_the_faces_of_a_photo_come_together_in_their_order_whichever_is_finished_first():
    gather, (first, second, third), (other,) = Gatherer(), faces_of("a", 3), faces_of("b", 1)
    assert gather(third, 3) is None and gather(first, 1) is None
    assert gather(other, 9) == ((other,), (9,))
    assert gather(second, 2) == ((first, second, third), (1, 2, 3))
    assert gather(first, 5) is None                     # nothing is left of the photo that was whole


def test_what_is_told_of_a_face_begins_with_its_path_and_says_which_of_several_it_is(capsys):
    faces = [dataclasses.replace(face, notes=["a remark", Told("a doubt")]) for face in faces_of("photos/a.jpg", 2)]
    assert face_completion.tell_remarks(faces) == faces
    assert capsys.readouterr().err.splitlines() == [
        "warning: photos/a.jpg: a doubt", "warning: photos/a.jpg, face 2: a doubt"]
