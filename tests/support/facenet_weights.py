"""A file of FaceNet weights such as its authors released, with random values."""

import io
from functools import cache

import torch
from facenet_pytorch import InceptionResnetV1


@cache
def random_facenet() -> bytes:
    """Write the network's state with its classifier, which is never used; always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = InceptionResnetV1(classify=True, num_classes=3).state_dict()
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()
