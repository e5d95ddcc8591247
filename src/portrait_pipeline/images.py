"""The image convention: the only conversion between pixels and the networks' images.

Inside the project a picture is a float32 tensor NCHW, RGB, in [-1, 1]. On disk and on screen it is
uint8 in [0, 255], NHWC. The conversions are exact inverses on uint8 values. Files are read by
`portrait_pipeline.pictures`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from portrait_pipeline.files import parse_json

HALF_RANGE = 127.5
PACKED_FACES = "faces.npy"
FACE_INDEX = "index.json"


def to_model_range(
    pixels: UInt8[np.ndarray, "batch height width 3"],
) -> Float[Tensor, "batch 3 height width"]:
    """Turn uint8 pixels in [0, 255] into images for the networks: float32 in [-1, 1]."""
    tensor = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    return tensor.to(torch.float32).div_(HALF_RANGE).sub_(1.0).contiguous()


def to_pixels(
    images: Float[Tensor, "batch 3 height width"],
) -> UInt8[np.ndarray, "batch height width 3"]:
    """Turn images in [-1, 1] into uint8 pixels in [0, 255]; values outside are clipped."""
    scaled = images.detach().to(torch.float32).add(1.0).mul(HALF_RANGE).round().clamp(0.0, 255.0)
    return np.ascontiguousarray(scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy())


class JoinedPixels:
    """The crops of several packed files as one array (stored, size, size, 3), which copies none.

    Attributes:
        parts: uint8 (stored, size, size, 3) each, as a rule memory-mapped; at least one.
        shape: Of all of them, one after the other.
    """

    def __init__(self, parts: Sequence[NDArray[np.uint8]]) -> None:
        if len({part.shape[1:] for part in parts}) != 1:
            shapes = ", ".join(str(part.shape) for part in parts)
            raise ValueError(f"crops of one size cannot be joined from shapes ({shapes})")
        self.parts = tuple(parts)
        self._ends = np.cumsum([len(part) for part in parts])
        self.shape = (int(self._ends[-1]), *parts[0].shape[1:])

    def __getitem__(self, rows: np.int64 | NDArray[np.int64]) -> NDArray[np.uint8]:
        """Copy out one crop, or several in the order of the rows."""
        if isinstance(rows, np.ndarray):
            taken = np.empty((len(rows), *self.shape[1:]), dtype=np.uint8)
            for place, row in enumerate(rows):
                taken[place] = self[row]
            return taken
        part = int(np.searchsorted(self._ends, rows, side="right"))
        start = self._ends[part] - len(self.parts[part])
        return np.asarray(self.parts[part][rows - start])


@dataclass(frozen=True)
class FaceSet:
    """Square face crops of one domain: a name for each and their pixels.

    `pixels` may be memory-mapped; `subset` makes a view that copies no pixel, so a set of 100,000
    crops costs a list of names.

    Attributes:
        names: One name per crop, unique.
        pixels: uint8 (stored, size, size, 3), RGB in [0, 255].
        rows: The row of `pixels` that each name stands for; by default 0, 1, 2, …
        folders: Where its packed files lie on the disk, if it is all that is in them.
    """

    names: tuple[str, ...]
    pixels: NDArray[np.uint8] | JoinedPixels
    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    folders: tuple[Path, ...] = ()

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


def join_face_sets(*parts: FaceSet) -> FaceSet:
    """Put sets together that lie on the disk, a folder each, without a copy.

    Raises:
        ValueError: if there are none, or their crops differ in size.
    """
    return FaceSet(
        names=tuple(name for part in parts for name in part.names),
        pixels=JoinedPixels([part.pixels for part in parts if isinstance(part.pixels, np.ndarray)]),
        folders=tuple(folder for part in parts for folder in part.folders),
    )


def read_face_set(folder: Path) -> FaceSet:
    """Read the crops of a folder, pixels memory-mapped.

    The folder holds `index.json`, and either the crops in `faces.npy` or, where the index lists
    `parts`, nothing else: then other folders, named relative to it, hold the crops.

    Raises:
        ValueError: if a file is missing or damaged, or there is not one square crop of RGB bytes
            for each name.
    """
    try:
        index = parse_json((folder / FACE_INDEX).read_bytes())
        if "parts" in index:
            return join_face_sets(*(read_face_set(folder / str(part)) for part in index["parts"]))
        names = tuple(str(name) for name in index["names"])
        pixels = np.load(folder / PACKED_FACES, mmap_mode="r" if names else None)
    except Exception as error:
        raise ValueError(str(error)) from error
    is_square = pixels.ndim == 4 and pixels.shape[1] == pixels.shape[2]
    if len(pixels) != len(names) or not is_square or pixels.dtype != np.uint8:
        raise ValueError(f"{len(names)} names for crops of shape {pixels.shape}")
    return FaceSet(names, pixels, folders=(folder,))
