"""How far several completions of one face are from each other."""
import itertools

import numpy as np

from .images import ssim_map


def uncertainty(answers):
    """How little the answers agree at every pixel: their standard deviation, the mean of the channels.

    answers : (K, H, W, 3) uint8. Returns (H, W), in levels from 0 to 127.5; 0 where all agree, as on known pixels.
    """
    return answers.astype(np.float64).std(axis=0).mean(axis=-1)


def diversity(answers, known):
    """How much the answers differ in the hole, the mean over all pairs of them, as a dictionary.

    diversity_rms : root of the mean squared difference of a pair over the hole's pixels and channels, in levels
    diversity_ssim : 1 - SSIM of a pair, its map of the whole image averaged over the hole, from 0 (equal) to 2
    uncertainty : the mean of `uncertainty` over the hole, in levels

    answers : (K, H, W, 3) uint8, K of at least 2; known : (H, W) bool, False somewhere
    Source: the mean distance of pairs is how Zhu et al., "Toward Multimodal Image-to-Image Translation", NeurIPS 2017,
    section 5, measure diversity; they take it in a network's features.
    """
    hole = ~known
    if len(answers) < 2 or not hole.any():
        raise ValueError(f"diversity needs two answers and a hole, got answers {answers.shape} and {hole.sum()} "
                         "missing pixels")
    first, second = (answers[list(which)] for which in zip(*itertools.combinations(range(len(answers)), 2)))
    difference = (first.astype(np.float64) - second)[:, hole]
    similarity = ssim_map(*(np.concatenate(pictures, axis=-1) for pictures in (first, second)))     # of all pairs
    return {"diversity_rms": float(np.sqrt((difference ** 2).mean(axis=(1, 2))).mean()),
            "diversity_ssim": float(1 - similarity[hole].mean()),
            "uncertainty": float(uncertainty(answers)[hole].mean())}
