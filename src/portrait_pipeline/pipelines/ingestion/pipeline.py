"""The wiring of the ingestion: fetch, detect, audit, split, crop."""

from typing import get_args

from kedro.pipeline import Node, Pipeline

from portrait_pipeline.parameters import Domain
from portrait_pipeline.pipelines.ingestion import nodes

_MERGE = {"photo": nodes.merge_photo_surveys, "painting": nodes.merge_painting_surveys}


def create_pipeline(num_shards: int = 1) -> Pipeline:
    """Return the pipeline from the sources of both sets to their splits and crops.

    Args:
        num_shards: Into how many nodes the search for faces in each set is divided, so that
            several hosts can do it; the result does not depend on it.
    """
    find = _find_faces() if num_shards == 1 else _find_faces_in_shards(num_shards)
    return _fetch() + find + _split_and_crop()


def _fetch() -> Pipeline:
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
        ]
    )


def _find_faces() -> Pipeline:
    return Pipeline(
        [
            Node(
                func=nodes.detect_photo_faces,
                inputs=["photo_sources", "params:faces", "detection_store"],
                outputs="photo_survey",
                name="detect_photo_faces",
                tags="detection",
            ),
            Node(
                func=nodes.detect_painting_faces,
                inputs=["painting_sources", "params:faces", "detection_store"],
                outputs="painting_survey",
                name="detect_painting_faces",
                tags="detection",
            ),
        ]
    )


def _find_faces_in_shards(num_shards: int) -> Pipeline:
    """Divide both sets, each shard with a store of its own, which one node writes."""
    parts = [_of_shards(domain, num_shards) for domain in get_args(Domain)]
    return sum(parts, Pipeline([]))


def _of_shards(domain: Domain, num_shards: int) -> Pipeline:
    names = [f"{domain}_{shard:04d}" for shard in range(num_shards)]
    search = [
        Node(
            func=nodes.detection_of(domain, shard, num_shards),
            inputs=[f"{domain}_sources", "params:faces", f"{name}_detections"],
            outputs=f"{name}_survey",
            name="detect_faces",
            namespace=name,
            tags="detection",
        )
        for shard, name in enumerate(names)
    ]
    merge = Node(
        func=_MERGE[domain],
        inputs=[f"{domain}_sources", *(f"{name}_survey" for name in names)],
        outputs=f"{domain}_survey",
        name=f"merge_{domain}_surveys",
    )
    return Pipeline([*search, merge])


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
                tags="cropping",
            ),
            Node(
                func=nodes.crop_painting_faces,
                inputs=["ingestion_audit", "params:faces"],
                outputs="painting_faces",
                name="crop_painting_faces",
                tags="cropping",
            ),
            Node(
                func=nodes.crop_twin_faces,
                inputs=["ingestion_audit", "params:faces"],
                outputs="twin_faces",
                name="crop_twin_faces",
                tags="cropping",
            ),
        ]
    )
