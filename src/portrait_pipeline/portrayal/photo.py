"""A photo, decoded as for training: reduced to find faces, whole to crop them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from PIL import Image

from portrait_pipeline.decoding.processes import PictureLimits
from portrait_pipeline.pictures import (
    LIMITS,
    ReducedPicture,
    decode_picture,
    decode_reduced,
    read_file,
)


@dataclass(frozen=True)
class Photo:
    """One photo, upright, 8-bit RGB.

    Attributes:
        image: The whole picture, from which faces are cropped.
        reduced: The same picture, reduced to the size of the detection.
    """

    image: Image.Image
    reduced: ReducedPicture

    @classmethod
    def decode(
        cls, data: bytes, name: str, detection_size_px: int, limits: PictureLimits = LIMITS
    ) -> Self:
        """Decode a picture file exactly as the training pictures.

        Raises:
            PictureError: if it cannot be read; its `fault` says why.
        """
        reduced = decode_reduced(data, name, detection_size_px, limits)
        return cls(decode_picture(data, name, limits), reduced)

    @classmethod
    def read(cls, path: Path, detection_size_px: int) -> Self:
        """Read a picture file.

        Raises:
            PictureError: if it cannot be read; its `fault` says why.
        """
        return cls.decode(read_file(path), path.name, detection_size_px)

    @classmethod
    def of_image(cls, image: Image.Image) -> Self:
        """Make a photo of an RGB picture in memory."""
        return cls(image, ReducedPicture(image, *image.size))

    @property
    def num_pixels(self) -> int:
        """The number of pixels of the whole picture, a measure of its memory."""
        return self.image.width * self.image.height
