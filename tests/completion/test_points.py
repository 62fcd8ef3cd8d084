"""Faces placed by hand."""
import numpy as np
import pytest

from completion.placing import judge_stretch, place_by_points
from completion.points import PLACED, read_points
from helpers import BadPhoto, UsageError
from preprocess.affine import move
from preprocess.templates import TEMPLATES

TEMPLATE = "innerEyesAndBottomLip"


def test_three_pairs_put_the_template_exactly_where_they_are():
    points = read_points(["210,180", "262.5,181", "236,300"]).of("any/photo.png")
    placement = place_by_points(points, 64, TEMPLATE)
    np.testing.assert_allclose(move(placement.matrix, points), 64 * np.array(TEMPLATES[TEMPLATE][1]), atol=1e-9)
    assert placement.notes == (PLACED,)


def test_a_file_has_the_points_of_photos_by_name(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("\ufeffa,1,2,30,2,15,40\n\nin/b.png, 5,5, 50,6, 25,60\nc.PNG,1,2,30,2,15,40\n")
    points = read_points([str(path)])
    np.testing.assert_array_equal(points.of("folder/b.png"), [(5, 5), (50, 6), (25, 60)])
    np.testing.assert_array_equal(points.of("a.jpg"), [(1, 2), (30, 2), (15, 40)])
    assert points.of("c.png") is None and points.unused(["a.jpg", "in/b.png", "c.png"]) == ["c.PNG"]


@pytest.mark.parametrize("points, reason", [
    (["210,180", "262,181", "236,300"], None), (["185,180", "290,181", "236,300"], "stretched"),
    (["236,300", "210,180", "262,181"], "sheared")])
def test_points_that_stretch_the_face_are_remarked_on_and_those_of_no_face_refused(points, reason):
    placement = place_by_points(read_points(points).of("photo.png"), 64, TEMPLATE)
    if reason == "sheared":
        with pytest.raises(BadPhoto, match="sheared"):
            judge_stretch(placement)
    else:
        assert [reason in note for note in judge_stretch(placement).notes[1:]] == [True] * bool(reason)


@pytest.mark.parametrize("words", [["1,2", "3,4"], ["1,2", "x,4", "5,6"], ["1,1", "2,2", "3,3"],
                                   ["nan,1", "9,1", "4,8"], ["30,2", "1,2", "15,40"]])
def test_bad_points_end_with_a_usage_error(words):
    with pytest.raises(UsageError):
        read_points(words)


@pytest.mark.parametrize("text", ["", "a.png,1,2,3\n", "a.png,1,2,30,2,15,40\n" * 2, None])
def test_bad_files_of_points_end_with_a_usage_error(tmp_path, text):
    path = tmp_path / "points.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError):
        read_points([str(path)])
