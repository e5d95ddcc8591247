"""The few numbers that a training watches itself with, on a fixed set of validation pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from portrait_pipeline.identity.judge import JudgeFunction
from portrait_pipeline.images import FaceSet, to_model_range, to_pixels
from portrait_pipeline.metrics.efficientnet_lite import FeatureRows, lite_features, pooled
from portrait_pipeline.metrics.helpers.ranges import MODEL_RANGE
from portrait_pipeline.metrics.identity_similarity import pair_similarities
from portrait_pipeline.metrics.kid import SMALLEST_SET, kid_of_features
from portrait_pipeline.metrics.ssim import ssim
from portrait_pipeline.metrics.swd import swd
from portrait_pipeline.parameters import Judge


@dataclass(frozen=True)
class Validation:
    """Scores a pair of generators; calling it changes nothing in them.

    Attributes:
        photos: Photographs to translate, none of them trained on.
        paintings: Real paintings to compare the portraits with, none of them trained on.
        judge: Describes faces; never the teacher.
        batch_size: Pictures translated at a time.
        features: What the kernel distance sees of pictures.
        judge_name: Which network the judge is; None for one that teaches nobody.
    """

    photos: FaceSet
    paintings: FaceSet
    judge: JudgeFunction
    batch_size: int
    features: Callable[[UInt8[np.ndarray, "n size size 3"]], FeatureRows] = lite_features
    judge_name: Judge | None = None

    @torch.inference_mode()
    def __call__(
        self, photo_to_portrait: nn.Module, portrait_to_photo: nn.Module
    ) -> dict[str, float]:
        """Return SSIM, identity, distances to paintings and reconstruction error, one number each.

        `validation_ssim` and `validation_identity_similarity` are better when higher,
        `validation_kid`, `validation_swd` and `validation_reconstruction_l1` when lower. Without
        photos there is nothing to score, and no number is returned; sets of fewer than four have no
        `validation_kid`.
        """
        if not len(self.photos):
            return {}
        similarities, errors, portraits = [], [], []
        for photos in self._batches(next(photo_to_portrait.parameters()).device):
            made = photo_to_portrait(photos).float().clamp(-1.0, 1.0)
            back = portrait_to_photo(made).float()
            similarities.append(ssim(photos, made, MODEL_RANGE))
            errors.append((back - photos).abs().mean(dim=(1, 2, 3)))
            portraits.append(to_pixels(made))
        pixels = np.concatenate(portraits)
        scores = {
            "validation_ssim": float(torch.cat(similarities).mean()),
            "validation_reconstruction_l1": float(torch.cat(errors).mean()),
            "validation_identity_similarity": self._identity(pixels),
            "validation_swd": self._distance(pixels),
        }
        if min(len(self.photos), len(self.paintings)) >= SMALLEST_SET:
            scores["validation_kid"] = self._kernel_distance(pixels)
        return scores

    def _batches(self, device: torch.device) -> Iterator[Tensor]:
        for start in range(0, len(self.photos), self.batch_size):
            rows = np.arange(start, min(start + self.batch_size, len(self.photos)))
            yield to_model_range(self.photos[rows]).to(device)

    def _identity(self, portraits: UInt8[np.ndarray, "n size size 3"]) -> float:
        photos = self.photos[np.arange(len(self.photos))]
        return float(pair_similarities(self.judge(portraits), self.judge(photos)).mean())

    def _distance(self, portraits: UInt8[np.ndarray, "n size size 3"]) -> float:
        paintings = to_model_range(self.paintings[np.arange(len(self.paintings))])
        return swd(to_model_range(portraits), paintings, MODEL_RANGE, 1, 0).mean.value

    def _kernel_distance(self, portraits: UInt8[np.ndarray, "n size size 3"]) -> float:
        made = pooled(self.features(portraits))
        return kid_of_features(made, pooled(self._painting_features), 0).value

    @cached_property
    def _painting_features(self) -> FeatureRows:
        return self.features(self.paintings[np.arange(len(self.paintings))])
