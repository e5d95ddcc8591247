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
from portrait_pipeline.identity.faceres import INPUT_SIZE_PX as FACERES_SIZE_PX
from portrait_pipeline.identity.faceres import load_faceres_network
from portrait_pipeline.identity.fixed_crop import DEFAULT_MARGIN, FaceWindow
from portrait_pipeline.parameters import Teacher

# dlib learnt from chips cut by landmarks, eye line at 0.31 of their height: 0.99 boxes wide on
# average, centred below the box. Of all windows tried this one came nearest to dlib's own aligned
# descriptors (benchmarks/face_window.md).
DLIB_WINDOW = FaceWindow(wide=0.93, high=0.93, lower=0.09, size_px=DLIB_SIZE_PX)
# FaceNet learnt from MTCNN's boxes, a tenth larger and squashed into squares; a box is 0.77 times
# as wide as it is high.
FACENET_WINDOW = FaceWindow(wide=0.85, high=1.10, lower=0.0, size_px=FACENET_SIZE_PX)
# FaceRes learnt from VGGFace2's loose boxes; this square holds 1.2 boxes around the box's centre.
FACERES_WINDOW = FaceWindow(wide=1.2, high=1.2, lower=0.0, size_px=FACERES_SIZE_PX)
MEAN_DESCRIPTOR_FILE = "dlib_mean_descriptor.json"
FACERES_MEAN_FILE = "faceres_mean_descriptor.json"


def load_embedder(
    name: Teacher, weights: str | None = None, margin: float = DEFAULT_MARGIN
) -> Embedder:
    """Load a face network, frozen, from its name in the parameters.

    Args:
        name: `dlib` (needs no network), `facenet` (trained on VGGFace2),
            `facenet-casia-webface` or `faceres`.
        weights: File of FaceNet's or FaceRes's weights; without it they come from the cache or,
            FaceNet's, from the network.
        margin: `window_margin` of the faces with which the crops were cut.

    Raises:
        PortraitPipelineError: if the weights cannot be loaded; the sentence says what to do.
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
        case "faceres":
            crop = FACERES_WINDOW.in_crops(margin)
            common_part = _read_mean_descriptor(FACERES_MEAN_FILE)
            return Embedder(name, load_faceres_network(weights), crop, common_part)
    raise ValueError(
        f"no face network named {name!r}, expected dlib, facenet, facenet-casia-webface or faceres"
    )


def dlib_mean_descriptor() -> Float[Tensor, "128"]:
    """Read the mean of dlib's raw descriptors over many faces; its file says of which."""
    return _read_mean_descriptor(MEAN_DESCRIPTOR_FILE)


def _read_mean_descriptor(file_name: str) -> Float[Tensor, " dim"]:
    text = resources.files(__package__).joinpath(file_name).read_text("utf-8")
    return torch.tensor(json.loads(text)["mean_descriptor"], dtype=torch.float32)


def _facenet_embedder(name: Teacher, network: FacenetNetwork, margin: float) -> Embedder:
    # FaceNet's training spread people over the whole sphere: strangers share nothing.
    common_part = torch.zeros(FACENET_EMBEDDING_SIZE)
    return Embedder(name, network, FACENET_WINDOW.in_crops(margin), common_part)
