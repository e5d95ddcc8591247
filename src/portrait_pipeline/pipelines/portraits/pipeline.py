"""The wiring: a folder of photos to a folder of portraits, and trained models to ONNX."""

from typing import Any

from kedro.pipeline import Pipeline, node, pipeline

from portrait_pipeline.pipelines.portraits import nodes


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the pipeline `portraits`: folder in, folder out, with the model that was chosen."""
    del kwargs  # Kedro passes none of its own
    return pipeline(
        [
            node(
                nodes.make_portraits,
                [
                    "photos_to_portray",
                    "portraying_checkpoint",
                    "portrait_folder",
                    "params:portraying",
                    "params:evaluation",
                ],
                "portrait_table",
            ),
        ]
    )


def create_export() -> Pipeline:
    """Return the pipeline `export`: baseline and proposed as ONNX, in catalog and registry."""
    return pipeline(
        [
            node(
                nodes.export_baseline,
                ["baseline_checkpoint", "params:evaluation"],
                "baseline_onnx",
            ),
            node(
                nodes.export_proposed,
                ["proposed_checkpoint", "params:evaluation"],
                "proposed_onnx",
            ),
            node(
                nodes.publish_model,
                ["baseline_onnx", "baseline_checkpoint"],
                "baseline_registered",
                name="publish_baseline",
            ),
            node(
                nodes.publish_model,
                ["proposed_onnx", "proposed_checkpoint"],
                "proposed_registered",
                name="publish_proposed",
            ),
        ]
    )
