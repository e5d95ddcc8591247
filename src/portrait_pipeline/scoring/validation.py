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

        `validation_ssim`, `validation_identity_similarity` and `validation_painted_identity` (see
        `painted_identity`) are better when higher, `validation_kid`, `validation_swd` and
        `validation_reconstruction_l1` when lower. Without photos there is nothing to score, and no
        number is returned; sets of fewer than four have no `validation_kid`.
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
        distance = "kid" if "validation_kid" in scores else "swd"
        scores["validation_painted_identity"] = painted_identity(
            scores["validation_identity_similarity"],
            scores[f"validation_{distance}"],
            self._distances_of_photos[distance],
        )
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
    def _distances_of_photos(self) -> dict[str, float]:
        pixels = self.photos[np.arange(len(self.photos))]
        if min(len(self.photos), len(self.paintings)) >= SMALLEST_SET:
            return {"kid": self._kernel_distance(pixels)}
        return {"swd": self._distance(pixels)}

    @cached_property
    def _painting_features(self) -> FeatureRows:
        return self.features(self.paintings[np.arange(len(self.paintings))])


def painted_identity(identity: float, distance: float, distance_of_photos: float) -> float:
    """Weigh how much of the person is kept by how much of the way to paintings is gone.

    The share of the way is 1 - distance / distance_of_photos: 0 for the unchanged photographs,
    1 for real paintings. So a copy scores 0 however well it keeps the person, and what is farther
    from paintings than the photographs are scores below 0.

    Args:
        identity: Mean similarity of portrait and photo by a judge.
        distance: Of the portraits from real paintings.
        distance_of_photos: Of the unchanged photographs, by the same measure; where it is not
            above 0 nothing is left to paint, and the share is 1.
    """
    share = 1.0 if distance_of_photos <= 0.0 else min(1.0, 1.0 - distance / distance_of_photos)
    return identity * share if share > 0.0 else share
