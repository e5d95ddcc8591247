"""The wiring of the ingestion: fetch, detect, audit, split, crop."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline, pipeline

from portrait_pipeline.pipelines.ingestion import nodes


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the pipeline from the sources of both sets to their splits and crops."""
    del kwargs  # Kedro passes none of its own
    return pipeline(
        [
            _node(
                nodes.fetch_photos,
                ["params:photos", "params:sample", "raw_photos_folder"],
                "photo_sources",
            ),
            _node(
                nodes.fetch_paintings,
                ["params:paintings", "params:sample", "raw_paintings_folder"],
                "painting_sources",
            ),
            _node(
                nodes.detect_photo_faces,
                ["photo_sources", "params:faces", "detection_store"],
                "photo_survey",
            ),
            _node(
                nodes.detect_painting_faces,
                ["painting_sources", "params:faces", "detection_store"],
                "painting_survey",
            ),
            _node(
                nodes.audit_faces,
                ["photo_survey", "painting_survey", "params:faces", "params:audit"],
                "face_audit",
            ),
            _node(
                nodes.split_faces, ["face_audit", "params:splits"], ["splits", "ingestion_audit"]
            ),
            _node(nodes.summarise_ingestion, "ingestion_audit", "ingestion_summary"),
            _node(nodes.crop_photo_faces, ["ingestion_audit", "params:faces"], "photo_faces"),
            _node(nodes.crop_painting_faces, ["ingestion_audit", "params:faces"], "painting_faces"),
            _node(nodes.crop_twin_faces, ["ingestion_audit", "params:faces"], "twin_faces"),
        ]
    )


def _node(function: Callable[..., Any], inputs: str | list[str], outputs: str | list[str]) -> Node:
    return Node(function, inputs, outputs, name=function.__name__)
