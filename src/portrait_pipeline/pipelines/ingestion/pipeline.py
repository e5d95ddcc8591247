"""The wiring of the ingestion: fetch, detect, audit, split, crop."""

from collections.abc import Sequence
from typing import get_args

from kedro.pipeline import Node, Pipeline

from portrait_pipeline.images import join_face_sets
from portrait_pipeline.parameters import Domain
from portrait_pipeline.pipelines.ingestion import nodes

_FIND = {"photo": nodes.detect_photo_faces, "painting": nodes.detect_painting_faces}
_CROP = {"photo": nodes.crop_photo_faces, "painting": nodes.crop_painting_faces}


def create_pipeline(num_shards: int = 1) -> Pipeline:
    """Return the pipeline from the sources of both sets to their splits and crops.

    Args:
        num_shards: Into how many nodes the search for faces in each set, their audit and the
            cropping are divided, so that several hosts can do them; the result does not depend on
            it.
    """
    parts = [_fetch()]
    if num_shards == 1:
        parts += [part(domain) for domain in get_args(Domain) for part in (_find, _crop)]
        return Pipeline([*parts, _split(), _summarise("ingestion_audit"), _crop_twins()])
    both: list[str] = []
    for domain in get_args(Domain):
        names = [f"{domain}_{shard:04d}" for shard in range(num_shards)]
        parts.append(_divide(domain, names))
        parts += [part for name in names for part in _in_shard(domain, name)]
        both += names
    photos = both[:num_shards]
    return Pipeline([*parts, _decide(photos, both), _summarise("decisions"), _merge(photos, both)])


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


def _crop(domain: Domain, name: str | None = None) -> Pipeline:
    """Crop the faces of a set or, where it has a name, of one of its shards."""
    return Pipeline(
        [
            Node(
                func=_CROP[domain],
                inputs=[f"{name}_audit" if name else "ingestion_audit", "params:faces"],
                outputs=f"{name or domain}_faces",
                name=f"crop_{name or domain}_faces",
                tags="cropping",
            )
        ]
    )


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
        ]
    )


def _summarise(audit: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                func=nodes.summarise_ingestion,
                inputs=[audit],
                outputs="ingestion_summary",
                name="summarise_ingestion",
            )
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


def _divide(domain: Domain, names: Sequence[str]) -> Pipeline:
    """Divide a set, and list the crops of its shards, each of which has a folder of its own."""
    return Pipeline(
        [
            Node(
                func=nodes.dividing_into(len(names)),
                inputs=f"{domain}_sources",
                outputs=[f"{domain}_order", *(f"{name}_sources" for name in names)],
                name=f"divide_{domain}_sources",
            ),
            Node(
                func=join_face_sets,
                inputs=[f"{name}_faces" for name in names],
                outputs=f"{domain}_faces",
                name=f"join_{domain}_faces",
            ),
        ]
    )


def _in_shard(domain: Domain, name: str) -> list[Pipeline]:
    """Find the faces of a shard, audit its files, first by themselves, and crop what is used."""
    audit = Pipeline(
        [
            Node(
                func=nodes.audit_shard,
                inputs=[f"{name}_survey", "params:faces", "params:audit", "params:splits"],
                outputs=[f"{name}_face_audit", f"{name}_keys"],
                name=f"audit_{name}_faces",
            ),
            Node(
                func=nodes.settle_shard,
                inputs=[f"{name}_face_audit", f"{name}_decisions"],
                outputs=[f"{name}_splits", f"{name}_audit"],
                name=f"settle_{name}_audit",
            ),
        ]
    )
    return [_find(domain, name), audit, _crop(domain, name)]


def _decide(photos: Sequence[str], both: Sequence[str]) -> Pipeline:
    """Decide what only all files together can, from a few columns of each shard."""
    return Pipeline(
        [
            Node(
                func=nodes.find_copies,
                inputs=[
                    *("photo_order", "painting_order", "params:faces", "params:audit"),
                    *(f"{name}_keys" for name in both),
                ],
                outputs="copy_decisions",
                name="find_copies",
            ),
            Node(
                func=nodes.find_persons_in_shards,
                inputs=[
                    *("copy_decisions", "params:photos", "params:persons", "embedding_store"),
                    *(f"{name}_face_audit" for name in photos),
                ],
                outputs="person_decisions",
                name="find_persons",
            ),
            Node(
                func=nodes.splitting_into(len(both)),
                inputs=["person_decisions", "params:splits"],
                outputs=["decisions", *(f"{name}_decisions" for name in both)],
                name="split_faces",
            ),
        ]
    )


def _merge(photos: Sequence[str], both: Sequence[str]) -> Pipeline:
    """Put the tables of all shards together, and crop what only the sample has, which is small."""
    return Pipeline(
        [
            Node(
                func=nodes.merge_audits,
                inputs=["decisions", *(f"{name}_audit" for name in both)],
                outputs="ingestion_audit",
                name="merge_audits",
            ),
            Node(
                func=nodes.merge_splits,
                inputs=["decisions", *(f"{name}_splits" for name in both)],
                outputs="splits",
                name="merge_splits",
            ),
            Node(
                func=nodes.crop_twins_of_shards,
                inputs=["decisions", "params:faces", *(f"{name}_audit" for name in photos)],
                outputs="twin_faces",
                name="crop_twin_faces",
                tags="cropping",
            ),
        ]
    )
