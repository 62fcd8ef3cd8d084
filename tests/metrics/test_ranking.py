import numpy as np
import pytest

from metrics.ranking import better, clearly_best, evenly, spread


def test_a_metric_knows_which_way_it_is_better():
    ways = {"hole_psnr": "higher", "ring_ssim_uniform7": "higher", "identity": "lower", "face_frechet": "lower",
            "hole_l1": "lower", "hole_tone": "lower", "seam_gradient": "nearer 0", "diversity_ssim": None,
            "context_loss": None}
    assert {metric: better(metric) for metric in ways} == ways


@pytest.fixture
def faces():
    """A number of 40 faces that differ much more from each other than methods do."""
    return np.random.default_rng(0).normal(20, 5, 40)


def test_a_small_lead_on_every_face_is_clear_and_a_lead_by_chance_is_not(faces):
    noise = np.random.default_rng(1).normal(0, 2, 40)
    ahead = {"a": list(faces), "b": list(faces + 0.1), "c": list(faces - 1)}
    assert clearly_best(ahead, "hole_psnr") == "b" and clearly_best(ahead, "identity") == "c"
    by_chance = {"a": list(faces), "b": list(faces + 0.1 + noise - noise.mean())}
    assert clearly_best(by_chance, "hole_psnr") is None


def test_who_has_no_rival_or_no_direction_is_not_best(faces):
    pair = {"a": list(faces), "b": list(faces + 1)}
    assert clearly_best({"a": [None] * 40, "b": pair["b"]}, "hole_psnr") is None
    assert clearly_best(pair, "context_loss") is None and clearly_best(pair, "seam_gradient") is None
    apart = {"a": [1.0, None], "b": [None, 2.0]}
    assert clearly_best(apart, "hole_psnr") is None
    assert clearly_best(pair | {"c": [None] * 40}, "hole_psnr") == "b"


@pytest.mark.parametrize("count, shown", [(1, 60), (2, 60), (5, 6), (16, 60), (1000, 60), (61, 60), (1000, 2),
                                          (0, 60)])
def test_the_faces_shown_are_the_best_those_around_the_median_and_the_worst(count, shown):
    chosen = spread(count, shown)
    indices = [index for index, _ in chosen]
    assert len(set(indices)) == len(indices) == min(count, shown)
    if count:
        assert chosen[0] == (count - 1, "best") and (0 in indices)
    if (count, shown) == (1000, 60):
        assert [note for _, note in chosen] == ["best"] * 20 + ["median"] * 20 + ["worst"] * 20


@pytest.mark.parametrize("count, shown, places", [(48, 3, [8, 24, 40]), (6, 6, list(range(6))), (2, 6, [0, 1]),
                                                  (0, 3, []), (7, 2, [1, 5])])
def test_an_even_choice_is_the_middle_of_equal_parts(count, shown, places):
    assert evenly(count, shown) == places
