"""From sources of pictures to audited, split and aligned face crops."""

from portrait_pipeline.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
