"""The judge: from face crops to descriptors whose cosine says how alike two faces are."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, UInt8

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.identity import load_embedder
from portrait_pipeline.identity.embedding import embed_crops
from portrait_pipeline.identity.face_shape import shape_descriptors
from portrait_pipeline.identity.fixed_crop import DEFAULT_MARGIN
from portrait_pipeline.identity.landmarks import Landmarks, find_landmarks
from portrait_pipeline.parameters import Judge, Teacher, is_judged_by_its_teacher

JudgeFunction = Callable[[UInt8[np.ndarray, "faces size size 3"]], Float[np.ndarray, "faces dim"]]
LandmarkFunction = Callable[[UInt8[np.ndarray, "faces size size 3"]], Landmarks]


def check_judge_is_not_teacher(judge: Judge, teacher: Teacher) -> None:
    """Refuse to let the network that trained a model also score it.

    Raises:
        PortraitPipelineError: if judge and teacher are the same network or of one family.
    """
    if not is_judged_by_its_teacher(judge, teacher):
        return
    other = "geometry" if judge == "dlib" else "dlib"
    raise PortraitPipelineError(
        f"judge={judge} would score models that teacher={teacher} trained, expected another"
        f" network; run: kedro run --pipeline=evaluate --params judge={other}"
    )


def load_judge(
    name: Judge,
    weights: str | None = None,
    margin: float = DEFAULT_MARGIN,
    landmarks: LandmarkFunction | None = None,
) -> JudgeFunction:
    """Load what scores portraits, one definition for all judges: the cosine of descriptors.

    Args:
        name: `geometry` (the shape of 68 landmarks) or one of the face networks.
        weights: File of FaceNet's or FaceRes's weights; without it they come from the cache or,
            FaceNet's, from the network.
        margin: `window_margin` of the faces with which the crops were cut.
        landmarks: What places landmarks for `geometry`, where they are measured anyway.

    Returns:
        A function of uint8 crops: centred descriptors, strangers around cosine 0.

    Raises:
        PortraitPipelineError: if the network's weights cannot be loaded.
    """
    if name == "geometry":
        place = landmarks or (lambda crops: find_landmarks(crops, margin))
        return lambda crops: shape_descriptors(place(crops))
    embedder = load_embedder(name, weights, margin)
    return lambda crops: embed_crops(crops, embedder)
