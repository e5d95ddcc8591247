"""The image convention, and the only place where it is converted.

Inside the project a picture is a float32 tensor NCHW, RGB, in [-1, 1]. On disk and on screen it is
uint8 in [0, 255], NHWC. The conversions are exact inverses on uint8 values. `read_picture` turns
any file that people have into 8-bit RGB, upright, or says why it cannot.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Literal, overload

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from portrait_pipeline.errors import PortraitPipelineError

HALF_RANGE = 127.5
MAX_PICTURE_PIXELS = 89_478_485
"""Pictures with more pixels are refused before they are unpacked; Pillow's own limit, 268 MB."""

PictureFault = Literal["empty", "not an image", "truncated", "unreadable", "too large"]

# Between one and two times its limit Pillow only warns. Turned into an error once, here, because
# warnings.catch_warnings is not safe in the threads that read pictures.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class PictureError(PortraitPipelineError):
    """A file that cannot be read as a picture; `fault` says why in two words."""

    def __init__(self, name: str, fault: PictureFault, detail: str) -> None:
        super().__init__(f"{name} cannot be read as a picture: {fault} ({detail})")
        self.fault: PictureFault = fault


def read_picture(path: Path | str) -> Image.Image:
    """Read any picture file as 8-bit RGB, upright.

    See `decode_picture` for what is done to its pixels.

    Raises:
        PictureError: if the file cannot be read; its `fault` says why.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(path.name, "unreadable", error.strerror or str(error)) from error
    return decode_picture(data, path.name)


@dataclass(frozen=True)
class ReducedPicture:
    """A picture no larger than is needed, and the size that it really has.

    Attributes:
        image: 8-bit RGB, upright.
        width_px: Width of the whole picture, upright.
        height_px: Height of the whole picture, upright.
    """

    image: Image.Image
    width_px: int
    height_px: int

    @property
    def scale(self) -> float:
        """How large the image is in units of the whole picture, in (0, 1]."""
        return max(self.image.size) / max(self.width_px, self.height_px)


def decode_picture(data: bytes, name: str = "picture") -> Image.Image:
    """Turn the bytes of a picture file into 8-bit RGB, upright.

    The EXIF orientation is applied, transparency is laid on white, 16-bit grey is scaled to 8 bits
    (not clipped), and palette, grey and CMYK become RGB. Of an animation the first frame is taken.

    Args:
        data: The content of the file.
        name: What to call the picture in an error.

    Raises:
        PictureError: if the bytes are empty, no image, cut off, broken, or hold more than
            `MAX_PICTURE_PIXELS` pixels; its `fault` says which.
    """
    return _decode(data, name, None)[0]


def decode_reduced(data: bytes, name: str, longest_px: int) -> ReducedPicture:
    """Turn the bytes of a picture file into RGB, its longer edge at most `longest_px`.

    A large JPEG is never unpacked whole: its decoder halves it on the way as often as it can.

    Raises:
        PictureError: as `decode_picture` does.
    """
    image, (width, height) = _decode(data, name, longest_px)
    scale = longest_px / max(width, height)
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return ReducedPicture(image, width, height)


def _decode(data: bytes, name: str, draft_px: int | None) -> tuple[Image.Image, tuple[int, int]]:
    """Return the picture, upright, and the size of the whole; a JPEG may come smaller."""
    if not data:
        raise PictureError(name, "empty", "0 bytes")
    try:
        with Image.open(BytesIO(data)) as opened:
            _refuse_bombs(opened, name)
            width, height = opened.size
            if draft_px is not None:
                opened.draft(None, (draft_px, draft_px))
            opened.load()
            upright = _upright(opened)
            # turned by a quarter when the longer edge has changed its place
            turned = (upright.width > upright.height) != (opened.width > opened.height)
            return _to_rgb(upright), (height, width) if turned else (width, height)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(name, "too large", str(error)) from error
    except UnidentifiedImageError as error:
        raise PictureError(name, "not an image", f"{len(data)} bytes of no known format") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError) as error:
        fault: PictureFault = "truncated" if "truncated" in str(error).lower() else "unreadable"
        raise PictureError(name, fault, str(error)) from error


def _refuse_bombs(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PICTURE_PIXELS:
        detail = f"{width}x{height} pixels, expected at most {MAX_PICTURE_PIXELS}"
        raise PictureError(name, "too large", detail)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (SyntaxError, ValueError, TypeError, KeyError, OSError):
        return image.copy()  # broken EXIF tells no orientation; the pixels are whole


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_to_eight_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        white = Image.new("RGBA", layers.size, "white")
        return Image.alpha_composite(white, layers).convert("RGB")
    return image.convert("RGB")


def _to_eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale grey values from their own depth (unit floats, 8, 16 or 32 bits) to [0, 255]."""
    grey = np.nan_to_num(values.astype(np.float64))
    highest = float(grey.max())
    if values.dtype == np.uint16:
        full_scale = 65535.0
    else:
        full_scales = [1.0] if values.dtype.kind == "f" else []
        full_scales += [255.0, 65535.0]
        full_scale = next((scale for scale in full_scales if highest <= scale), highest)
    return np.round(np.clip(grey / full_scale, 0.0, 1.0) * 255.0).astype(np.uint8)


def to_model_range(
    pixels: UInt8[np.ndarray, "batch height width 3"],
) -> Float[Tensor, "batch 3 height width"]:
    """Turn uint8 pixels in [0, 255] into house images: float32 in [-1, 1]."""
    tensor = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    return tensor.to(torch.float32).div_(HALF_RANGE).sub_(1.0).contiguous()


def to_pixels(
    images: Float[Tensor, "batch 3 height width"],
) -> UInt8[np.ndarray, "batch height width 3"]:
    """Turn house images in [-1, 1] into uint8 pixels in [0, 255]; values outside are clipped."""
    scaled = images.detach().to(torch.float32).add(1.0).mul(HALF_RANGE).round().clamp(0.0, 255.0)
    return np.ascontiguousarray(scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy())


@dataclass(frozen=True)
class FaceSet:
    """Square face crops of one domain: a name for each and their pixels.

    `pixels` may be memory-mapped; `subset` makes a view that copies no pixel, so a set of 100,000
    crops costs a list of names.

    Attributes:
        names: One name per crop, unique.
        pixels: uint8 (stored, size, size, 3), RGB in [0, 255].
        rows: The row of `pixels` that each name stands for; by default 0, 1, 2, …
    """

    names: tuple[str, ...]
    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if len(self.rows) == 0 and self.names:
            object.__setattr__(self, "rows", np.arange(len(self.names), dtype=np.int64))
        if len(self.rows) != len(self.names):
            raise ValueError(f"{len(self.names)} names for {len(self.rows)} rows of pixels")

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> NDArray[np.uint8]: ...
    @overload
    def __getitem__(self, index: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]: ...
    def __getitem__(self, index: int | Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
        """Copy out one crop (size, size, 3), or several (n, size, size, 3)."""
        return np.asarray(self.pixels[self.rows[index]])

    @property
    def size_px(self) -> int:
        """Edge length of the crops in pixels."""
        return int(self.pixels.shape[1])

    def subset(self, names: Sequence[str]) -> "FaceSet":
        """Return the named crops, in the order given, as a view.

        Raises:
            KeyError: if a name is not in the set.
        """
        position = dict(zip(self.names, self.rows, strict=True))
        rows = np.array([position[name] for name in names], dtype=np.int64)
        return FaceSet(names=tuple(names), pixels=self.pixels, rows=rows)
