"""One set of pictures against the photographs they were made from: every number of the tables."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from portrait_pipeline.images import to_model_range
from portrait_pipeline.metrics.deception import deception_rate
from portrait_pipeline.metrics.diversity import diversity
from portrait_pipeline.metrics.efficientnet_lite import early, pooled
from portrait_pipeline.metrics.helpers.descriptors import similarity_matrix
from portrait_pipeline.metrics.helpers.intervals import Interval, bootstrap_mean, wilson_interval
from portrait_pipeline.metrics.helpers.ranges import MODEL_RANGE
from portrait_pipeline.metrics.identity_similarity import pair_similarities
from portrait_pipeline.metrics.inception import inception_features
from portrait_pipeline.metrics.kid import SMALLEST_SET, kid_of_features, kid_pseudovalues, no_kid
from portrait_pipeline.metrics.l1_error import l1_error
from portrait_pipeline.metrics.landmark_error import landmark_errors
from portrait_pipeline.metrics.lpips import lpips_distance
from portrait_pipeline.metrics.luminance_correlation import luminance_correlation
from portrait_pipeline.metrics.psnr import psnr
from portrait_pipeline.metrics.rank import rank_rate, ranks
from portrait_pipeline.metrics.ssim import ssim, ssim_as_published
from portrait_pipeline.metrics.swd import cut_patches, swd_of_patches
from portrait_pipeline.metrics.true_accept_rate import true_accept_rate
from portrait_pipeline.scoring.reference import Pixels, Reference

Metrics = dict[str, Interval]

# Column of the per-picture scores → name of its mean in the tables.
MEANS = {
    "ssim": "ssim",
    "ssim_as_published": "ssim_as_published",
    "judge_similarity": "identity_similarity",
    "teacher_similarity": "teacher_similarity",
    "landmark_error": "landmark_error",
    "lpips": "lpips",
    "luminance_correlation": "luminance_correlation",
    "reconstruction_l1": "reconstruction_l1",
    "reconstruction_psnr": "reconstruction_psnr",
}


def score_pictures(reference: Reference, pictures: Pixels) -> pd.DataFrame:
    """Score every picture against the photograph in the same row of the reference."""
    photos, made = to_model_range(reference.photo_pixels), to_model_range(pictures)
    landmarks, judged = reference.landmarks(pictures), reference.judge(pictures)
    return pd.DataFrame(
        {
            "name": reference.photos.names,
            "ssim": ssim(photos, made, MODEL_RANGE),
            "ssim_as_published": ssim_as_published(photos, made),
            "judge_similarity": pair_similarities(judged, reference.judged_photos),
            "teacher_similarity": pair_similarities(
                reference.teacher(pictures), reference.taught_photos
            ),
            "found_first": ranks(similarity_matrix(judged, reference.judged_photos)) == 1,
            "landmark_error": landmark_errors(landmarks, reference.photo_landmarks),
            "face_found": reference.find_faces(pictures),
            "lpips": _lpips(reference, photos, made),
            "luminance_correlation": luminance_correlation(photos, made, MODEL_RANGE),
            "kid_pseudovalue": _kid_pseudovalues(reference, pictures),
        }
    )


def score_briefly(reference: Reference, pictures: Pixels) -> dict[str, float]:
    """Score one of several checkpoints of a model: few numbers, no intervals."""
    photos, made = to_model_range(reference.photo_pixels), to_model_range(pictures)
    judged = reference.judge(pictures), reference.judged_photos
    patches = cut_patches(made, MODEL_RANGE, reference.settings.patch_seed)
    return {
        "ssim": float(ssim(photos, made, MODEL_RANGE).mean()),
        "identity_similarity": float(pair_similarities(*judged).mean()),
        "rank_1": float((ranks(similarity_matrix(*judged)) == 1).mean()),
        "kid": measure_kid(reference, pictures)["kid"].value,
        "swd": swd_of_patches(patches, reference.painting_patches, 1).mean.value,
    }


def add_reconstruction(
    reference: Reference, scores: pd.DataFrame, reconstructions: Pixels
) -> pd.DataFrame:
    """Add how far F(G(x)) is from x, per picture."""
    photos, back = to_model_range(reference.photo_pixels), to_model_range(reconstructions)
    return scores.assign(
        reconstruction_l1=l1_error(photos, back, MODEL_RANGE).numpy(),
        reconstruction_psnr=psnr(photos, back, MODEL_RANGE).numpy(),
    )


def summarise(reference: Reference, scores: pd.DataFrame, pictures: Pixels) -> Metrics:
    """Average the scores, and measure what only a whole set has, each with its interval."""
    return {
        **summarise_pairs(reference, scores, pictures),
        **measure_style(reference, pictures),
    }


def summarise_pairs(reference: Reference, scores: pd.DataFrame, pictures: Pixels) -> Metrics:
    """Average what compares pictures with their photographs, and find the photographs again."""
    samples, seed = reference.settings.num_bootstrap_samples, reference.settings.seed
    judged = reference.judge(pictures), reference.judged_photos
    means = {
        name: bootstrap_mean(scores[column].to_numpy(np.float64), samples, seed)
        for column, name in MEANS.items()
        if column in scores and scores[column].notna().all()
    }
    return {
        **means,
        "face_found_share": wilson_interval(scores["face_found"].to_numpy(np.bool_)),
        "true_accept_rate": true_accept_rate(*judged, samples, seed),
        "rank_1": rank_rate(*judged, 1),
        "rank_5": rank_rate(*judged, 5),
    }


def measure_style(
    reference: Reference, pictures: Pixels, num_samples: int | None = None
) -> Metrics:
    """Measure how far a set of pictures is from the real paintings, and how varied it is.

    Args:
        reference: Holds the paintings.
        pictures: The set.
        num_samples: Bootstrap rounds; by default those of the settings.
    """
    samples = num_samples or reference.settings.num_bootstrap_samples
    seed = reference.settings.seed
    made, photos = to_model_range(pictures), to_model_range(reference.photo_pixels)
    distance = swd_of_patches(
        cut_patches(made, MODEL_RANGE, reference.settings.patch_seed),
        reference.painting_patches,
        samples,
    )
    return {
        **measure_kid(reference, pictures),
        "swd": distance.mean,
        **{f"swd_{size}px": _of_one_level(value, made) for size, value in distance.levels.items()},
        "kid_inception": _kid_inception(reference, pictures),
        "diversity": diversity(made, photos, MODEL_RANGE, samples, seed),
        **measure_deception(reference, pictures),
    }


def measure_deception(reference: Reference, pictures: Pixels) -> Metrics:
    """Measure how many pictures the classifier takes for paintings, where there is one."""
    if reference.takes_for_painting is None:
        return {}
    return {"deception_rate": deception_rate(reference.takes_for_painting(pictures))}


def measure_kid(reference: Reference, pictures: Pixels) -> Metrics:
    """Measure the kernel distance to paintings in EfficientNet-Lite0's features, late and early."""
    made, paintings = reference.features(pictures), reference.painting_features
    return {
        "kid": _kid(reference, pooled(made), pooled(paintings)),
        "kid_early": _kid(reference, early(made), early(paintings)),
    }


