"""Portraits in the size that somebody wants, and in their photos."""

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from portrait_pipeline.faces.crop import crop_face
from portrait_pipeline.faces.paste import paste_back
from portrait_pipeline.portrayal.portrayer import Portrayal, PortrayedFace
from portrait_pipeline.portrayal.sizes import at_size, portrait_size_px

WINDOW_PX = 5
"""Edge of the windows, in pixels of the model, in which a portrait is compared with its photo."""
NOISE = 6.0
"""Grey levels of 255: differences in the photo below are noise that is not followed."""
LUMA = np.array([0.299, 0.587, 0.114])

Picture = UInt8[np.ndarray, "height width 3"]


def portrait_at_size(
    picture: Image.Image, face: PortrayedFace, model: str, size_px: int | None = None
) -> Picture:
    """Return the portrait by one model in any size.

    Args:
        picture: The whole photo that the face was found in.
        face: The face and its portraits.
        model: The model's name.
        size_px: Edge in pixels; by default that of the face in the photo, at most 1,024.
    """
    size_px = portrait_size_px(face.transform, size_px)
    portrait = face.portraits[model]
    if size_px <= len(portrait) or face.transform.edge_px <= len(portrait):
        return at_size(portrait, size_px)
    detailed_px = min(size_px, round(face.transform.edge_px))
    detailed = crop_face(picture, face.transform, detailed_px)
    return at_size(enlarge(portrait, face.photo, detailed), size_px)


def pasted(
    picture: Image.Image, portrayal: Portrayal, model: str, ground: Image.Image | None = None
) -> Image.Image:
    """Paste one model's portraits into the whole photo; the smallest face on top.

    Args:
        picture: The photo.
        portrayal: Its faces and their portraits.
        model: The model's name.
        ground: A picture of the same size that takes them; by default the photo.
    """
    whole = ground or picture
    for face in portrayal.faces:
        portrait = portrait_at_size(picture, face, model)
        whole = paste_back(whole, portrait, face.transform, face.face)
    return whole


def enlarge(
    portrait: Picture, photo: Picture, detailed: UInt8[np.ndarray, "higher wider 3"]
) -> UInt8[np.ndarray, "higher wider 3"]:
    """Enlarge a portrait by Lanczos' filter, and add the detail of the photo that it follows.

    After the guided filter (He et al. 2013, equation 5): in each window of the small pictures the
    portrait is, as well as it can be, a linear function of the photo's luma. Its slope, in [0, 1],
    says how much of the photo's detail between the two sizes belongs to the portrait: the edge of
    a cheek that both show, and nothing of a texture that the painter left out.

    Args:
        portrait: The portrait, as the model made it.
        photo: The crop that it was made of.
        detailed: The same crop in the size that is wanted.
    """
    shape = detailed.shape[:2]
    luma = photo @ LUMA
    slopes = _slopes(portrait.astype(np.float64), luma)
    detail = detailed @ LUMA - _enlarged(luma, shape)
    channels = [
        _enlarged(portrait[..., channel].astype(np.float64), shape)
        + np.clip(_enlarged(slopes[..., channel], shape), 0.0, 1.0) * detail
        for channel in range(3)
    ]
    return np.asarray(np.clip(np.rint(np.stack(channels, axis=-1)), 0, 255), dtype=np.uint8)


def _slopes(
    portrait: Float[np.ndarray, "height width 3"], luma: Float[np.ndarray, "height width"]
) -> Float[np.ndarray, "height width 3"]:
    mean, means = _window_means(luma[..., None]), _window_means(portrait)
    variance = _window_means(luma[..., None] ** 2) - mean**2
    covariances = _window_means(luma[..., None] * portrait) - mean * means
    return np.asarray(np.clip(covariances / (variance + NOISE**2), 0.0, 1.0))


def _window_means(
    values: Float[np.ndarray, "height width channels"],
) -> Float[np.ndarray, "height width channels"]:
    reach = WINDOW_PX // 2
    padded = np.pad(values, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (WINDOW_PX, WINDOW_PX), axis=(0, 1))
    return np.asarray(windows.mean(axis=(-2, -1)))


def _enlarged(
    values: Float[np.ndarray, "height width"], shape: tuple[int, ...]
) -> Float[np.ndarray, "higher wider"]:
    image = Image.fromarray(values.astype(np.float32))
    large = image.resize((shape[1], shape[0]), Image.Resampling.LANCZOS)
    return np.asarray(large, dtype=np.float64)
