"""Which photographs show one person: clusters of descriptors of dlib's face network.

Complete linkage: in a cluster every two photographs are nearer than the threshold, so that a chain
of look-alikes does not become one person. What it can miss: a person whose photographs differ much
(years, profile, heavy make-up) is several clusters, and look-alikes below the threshold are one.
The first leaves a person on both sides of a split, the second only keeps strangers together.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import pdist

from portrait_pipeline.faces.lazy import LazyFaceSet, lazy_photos
from portrait_pipeline.identity import load_embedder
from portrait_pipeline.identity.embedder import Embedder
from portrait_pipeline.identity.embedding import embed_pairs
from portrait_pipeline.identity.embedding_store import EmbeddingStore
from portrait_pipeline.parameters import PersonParameters

Descriptors = Float[np.ndarray, "photos dim"]
Describe = Callable[[LazyFaceSet], Descriptors]

CROP_SIZE_PX = 150
"""Edge of the crops that are described, whatever the networks are trained on."""
MARGIN = 0.35
"""Their margin, likewise: with it the threshold was chosen."""
BLOCK = 1024
CROPS_AT_ONCE = 16


def add_persons(
    audit: pd.DataFrame,
    parameters: PersonParameters,
    describe: Describe,
    read_photos: Callable[[], pd.DataFrame] | None = None,
) -> tuple[pd.DataFrame, str]:
    """Number the people among the kept photographs.

    Args:
        audit: The audit, its column `person` still -1; of its other columns only `domain` and
            `kept` where `read_photos` is given.
        parameters: The threshold, and above how many photographs people are not looked for.
        describe: Makes dlib's raw descriptors of photographs.
        read_photos: Reads the audit of the kept photographs, with the index of `audit`; it is
            called where people are looked for.

    Returns:
        The audit with `person` filled for kept photographs, and a sentence for people to read.
    """
    is_photo = audit["kept"] & (audit["domain"] == "photo")
    count = int(is_photo.sum())
    if parameters.max_distance is None:
        return audit, "people were not looked for (persons.max_distance is null)"
    if count > parameters.max_photos:
        return audit, (
            f"people were not looked for: {count} photographs are more than persons.max_photos"
            f" ({parameters.max_photos}), so one person may be in several splits"
        )
    rows = read_photos() if read_photos else audit[is_photo]
    photos = lazy_photos(rows, CROP_SIZE_PX, MARGIN)
    clusters = person_clusters(describe(photos), parameters.max_distance)
    by_name = dict(zip(photos.names, clusters.tolist(), strict=True))
    persons = rows["name"].map(by_name).reindex(audit.index, fill_value=-1).astype("int64")
    sizes = np.bincount(clusters) if count else np.zeros(1, dtype=np.int64)
    return audit.assign(person=persons), (
        f"{count} photographs show {len(sizes) if count else 0} people"
        f" (photographs of one are nearer than {parameters.max_distance:g}), the most frequent in"
        f" {sizes.max()} of them"
    )


def person_clusters(descriptors: Descriptors, max_distance: float) -> Int[np.ndarray, " photos"]:
    """Cluster raw descriptors by complete linkage, cut at a distance.

    Clusters never leave a connected component of the graph of near pairs, so each component is
    clustered by itself: memory follows the near pairs, not the square of the photographs.

    Returns:
        A number for each photograph: 0, 1, 2, … in the order in which clusters first appear.
    """
    count = len(descriptors)
    components = _near_components(descriptors, max_distance)
    numbers = np.full(count, -1, dtype=np.int64)
    for rows in _groups(components):
        local = np.ones(1, dtype=np.int64)
        if len(rows) > 1:
            tree = linkage(pdist(descriptors[rows].astype(np.float64)), method="complete")
            local = fcluster(tree, max_distance, criterion="distance")
        numbers[rows] = numbers.max(initial=-1) + local
    order = {number: place for place, number in enumerate(dict.fromkeys(numbers.tolist()))}
    return np.array([order[number] for number in numbers.tolist()], dtype=np.int64)


def describe_with_dlib(store: EmbeddingStore) -> Describe:
    """Make the function that describes photographs; descriptors are kept by content and square."""

    def describe(photos: LazyFaceSet) -> Descriptors:
        embedder = load_embedder("dlib", margin=MARGIN)
        network = f"{embedder.network_hash} raw"
        keys = dict(zip(photos.names, photos.fingerprints, strict=True))
        known = dict(store.get(network, list(keys.values())))
        new = [name for name, key in keys.items() if key not in known]
        batch: list[np.ndarray] = []
        for place, crop in enumerate(photos.make(new), start=1):
            batch.append(crop)
            if len(batch) == CROPS_AT_ONCE or place == len(new):
                described = _describe(np.stack(batch), embedder)
                names = new[place - len(batch) : place]
                pairs = {keys[name]: pair for name, pair in zip(names, described, strict=True)}
                store.put(network, pairs)
                known |= pairs
                batch = []
        return np.array([known[key][0] for key in keys.values()]).reshape(len(keys), -1)

    return describe


def _describe(crops: np.ndarray, embedder: Embedder) -> Float[np.ndarray, "crops 1 dim"]:
    return embed_pairs(crops, embedder.descriptors, embedder.common_part.device, mirrored=False)


def _near_components(descriptors: Descriptors, max_distance: float) -> Int[np.ndarray, " photos"]:
    count = len(descriptors)
    pairs = [np.empty((2, 0), dtype=np.int64)]
    for start in range(0, count, BLOCK):
        near = _near(descriptors[start : start + BLOCK], descriptors, max_distance)
        rows, columns = np.nonzero(near)
        pairs.append(np.stack([rows + start, columns]))
    rows, columns = np.concatenate(pairs, axis=1)
    graph = csr_array((np.ones(len(rows), dtype=np.bool_), (rows, columns)), shape=(count, count))
    labels: Int[np.ndarray, " photos"] = connected_components(graph, directed=False)[1]
    return labels


def _near(
    block: Descriptors, descriptors: Descriptors, max_distance: float
) -> Bool[np.ndarray, "block photos"]:
    """Find near pairs, a little generously; the linkage measures them exactly."""
    left, right = block.astype(np.float64), descriptors.astype(np.float64)
    squares = (left**2).sum(1)[:, None] + (right**2).sum(1)[None] - 2.0 * left @ right.T
    return np.asarray(squares <= (max_distance + 1e-3) ** 2)


def _groups(labels: Int[np.ndarray, " photos"]) -> list[Int[np.ndarray, " members"]]:
    order = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.diff(labels[order])) + 1
    return list(np.split(order, ends)) if len(labels) else []
