"""Photographs altered without learning: what a model has to beat before it may be said to paint.

Every function takes and returns uint8 crops. What is drawn (whose palette, whose face) comes from a
seed and the order of the rows, never from names.
"""

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import Delaunay, QhullError

from portrait_pipeline.identity.landmarks import Landmarks

Crops = UInt8[np.ndarray, "n size size 3"]

MODE_RADII = {"fine": 1 / 64, "medium": 2 / 64, "coarse": 4 / 64}
"""Radius of the mode filter in edges of the crop: 1, 2 and 4 px at 64 px."""


def with_palettes(photos: Crops, paintings: Crops, seed: int) -> Crops:
    """Give each photograph the palette of a painting drawn for it: mean and covariance of colours.

    The linear map between two Gaussians of colours (Pitié and Kokaram 2007) is applied to every
    pixel. Shapes, edges and texture stay those of the photograph.
    """
    drawn = np.random.default_rng(seed).integers(0, len(paintings), len(photos))
    return np.stack(
        [_recolour(photo, paintings[row]) for photo, row in zip(photos, drawn, strict=True)]
    )


def _recolour(
    photo: UInt8[np.ndarray, "size size 3"], painting: UInt8[np.ndarray, "size size 3"]
) -> UInt8[np.ndarray, "size size 3"]:
    source = photo.reshape(-1, 3).astype(np.float64)
    target = painting.reshape(-1, 3).astype(np.float64)
    root = _power(np.cov(source.T), 0.5)
    inverse = _power(np.cov(source.T), -0.5)
    transport = inverse @ _power(root @ np.cov(target.T) @ root, 0.5) @ inverse
    mapped = (source - source.mean(axis=0)) @ transport + target.mean(axis=0)
    return np.asarray(mapped.round().clip(0, 255).astype(np.uint8).reshape(photo.shape))


def _power(matrix: Float[np.ndarray, "3 3"], exponent: float) -> Float[np.ndarray, "3 3"]:
    """Raise a covariance to a power; colours that never vary count as varying by one step."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 1.0) ** exponent) @ vectors.T)


def mode_filtered(photos: Crops, radius: float) -> Crops:
    """Replace each pixel by the commonest colour around it: flat patches with sharp borders.

    Args:
        photos: Crops.
        radius: In edges of the crop, so that it means the same at every size.
    """
    size_px = 2 * max(1, round(radius * photos.shape[1])) + 1
    filtered = (Image.fromarray(photo).filter(ImageFilter.ModeFilter(size_px)) for photo in photos)
    return np.stack([np.asarray(picture) for picture in filtered])


def blurred(photos: Crops) -> Crops:
    """Blur by a Gaussian of 1/48 of the crop's edge."""
    radius = photos.shape[1] / 48
    filtered = (Image.fromarray(photo).filter(ImageFilter.GaussianBlur(radius)) for photo in photos)
    return np.stack([np.asarray(picture) for picture in filtered])


def grainy(photos: Crops, seed: int) -> Crops:
    """Add grain: normal noise of 12 of 255 steps, the same in all three channels of a pixel."""
    noise = np.random.default_rng(seed).normal(0.0, 12.0, (*photos.shape[:3], 1))
    return np.asarray((photos + noise).round().clip(0, 255).astype(np.uint8))


def darkened(photos: Crops) -> Crops:
    """Darken to 60 % of the brightness."""
    return np.asarray((photos * 0.6).round().astype(np.uint8))


def with_inner_faces_of(photos: Crops, landmarks: Landmarks, others: Crops) -> Crops:
    """Put another person's inner face into each photograph, warped to the same landmarks.

    Brows, eyes, nose and mouth (landmarks 17 to 67 and what lies between them) come from the other
    photograph, with the colours of this one; hair, ears, outline and background stay. A judge of
    faces must say that the person has gone; one that does not reads the frame.

    Args:
        photos: Photographs that lend hair, outline and background.
        landmarks: 68 points of each, then of each of `others`, in edges of the crop.
        others: Photographs of other people, row by row, that lend their inner faces.
    """
    size = photos.shape[1]
    own, theirs = landmarks[: len(photos)] * size, landmarks[len(photos) :] * size
    rows = zip(photos, others, own[:, 17:], theirs[:, 17:], strict=True)
    return np.stack([_swap(*row) for row in rows])


def _swap(
    photo: UInt8[np.ndarray, "size size 3"],
    other: UInt8[np.ndarray, "size size 3"],
    own: Float[np.ndarray, "51 2"],
    theirs: Float[np.ndarray, "51 2"],
) -> UInt8[np.ndarray, "size size 3"]:
    try:
        triangles = Delaunay(own)
    except QhullError:
        return photo  # the landmarks lie on a line: there is no inner face to replace
    places, mask = _corresponding_places(triangles, theirs, len(photo))
    planes = np.moveaxis(other.astype(np.float64), 2, 0)
    face = np.stack(
        [map_coordinates(plane, places[::-1], order=1, mode="nearest") for plane in planes]
    )
    face += (photo[mask].mean(axis=0) - face[:, mask].mean(axis=1))[:, None, None]
    soft = gaussian_filter(mask.astype(np.float64), len(photo) / 64) * mask
    swapped = photo + soft[..., None] * (np.moveaxis(face, 0, 2) - photo)
    return np.asarray(swapped.round().clip(0, 255).astype(np.uint8))


def _corresponding_places(
    triangles: Delaunay, theirs: Float[np.ndarray, "51 2"], size: int
) -> tuple[Float[np.ndarray, "2 size size"], Bool[np.ndarray, "size size"]]:
    """Find for each pixel inside the triangles its place (x, y) in the other picture.

    A pixel keeps its barycentric coordinates in the triangle of landmarks that holds it.
    """
    rows, columns = np.mgrid[:size, :size]
    pixels = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64)
    holder = triangles.find_simplex(pixels)
    affine = triangles.transform[holder]
    first = np.einsum("nij,nj->ni", affine[:, :2], pixels - affine[:, 2])
    weights = np.concatenate([first, 1.0 - first.sum(axis=1, keepdims=True)], axis=1)
    places = np.einsum("ni,nij->nj", weights, theirs[triangles.simplices[holder]])
    return places.T.reshape(2, size, size), (holder >= 0).reshape(size, size)
