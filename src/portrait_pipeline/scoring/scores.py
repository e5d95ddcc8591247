"""One set of pictures against the photographs they were made from: every number of the tables."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from portrait_pipeline.images import to_model_range
from portrait_pipeline.metrics.diversity import diversity
from portrait_pipeline.metrics.helpers.descriptors import similarity_matrix
from portrait_pipeline.metrics.helpers.intervals import Interval, bootstrap_mean
from portrait_pipeline.metrics.helpers.ranges import MODEL_RANGE
from portrait_pipeline.metrics.identity_similarity import pair_similarities
from portrait_pipeline.metrics.inception import inception_features
from portrait_pipeline.metrics.kid import kid_of_features, no_kid
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
    "face_found": "face_found_share",
    "lpips": "lpips",
    "luminance_correlation": "luminance_correlation",
    "reconstruction_l1": "reconstruction_l1",
    "reconstruction_psnr": "reconstruction_psnr",
}


def score_pictures(reference: Reference, pictures: Pixels) -> pd.DataFrame:
    """Score every picture against the photograph in the same row of the reference."""
    photos, made = to_model_range(reference.photo_pixels), to_model_range(pictures)
    landmarks = reference.landmarks(pictures)
    return pd.DataFrame(
        {
            "name": reference.photos.names,
            "ssim": ssim(photos, made, MODEL_RANGE),
            "ssim_as_published": ssim_as_published(photos, made),
            "judge_similarity": pair_similarities(
                reference.judge(pictures), reference.judged_photos
            ),
            "teacher_similarity": pair_similarities(
                reference.teacher(pictures), reference.taught_photos
            ),
            "landmark_error": landmark_errors(landmarks, reference.photo_landmarks),
            "face_found": reference.find_faces(pictures),
            "lpips": _lpips(reference, photos, made),
            "luminance_correlation": luminance_correlation(photos, made, MODEL_RANGE),
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
    samples, seed = reference.settings.num_bootstrap_samples, reference.settings.seed
    judged = reference.judge(pictures), reference.judged_photos
    means = {
        name: bootstrap_mean(scores[column].to_numpy(np.float64), samples, seed)
        for column, name in MEANS.items()
        if column in scores and scores[column].notna().all()
    }
    return {
        **means,
        "true_accept_rate": true_accept_rate(*judged, samples, seed),
        "rank_1": rank_rate(*judged, 1),
        "rank_5": rank_rate(*judged, 5),
        **measure_style(reference, pictures),
    }


def measure_style(reference: Reference, pictures: Pixels) -> Metrics:
    """Measure how far a set of pictures is from the real paintings, and how varied it is."""
    samples, seed = reference.settings.num_bootstrap_samples, reference.settings.seed
    made, photos = to_model_range(pictures), to_model_range(reference.photo_pixels)
    distance = swd_of_patches(
        cut_patches(made, MODEL_RANGE, reference.settings.patch_seed),
        reference.painting_patches,
        samples,
    )
    return {
        "swd": distance.mean,
        **{f"swd_{size}px": _of_one_level(value, made) for size, value in distance.levels.items()},
        "kid": _kid(reference, pictures),
        "diversity": diversity(made, photos, MODEL_RANGE, samples, seed),
    }


def _of_one_level(value: float, made: Tensor) -> Interval:
    return Interval(value, math.nan, math.nan, len(made))


def _lpips(reference: Reference, photos: Tensor, made: Tensor) -> NDArray[np.float64]:
    network = reference.lpips.network
    if network is None:
        return np.full(len(made), np.nan)
    return lpips_distance(photos, made, network).numpy().astype(np.float64)


def _kid(reference: Reference, pictures: Pixels) -> Interval:
    network, paintings = reference.inception.network, reference.painting_features
    if network is None or paintings is None:
        return no_kid(len(pictures))
    features = inception_features(to_model_range(pictures), network)
    return kid_of_features(features, paintings, reference.settings.seed).interval
