"""Does a detector still find the face in a portrait?"""

from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from PIL import Image

WORKING_SIZE_PX = 160
MIN_FACE_SHARE = 1 / 3
"""Of the crop's edge: anything smaller is not the face that the crop was cut around."""


@torch.no_grad()
def find_faces(
    crops: UInt8[np.ndarray, "faces size size 3"], min_probability: float = 0.9
) -> Bool[np.ndarray, " faces"]:
    """Tell for each crop whether MTCNN sees a face around its centre.

    Args:
        crops: Face crops or portraits made of them, uint8 RGB; enlarged to 160 px.
        min_probability: Least probability of the detector that counts as found.
    """
    return np.array([_sees_face(crop, min_probability) for crop in crops], dtype=np.bool_)


def _sees_face(crop: UInt8[np.ndarray, "size size 3"], min_probability: float) -> bool:
    size = (WORKING_SIZE_PX, WORKING_SIZE_PX)
    image = Image.fromarray(crop).resize(size, Image.Resampling.BICUBIC)
    boxes, probabilities = _detector().detect(image)
    if boxes is None:
        return False
    centre = WORKING_SIZE_PX / 2
    around_centre = (boxes[:, :2] < centre).all(axis=1) & (boxes[:, 2:] > centre).all(axis=1)
    return bool((around_centre & (probabilities >= min_probability)).any())


@cache
def _detector() -> Any:
    # Imported here because it brings torchvision, a second that only an evaluation has to wait.
    from facenet_pytorch import MTCNN  # noqa: PLC0415

    least = round(MIN_FACE_SHARE * WORKING_SIZE_PX)
    return MTCNN(keep_all=True, min_face_size=least, device=torch.device("cpu"))
