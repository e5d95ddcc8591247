"""The wiring of the ingestion: fetch, detect, audit, split, crop."""

from kedro.pipeline import Node, Pipeline

from portrait_pipeline.pipelines.ingestion import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline from the sources of both sets to their splits and crops."""
    return _find_faces() + _split_and_crop()


def _find_faces() -> Pipeline:
    return Pipeline(
        [
            Node(
                func=nodes.fetch_photos,
                inputs=["params:photos", "params:sample", "raw_photos_folder"],
                outputs="photo_sources",
                name="fetch_photos",
            ),
            Node(
                func=nodes.fetch_paintings,
                inputs=["params:paintings", "params:sample", "raw_paintings_folder"],
                outputs="painting_sources",
                name="fetch_paintings",
            ),
            Node(
                func=nodes.detect_photo_faces,
                inputs=["photo_sources", "params:faces", "detection_store"],
                outputs="photo_survey",
                name="detect_photo_faces",
            ),
            Node(
                func=nodes.detect_painting_faces,
                inputs=["painting_sources", "params:faces", "detection_store"],
                outputs="painting_survey",
                name="detect_painting_faces",
            ),
        ]
    )


def _split_and_crop() -> Pipeline:
    return Pipeline(
        [
            Node(
                func=nodes.audit_faces,
                inputs=["photo_survey", "painting_survey", "params:faces", "params:audit"],
                outputs="face_audit",
                name="audit_faces",
            ),
            Node(
                func=nodes.find_persons,
                inputs=[
                    "face_audit",
                    "params:photos",
                    "params:persons",
                    "embedding_store",
                ],
                outputs="audit_with_persons",
                name="find_persons",
            ),
            Node(
                func=nodes.split_faces,
                inputs=["audit_with_persons", "params:splits"],
                outputs=["splits", "ingestion_audit"],
                name="split_faces",
            ),
            Node(
                func=nodes.summarise_ingestion,
                inputs=["ingestion_audit"],
                outputs="ingestion_summary",
                name="summarise_ingestion",
            ),
            Node(
                func=nodes.crop_photo_faces,
                inputs=["ingestion_audit", "params:faces"],
                outputs="photo_faces",
                name="crop_photo_faces",
            ),
            Node(
                func=nodes.crop_painting_faces,
                inputs=["ingestion_audit", "params:faces"],
                outputs="painting_faces",
                name="crop_painting_faces",
            ),
            Node(
                func=nodes.crop_twin_faces,
                inputs=["ingestion_audit", "params:faces"],
                outputs="twin_faces",
                name="crop_twin_faces",
            ),
        ]
    )
