import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from helpers import UsageError
from output.figures import draw_levels, draw_scores, fit, pair, without_legend, write_comparison, write_gif, write_sheet
from pictures.photo import read_photo

FACES = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)


def test_a_sheet_holds_every_picture_in_its_place(tmp_path):
    sheet = write_sheet(tmp_path / "sheet.png", list(FACES))
    assert sheet.shape == (16, 64, 3)
    np.testing.assert_array_equal(sheet[8:, 8:16], FACES[9])
    np.testing.assert_array_equal(read_photo(tmp_path / "sheet.png").pixels, sheet)


@pytest.mark.parametrize("shape, scaled", [((500, 410), (256, 210)), ((40, 80), (128, 256)), ((1, 5000), (1, 256))])
def test_a_picture_is_scaled_to_its_longer_side(shape, scaled):
    assert fit(np.full((*shape, 3), 9, np.uint8), 256).shape == (*scaled, 3)


def test_a_pair_meets_in_the_middle_and_keeps_off_the_next(samples):
    photo = read_photo(samples / "A000369.jpg").pixels
    both = pair(photo, photo[::-1], 64)
    assert both.shape == (76, 144, 3)
    width = fit(photo, 64).shape[1]
    np.testing.assert_array_equal(both[:64, 64 - width:64], fit(photo, 64))
    np.testing.assert_array_equal(both[:64, 68:68 + width], fit(photo[::-1], 64))
    for white in (both[64:], both[:, 64:68], both[:, :64 - width], both[:, 68 + width:]):
        assert (white == 255).all()


@pytest.mark.parametrize("side, step", [(64, 4), (100, 3), (300, 1)])
def test_levels_are_greys_beside_a_bar_that_names_them(side, step):
    levels = np.linspace(0, 140, side * side).reshape(side, side)
    picture = draw_levels(levels, 2)
    height, width = picture.shape[:2]
    greys = np.rint(2 * levels).clip(0, 255)
    np.testing.assert_array_equal(picture[:, :side * step, 0], greys.repeat(step, axis=0).repeat(step, axis=1))
    np.testing.assert_array_equal(without_legend(picture, side), np.repeat(greys[..., None], 3, axis=2))
    legend = picture[:, side * step:, 0]
    bar = legend[12:-12, 18].astype(int)
    assert (bar[0], bar[-1]) == (255, 0) and (np.diff(bar) <= 0).all()
    inked = (legend[:, 28:] < 128).any(axis=1)
    for level in (0, 32, 64, 96):                       # a number stands where the bar has its grey
        place = 12 + np.abs(bar - 2 * level).argmin()
        assert inked[place - 5:place + 6].any() and not inked[place - 14:place - 9].any()


def test_an_animation_has_every_frame_and_rests_on_the_last(tmp_path):
    write_gif(tmp_path / "faces.gif", list(FACES[:4]))
    with Image.open(tmp_path / "faces.gif") as animation:
        assert animation.n_frames == 4 and animation.info["loop"] == 0
        first = animation.info["duration"]
        animation.seek(3)
        assert animation.info["duration"] > first


def flat(level):
    return np.full((8, 8, 3), level, np.uint8)


def test_a_comparison_shows_rows_and_columns_in_their_order_at_print_resolution(tmp_path):
    rows = [{"original": flat(10), "latent": flat(60)}, {"latent": flat(160), "original": flat(110)}]
    write_comparison([tmp_path / "figure.png"], {"center": rows}, ["original", "latent"])
    figure = read_photo(tmp_path / "figure.png").pixels
    heading = len(figure) - 2 * 300
    assert figure.shape[1] == 2 * 300 and 40 < heading < 90
    with Image.open(tmp_path / "figure.png") as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    centres = figure[[[heading + 150], [heading + 450]], [150, 450]]
    np.testing.assert_array_equal(centres[..., 0], [[10, 60], [110, 160]])
    for column in (figure[:heading, :300], figure[:heading, 300:]):
        assert column.max() == 255 and column.min() < 50                # a heading, dark on white


