"""The dataset of Figure 1."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from portrait_pipeline.datasets.picture import MAX_PREVIEW_PX, PictureDataset


def test_what_is_saved_is_loaded_and_previewed(tmp_path: Path) -> None:
    """A PNG loads pixel for pixel, and its preview is a PNG of bounded size."""
    pixels = np.random.default_rng(0).integers(0, 256, (1000, 60, 3), dtype=np.uint8)
    dataset = PictureDataset(filepath=str(tmp_path / "figure.png"))
    dataset.save(Image.fromarray(pixels))
    np.testing.assert_array_equal(np.asarray(dataset.load()), pixels)
    preview = Image.open(io.BytesIO(base64.b64decode(dataset.preview())))
    assert max(preview.size) == MAX_PREVIEW_PX
    assert PictureDataset.preview.__annotations__["return"].__name__ == "ImagePreview"
