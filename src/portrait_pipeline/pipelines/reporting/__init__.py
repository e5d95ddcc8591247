"""Tables, figure, plots and the report page: what a person looks at after a run."""

from portrait_pipeline.pipelines.reporting.pipeline import create_pipeline, create_publication

__all__ = ["create_pipeline", "create_publication"]
