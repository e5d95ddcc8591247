"""Descriptors of faces, two arrays in the same order, and the cosines between them.

Row i of `portraits` was made from the photograph in row i of `photos`. Similarities are cosines of
descriptors as a judge gives them (those of the geometry judge are already standardised, so one
definition holds for all). Controls are the same functions on other rows: the photos themselves,
portraits in shuffled order, the reconstructions F(G(x)), the painted twins.
"""

import numpy as np
from jaxtyping import Float, Float64

Descriptors = Float[np.ndarray, "pictures dim"]
Similarities = Float64[np.ndarray, "portraits photos"]


def similarity_matrix(portraits: Descriptors, photos: Descriptors) -> Similarities:
    """Compute the cosine, in [-1, 1], of every portrait (row) with every photo (column).

    Raises:
        ValueError: if the two differ in shape, are empty, or hold a vector of length zero.
    """
    if portraits.shape != photos.shape or portraits.ndim != 2 or len(portraits) == 0:
        raise ValueError(
            f"portraits have shape {portraits.shape}, photos {photos.shape};"
            " expected the same pictures in the same order"
        )
    similarities: Similarities = _unit(portraits) @ _unit(photos).T
    return similarities


def _unit(vectors: Descriptors) -> Float64[np.ndarray, "pictures dim"]:
    wide = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0.0).any():
        raise ValueError("a descriptor has length zero or is not a number, so it has no direction")
    unit: Float64[np.ndarray, "pictures dim"] = wide / lengths
    return unit
