"""FaceRes rebuilt from files of its format; the real one is looked at only where it is kept."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.identity import faceres, load_embedder
from portrait_pipeline.identity.facenet import weights_folder
from portrait_pipeline.identity.faceres import (
    DESCRIPTOR_SIZE,
    FaceresNetwork,
    load_faceres_network,
    rebuild,
)
from portrait_pipeline.images import to_model_range

REFERENCE = Path(__file__).with_name("faceres_reference.json")


def stand_in_network() -> FaceresNetwork:
    """A seeded network of the same layers; its numbers are float16 so that a file can hold them."""
    generator = torch.Generator().manual_seed(11)
    network = FaceresNetwork().requires_grad_(False)
    for parameter in network.parameters():
        spread = 1.5 * parameter[0].numel() ** -0.5 if parameter.dim() > 1 else 0.1
        values = torch.randn(parameter.shape, generator=generator) * spread
        parameter.copy_(values.half().float())
    return network.eval()


def written(network: FaceresNetwork) -> bytes:
    """Write a network as the converter did: its kernels' axes last, depthwise ones times a factor.

    The factor, two, is exact in float16, and so are the halved kernels.
    """
    parts = [np.zeros(25_600 + 100 + 262_144 + 256 + 256 + 1)]
    for layer in [network.stem, *network.layers]:
        kernel = layer.weight.numpy()
        if layer.groups > 1:
            parts += [kernel.transpose(2, 3, 0, 1) / 2, np.full(len(kernel), 2.0)]
        else:
            parts.append(kernel.transpose(2, 3, 1, 0))
        parts += [layer.bias.numpy(), np.array([6.0, 0.0])]
    numbers = np.concatenate([part.ravel() for part in parts]).astype("<f2")
    return numbers.tobytes() + np.array([1, 2], dtype="<i4").tobytes()


@pytest.fixture(scope="module")
def content() -> bytes:
    """The stand-in's file."""
    return written(stand_in_network())


@pytest.fixture
def real_weights() -> None:
    """Leave out what needs the real network where its file is not kept."""
    folder = weights_folder()
    if not any((folder / name).is_file() for name in (faceres.WEIGHTS_FILE, faceres.PACKAGE_FILE)):
        pytest.skip(f"{faceres.PACKAGE_FILE} is not in the cache folder of weights")


@pytest.fixture
def accepted(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stand-in pass for the real file."""
    monkeypatch.setattr(faceres, "WEIGHTS_SHA256", hashlib.sha256(content).hexdigest())


def packed(content: bytes, member: str = faceres.PACKAGE_MEMBER) -> bytes:
    """Pack a file as npm does."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as package:
        info = tarfile.TarInfo(member)
        info.size = len(content)
        package.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_the_file_gives_the_network_back(content: bytes) -> None:
    """Every kernel and bias stands where it was before it was written."""
    found = rebuild(content).state_dict()
    for name, tensor in stand_in_network().state_dict().items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-3, atol=1e-6)


def test_halving_layers_are_padded_behind_only() -> None:
    """With SAME, the first output of a halving layer begins at the first pixel."""
    network = stand_in_network()
    network.stem.weight.zero_()
    network.stem.bias.zero_()
    network.stem.weight[:, 0, 0, 0] = 1.0
    picture = torch.arange(64.0).reshape(1, 1, 8, 8).expand(1, 3, 8, 8) / 16
    found = faceres._convolve_same(network.stem, picture)
    torch.testing.assert_close(found[0, 0], picture[0, 0, ::2, ::2])


@pytest.mark.parametrize("change", [-2, 2])
def test_a_file_of_another_length_is_refused(content: bytes, change: int) -> None:
    """Neither a tensor that is cut off nor numbers that belong to none pass."""
    other = content[:change] if change < 0 else content + bytes(change)
    with pytest.raises(ValueError, match="file"):
        rebuild(other)