def test_every_word_of_a_heading_stands_on_a_line_of_its_own(tmp_path):
    write_comparison([tmp_path / "figure.png"], {"": [{"one_across": flat(255)}]}, ["one_across"])
    inked = (read_photo(tmp_path / "figure.png").pixels < 128).any(axis=(1, 2))
    begins, ends = (np.flatnonzero(np.diff(inked.astype(int)) == step) for step in (1, -1))
    assert len(begins) == len(ends) == 2 and not inked[0]               # neither word has parts apart from each other
    assert ends - begins == pytest.approx(0.55 * 9 / 72 * 300, rel=0.1)  # both as high as an x of 9 points


def test_groups_of_a_comparison_have_their_names_and_many_columns_fit_on_a_page(tmp_path):
    columns = ["generative_face_completion", *(f"method_{index}" for index in range(10))]
    groups = {"center": [dict.fromkeys(columns, flat(9))], "half": [dict.fromkeys(columns, flat(99))]}
    write_comparison([tmp_path / "figure.png"], groups, columns, dpi=100)
    figure = read_photo(tmp_path / "figure.png").pixels.min(axis=-1)
    assert 7.2 <= figure.shape[1] / 100 <= 7.5
    left = np.flatnonzero((figure[-60:] == 99).any(axis=0))[0]
    assert 10 < left < 25 and all(part.min() < 50 for part in np.split(figure[-120:, :left - 2], 2))
    dark = (figure[:len(figure) - 2 * 66, left - 2:] < 128).any(axis=0)
    borders = np.rint(np.arange(12) * 100 * 7.2 / 11).astype(int)
    assert all(dark[first:last].any() for first, last in zip(borders, borders[1:]))
    assert not dark[borders[:-1]].any()                                 # no heading reaches into the next one's place


def test_a_comparison_in_pdf_repeats_itself_and_has_no_type_3_fonts(tmp_path):
    for name in ("one.pdf", "two.pdf"):
        write_comparison([tmp_path / name], {"center": [{"original": flat(0)}]}, ["original"])
    content = (tmp_path / "one.pdf").read_bytes()
    assert content.startswith(b"%PDF") and b"/Type3" not in content and b"/FontFile2" in content
    assert content == (tmp_path / "two.pdf").read_bytes()


def test_a_comparison_leaves_the_place_of_a_missing_picture_white(tmp_path):
    write_comparison([tmp_path / "figure.png"], {"": [{"original": flat(0), "$a_b": flat(9)}, {"original": flat(0)}]},
                     ["original", "$a_b"], dpi=50)
    figure = read_photo(tmp_path / "figure.png").pixels
    assert (figure[-45:, 55:] == 255).all() and (figure[-45:-5, 5:45] == 0).all()


def test_a_comparison_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "figure.png").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        write_comparison([tmp_path / "figure.png"], {"": [{"original": flat(0)}]}, ["original"], dpi=20)
    assert [path.name for path in tmp_path.rglob("*")] == ["figure.png"]


@pytest.mark.parametrize("others", [{}, {"rival": {"psnr": 22.0, "ssim": 0.6}}])
def test_scores_are_drawn_as_one_picture(tmp_path, others):
    draw_scores(tmp_path / "scores.png", "dial", {"0": {"psnr": 23.0, "ssim": 0.7}, "1": {"psnr": 22.5, "ssim": 0.69}},
                others)
    pixels = read_photo(tmp_path / "scores.png").pixels
    assert pixels.shape == (352, 330, 3)
    blue, orange = ((pixels == colour).all(axis=-1).any() for colour in ((31, 119, 180), (255, 127, 14)))
    assert blue and orange == bool(others)


def test_labels_of_scores_that_nearly_agree_do_not_cover_each_other(tmp_path, monkeypatch):
    figures, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda figure, *args, **options: (figures.append(figure),
                                                                           save(figure, *args, **options))[1])
    curve = {"0": (23.44, 0.721, 0.420), "0.3": (23.42, 0.720, 0.419), "0.6": (23.09, 0.702, 0.423),
             "1": (22.71, 0.687, 0.430)}
    draw_scores(tmp_path / "scores.png", "dial", {label: dict(zip(("psnr", "ssim", "identity"), scores))
                                                  for label, scores in curve.items()}, {})
    for axes in figures[0].axes:
        assert [text.get_text() for text in axes.texts] == list(curve)
        boxes = [text.get_window_extent() for text in axes.texts]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
