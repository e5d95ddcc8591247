"""Judge the models on photographs that they were not trained on (report, 5.1 and 6)."""

from portrait_pipeline.pipelines.evaluation.pipeline import create_pipeline, create_scoring

__all__ = ["create_pipeline", "create_scoring"]
