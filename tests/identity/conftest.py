"""Faces and the real network, made once for all tests of this folder."""

import numpy as np
import pytest
import torch
from support.face_crops import real_faces

from portrait_pipeline.identity import Embedder, load_embedder


@pytest.fixture(scope="session")
def photo_crops() -> np.ndarray:
    """32 crops of photographs, 64 px."""
    return real_faces("photos", 32)


@pytest.fixture(scope="session")
def painting_crops() -> np.ndarray:
    """32 crops of paintings, 64 px."""
    return real_faces("paintings", 32)


@pytest.fixture(scope="session")
def dlib_embedder() -> Embedder:
    """The real recogniser."""
    return load_embedder("dlib")


@pytest.fixture
def noise() -> torch.Tensor:
    """Two images of noise, 64 px, to be differentiated."""
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(2, 3, 64, 64, generator=generator) * 2 - 1).requires_grad_()
