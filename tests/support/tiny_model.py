"""A generator of a few filters with random weights, as a checkpoint like a trained one's."""

from functools import cache
from typing import Any

import numpy as np
import torch

from portrait_pipeline.cyclegan.networks import initialise_weights
from portrait_pipeline.cyclegan.state import Stream, build_generator, random_generator
from portrait_pipeline.parameters import TrainingParameters
from portrait_pipeline.portrayal.exported import ExportedModel
from portrait_pipeline.portrayal.exporting import export_model

SIZE_PX = 64
PREPARATION: dict[str, Any] = {
    "crop_size_px": SIZE_PX,
    "margin": 0.35,
    "min_probability": 0.9,
    "min_face_px": 24,
    "align_eyes": True,
    "no_face": "drop",
    "detection_size_px": 160,
    "batch_size": 16,
}
TRAINING: dict[str, Any] = {
    "seed": 0,
    "image_size_px": SIZE_PX,
    "num_generator_filters": 4,
    "num_residual_blocks": 1,
    "num_discriminator_filters": 4,
    "num_discriminator_layers": 2,
    "upsampling": "transposed",
    "adversarial_loss": "least_squares",
    "lambda_cycle": 10.0,
    "lambda_perceptual": 0.0,
    "lambda_identity_mapping": 0.0,
    "teacher": "dlib",
    "perceptual_reduction": "sum",
    "perceptual_warmup_epochs": 0,
    "num_epochs": 1,
    "num_decay_epochs": 0,
    "batch_size": 1,
    "learning_rate": 0.0002,
    "adam_beta_1": 0.5,
    "adam_beta_2": 0.999,
    "image_pool_size": 0,
    "horizontal_flip": False,
    "ema_decay": 0.0,
    "validate_every_epochs": 1,
    "num_validation_pictures": 0,
    "sample_grid_every_epochs": 1,
    "save_every_steps": 1000,
    "save_every_minutes": 1000.0,
    "allow_cpu": True,
    "accelerator": "cpu",
    "precision": "32-true",
    "devices": 1,
    "strategy": "auto",
    "channels_last": False,
    "compile": False,
}
EVERY_INGREDIENT: dict[str, Any] = {
    "generator_skip": True,
    "generator_skip_reduction": 4,
    "discriminator_learning_rate_ratio": 4.0,
    "upsampling": "resize",
    "sampling": "antialiased",
    "num_shallow_discriminator_layers": 1,
    "extra_discriminator_pictures": 2,
    "lambda_cycle_final_share": 0.2,
    "augment_brightness": 0.1,
    "augment_contrast": 0.2,
    "augment_translation": 0.125,
    "augment_cutout": 0.25,
}
"""Settings beyond the report's that are off by default."""
PROJECTED = {
    **EVERY_INGREDIENT,
    "discriminator": "projected",
    "num_shallow_discriminator_layers": 0,
}
"""The same with the other kind of discriminators, which has no shallow one."""


def tiny_checkpoint(model: str = "proposed", seed: int = 0, **settings: Any) -> dict[str, Any]:
    """Make a checkpoint with everything that portraits need; the same seed gives the same."""
    parameters = TrainingParameters(**{**TRAINING, **settings})
    generator = build_generator(parameters)
    initialise_weights(generator, random_generator(seed, Stream.WEIGHTS, 0))
    with torch.no_grad():
        generator.layers[-2].weight.mul_(8)  # use the whole range of colours
    weights = {
        "photo_to_portrait": generator.state_dict(),
        "portrait_to_photo": generator.state_dict(),
    }
    return {
        "format": 2,
        "model": model,
        "parameters": parameters.model_dump(),
        "preparation": {**PREPARATION, "crop_size_px": parameters.image_size_px},
        "data_hash": "0" * 64,
        "networks": weights,
        "averaged_generators": weights,
        "epoch": 1,
        "step": 1,
        "history": [],
        "tracking_id": None,
    }


@cache
def tiny_export() -> ExportedModel:
    """Export the tiny model once for all tests of a run."""
    example = np.zeros((1, SIZE_PX, SIZE_PX, 3), dtype=np.uint8)
    return export_model(tiny_checkpoint(), averaged=True, example=example)
