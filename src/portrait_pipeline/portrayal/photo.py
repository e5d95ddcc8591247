"""A photo as the training saw it: reduced to find its face, whole to cut the face out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from PIL import Image

from portrait_pipeline.pictures import (
    PictureError,
    ReducedPicture,
    decode_picture,
    decode_reduced,
)


@dataclass(frozen=True)
class Photo:
    """One photo, upright, 8-bit RGB.

    Attributes:
        image: The whole picture, from which faces are cut.
        reduced: The same, no larger than is needed to find faces.
    """

    image: Image.Image
    reduced: ReducedPicture

    @classmethod
    def decode(cls, data: bytes, name: str, detection_size_px: int) -> Self:
        """Decode a picture file exactly as the pictures of the training were decoded.

        Raises:
            PictureError: if it cannot be read; its `fault` says why.
        """
        reduced = decode_reduced(data, name, detection_size_px)
        return cls(decode_picture(data, name), reduced)

    @classmethod
    def read(cls, path: Path, detection_size_px: int) -> Self:
        """Read a picture file.

        Raises:
            PictureError: if it cannot be read; its `fault` says why.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise PictureError(path.name, "unreadable", error.strerror or str(error)) from error
        return cls.decode(data, path.name, detection_size_px)

    @classmethod
    def of_image(cls, image: Image.Image) -> Self:
        """Take an RGB picture that is in memory."""
        return cls(image, ReducedPicture(image, *image.size))

    @property
    def num_pixels(self) -> int:
        """Pixels of the whole picture, which say how much memory it takes."""
        return self.image.width * self.image.height
