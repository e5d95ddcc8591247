"""Laws of the unpaired batches, and of their size."""

import mmap
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from portrait_pipeline.cyclegan.batches import UnpairedBatches, steps_per_epoch
from portrait_pipeline.cyclegan.data import RealEmbeddings, TrainingData, data_hash
from portrait_pipeline.cyclegan.state import Stream
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.images import FaceSet, to_model_range


def _batches(data, **changes):
    settings = {"batch_size": 1, "horizontal_flip": True, "seed": 0} | changes
    return UnpairedBatches(data, **settings)


def _numbered(count: int) -> FaceSet:
    """Pictures that hold their own number, dark on the left."""
    pixels = np.zeros((count, 4, 4, 3), np.uint8)
    pixels[:, :, 2:] = np.arange(1, count + 1)[:, None, None, None]
    return FaceSet(tuple(map(str, range(count))), pixels)


def _number(image: torch.Tensor) -> int:
    return round((image.max().item() + 1) * 127.5) - 1


def test_every_epoch_shows_every_picture_once_in_its_own_order():
    """Law: the longer domain is a permutation, a new one each epoch, and seeded."""
    batches = _batches(TrainingData(_numbered(30), _numbered(30)))
    orders = [[_number(batch.photos) for batch in batches.epoch(e)] for e in range(2)]
    assert [sorted(order) for order in orders] == [list(range(30))] * 2
    assert orders[0] != orders[1]
    assert orders[0] == [_number(batch.photos) for batch in batches.epoch(0)]
    other = _batches(batches.data, seed=1)
    assert orders[0] != [_number(batch.photos) for batch in other.epoch(0)]


@pytest.mark.parametrize("world_size", [1, 2])
def test_extra_pictures_are_those_that_come_next(world_size):
    """Law: they change no batch, follow it in the epoch's order, and differ between processes."""
    data = TrainingData(_numbered(12), _numbered(5))
    plain = [_batches(data, rank=r, world_size=world_size) for r in range(world_size)]
    more = [replace(batches, num_extra=2) for batches in plain]
    shown = [[_number(b.photos) for b in batches.epoch(1)] for batches in plain]
    for rank in range(world_size):
        batches = list(more[rank].epoch(1))
        assert [_number(b.photos) for b in batches] == shown[rank]
        assert all(b.num_extra == 2 and len(b.shown_paintings) == 3 for b in batches)
    in_order = [number for step in zip(*shown, strict=True) for number in step]
    for position in range(len(shown[0]) - 2):
        following = in_order[(position + 1) * world_size :]
        for rank in range(world_size):
            batch = next(more[rank].epoch(1, position))
            assert batch.extra_photos is not None
            found = [_number(image) for image in batch.extra_photos]
            assert found == following[rank * 2 :][:2]


def test_the_domains_are_not_paired():
    """Law: which painting meets a photo differs from epoch to epoch."""
    batches = _batches(TrainingData(_numbered(30), _numbered(30)))
    met = [
        {_number(b.photos): _number(b.paintings) for b in batches.epoch(epoch)}
        for epoch in range(2)
    ]
    assert sum(met[0][photo] == met[1][photo] for photo in range(30)) < 8


def test_the_shorter_domain_is_shown_evenly():
    """Law: 20 photos against 8 paintings: each painting twice or three times, whole rounds."""
    batches = _batches(TrainingData(_numbered(20), _numbered(8)))
    shown = [_number(batch.paintings) for batch in batches.epoch(3)]
    assert len(shown) == batches.steps_per_epoch == 20
    assert sorted(shown[:8]) == sorted(shown[8:16]) == list(range(8))
    assert len(set(shown[16:])) == 4


def test_half_of_the_pictures_are_mirrored_and_none_without_the_setting():
    """Law: flips at even odds (4 standard deviations), decided anew each epoch."""
    data = TrainingData(_numbered(200), _numbered(200))
    batches = _batches(data)
    flipped = [
        torch.cat([batch.photos[:, 0, 0, 0] > -1 for batch in batches.epoch(e)]) for e in (0, 1)
    ]
    assert abs(int(flipped[0].sum()) - 100) < 4 * 50**0.5
    assert not torch.equal(flipped[0], flipped[1])
    still = _batches(data, horizontal_flip=False)
    assert not any((batch.photos[:, 0, 0, 0] > -1).any() for batch in still.epoch(0))


def test_a_mirrored_picture_comes_with_its_own_embedding(faces):
    """Law: pixels and embeddings belong together: [:, 0] upright, [:, 1] mirrored."""
    photos, paintings = faces(9, 1), faces(7, 2)

    def first_pixel(of: FaceSet) -> torch.Tensor:
        images = to_model_range(of[np.arange(len(of))])
        return torch.stack([images[:, :, 0, 0], images[:, :, 0, -1]], dim=1)

    fingerprint = RealEmbeddings(first_pixel(photos), first_pixel(paintings))
    batches = _batches(TrainingData(photos, paintings, fingerprint), batch_size=3)
    for batch in batches.epoch(0):
        assert torch.equal(batch.photos[:, :, 0, 0], batch.photo_embeddings)
        assert torch.equal(batch.paintings[:, :, 0, 0], batch.painting_embeddings)


