"""The wiring of the ingestion: fetch, detect, audit, split, crop."""

from typing import get_args

from kedro.pipeline import Node, Pipeline

from portrait_pipeline.images import join_face_sets
from portrait_pipeline.parameters import Domain
from portrait_pipeline.pipelines.ingestion import nodes

_FIND = {"photo": nodes.detect_photo_faces, "painting": nodes.detect_painting_faces}
_MERGE = {"photo": nodes.merge_photo_surveys, "painting": nodes.merge_painting_surveys}
_CROP = {"photo": nodes.crop_photo_faces, "painting": nodes.crop_painting_faces}


def create_pipeline(num_shards: int = 1) -> Pipeline:
    """Return the pipeline from the sources of both sets to their splits and crops.

    Args:
        num_shards: Into how many nodes the search for faces in each set, and the cropping, are
            divided, so that several hosts can do them; the result does not depend on it.
    """
    whole = _fetch() + _split() + _crop_twins()
    if num_shards == 1:
        return sum((_find(each) + _crop(each) for each in get_args(Domain)), whole)
    parts = [_divide_audit(num_shards)]
    for domain in get_args(Domain):
        parts += [_find_in_shards(domain, num_shards), _crop_in_shards(domain, num_shards)]
    return sum(parts, whole)


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


def _find(domain: Domain, name: str | None = None) -> Pipeline:
    """Find the faces of a set or, where it has a name, of one of its shards."""
    return Pipeline(
        [
            Node(
                func=_FIND[domain],
                inputs=[
                    f"{name or domain}_sources",
                    "params:faces",
                    f"{name}_detections" if name else "detection_store",
                ],
                outputs=f"{name or domain}_survey",
                name=f"detect_{name or domain}_faces",
                tags="detection",
            )
        ]
    )


def _crop(domain: Domain, name: str | None = None, audit: str = "ingestion_audit") -> Pipeline:
    """Crop the faces of a set or, where it has a name, of one of its shards."""
    return Pipeline(
        [
            Node(
                func=_CROP[domain],
                inputs=[audit, "params:faces"],
                outputs=f"{name or domain}_faces",
                name=f"crop_{name or domain}_faces",
                tags="cropping",
            )
        ]
    )


def _find_in_shards(domain: Domain, num_shards: int) -> Pipeline:
    """Divide the search in a set; each shard has a store of its own, which one node writes."""
    names = [f"{domain}_{shard:04d}" for shard in range(num_shards)]
    divide = Node(
        func=nodes.dividing_into(num_shards),
        inputs=f"{domain}_sources",
        outputs=[f"{name}_sources" for name in names],
        name=f"divide_{domain}_sources",
    )
    merge = Node(
        func=_MERGE[domain],
        inputs=[f"{domain}_sources", *(f"{name}_survey" for name in names)],
        outputs=f"{domain}_survey",
        name=f"merge_{domain}_surveys",
    )
    return sum((_find(domain, name) for name in names), Pipeline([divide, merge]))


def _divide_audit(num_shards: int) -> Pipeline:
    return Pipeline(
        [
            Node(
                func=nodes.dividing_into(num_shards),
                inputs="ingestion_audit",
                outputs=[f"audit_{shard:04d}" for shard in range(num_shards)],
                name="divide_audit",
            )
        ]
    )


def _crop_in_shards(domain: Domain, num_shards: int) -> Pipeline:
    """Divide the cropping of a set; each shard has a folder of its own, and the set lists them."""
    names = {f"{domain}_{shard:04d}": f"audit_{shard:04d}" for shard in range(num_shards)}
    join = Node(
        func=join_face_sets,
        inputs=[f"{name}_faces" for name in names],
        outputs=f"{domain}_faces",
        name=f"join_{domain}_faces",
    )
    return sum((_crop(domain, *each) for each in names.items()), Pipeline([join]))


def _split() -> Pipeline:
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
        ]
    )


def _crop_twins() -> Pipeline:
    """Crop what only the sample has, which is small."""
    return Pipeline(
        [
            Node(
                func=nodes.crop_twin_faces,
                inputs=["ingestion_audit", "params:faces"],
                outputs="twin_faces",
                name="crop_twin_faces",
                tags="cropping",
            ),
        ]
    )
