"""FaceNet (Schroff et al. 2015), the report's teacher: weights fetched once, checked, frozen."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pooch
import torch
from jaxtyping import Float
from torch import Tensor, nn

from portrait_pipeline.downloads import Patience, download_file
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import write_whole
from portrait_pipeline.images import HALF_RANGE

INPUT_SIZE_PX = 160
EMBEDDING_SIZE = 512
INPUT_SCALE = 128.0

TrainedOn = Literal["vggface2", "casia-webface"]


@dataclass(frozen=True)
class WeightsSource:
    """Where a file of weights comes from.

    Attributes:
        url: Address of the file.
        file_name: Its name in the cache.
        sha256: Its hash; None where none is published: then the hash of the first transfer is
            written beside the file, and every later use is checked against that.
    """

    url: str
    file_name: str
    sha256: str | None


_RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
# The release carries no hashes. That of vggface2 (111,898,327 bytes) is the one which a dozen
# unrelated projects pin for this file; for casia-webface no published one was found.
SOURCES: dict[TrainedOn, WeightsSource] = {
    "vggface2": WeightsSource(
        _RELEASE + "20180402-114759-vggface2.pt",
        "20180402-114759-vggface2.pt",
        "281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
    ),
    "casia-webface": WeightsSource(
        _RELEASE + "20180408-102900-casia-webface.pt", "20180408-102900-casia-webface.pt", None
    ),
}


class FacenetNetwork(nn.Module):
    """Inception-ResNet v1 with its own input scaling: RGB faces in [0, 255] to unit vectors."""

    def __init__(self) -> None:
        # Imported here because it brings torchvision, a second that teacher=dlib need not wait.
        from facenet_pytorch import InceptionResnetV1  # noqa: PLC0415

        super().__init__()
        self.network = InceptionResnetV1(classify=False)

    def forward(self, faces: Float[Tensor, "batch 3 160 160"]) -> Float[Tensor, "batch 512"]:
        """Embed faces; the network was trained on (x − 127.5) / 128."""
        embeddings: Tensor = self.network((faces - HALF_RANGE) / INPUT_SCALE)
        return embeddings


def weights_folder() -> Path:
    """Return the folder of this user's cache in which fetched weights stay."""
    return Path(pooch.os_cache("portrait_pipeline")) / "weights"


def load_facenet_network(trained_on: TrainedOn, weights: str | None = None) -> FacenetNetwork:
    """Load FaceNet from a file that the user names, else from the cache, else from its release.

    Raises:
        PortraitPipelineError: if the file cannot be read or downloaded, or is another network's.
    """
    path = Path(weights) if weights else fetch_weights(SOURCES[trained_on], weights_folder())
    if not path.is_file():
        raise PortraitPipelineError(
            f"teacher_weights={path} is not there, expected the file"
            f" {SOURCES[trained_on].file_name}; name its path, or use teacher=dlib, which needs"
            " no download"
        )
    network = FacenetNetwork()
    network.network.load_state_dict(_read_state(path, network))
    return network.eval()


def fetch_weights(source: WeightsSource, folder: Path, patience: Patience | None = None) -> Path:
    """Return the weights in `folder`, fetching them the first time and checking them every time.

    Raises:
        PortraitPipelineError: if they cannot be loaded or have changed; says which file to
            put where.
    """
    target = folder / source.file_name
    hint = f"put {source.file_name} into {folder}, or use teacher=dlib, which needs no download"
    known = folder / f"{source.file_name}.sha256"
    sha256 = source.sha256 or _noted_hash(known)
    download_file(source.url, target, sha256, hint, patience)
    if sha256 is None:
        write_whole(known, f"{pooch.file_hash(str(target))}\n".encode())
    return target


def _noted_hash(file: Path) -> str | None:
    """Read the hash that was noted after the first download; None where there was none yet."""
    if not file.is_file():
        return None
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise PortraitPipelineError(
            f"{file} is damaged, expected the SHA-256 of the weights beside it: delete it, and the"
            " next run notes that of the file that lies there"
        )
    return text


def _read_state(path: Path, network: FacenetNetwork) -> dict[str, Tensor]:
    """Read the tensors of the embedding network; the released files hold a classifier too."""
    expected = network.network.state_dict()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what its parsers happen to raise
        raise _another_file(path, "is no file of weights") from error
    if not isinstance(state, dict):
        raise _another_file(path, f"holds a {type(state).__name__}")
    missing = sorted(expected.keys() - state.keys())
    if missing:
        raise _another_file(path, f"lacks {len(missing)} of {len(expected)} tensors ({missing[0]})")
    for key, tensor in expected.items():
        shape = getattr(state[key], "shape", None)
        if shape != tensor.shape:
            raise _another_file(path, f"has another shape of {key} ({shape and tuple(shape)})")
    return {key: state[key] for key in expected}


def _another_file(path: Path, what: str) -> PortraitPipelineError:
    return PortraitPipelineError(
        f"{path} {what}, expected the weights of facenet-pytorch's InceptionResnetV1; remove the"
        " file to fetch it anew, or use teacher=dlib, which needs no download"
    )
