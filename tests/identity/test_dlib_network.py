"""dlib's recogniser in torch: its own numbers, its own rule, and what training asks of it."""

import dlib
import numpy as np
import pytest
import torch

from portrait_pipeline.identity import Embedder
from portrait_pipeline.identity.dlib_format import find_model_file
from portrait_pipeline.identity.dlib_network import (
    RECOGNISER_FILE,
    SAME_PERSON_DISTANCE,
    max_pool_by_slices,
)
from portrait_pipeline.images import to_model_range


@pytest.fixture(scope="session")
def recogniser() -> "dlib.face_recognition_model_v1":
    """The network as dlib runs it."""
    return dlib.face_recognition_model_v1(str(find_model_file(RECOGNISER_FILE)))


def as_dlib_sees(crops: np.ndarray, embedder: Embedder) -> np.ndarray:
    """Cut and enlarge crops as the embedder does, rounded to the uint8 that dlib takes."""
    faces = embedder.crop(to_model_range(crops)).add(1.0).mul(127.5).round().clamp(0, 255)
    return np.ascontiguousarray(faces.to(torch.uint8).permute(0, 2, 3, 1).numpy())


def test_agrees_with_dlib(
    photo_crops: np.ndarray,
    painting_crops: np.ndarray,
    dlib_embedder: Embedder,
    recogniser: "dlib.face_recognition_model_v1",
) -> None:
    """The rebuilt network's descriptors are dlib's within 1e-5, photographs and paintings alike."""
    crops = np.concatenate([photo_crops[:12], painting_crops[:8]])
    faces = as_dlib_sees(crops, dlib_embedder)
    theirs = np.array([recogniser.compute_face_descriptor(face) for face in faces])
    with torch.no_grad():
        ours = dlib_embedder.network(torch.from_numpy(faces).permute(0, 3, 1, 2).float()).numpy()
    assert np.abs(ours - theirs).max() < 1e-5


@pytest.mark.usefixtures("shared_pictures")  # drawn people are too much alike
@torch.no_grad()
def test_raw_descriptors_keep_the_rule(photo_crops: np.ndarray, dlib_embedder: Embedder) -> None:
    """A face and its mirror image are nearer than 0.6, strangers mostly not."""
    images = to_model_range(photo_crops)
    raw, mirrored = dlib_embedder.descriptors(images), dlib_embedder.descriptors(images.flip(3))
    distances = torch.cdist(raw, mirrored)
    assert (distances.diagonal() < SAME_PERSON_DISTANCE).all()
    strangers = distances[~torch.eye(len(raw), dtype=torch.bool)]
    assert (strangers < SAME_PERSON_DISTANCE).float().mean() < 0.1


@pytest.mark.usefixtures("shared_pictures")
@torch.no_grad()
def test_strangers_are_two_apart(
    photo_crops: np.ndarray, painting_crops: np.ndarray, dlib_embedder: Embedder
) -> None:
    """The mean squared distance of strangers is 2.0 ± 0.15: one λ_p means the same everywhere.

    Strangers of one medium are a little nearer than those of two, by no more than a quarter.
    """
    photos = dlib_embedder(to_model_range(photo_crops))
    paintings = dlib_embedder(to_model_range(painting_crops))
    everyone = torch.cat([photos, paintings])
    assert stranger_distance(everyone) == pytest.approx(2.0, abs=0.15)
    assert stranger_distance(photos) == pytest.approx(2.0, abs=0.25)
    assert stranger_distance(paintings) == pytest.approx(2.0, abs=0.25)
    assert torch.cdist(photos, paintings).square().mean().item() == pytest.approx(2.0, abs=0.25)


def stranger_distance(embeddings: torch.Tensor) -> float:
    """Average the squared distance of all pairs of different rows."""
    squared = torch.cdist(embeddings, embeddings).square()
    return squared[~torch.eye(len(embeddings), dtype=torch.bool)].mean().item()


def test_descent_finds_the_face(photo_crops: np.ndarray, dlib_embedder: Embedder) -> None:
    """50 steps down the perceptual loss alone turn noise into what the network takes for a face."""
    target = dlib_embedder(to_model_range(photo_crops[:1])).detach()
    generator = torch.Generator().manual_seed(0)
    image = (torch.rand(1, 3, 64, 64, generator=generator) * 2 - 1).requires_grad_()
    optimiser = torch.optim.Adam([image], lr=0.05)
    for _ in range(50):
        optimiser.zero_grad()
        (dlib_embedder(image) - target).square().sum().backward()
        optimiser.step()
        with torch.no_grad():
            image.clamp_(-1.0, 1.0)
    assert (dlib_embedder(image) * target).sum().item() > 0.9


@pytest.mark.parametrize("size", [(9, 13), (10, 12), (72, 72)])
def test_pooling_by_slices_is_max_pooling(size: tuple[int, int]) -> None:
    """The same values, bit for bit, and the same gradients, below a ReLU as in the network."""
    torch.manual_seed(0)
    features = torch.randn(2, 3, *size, requires_grad=True)
    active = torch.relu(features)
    pooled = [max_pool_by_slices(active), torch.nn.functional.max_pool2d(active, 3, 2)]
    assert torch.equal(*pooled)
    towards = torch.randn_like(pooled[0])
    torch.testing.assert_close(
        *(torch.autograd.grad(each, features, towards, retain_graph=True)[0] for each in pooled)
    )
