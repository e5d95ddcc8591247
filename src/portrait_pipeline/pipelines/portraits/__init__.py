"""Use a trained model: portraits of a folder, and models exported to ONNX."""

from portrait_pipeline.pipelines.portraits.pipeline import create_export, create_pipeline

__all__ = ["create_export", "create_pipeline"]
