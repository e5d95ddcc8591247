"""Three lines from a photo to its portrait, with the model that comes with the package.

Example:
    ```python
    from portrait_pipeline import Portrayer
    Portrayer.pretrained().portray("me.jpg").save("painted.png")
    ```
"""

from pathlib import Path
from typing import Self, get_args

from PIL import Image

from portrait_pipeline.decoding.colour import srgb_profile
from portrait_pipeline.decoding.decode import upright_in_srgb
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import MAX_PORTRAIT_PX, MIN_PORTRAIT_PX
from portrait_pipeline.pictures import PictureError
from portrait_pipeline.portrayal.photo import Photo
from portrait_pipeline.portrayal.portrayer import FaceChoice, FacePortrayer, Portrayal
from portrait_pipeline.portrayal.shipped import ShippedModel, read_shipped
from portrait_pipeline.portrayal.sizing import pasted, portrait_at_size
from portrait_pipeline.portrayal.whole import paint_whole

PhotoSource = str | Path | bytes | Image.Image
"""A file, the content of one, or a picture in memory."""


class NoFaceError(PortraitPipelineError):
    """No face in a photo is clear and large enough to be portrayed."""


class Portrayer:
    """Paints portraits of photos. Runs on the CPU, without PyTorch and without a network.

    Args:
        model: What paints.
        num_threads: Threads of each network; 0 means one for each core.

    Attributes:
        card: What the model is and what it was trained on.
    """

    def __init__(self, model: ShippedModel, num_threads: int = 0) -> None:
        self.card = model.card
        self._model = model.open(num_threads)
        self._portrayer = FacePortrayer([self._model])

    @classmethod
    def pretrained(cls, folder: str | Path | None = None) -> Self:
        """Load the model that comes with the package, or that of a folder.

        Raises:
            ShippedModelError: if it is missing, damaged or of another version.
        """
        return cls(read_shipped(None if folder is None else Path(folder)))

    def portray(self, photo: PhotoSource, *, size_px: int | None = None) -> Image.Image:
        """Paint the largest face of a photo.

        Args:
            photo: A path, the bytes of a picture file, or a picture.
            size_px: Edge of the portrait; 32 to 1024; by default that of the face in the photo.

        Raises:
            PortraitPipelineError: if the size or the type of the photo is impossible.
            PictureError: if the photo cannot be read.
            NoFaceError: if it shows no face.
        """
        _check_size(size_px)
        return self._portraits(*self._found(photo, "largest"), size_px)[0]

    def portray_all(self, photo: PhotoSource, *, size_px: int | None = None) -> list[Image.Image]:
        """Paint every face of a photo, the largest first; else as `portray`."""
        _check_size(size_px)
        return self._portraits(*self._found(photo, "all"), size_px)

    def paste_back(self, photo: PhotoSource, *, faces: FaceChoice = "largest") -> Image.Image:
        """Paint the largest face of a photo, or all, and lay it into the whole photo.

        Raises:
            PictureError: if the photo cannot be read.
            NoFaceError: if it shows no face.
        """
        read, portrayal = self._found(photo, faces)
        return _in_srgb(pasted(read.image, portrayal, self.card.name))

    def paint_whole(self, photo: PhotoSource) -> Image.Image:
        """Paint a photo from border to border, with all its faces.

        Raises:
            PictureError: if the photo cannot be read.
            NoFaceError: if it shows no face.
        """
        read, portrayal = self._found(photo, "all")
        return _in_srgb(paint_whole(read.image, portrayal, self._model))

    def _found(self, photo: PhotoSource, faces: FaceChoice) -> tuple[Photo, Portrayal]:
        if faces not in (choices := get_args(FaceChoice)):
            expected = " or ".join(map(repr, choices))
            raise PortraitPipelineError(f"faces is {faces!r}, expected {expected}")
        read = self._read(photo)
        (portrayal,) = self._portrayer.portray([read], faces)
        if not portrayal.faces:
            raise NoFaceError(
                f"no face to portray ({portrayal.fault}): expected one from the front, well lit"
            )
        return read, portrayal

    def _read(self, photo: PhotoSource) -> Photo:
        size_px = self._portrayer.detection_size_px
        if isinstance(photo, Image.Image):
            try:
                photo.load()  # of a file that is only opened so far
                return Photo.of_image(upright_in_srgb(photo))
            except (OSError, ValueError, SyntaxError) as error:
                raise PictureError("the photo", "unreadable", str(error)) from error
        if isinstance(photo, bytes):
            return Photo.decode(photo, "the photo", size_px)
        if isinstance(photo, str | Path):
            return Photo.read(Path(photo), size_px)
        raise PortraitPipelineError(
            f"the photo is a {type(photo).__name__}, expected a path, the bytes of a picture file"
            " or a picture of Pillow (`PIL.Image.fromarray` makes one of an array)"
        )

    def _portraits(
        self, photo: Photo, portrayal: Portrayal, size_px: int | None
    ) -> list[Image.Image]:
        name = self.card.name
        portraits = [portrait_at_size(photo.image, face, name, size_px) for face in portrayal.faces]
        return [_in_srgb(Image.fromarray(pixels)) for pixels in portraits]


def _check_size(size_px: int | None) -> None:
    is_number = isinstance(size_px, int) and not isinstance(size_px, bool)
    if size_px is not None and not (is_number and MIN_PORTRAIT_PX <= size_px <= MAX_PORTRAIT_PX):
        raise PortraitPipelineError(
            f"size_px is {size_px!r}, expected a whole number from {MIN_PORTRAIT_PX} to"
            f" {MAX_PORTRAIT_PX}, or None for that of the face in the photo"
        )


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Let the file that the picture is saved as say its colour space; nothing else is noted."""
    plain = picture.copy()
    plain.info = {"icc_profile": srgb_profile()}
    return plain