def average(several: Sequence[Metrics]) -> Metrics:
    """Average the same metrics of several draws: values, and the ends of their intervals."""
    return {name: _mean_of([metrics[name] for metrics in several]) for name in several[0]}


def _mean_of(intervals: Sequence[Interval]) -> Interval:
    value, low, high = np.mean([(one.value, one.low, one.high) for one in intervals], axis=0)
    return Interval(float(value), float(low), float(high), intervals[0].n)


def _kid(reference: Reference, made: Tensor, paintings: Tensor) -> Interval:
    few = min(len(made), len(paintings))
    if few < SMALLEST_SET:
        return no_kid(few)
    return kid_of_features(made, paintings, reference.settings.seed)


def _kid_pseudovalues(reference: Reference, pictures: Pixels) -> NDArray[np.float64]:
    if min(len(pictures), len(reference.paintings)) < SMALLEST_SET:
        return np.full(len(pictures), np.nan)
    made, paintings = reference.features(pictures), reference.painting_features
    return kid_pseudovalues(pooled(made), pooled(paintings))


def _of_one_level(value: float, made: Tensor) -> Interval:
    return Interval(value, math.nan, math.nan, len(made))


def _lpips(reference: Reference, photos: Tensor, made: Tensor) -> NDArray[np.float64]:
    network = reference.lpips.network
    if network is None:
        return np.full(len(made), np.nan)
    return lpips_distance(photos, made, network).numpy().astype(np.float64)


def _kid_inception(reference: Reference, pictures: Pixels) -> Interval:
    network, paintings = reference.inception.network, reference.inception_of_paintings
    if network is None or paintings is None:
        return no_kid(len(pictures))
    return _kid(reference, inception_features(to_model_range(pictures), network), paintings)
