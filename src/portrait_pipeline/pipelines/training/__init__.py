"""Train a CycleGAN, with or without the face-recognition loss (report, 4 and 5.2)."""

from portrait_pipeline.pipelines.training.pipeline import (
    create_pipeline,
    create_preparation,
    create_tuning,
)

__all__ = ["create_pipeline", "create_preparation", "create_tuning"]
