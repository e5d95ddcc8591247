"""A trained model from a checkpoint, run by PyTorch."""

import numpy as np
import torch
from jaxtyping import UInt8
from pydantic import ValidationError

from portrait_pipeline.cyclegan.services import Checkpoint
from portrait_pipeline.cyclegan.translate import load_generator, translate
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.parameters import FaceParameters, Teacher
from portrait_pipeline.portrayal.portrayer import (
    DETECTION_SIZE_PX,
    PortraitModel,
    preparation_for_use,
)


def checkpoint_preparation(checkpoint: Checkpoint) -> FaceParameters:
    """Return how the model's training faces were found and cropped.

    Raises:
        PortraitPipelineError: if the checkpoint does not say it, or says another size.
    """
    try:
        preparation = FaceParameters(**checkpoint["preparation"])
        image_size_px = checkpoint["parameters"]["image_size_px"]
    except (KeyError, TypeError, ValidationError) as error:
        raise PortraitPipelineError(
            f"the checkpoint does not say how its faces were prepared ({error}), expected one made"
            " by `kedro run --pipeline=train_baseline` or `train_proposed` of this version"
        ) from error
    if preparation.crop_size_px != image_size_px:
        raise PortraitPipelineError(
            f"the checkpoint was trained at {image_size_px} px on crops of"
            f" {preparation.crop_size_px} px, expected one size; train it again"
        )
    return preparation


def checkpoint_teacher(checkpoint: Checkpoint) -> Teacher | None:
    """Return the teacher of the model, or None for a model without one."""
    settings = checkpoint["parameters"]
    is_taught = settings["lambda_perceptual"] > 0.0 or settings.get("perceptual_gradient_share")
    teacher: Teacher = settings["teacher"]
    return teacher if is_taught else None


def checkpoint_model(
    checkpoint: Checkpoint,
    averaged: bool = True,
    device: torch.device | None = None,
    detection_size_px: int = DETECTION_SIZE_PX,
) -> PortraitModel:
    """Make a portrait model from a checkpoint.

    Args:
        checkpoint: A trained model.
        averaged: Take the running average of the generator's weights.
        device: The device; by default the GPU if there is one.
        detection_size_px: Photos are searched for faces in this size, or in that of the training
            where it is larger.

    Raises:
        PortraitPipelineError: if it is of another architecture or has no preparation.
    """
    preparation = checkpoint_preparation(checkpoint)
    device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    generator = load_generator(checkpoint, "photo_to_portrait", averaged).to(device)

    def paint(photos: UInt8[np.ndarray, "n size size 3"]) -> UInt8[np.ndarray, "n size size 3"]:
        return translate(generator, photos, len(photos))

    searching = preparation_for_use(preparation, detection_size_px)
    finder = FaceDetector(searching, device)
    teacher = checkpoint_teacher(checkpoint)
    size_px = searching.detection_size_px
    return PortraitModel(checkpoint["model"], preparation, finder, paint, teacher, size_px)
