"""A reference of twelve drawn photographs whose judges look at colours alone: quick and exact."""

from typing import Any

import numpy as np

from portrait_pipeline.images import FaceSet
from portrait_pipeline.metrics.inception import Inception
from portrait_pipeline.metrics.lpips import Lpips
from portrait_pipeline.parameters import EvaluationParameters
from portrait_pipeline.scoring.memoised import Memoised
from portrait_pipeline.scoring.reference import Pixels, Reference

NUM_PHOTOS, SIZE_PX = 12, 64
NAMES = tuple(f"photo_{index:02}.png" for index in range(NUM_PHOTOS))


class Counting:
    """Describes crops by coarse pixels, and counts the crops that it was shown."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, crops: Pixels) -> np.ndarray[Any, Any]:
        """Return the centred mean colours of 4 × 4 tiles."""
        self.seen += len(crops)
        tiles = crops.reshape(len(crops), 4, SIZE_PX // 4, 4, SIZE_PX // 4, 3).mean(axis=(2, 4))
        flat = tiles.reshape(len(crops), 48)
        return np.asarray(flat - 127.5)


def landmarks(crops: Pixels) -> np.ndarray[Any, Any]:
    """Place 68 points on a circle that grows with the brightness of the crop."""
    angles = np.linspace(0.0, 2.0 * np.pi, 68, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    radius = 0.2 + crops.mean(axis=(1, 2, 3)) / 1000.0
    return np.asarray(0.5 + radius[:, None, None] * circle, dtype=np.float32)


def features(crops: Pixels) -> np.ndarray[Any, Any]:
    """Return as many values as EfficientNet-Lite0 does, made of the coarse pixels."""
    coarse = crops[:, ::8, ::8].reshape(len(crops), -1).astype(np.float32) / 255.0
    return np.tile(coarse, 8)[:, :1424]


def drawn(seed: int, count: int = NUM_PHOTOS) -> Pixels:
    """Draw pictures of a few large coloured tiles, all different."""
    tiles = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return tiles.repeat(SIZE_PX // 8, axis=1).repeat(SIZE_PX // 8, axis=2)


def evaluation(**changes: Any) -> EvaluationParameters:
    """Make settings with few bootstrap rounds."""
    settings = {
        "judge": "geometry",
        "use_averaged_generator": True,
        "batch_size": 5,
        "num_bootstrap_samples": 100,
        "seed": 0,
    }
    return EvaluationParameters(**{**settings, **changes})


def make_reference(**parts: Any) -> Reference:
    """Make a reference; keyword arguments replace its parts."""
    usual: dict[str, Any] = {
        "photos": FaceSet(NAMES, drawn(0)),
        "paintings": FaceSet(NAMES, drawn(1)),
        "other_paintings": FaceSet(NAMES, drawn(2)),
        "twins": FaceSet((), drawn(0)[:0]),
        "judge": Memoised(Counting(), "describing"),
        "teacher": Memoised(Counting(), "describing"),
        "landmarks": Memoised(landmarks, "placing"),
        "find_faces": lambda crops: np.ones(len(crops), dtype=np.bool_),
        "features": Memoised(features, "looking"),
        "inception": Inception(None, "no route to Inception"),
        "lpips": Lpips(None, "no route to AlexNet"),
        "takes_for_painting": lambda crops: crops[..., 0].mean(axis=(1, 2)) > 127,
        "settings": evaluation(),
        "judge_name": "geometry",
        "teacher_name": "dlib",
        "split": "test",
    }
    return Reference(**{**usual, **parts})
