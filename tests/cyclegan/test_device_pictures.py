"""Laws of where the pictures lie."""

import numpy as np
import pytest
import torch

from portrait_pipeline.cyclegan.batches import UnpairedBatches
from portrait_pipeline.cyclegan.data import RealEmbeddings, TrainingData
from portrait_pipeline.cyclegan.device_pictures import (
    HostPictures,
    ResidentPictures,
    StreamedPictures,
    place_pictures,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", [ResidentPictures, StreamedPictures])
def test_the_batches_are_the_same_wherever_the_pictures_lie(kind, faces):
    """Law: pictures, mirrored or not, and their embeddings are equal bit for bit."""
    photos, paintings = faces(5, 1), faces(300, 2)
    embeddings = RealEmbeddings(torch.rand(5, 2, 4), torch.rand(300, 2, 4))
    data = TrainingData(photos, paintings, embeddings)
    expected = UnpairedBatches(data, 3, True, 0)
    placed = UnpairedBatches(data, 3, True, 0, pictures=(kind(photos, CPU), kind(paintings, CPU)))
    for ours, theirs in zip(placed.epoch(1), expected.epoch(1), strict=True):
        assert torch.equal(ours.photos, theirs.photos)
        assert torch.equal(ours.paintings, theirs.paintings)
        assert torch.equal(ours.photo_embeddings, theirs.photo_embeddings)
        assert torch.equal(ours.painting_embeddings, theirs.painting_embeddings)


def test_resident_pictures_take_one_byte_a_value(faces):
    """Law: they lie as uint8 and become float when they are taken."""
    resident = ResidentPictures(faces(4, 1), CPU)
    assert resident._pixels.dtype == torch.uint8
    assert resident._pixels.numel() == 4 * 32 * 32 * 3


@pytest.mark.parametrize(("max_gb", "kind"), [(1.0, ResidentPictures), (1e-9, StreamedPictures)])
def test_large_sets_are_streamed(faces, monkeypatch, max_gb, kind):
    """Law: both sets together decide; above the limit none of them fills the GPU's memory."""
    made = []
    for each in (ResidentPictures, StreamedPictures):
        monkeypatch.setattr(each, "__init__", lambda self, *_given: made.append(type(self)))
    place_pictures(TrainingData(faces(2, 1), faces(2, 2)), torch.device("cuda"), max_gb)
    assert made == [kind, kind]


def test_on_a_cpu_they_stay_where_they_are(faces):
    """Law: no copy of a mapped set is made without a GPU."""
    placed = place_pictures(TrainingData(faces(2, 1), faces(2, 2)), CPU, 8.0)
    assert all(isinstance(pictures, HostPictures) for pictures in placed)


def test_the_source_is_not_changed(faces):
    """Law: mirroring happens in a copy."""
    photos = faces(4, 1)
    before = photos.pixels.copy()
    data = TrainingData(photos, faces(4, 2))
    placed = (StreamedPictures(photos, CPU), StreamedPictures(data.paintings, CPU))
    list(UnpairedBatches(data, 2, True, 0, pictures=placed).epoch(0))
    assert np.array_equal(photos.pixels, before)