@pytest.mark.parametrize("position", [0, 1, 7, 10])
def test_an_epoch_goes_on_at_any_position(position):
    """Law: the rest of an epoch is the same whether its beginning was walked or not."""
    batches = _batches(TrainingData(_numbered(20), _numbered(13)), batch_size=2)
    whole = list(batches.epoch(4))[position:]
    rest = list(batches.epoch(4, start=position))
    assert len(rest) == 10 - position
    for one, other in zip(whole, rest, strict=True):
        assert torch.equal(one.photos, other.photos)
        assert torch.equal(one.paintings, other.paintings)


def test_processes_share_what_one_would_see():
    """Law: two processes at batch size 2 see together what one sees at 4, and nothing twice."""
    data = TrainingData(_numbered(17), _numbered(16))
    parts = [list(_batches(data, batch_size=2, rank=r, world_size=2).epoch(1)) for r in (0, 1)]
    whole = list(_batches(data, batch_size=4).epoch(1))
    assert len(whole) == len(parts[0]) == len(parts[1]) == 4
    for first, second, both in zip(*parts, whole, strict=True):
        assert torch.equal(torch.cat([first.photos, second.photos]), both.photos)
        assert torch.equal(torch.cat([first.paintings, second.paintings]), both.paintings)


@pytest.mark.parametrize(("pictures", "batch", "steps"), [(1000, 1, 1000), (10, 4, 2), (3, 8, 1)])
def test_length_of_an_epoch(pictures, batch, steps):
    """Law: whole batches of the larger domain, at least one."""
    assert steps_per_epoch(pictures, batch, 1) == steps


def test_a_limited_training_takes_a_seeded_choice(faces, parameters):
    """Law: so many of each domain, with embeddings, by the seed; never more than there are."""
    photos, paintings = faces(9, 1), faces(7, 2)
    fingerprint = RealEmbeddings(
        torch.arange(9.0).reshape(9, 1, 1).expand(9, 2, 4), torch.zeros(7, 2, 4)
    )
    data = TrainingData(photos, paintings, fingerprint)
    limited = data.limited(4, seed=0)
    assert len(limited.photos) == len(limited.paintings) == 4
    assert limited.photos.names == data.limited(4, seed=0).photos.names
    assert limited.photos.names != data.limited(4, seed=1).photos.names
    rows = [photos.names.index(name) for name in limited.photos.names]
    assert limited.real_embeddings.photo[:, 0, 0].tolist() == rows
    assert data.limited(None, seed=0) is data
    with pytest.raises(PortraitPipelineError, match="num_training_pairs is 8"):
        data.limited(8, seed=0)


def test_unfit_data_are_refused(faces):
    """Law: empty sets, other sizes and embeddings of other pictures are named."""
    empty = FaceSet((), np.empty((0, 32, 32, 3), np.uint8))
    with pytest.raises(PortraitPipelineError, match="no painting crops"):
        TrainingData(faces(2, 1), empty).check(32)
    with pytest.raises(PortraitPipelineError, match="image_size_px is 64, but the photo crops"):
        TrainingData(faces(2, 1), faces(2, 2)).check(64)
    fingerprint = RealEmbeddings(torch.zeros(2, 2, 4), torch.zeros(3, 2, 4))
    with pytest.raises(PortraitPipelineError, match=r"embeddings are of \(2, 3\)"):
        TrainingData(faces(2, 1), faces(2, 2), fingerprint).check(32)


def test_the_hash_knows_names_pixels_and_order(faces):
    """Law: the same pictures give the same hash, anything else another."""
    photos, paintings = faces(3, 1), faces(3, 2)
    changed = photos.pixels.copy()
    changed[2, 0, 0, 0] ^= 1
    others = [
        TrainingData(paintings, photos),
        TrainingData(photos.subset(photos.names[::-1]), paintings),
        TrainingData(photos.subset(photos.names[:2]), paintings),
        TrainingData(FaceSet(photos.names, changed), paintings),
        TrainingData(FaceSet(("a", "b", "c"), photos.pixels), paintings),
    ]
    hashes = {data_hash(data) for data in [TrainingData(photos, paintings), *others]}
    assert len(hashes) == 6
    assert data_hash(TrainingData(faces(3, 1), faces(3, 2))) in hashes


def test_an_epoch_over_100000_crops_starts_at_once_and_stays_small(tmp_path: Path):
    """Law: within a second and with less than 200 MB of resident memory, 256 px, 20 GB."""
    path, count = tmp_path / "crops.npy", 100_000
    np.lib.format.open_memmap(path, "w+", np.uint8, (count, 256, 256, 3)).flush()
    names = tuple(map(str, range(count)))
    pixels = np.load(path, mmap_mode="r")
    pixels.base.madvise(mmap.MADV_RANDOM)  # reading ahead in a file of holes is slow
    batches = _batches(TrainingData(FaceSet(names, pixels), FaceSet(names, pixels)))
    before, begin = _resident_mb(), time.monotonic()
    epoch = batches.epoch(0)
    next(epoch)
    assert time.monotonic() - begin < 1.0
    for _ in range(700):
        next(epoch)
    assert _resident_mb() - before < 200.0
    assert batches.order(0, count, Stream.PHOTO_ORDER).rows.unique().numel() == count


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 2**20