@pytest.mark.usefixtures("accepted")
def test_package_and_file_make_the_same_embedder(
    tmp_path: Path, content: bytes, noise: Tensor
) -> None:
    """Unit float32 vectors of 1024 under autocast, with gradients at the picture, from either."""
    plain, package = tmp_path / "faceres.bin", tmp_path / "human.tgz"
    plain.write_bytes(content)
    package.write_bytes(packed(content))
    embedder = load_embedder("faceres", str(plain))
    assert load_embedder("faceres", str(package)).network_hash == embedder.network_hash
    with torch.autocast("cpu", torch.bfloat16):
        embeddings = embedder(noise)
    assert embeddings.shape == (2, DESCRIPTOR_SIZE)
    assert embeddings.dtype == torch.float32
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))
    embeddings.sum().backward()
    assert noise.grad is not None
    assert noise.grad.abs().sum() > 0


@pytest.mark.usefixtures("accepted")
@pytest.mark.parametrize("name", [faceres.WEIGHTS_FILE, faceres.PACKAGE_FILE])
def test_the_cache_is_looked_in(
    name: str, tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a path, the package or its file in the cache is used."""
    monkeypatch.setattr(faceres, "weights_folder", lambda: tmp_path)
    (tmp_path / name).write_bytes(content if name.endswith(".bin") else packed(content))
    assert isinstance(load_faceres_network(), FaceresNetwork)


def test_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence: the command that gets the file, and where to put it."""
    monkeypatch.setattr(faceres, "weights_folder", lambda: tmp_path)
    with pytest.raises(PortraitPipelineError) as caught:
        load_faceres_network()
    sentence = str(caught.value)
    assert str(tmp_path / faceres.PACKAGE_FILE) in sentence
    assert "npm pack @vladmandic/human@3.3.6" in sentence
    assert "judge_weights" in sentence


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"another file", "SHA-256"),
        (packed(b"other weights"), "SHA-256"),
        (packed(b"", "package/other.bin"), "holds no"),
    ],
)
def test_another_file(tmp_path: Path, body: bytes, reason: str) -> None:
    """What is not the network of that hash is refused, in a package or alone."""
    path = tmp_path / "weights"
    path.write_bytes(body)
    with pytest.raises(PortraitPipelineError, match=rf"{reason}.*npm pack"):
        load_faceres_network(str(path))


@pytest.mark.usefixtures("real_weights")
def test_agrees_with_tensorflow_js() -> None:
    """The real network computes what TensorFlow.js computed of the same picture, within 1e-4."""
    reference = json.loads(REFERENCE.read_text("utf-8"))
    network = load_faceres_network()
    with torch.no_grad():  # the picture as TensorFlow.js got it: BGR, its mean colour taken away
        found = network((waves() + network.mean_colour).flip(1))
    expected = torch.zeros(DESCRIPTOR_SIZE)
    expected[reference["places"]] = torch.tensor(reference["values"])
    torch.testing.assert_close(found[0], expected, rtol=0, atol=1e-4)


def waves() -> Tensor:
    """A picture that a formula gives: a light oval with two dark spots on a dark ground."""
    down, across = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
    oval = torch.exp(-(((across - 112) / 70) ** 4) - ((down - 112) / 90) ** 4)
    spots = sum(
        torch.exp(-(((across - x) / w) ** 2) - ((down - y) / h) ** 2)
        for x, y, w, h in ((80, 90, 14, 7), (144, 90, 14, 7), (112, 130, 9, 9), (112, 160, 25, 6))
    )
    grey = 60 + 140 * oval - 110 * spots
    return torch.stack([grey, 0.85 * grey, 0.75 * grey]).clamp(0, 255)[None]


@pytest.mark.usefixtures("real_weights", "shared_pictures")
@torch.no_grad()
def test_strangers_are_two_apart_and_mirror_images_are_not(
    photo_crops: np.ndarray, painting_crops: np.ndarray
) -> None:
    """Its scale is every teacher's, 2.0 ± 0.15; a mirrored photo's own face is nearest to it."""
    embedder = load_embedder("faceres")
    photos = to_model_range(photo_crops)
    found = torch.cat([embedder(photos), embedder(to_model_range(painting_crops))])
    squared = torch.cdist(found, found).square()
    strangers = squared[~torch.eye(len(found), dtype=torch.bool)]
    assert strangers.mean().item() == pytest.approx(2.0, abs=0.15)
    nearest = torch.cdist(embedder(photos.flip(3)), found[: len(photos)]).argmin(dim=1)
    torch.testing.assert_close(nearest, torch.arange(len(photos)))
