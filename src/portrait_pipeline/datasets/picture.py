"""A picture file that Kedro-Viz can show."""

import base64
import io

from kedro_datasets._typing import ImagePreview
from kedro_datasets.pillow import ImageDataset
from PIL import Image

MAX_PREVIEW_PX = 800


class PictureDataset(ImageDataset):  # type: ignore[misc]  # kedro-datasets ships no types
    """Saves and loads a Pillow image, as `pillow.ImageDataset` does, and previews it."""

    def preview(self) -> ImagePreview:
        """Return a smaller PNG in base64, which Kedro-Viz draws in the node's panel."""
        return preview_of(self.load())


def preview_of(image: Image.Image) -> ImagePreview:
    """Encode a picture, made smaller where it is large, as Kedro-Viz draws it in a node's panel."""
    image.thumbnail((MAX_PREVIEW_PX, MAX_PREVIEW_PX))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return ImagePreview(base64.b64encode(buffer.getvalue()).decode("ascii"))
