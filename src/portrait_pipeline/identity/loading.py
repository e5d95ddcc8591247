"""From a name in the parameters to a face network that is ready to use."""

import json
from importlib import resources

import torch
from jaxtyping import Float
from torch import Tensor

from portrait_pipeline.identity.dlib_network import INPUT_SIZE_PX as DLIB_SIZE_PX
from portrait_pipeline.identity.dlib_network import load_dlib_network
from portrait_pipeline.identity.embedder import Embedder
from portrait_pipeline.identity.facenet import EMBEDDING_SIZE as FACENET_EMBEDDING_SIZE
from portrait_pipeline.identity.facenet import INPUT_SIZE_PX as FACENET_SIZE_PX
from portrait_pipeline.identity.facenet import FacenetNetwork, load_facenet_network
from portrait_pipeline.identity.fixed_crop import HOUSE_MARGIN, FaceWindow
from portrait_pipeline.parameters import Teacher

# dlib learnt from chips cut by landmarks, eye line at 0.31 of their height: 0.99 boxes wide on
# average, centred below the box. Of all windows tried this one came nearest to dlib's own aligned
# descriptors (benchmarks/face_window.md).
DLIB_WINDOW = FaceWindow(wide=0.93, high=0.93, lower=0.09, size_px=DLIB_SIZE_PX)
# FaceNet learnt from MTCNN's boxes, a tenth larger and squashed into squares; a box is 0.77 times
# as wide as it is high.
FACENET_WINDOW = FaceWindow(wide=0.85, high=1.10, lower=0.0, size_px=FACENET_SIZE_PX)
MEAN_DESCRIPTOR_FILE = "dlib_mean_descriptor.json"


def load_embedder(
    name: Teacher, weights: str | None = None, margin: float = HOUSE_MARGIN
) -> Embedder:
    """Load a face network, frozen, from its name in the parameters.

    Args:
        name: `dlib` (needs no network), `facenet` (trained on VGGFace2) or
            `facenet-casia-webface`.
        weights: File of FaceNet's weights; without it they come from the cache or the network.
        margin: `faces.margin` with which the crops were cut.

    Raises:
        PortraitPipelineError: if the weights cannot be had; the sentence says what to do.
        ValueError: if there is no network of that name.
    """
    match name:
        case "dlib":
            crop = DLIB_WINDOW.in_crops(margin)
            return Embedder(name, load_dlib_network(), crop, dlib_mean_descriptor())
        case "facenet":
            return _facenet_embedder(name, load_facenet_network("vggface2", weights), margin)
        case "facenet-casia-webface":
            return _facenet_embedder(name, load_facenet_network("casia-webface", weights), margin)
    raise ValueError(
        f"no face network named {name!r}, expected dlib, facenet or facenet-casia-webface"
    )


def dlib_mean_descriptor() -> Float[Tensor, "128"]:
    """Read the mean of dlib's raw descriptors over many faces; its file says of which."""
    text = resources.files(__package__).joinpath(MEAN_DESCRIPTOR_FILE).read_text("utf-8")
    return torch.tensor(json.loads(text)["mean_descriptor"], dtype=torch.float32)


def _facenet_embedder(name: Teacher, network: FacenetNetwork, margin: float) -> Embedder:
    # FaceNet's training spread people over the whole sphere: strangers share nothing.
    common_part = torch.zeros(FACENET_EMBEDDING_SIZE)
    return Embedder(name, network, FACENET_WINDOW.in_crops(margin), common_part)
