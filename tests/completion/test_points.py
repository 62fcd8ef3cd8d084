"""Faces placed by hand."""
import numpy as np
import pytest

from completion.placing import place_by_points
from completion.points import PLACED, read_points
from helpers import UsageError
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
    path.write_text("a.png,1,2,30,2,15,40\n\nb.png, 5,5, 50,6, 25,60\n")
    points = read_points([str(path)])
    np.testing.assert_array_equal(points.of("folder/b.png"), [(5, 5), (50, 6), (25, 60)])
    assert points.of("c.png") is None


@pytest.mark.parametrize("words", [["1,2", "3,4"], ["1,2", "x,4", "5,6"], ["1,1", "2,2", "3,3"],
                                   ["nan,1", "9,1", "4,8"], ["30,2", "1,2", "15,40"]])
def test_bad_points_end_with_a_usage_error(words):
    with pytest.raises(UsageError):
        read_points(words)


@pytest.mark.parametrize("text", ["", "a.png,1,2,3\n", None])
def test_bad_files_of_points_end_with_a_usage_error(tmp_path, text):
    path = tmp_path / "points.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError):
        read_points([str(path)])
