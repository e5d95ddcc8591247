"""Choose λ_p (report, 5.3)."""

from portrait_pipeline.pipelines.tuning.pipeline import create_pipeline, create_share_pipeline

__all__ = ["create_pipeline", "create_share_pipeline"]
